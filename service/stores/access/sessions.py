"""Browser sessions in Redis: by keyed hashes of their ids, so that nobody reads an id there."""

import time
from dataclasses import dataclass
from typing import Any

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.scripts import lua

_END_ALL = lua("sessions_end.lua")


@dataclass(eq=False, repr=False)
class SessionShelf:
    """Keeps sessions, and what begins one; all of it in one slot."""

    _redis: RedisClient
    _keys: KeyNames

    async def put(self, ticket: str, content: str, seconds: int) -> None:
        """Keep what a ticket opens for so long, to be taken once; raises EngineFault."""
        with translated_errors():
            await self._redis.set(self._keys.session("ticket", ticket), content, ex=seconds)

    async def take(self, ticket: str) -> str | None:
        """Give it, and keep it no longer; raises EngineFault."""
        with translated_errors():
            found: Any = await self._redis.getdel(self._keys.session("ticket", ticket))
        return None if found is None else str(found)

    async def is_first(self, sign_in: str, seconds: int) -> bool:
        """Whether this was not asked before in so many seconds; raises EngineFault."""
        key = self._keys.session("finished", sign_in)
        with translated_errors():
            return bool(await self._redis.set(key, "1", nx=True, ex=seconds))

    async def open(self, name: str, content: str, user: str, idle_s: int, until: float) -> None:
        """Keep a session of a user, at most ``until`` a time; raises EngineFault."""
        key, all_of_user = self._keys.session("id", name), self._keys.session("user", user)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.zremrangebyscore(all_of_user, "-inf", time.time())
            pipeline.zadd(all_of_user, {key: until})
            pipeline.expireat(all_of_user, int(until) + 1)
            pipeline.set(key, content, ex=idle_s)
            await pipeline.execute()

    async def look(self, name: str, idle_s: int) -> str | None:
        """Give a session and keep it for so long from now; raises EngineFault."""
        with translated_errors():
            found: Any = await self._redis.getex(self._keys.session("id", name), ex=idle_s)
        return None if found is None else str(found)

    async def change(self, name: str, content: str) -> None:
        """Keep a session otherwise, if it is there still; raises EngineFault."""
        with translated_errors():
            await self._redis.set(self._keys.session("id", name), content, xx=True, keepttl=True)

    async def end(self, name: str) -> None:
        """Keep a session no longer; raises EngineFault."""
        with translated_errors():
            await self._redis.delete(self._keys.session("id", name))

    async def end_all(self, user: str) -> int:
        """Keep no session of a user any longer; gives how many there were. Raises EngineFault."""
        with translated_errors():
            ended: Any = await self._redis.eval(_END_ALL, 1, self._keys.session("user", user))
        return int(ended)
