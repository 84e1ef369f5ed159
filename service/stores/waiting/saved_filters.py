"""Filters of the worklist that people gave a name, each for himself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames


@dataclass(eq=False, repr=False)
class SavedFilters:
    """By payer and person, each name with what it filters by; raises EngineFault."""

    _redis: RedisClient
    _keys: KeyNames

    async def of(self, payer: str, who: str) -> Mapping[str, str]:
        """All of somebody, by name."""
        with translated_errors():
            found: Any = await self._redis.hgetall(self._keys.filters(payer, who))
        return {str(name): str(found[name]) for name in sorted(found)}

    async def save(self, payer: str, who: str, name: str, filters: str) -> None:
        """Save one, in place of what had its name."""
        with translated_errors():
            await self._redis.hset(self._keys.filters(payer, who), name, filters)

    async def drop(self, payer: str, who: str, name: str) -> None:
        """Have one no more."""
        with translated_errors():
            await self._redis.hdel(self._keys.filters(payer, who), name)
