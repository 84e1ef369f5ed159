"""The service as a real HTTP server on loopback, in a thread of the tests."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial

import httpx
import uvicorn
from pydantic import SecretStr

from service.api.connection import BoundedProtocol
from service.rules.texts import load_rules
from service.settings import Settings
from service.workbench.app import create_app
from tests.ground import shipped_rules

START_S = 30
_CERTIFICATES = ssl.create_default_context()
"""Read once: no client of the tests asks beyond loopback, and reading them takes a while."""


@contextlib.contextmanager
def serving(settings: Settings, port: int = 0, *, are_kept: bool = False) -> Iterator[str]:
    """Serve with these settings for the time of the block; gives the address.

    The shipped rules were read once for all tests; those of another folder are read here.
    With ``are_kept`` they are those that are in force on the engines.
    """
    shipped = settings.queries_dir == Settings().queries_dir
    rules = None
    if not are_kept:
        rules = shipped_rules() if shipped else load_rules(settings)
    listening = socket.socket()
    listening.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        create_app(settings, rules),
        http=partial(BoundedProtocol, limits=settings),  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="service")
    thread.start()
    try:
        deadline = time.monotonic() + START_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the service did not start")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_S)
        listening.close()


def keys_of(payers: Mapping[str, str]) -> dict[SecretStr, str]:
    """API keys by payer, as the settings hold them."""
    return {SecretStr(key): payer for key, payer in payers.items()}


def client_of(url: str, key: str | None = None, *, timeout: float = 30) -> httpx.Client:
    """A client of the service, with the key of a payer."""
    headers = {"X-API-Key": key} if key else {}
    return httpx.Client(
        base_url=url, headers=headers, timeout=timeout, trust_env=False, verify=_CERTIFICATES
    )
