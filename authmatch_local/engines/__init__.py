"""A real Elasticsearch and a real Redis as child processes on loopback.

For a machine with nothing but Python: what is needed is fetched once into a cache folder, started
once and reused. `using` is the way in for a program that runs for a while; `start`, `stop` and
`status` for one that does not. `start_elasticsearch` and `start_redis` bring one engine alone
(back): the `Engine` that they return can be stopped or killed by itself. Every failure is an
`EngineError`.
"""

from authmatch_local.engines.control import (
    HomeStatus,
    LocalEngines,
    default_cache,
    start,
    start_elasticsearch,
    start_redis,
    status,
    stop,
    using,
)
from authmatch_local.engines.engine import Engine
from authmatch_local.engines.errors import EngineError, InUseError

__all__ = [
    "Engine",
    "EngineError",
    "HomeStatus",
    "InUseError",
    "LocalEngines",
    "default_cache",
    "start",
    "start_elasticsearch",
    "start_redis",
    "status",
    "stop",
    "using",
]
