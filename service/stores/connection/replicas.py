"""Waits until replicas have what was written, where that is asked for.

Redis copies to its replicas without being waited for: one that takes over lacks what was not on its
way yet. ``WAIT`` on the connection that wrote says how many have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import RedisCluster
from redis.commands.core import AsyncScript
from redis.exceptions import AskError, NoScriptError, TryAgainError

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineUnavailable, translated_errors

WAIT_MS = 1000
"""So long replicas are waited for."""
_ATTEMPTS_MAX = 4
_ELSEWHERE = (AskError, TryAgainError)
"""The slot is on another node, or on its way there: a MovedError is one of the first kind."""


class Unconfirmed(EngineUnavailable):
    """It is written, but fewer replicas have it than must: who sends it again is told all."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many replicas must have a movement before it is answered; 0: none is waited for."""

    _redis: RedisClient
    count: int

    async def run(
        self, script: AsyncScript, keys: Sequence[str], arguments: Sequence[bytes | str]
    ) -> Any:
        """Run a script, and wait; raises what Redis says, and Unconfirmed."""
        if not self.count:
            return await script(keys=list(keys), args=list(arguments))
        for _ in range(_ATTEMPTS_MAX):
            command = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
            written, copies = await self._written(keys[0], *command)
            if isinstance(written, NoScriptError):
                await self._redis.script_load(script.script)
            elif isinstance(written, _ELSEWHERE):
                await self._redis.exists(keys[0])  # by that the client learns where it is
            else:
                return self._confirmed(written, copies)
        raise EngineUnavailable("redis", "a slot is moved again and again")

    async def confirm(self, key: str) -> None:
        """Return when all that was written is in the replicas, too; writes ``key`` for a moment.

        Raises Unconfirmed, or another EngineFault.
        """
        if self.count:
            with translated_errors():
                self._confirmed(*await self._written(key, "SET", key, "1", "PX", "1000"))

    async def _written(self, key: str, *command: Any) -> Any:
        """What a command gave, and how many replicas have it: both on one connection."""
        pipeline: Any = self._redis.pipeline(transaction=False)
        pipeline.execute_command(*command)
        if not isinstance(self._redis, RedisCluster):
            pipeline.execute_command("WAIT", self.count, WAIT_MS)
            return await pipeline.execute(raise_on_error=False)
        await self._redis.initialize()
        node = self._redis.get_node_from_key(key)
        pipeline.execute_command("WAIT", self.count, WAIT_MS, target_nodes=node)
        return await pipeline.execute(raise_on_error=False, allow_redirections=False)

    def _confirmed(self, written: Any, copies: Any) -> Any:
        for answer in (written, copies):
            if isinstance(answer, Exception):
                raise answer
        if int(copies) < self.count:
            raise Unconfirmed(
                "redis", f"unconfirmed: it is in {copies} of {self.count} replicas; send it again"
            )
        return written
