"""Whether both engines answer."""

import asyncio
from dataclasses import dataclass

from elasticsearch import AsyncElasticsearch
from redis.exceptions import RedisError

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.names import IndexNames

TIMEOUT_S = 2.0


@dataclass(eq=False)
class Health:
    """Asks the engines, each within a bound."""

    _elasticsearch: AsyncElasticsearch
    _redis: RedisClient
    _indices: IndexNames

    async def check(self) -> bool:
        """Return when the index answers; raises EngineFault. Tells whether Redis answers too.

        Without Redis matches are answered as ever, after a refresh; only pushes must wait.
        """
        with translated_errors():
            client = self._elasticsearch.options(request_timeout=TIMEOUT_S)
            health = await client.cluster.health(index=self._indices.authorizations)
        if health["status"] == "red":
            raise EngineUnavailable("elasticsearch", "a part of the index is not available")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True
