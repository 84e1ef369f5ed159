"""Three nodes of Elasticsearch and a Redis Cluster with replicas, on this machine: to be killed."""

import os
import shutil
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import redis

from authmatch_local import engines
from authmatch_local.engines import supervision
from authmatch_local.engines.account import Account, engine_account, make_cache
from authmatch_local.engines.engine import Engine, Kind
from authmatch_local.engines.home import Home
from authmatch_local.engines.redis_server import redis_server
from authmatch_local.engines.search_node import ElasticsearchNode, elasticsearch_node
from tests.proxy import Proxy
from tests.redis_process import free_port

NODES, PRIMARIES = 3, 3
HEAP_MB = 512
SLOTS = 16_384
BUS = 10_000
"""The bus of a Redis Cluster listens so much higher."""
NODE_TIMEOUT_MS = 1500
APART_MS = 600_000
"""Of servers that can be cut off: who is not heard of is not given up, nor gives up itself."""
READY_S = 120
Progress = Callable[[str], None]


@dataclass
class Member:
    """One process of a cluster, in a home of its own; it keeps port and data over a kill."""

    home: Home
    kind: Kind
    account: Account
    progress: Progress
    _engine: Engine | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, and return when it answers."""
        data: Any = "kept" if self._engine else "new in memory"
        self._engine = supervision.ensure(
            self.home, self.kind, self.account, progress=self.progress, data=data
        )

    @property
    def engine(self) -> Engine:
        """The process that was started last."""
        if self._engine is None:
            raise RuntimeError(f"{self.kind.name} was not started")
        return self._engine

    @property
    def port(self) -> int:
        """Where it answers."""
        return self.engine.port

    def kill(self) -> None:
        """End it without a word, as a crash would."""
        self.engine.kill()

    def end(self) -> None:
        """Stop it in order, and drop its data."""
        supervision.stop(self.home, self.kind)

    def leave(self) -> None:
        """Stop it in order, as for a restart; it keeps its data."""
        self.engine.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Have it hang for the time of the block."""
        os.kill(self.engine.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(self.engine.pid, signal.SIGCONT)


def wait_for(holds: Callable[[], object], what: str, seconds: float = READY_S) -> None:
    """Return when something holds; what cannot be asked does not hold yet."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(redis.RedisError, httpx.HTTPError, OSError):
            if holds():
                return
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


@dataclass
class SearchCluster:
    """The nodes of Elasticsearch."""

    nodes: Sequence[Member]

    @property
    def url(self) -> str:
        """The addresses of all, as the setting takes them."""
        return ",".join(each.engine.url for each in self.nodes)

    def start(self) -> None:
        """Start all at once: none answers before there are two."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(Member.start, self.nodes))
        self.wait_until_whole()

    def ask(self, path: str, method: str = "GET", **options: Any) -> Any:
        """Ask a node that answers."""
        for each in self.nodes:
            with suppress(httpx.TransportError):
                return httpx.request(
                    method, f"{each.engine.url}{path}", trust_env=False, timeout=30, **options
                ).json()
        raise AssertionError("no node of Elasticsearch answers")

    def wait_until_whole(self) -> None:
        """Start what was killed; return when all nodes are there, and every shard has its copy."""
        for each in self.nodes:
            if not each.engine.is_alive:
                each.start()
        wanted = f"wait_for_nodes={len(self.nodes)}&wait_for_status=green&timeout=1s"
        wait_for(lambda: not self.ask(f"/_cluster/health?{wanted}").get("timed_out", True), "green")


@dataclass
class RedisCluster:
    """Three primaries with a replica each, on ports that stay."""

    servers: Sequence[Member]
    buses: Sequence[Proxy] = ()
    """Through which the servers talk to one another, where that can be cut."""

    @property
    def url(self) -> str:
        """The addresses of all, as the setting takes them."""
        return ",".join(f"redis://127.0.0.1:{each.port}" for each in self.servers)

    def ask(self, server: Member, *command: Any) -> Any:
        """Ask one server by itself."""
        with redis.Redis(port=server.port, socket_timeout=5, decode_responses=True) as client:
            return client.execute_command(*command)

    def start(self) -> None:
        """Start all, and make a cluster of them."""
        for each in self.servers:
            each.start()
        first, *others = self.servers
        for number, each in enumerate(others, start=1):
            bus = urlsplit(self.buses[number].url).port if self.buses else each.port + BUS
            self.ask(first, "CLUSTER", "MEET", "127.0.0.1", each.port, bus)
        wait_for(lambda: all(map(self._knows_all, self.servers)), "meeting")
        share = -(-SLOTS // PRIMARIES)
        for number, each in enumerate(self.servers[:PRIMARIES]):
            slots = range(number * share, min(SLOTS, (number + 1) * share))
            self.ask(each, "CLUSTER", "ADDSLOTS", *slots)
        names = [self.ask(each, "CLUSTER", "MYID") for each in self.servers]
        for name, each in zip(names, self.servers[PRIMARIES:], strict=False):
            self.ask(each, "CLUSTER", "REPLICATE", name)
        self.wait_until_whole()

    def _knows_all(self, server: Member) -> bool:
        known = self.ask(server, "CLUSTER", "NODES").splitlines()
        return len(known) == len(self.servers) and "handshake" not in " ".join(known)

    def is_primary(self, server: Member) -> bool:
        """Whether a server takes writes."""
        return bool(self.ask(server, "ROLE")[0] == "master")

    def primary_of(self, key: str) -> Member:
        """The server that has a key."""
        slot = self.ask(self._alive()[0], "CLUSTER", "KEYSLOT", key)
        for first, last, (_, port, *_), *_ in self.ask(self._alive()[0], "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(each for each in self.servers if each.port == port)
        raise AssertionError(f"nobody has slot {slot}")

    def replica_of(self, primary: Member) -> Member:
        """The server that copies a primary."""
        for each in self._alive():
            role = self.ask(each, "ROLE")
            if role[0] == "slave" and role[2] == primary.port:
                return each
        raise AssertionError("a primary without a replica")

    def _alive(self) -> list[Member]:
        return [each for each in self.servers if each.engine.is_alive]

    def wait_until_served(self) -> None:
        """Return when every slot is served by somebody."""
        wait_for(
            lambda: all(
                "cluster_state:ok" in self.ask(each, "CLUSTER", "INFO") for each in self._alive()
            ),
            "a Redis Cluster",
        )

    @contextmanager
    def cut_apart(self) -> Iterator[None]:
        """Have no server hear of another for the time of the block."""
        with ExitStack() as cut:
            for bus in self.buses:
                cut.enter_context(bus.failing("refuse"))
            yield

    def payers(self) -> list[str]:
        """Payers whose books are on as many primaries as there are."""
        found: dict[int, str] = {}
        while len(found) < PRIMARIES:
            payer = f"p-{uuid.uuid4().hex[:12]}"
            found.setdefault(self.primary_of(f"{{{payer}}}").port, payer)
        return list(found.values())

    def wait_until_copied(self, primary: Member) -> None:
        """Return when the replica of a primary has said that it has all."""

        def is_copied() -> bool:
            _, offset, copies = self.ask(primary, "ROLE")
            return [int(each[2]) for each in copies] == [offset]

        wait_for(is_copied, "copying")

    def wait_until_whole(self) -> None:
        """Start what was killed; return when all is served, and every primary has a replica."""
        for each in self.servers:
            if not each.engine.is_alive:
                each.start()
        wait_for(lambda: all(map(self._is_well, self.servers)), "a whole Redis Cluster")

    def _is_well(self, server: Member) -> bool:
        role = self.ask(server, "ROLE")
        state = self.ask(server, "CLUSTER", "INFO")
        is_ok = "cluster_state:ok" in state
        copies = len(role[2]) == 1 if role[0] == "master" else role[3] == "connected"
        return bool(is_ok and copies)


@dataclass(frozen=True)
class Clusters:
    """Both, as a run has them."""

    search: SearchCluster
    redis: RedisCluster

    def wait_until_whole(self) -> None:
        """Start what was killed; return when nothing is missing."""
        self.redis.wait_until_whole()
        self.search.wait_until_whole()


def _servers(
    home: Home, account: Account, progress: Progress, cuttable: ExitStack | None
) -> RedisCluster:
    program = redis_server(home.cache, account)
    servers, buses = [], []
    for number in range(2 * PRIMARIES):
        port = _port_with_bus()
        options = {
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(NODE_TIMEOUT_MS),
            "repl-diskless-sync-delay": "0",
        }
        if cuttable:
            bus = Proxy(f"tcp://127.0.0.1:{port + BUS}")
            bus.start()
            cuttable.callback(bus.stop)
            options["cluster-node-timeout"] = str(APART_MS)
            options["cluster-announce-bus-port"] = str(urlsplit(bus.url).port)
            buses.append(bus)
        kind = type(program)(program=program.program, name=f"redis-{number}", options=options)
        home.folder.mkdir(parents=True, exist_ok=True)
        home.remember(kind.name, port, None)
        servers.append(Member(home, kind, account, progress))
    return RedisCluster(servers, buses)


def _port_with_bus() -> int:
    while True:
        port = free_port()
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port + BUS))
            return port


def _nodes(home: Home, account: Account, progress: Progress) -> SearchCluster:
    node = elasticsearch_node(home.cache, account, heap_mb=HEAP_MB, progress=progress)
    cluster = {f"elasticsearch-{number}": free_port() for number in range(NODES)}
    kinds = [
        ElasticsearchNode(
            program=node.program, java=node.java, heap_mb=HEAP_MB, name=name, cluster=cluster
        )
        for name in cluster
    ]
    return SearchCluster([Member(home, kind, account, progress) for kind in kinds])


def _new_home() -> Home:
    return Home(cache=engines.default_cache(), name=f"cluster-{uuid.uuid4().hex[:8]}")


@contextmanager
def redis_cluster(progress: Progress, *, cuttable: bool = False) -> Iterator[RedisCluster]:
    """A Redis Cluster for the time of the block; whatever happens, it is ended."""
    account, home = engine_account(), _new_home()
    make_cache(home.cache, account)
    with ExitStack() as buses:
        made = _servers(home, account, progress, buses if cuttable else None)
        try:
            made.start()
            yield made
        finally:
            _end(made.servers)


@contextmanager
def search_cluster(progress: Progress) -> Iterator[SearchCluster]:
    """Three nodes of Elasticsearch for the time of the block; whatever happens, they are ended."""
    account, home = engine_account(), _new_home()
    make_cache(home.cache, account)
    made = _nodes(home, account, progress)
    try:
        made.start()
        yield made
    finally:
        _end(made.nodes)


@contextmanager
def clusters_of_both(progress: Progress) -> Iterator[Clusters]:
    """Both for the time of the block."""
    with search_cluster(progress) as search, redis_cluster(progress) as servers:
        yield Clusters(search, servers)


def _end(members: Sequence[Member]) -> None:
    for each in members:
        with suppress(engines.EngineError):
            each.end()
    shutil.rmtree(members[0].home.folder, ignore_errors=True)
