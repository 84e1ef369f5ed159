"""Whether an acknowledged write to Redis outlives a crash, and is never evicted."""

import time
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import RedisCluster
from redis.exceptions import ResponseError

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineFault, translated_errors

TRUSTED_S = 60.0

WANTED = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}
"""The settings of Redis without which units that were acknowledged may be lost."""


class NotDurable(EngineFault):
    """Redis may forget what it has acknowledged: no units are moved in it."""

    is_lasting = True


@dataclass(eq=False, repr=False)
class Durability:
    """Asks Redis for its settings; ``is_weak_allowed`` for a machine of one's own."""

    _redis: RedisClient
    is_weak_allowed: bool = field(kw_only=True)
    _trusted_until: float = field(default=0.0, init=False)

    async def ensure(self) -> None:
        """Return when units may be moved; asks once a minute. Raises NotDurable, EngineFault."""
        if self.is_weak_allowed or time.monotonic() < self._trusted_until:
            return
        asked_at = time.monotonic()
        weak = await self.check()
        if weak:
            raise NotDurable(
                "redis",
                f"it may lose what it has acknowledged: {'; '.join(weak)}"
                " (AUTHMATCH_ALLOW_WEAK_REDIS takes it all the same)",
            )
        self._trusted_until = asked_at + TRUSTED_S

    async def check(self) -> list[str]:
        """Say what is weak, of every node; what cannot be read counts as weak."""
        weak = []
        for name, wanted in WANTED.items():
            found = await self._settings(name)
            for value in found:
                if value is None:
                    weak.append(f"{name} cannot be read, it must be {wanted}")
                elif value != wanted:
                    weak.append(f"{name} is {value}, it must be {wanted}")
        return list(dict.fromkeys(weak))

    async def _settings(self, name: str) -> list[str | None]:
        """Read a setting of every node that takes writes; managed servers refuse that."""
        with translated_errors():
            try:
                if isinstance(self._redis, RedisCluster):
                    primaries = RedisCluster.PRIMARIES
                    answer: Any = await self._redis.config_get(name, target_nodes=primaries)
                else:
                    answer = await self._redis.config_get(name)
            except ResponseError:
                return [None]
        by_node = [each for each in answer.values() if isinstance(each, dict)]
        return [each.get(name) for each in by_node or [answer]]
