"""The engines that the suite runs against: real ones, always.

Those of AUTHMATCH_ELASTICSEARCH_URL and AUTHMATCH_REDIS_URL where they are set, else containers
where a Docker daemon runs, else the project's own local engines. Tests that need them are never
skipped; the fixtures mark them with `engines`. With `-m cluster` tests that are marked so run on
clusters of both.
"""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from authmatch_local import engines
from service.rules.book import RuleBook
from service.rules.texts import load_rules
from service.settings import Settings
from tests.cluster.lab import Clusters, clusters_of_both
from tests.ground import shipped_rules

ELASTICSEARCH_IMAGE = "elasticsearch:9.2.4"
REDIS_IMAGE = "redis:7"

_ENGINE_FIXTURES = {"elasticsearch_url", "redis_url"}
_HEAP_MB = 512

# No example is wrong for being slow: other tests run beside it.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

for _size in ("COLUMNS", "LINES"):  # a test says how wide a terminal is, if it matters
    os.environ.pop(_size, None)


@dataclass(frozen=True)
class EngineAddresses:
    """Where the two engines of this run answer."""

    elasticsearch_url: str
    redis_url: str


def are_clusters_wanted(config: pytest.Config) -> bool:
    """Whether tests run on clusters: nobody starts nine engines who did not ask for it."""
    return str(config.option.markexpr).startswith("cluster")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that uses an engine, directly or through another fixture."""
    for item in items:
        if _ENGINE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.engines)


class FolderByFolder(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Gives a process the tests of a whole folder, so that its services are started once."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderByFolder:
    """Share the tests among processes by folders."""
    return FolderByFolder(config, log)


@pytest.fixture(scope="session", autouse=True)
def _shipped_rules_once() -> Iterator[None]:
    """Read the shipped rules once, not for every command and service of the suite."""
    shipped = Settings().queries_dir

    def load(settings: Settings) -> RuleBook:
        return shipped_rules() if settings.queries_dir == shipped else load_rules(settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.application.parts.load_rules", load)
        yield


@pytest.fixture(scope="session")
def elasticsearch_url(engine_addresses: EngineAddresses) -> str:
    """The address of a real Elasticsearch; its indices may be shared with another run."""
    return engine_addresses.elasticsearch_url


@pytest.fixture(scope="session")
def redis_url(engine_addresses: EngineAddresses) -> str:
    """The address of a real Redis; its keys may be shared with another run."""
    return engine_addresses.redis_url


@pytest.fixture(scope="session")
def clusters(engine_progress: Callable[[str], None]) -> Iterator[Clusters]:
    """Three nodes of Elasticsearch, and a Redis Cluster of three primaries with a replica each."""
    with clusters_of_both(engine_progress) as made, pytest.MonkeyPatch.context() as patch:
        # Nine engines and a service share a machine.
        patch.setattr("tests.api.service_process.START_S", 240)
        yield made


@pytest.fixture(scope="session")
def engine_addresses(
    request: pytest.FixtureRequest, engine_progress: Callable[[str], None]
) -> Iterator[EngineAddresses]:
    """The addresses of both engines; what was started for them is stopped at the end."""
    given_elasticsearch = os.environ.get("AUTHMATCH_ELASTICSEARCH_URL")
    given_redis = os.environ.get("AUTHMATCH_REDIS_URL")
    if given_elasticsearch and given_redis:
        yield EngineAddresses(given_elasticsearch, given_redis)
        return
    if are_clusters_wanted(request.config):
        made: Clusters = request.getfixturevalue("clusters")
        yield EngineAddresses(made.search.url, made.redis.url)
        return
    with contextlib.ExitStack() as stack:
        found = _in_containers(stack) if _docker_answers() else None
        if found is None:
            local = stack.enter_context(
                engines.using(
                    engines.default_cache(),
                    progress=engine_progress,
                    heap_mb=_HEAP_MB,
                    home="tests",
                    data="new in memory",
                )
            )
            found = EngineAddresses(local.elasticsearch_url, local.redis_url)
        yield EngineAddresses(
            given_elasticsearch or found.elasticsearch_url, given_redis or found.redis_url
        )


@pytest.fixture(scope="session")
def engine_progress(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tell what an engine does while it starts, past pytest's capture of the output."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(line: str) -> None:
        if reporter is not None and capture is not None:
            with capture.global_and_fixture_disabled():
                reporter.ensure_newline()
                reporter.write_line(line)

    return tell


def _docker_answers() -> bool:
    """Whether a Docker daemon listens: a client without one is common."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return True  # someone set it on purpose
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(3)
        try:
            line.connect(host.removeprefix("unix://"))
            line.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return b" 200 " in line.recv(256)
        except OSError:
            return False


def _in_containers(stack: contextlib.ExitStack) -> EngineAddresses | None:
    """Start both engines in containers; None where their images cannot be had."""
    from docker.errors import ImageNotFound, NotFound  # type: ignore[import-untyped]
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy, LogMessageWaitStrategy

    search = (
        DockerContainer(ELASTICSEARCH_IMAGE)
        .with_env("discovery.type", "single-node")
        .with_env("xpack.security.enabled", "false")
        .with_env("cluster.routing.allocation.disk.threshold_enabled", "false")
        .with_env("ES_JAVA_OPTS", f"-Xms{_HEAP_MB}m -Xmx{_HEAP_MB}m")
        .with_exposed_ports(9200)
        .waiting_for(HttpWaitStrategy(9200, "/_cluster/health"))
    )
    cache = (
        DockerContainer(REDIS_IMAGE)
        .with_command("redis-server --appendonly yes --appendfsync always")
        .with_exposed_ports(6379)
        .waiting_for(LogMessageWaitStrategy("Ready to accept connections"))
    )
    try:
        stack.enter_context(search)
        stack.enter_context(cache)
    except (ImageNotFound, NotFound):
        return None
    return EngineAddresses(
        f"http://{search.get_container_host_ip()}:{search.get_exposed_port(9200)}",
        f"redis://{cache.get_container_host_ip()}:{cache.get_exposed_port(6379)}/0",
    )
