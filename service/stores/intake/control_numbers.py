"""Numbers the interchanges that we write: X12 wants each number once from one sender."""

from dataclasses import dataclass

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames

NUMBERS = 999_999_999
"""ISA13 has nine digits; after the last number the first comes again."""


@dataclass(eq=False, repr=False)
class ControlNumbers:
    """Counts in Redis, for each payer by itself."""

    _redis: RedisClient
    _keys: KeyNames

    async def take(self, payer: str, count: int) -> int:
        """Take so many numbers that nobody else gets, and give the first; raises EngineFault."""
        with translated_errors():
            last = await self._redis.incrby(self._keys.control_numbers(payer), count)
        return (last - count) % NUMBERS + 1

    async def taken(self, payer: str) -> int:
        """How many were taken so far; raises EngineFault."""
        with translated_errors():
            return int(await self._redis.get(self._keys.control_numbers(payer)) or 0)
