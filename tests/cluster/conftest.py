"""Tests of this folder run on clusters of their own, by `make test-cluster`: some minutes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.lab import RedisCluster, SearchCluster, redis_cluster, search_cluster
from tests.ground import Ground, settings_on, shipped_rules, uninstall
from tests.ground import payer as payer


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Nobody starts nine engines who did not ask for it."""
    return None if "cluster" in (config.option.markexpr or "") else True


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Nine engines and a service start at the same time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.api.service_process.START_S", 240)
        yield


@pytest.fixture(scope="session")
def redis(engine_progress: Callable[[str], None]) -> Iterator[RedisCluster]:
    """Three primaries with a replica each."""
    with redis_cluster(engine_progress) as servers:
        yield servers


@pytest.fixture(scope="session")
def search(engine_progress: Callable[[str], None]) -> Iterator[SearchCluster]:
    """Three nodes of Elasticsearch."""
    with search_cluster(engine_progress) as nodes:
        yield nodes


def _installed(elasticsearch_url: str, redis: RedisCluster) -> Iterator[Ground]:
    """Installed indices under a prefix of one test."""
    settings = settings_on(
        elasticsearch_url, redis.url, redis_cluster=True, elasticsearch_timeout_s=5
    )
    made = Ground(settings=settings, rules=shipped_rules())
    redis.wait_until_whole()
    made.run(lambda stores: stores.installation.install())
    yield made
    redis.wait_until_whole()
    made.run(uninstall)


@pytest.fixture
def ground(elasticsearch_url: str, redis: RedisCluster) -> Iterator[Ground]:
    """The Redis Cluster, and the Elasticsearch of all tests."""
    yield from _installed(elasticsearch_url, redis)


@pytest.fixture
def wide(search: SearchCluster, redis: RedisCluster) -> Iterator[Ground]:
    """Both clusters."""
    search.wait_until_whole()
    yield from _installed(search.url, redis)
    search.wait_until_whole()
