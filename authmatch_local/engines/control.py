"""Both engines of a home together, and each of them alone."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from authmatch_local.engines import supervision
from authmatch_local.engines.account import engine_account, make_cache
from authmatch_local.engines.download import Progress
from authmatch_local.engines.engine import Engine
from authmatch_local.engines.errors import InUseError
from authmatch_local.engines.home import Data, Home, locked
from authmatch_local.engines.redis_server import RedisServer, redis_server
from authmatch_local.engines.search_node import ElasticsearchNode, elasticsearch_node

_USE_SECONDS_MAX = 300

# To find and stop an engine neither program nor runtime is needed.
_SOME_NODE = ElasticsearchNode(program=Path(), java=Path(), heap_mb=0)
_SOME_REDIS = RedisServer(program=Path())


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEngines:
    """The two engines of a home, both answering when this was made."""

    elasticsearch: Engine
    redis: Engine

    @property
    def elasticsearch_url(self) -> str:
        """Where Elasticsearch answers."""
        return self.elasticsearch.url

    @property
    def redis_url(self) -> str:
        """Where Redis answers."""
        return self.redis.url

    @property
    def elasticsearch_pid(self) -> int:
        """The process of Elasticsearch."""
        return self.elasticsearch.pid

    @property
    def redis_pid(self) -> int:
        """The process of Redis."""
        return self.redis.pid

    @property
    def started_here(self) -> bool:
        """Whether at least one of the two was started by the call that returned this."""
        return self.elasticsearch.started_here or self.redis.started_here


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeStatus:
    """What runs in a home: None where nothing does."""

    elasticsearch: Engine | None
    redis: Engine | None


def default_cache() -> Path:
    """Return the cache folder: AUTHMATCH_CACHE, else `authmatch` in the user's cache folder.

    Root's engines run as another user who cannot enter root's home, hence /var/cache there.
    """
    chosen = os.environ.get("AUTHMATCH_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/cache/authmatch")
    return platformdirs.user_cache_path("authmatch")


def start(
    cache: Path,
    *,
    progress: Progress,
    heap_mb: int = 1024,
    home: str = "run",
    data: Data = "kept",
) -> LocalEngines:
    """Start the engines of `home`, or find them running; both answer when this returns.

    `progress` is told short lines while it takes time (a first start fetches 100 MB). `heap_mb`
    is the node's heap in MiB. `data` is what an engine that has to be started finds.
    EngineError when one cannot be started; the other is then left as it is.
    """
    redis = start_redis(cache, progress=progress, home=home, data=data)
    elasticsearch = start_elasticsearch(
        cache, progress=progress, heap_mb=heap_mb, home=home, data=data
    )
    return LocalEngines(elasticsearch=elasticsearch, redis=redis)


def start_elasticsearch(
    cache: Path,
    *,
    progress: Progress,
    heap_mb: int = 1024,
    home: str = "run",
    data: Data = "kept",
) -> Engine:
    """Start the Elasticsearch of `home` alone, as `start` does: same port, same data as before."""
    place = Home(cache=cache, name=home)
    account = engine_account()
    make_cache(cache, account)
    node = elasticsearch_node(cache, account, heap_mb=heap_mb, progress=progress)
    return supervision.ensure(place, node, account, progress=progress, data=data)


def start_redis(
    cache: Path, *, progress: Progress, home: str = "run", data: Data = "kept"
) -> Engine:
    """Start the Redis of `home` alone, as `start` does: same port, same data as before."""
    place = Home(cache=cache, name=home)
    account = engine_account()
    make_cache(cache, account)
    server = redis_server(cache, account)
    return supervision.ensure(place, server, account, progress=progress, data=data)


def status(cache: Path, *, home: str = "run") -> HomeStatus:
    """Return what runs in `home`, found by its own process, not by its port."""
    place = Home(cache=cache, name=home)
    return HomeStatus(
        elasticsearch=supervision.find(place, _SOME_NODE),
        redis=supervision.find(place, _SOME_REDIS),
    )


def stop(cache: Path, *, home: str = "run") -> bool:
    """Stop both engines of `home` in good order, whoever started them; False when none ran.

    Its data stays for the next start, unless it is in memory.
    """
    place = Home(cache=cache, name=home)
    if not place.folder.is_dir():
        return False
    stopped = [supervision.stop(place, kind) for kind in (_SOME_NODE, _SOME_REDIS)]
    return any(stopped)


@contextlib.contextmanager
def using(
    cache: Path,
    *,
    progress: Progress,
    heap_mb: int = 1024,
    home: str = "run",
    data: Data = "kept",
) -> Iterator[LocalEngines]:
    """Start the engines of `home` for the time of the block; the last user stops them.

    Two programs may so share one home: the first to leave does not take the engines away from
    the other. Arguments and errors as for `start`.
    """
    in_use = Home(cache=cache, name=home).folder / "in-use.lock"
    try:
        with locked(in_use, seconds_max=_USE_SECONDS_MAX, shared=True):
            yield start(cache, progress=progress, heap_mb=heap_mb, home=home, data=data)
    finally:
        # Held by another user: the engines stay, and are that one's to stop.
        with contextlib.suppress(InUseError), locked(in_use, seconds_max=0):
            stop(cache, home=home)
