"""Tests of this folder kill what they run on, and run by `make test-cluster` alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.lab import Clusters, RedisCluster, SearchCluster
from tests.conftest import are_clusters_wanted
from tests.ground import Ground, settings_on, shipped_rules, uninstall
from tests.ground import payer as payer


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """They are not even read where they cannot run."""
    return None if are_clusters_wanted(config) else True


@pytest.fixture(scope="session")
def redis(clusters: Clusters) -> RedisCluster:
    """Three primaries with a replica each."""
    return clusters.redis


@pytest.fixture(scope="session")
def search(clusters: Clusters) -> SearchCluster:
    """Three nodes of Elasticsearch."""
    return clusters.search


@pytest.fixture
def ground(clusters: Clusters) -> Iterator[Ground]:
    """Installed indices under a prefix of one test, on clusters that are whole again after it."""
    settings = settings_on(clusters.search.url, clusters.redis.url, elasticsearch_timeout_s=5)
    made = Ground(settings=settings, rules=shipped_rules())
    clusters.wait_until_whole()
    made.run(lambda stores: stores.installation.install())
    yield made
    clusters.wait_until_whole()
    made.run(uninstall)
