"""`authmatch run`: everything on this machine, with data to try it on, until Ctrl-C."""

import asyncio
import json
import multiprocessing
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import SpawnProcess
from typing import Annotated

import typer

from authmatch_local import engines
from authmatch_local.commands.engines import failures_told
from authmatch_local.commands.first_data import Loaded, load_first_data
from authmatch_local.partner import Partner, serving
from service.access.subject import hash_of
from service.application.parts import application
from service.application.sessions import ticket_of_key, ticket_of_machine
from service.cli import app
from service.cli.configuration import read_settings
from service.cli.faults import ENGINE_FAULT, end
from service.cli.interruption import Stopped, stopped_once
from service.cli.serve import (
    GRACE_SECONDS,
    LOOPBACK,
    PortOption,
    WorkersOption,
    check_port,
    install,
)
from service.cli.session import link
from service.cli.terminal import put, say
from service.cli.workers import watch_parent
from service.settings import Settings, TradingPartner

HOME = "run"
OWN_NAME = "local"
"""What records call the key of this machine."""
READY_SECONDS_MAX = 60
_POLL_S = 0.1
_TLS = ("AUTHMATCH_TLS_CERT", "AUTHMATCH_TLS_KEY")


@dataclass(frozen=True, slots=True)
class _OwnKey:
    """A key of this machine alone, with every scope for the payer of the first data."""

    text: str = field(repr=False)
    payer: str

    @property
    def setting(self) -> str:
        """What makes the service know it."""
        return json.dumps({self.text: {"payers": [self.payer], "name": OWN_NAME}})


def run(
    port: PortOption = 8080,
    workers: WorkersOption = 2,
    sample: Annotated[
        int,
        typer.Option(min=0, max=10_000_000, help="Made-up authorizations for an empty index."),
    ] = 2_000,
) -> None:
    """Start what is needed on this machine, load data to try it on, and serve until Ctrl-C.

    Elasticsearch and Redis are started here unless AUTHMATCH_ELASTICSEARCH_URL and
    AUTHMATCH_REDIS_URL name them.
    """
    settings = read_settings()
    check_port(LOOPBACK, port)
    with stopped_once(), failures_told():
        try:
            _run(settings, port, workers, sample)
        except Stopped:
            say("stopped")


def _run(settings: Settings, port: int, workers: int, sample: int) -> None:
    own_key = None if settings.api_keys or settings.open_profile else _own_key(settings)
    with ExitStack() as stack:
        addresses = _addresses(settings, stack)
        settings = settings.model_copy(update=addresses)
        if not settings.trading_partners:
            partners = _partners(settings, stack)
            settings = settings.model_copy(update={"trading_partners": partners})
            told = {payer: each.model_dump(exclude_unset=True) for payer, each in partners.items()}
            addresses["trading_partners"] = json.dumps(told)
        asyncio.run(install(settings, wait_seconds_max=READY_SECONDS_MAX))
        service = stack.enter_context(_service(addresses, own_key, port, workers))
        loaded = asyncio.run(load_first_data(settings, sample))  # while the service starts
        _await_ready(service, port)
        link = None if settings.is_open else asyncio.run(_link(settings, own_key, port))
        _say_what_to_try(loaded, port, _header(settings, own_key), link)
        service.join()
        end(f"the service ended by itself, with exit code {service.exitcode}", ENGINE_FAULT)


def _addresses(settings: Settings, stack: ExitStack) -> dict[str, str]:
    """The addresses of both engines; what was not given is started, for the time of the block."""
    given = {"elasticsearch_url": settings.elasticsearch_url, "redis_url": settings.redis_url}
    if not all(given.values()):
        local = stack.enter_context(engines.using(engines.default_cache(), progress=say, home=HOME))
        # Leaving goes backwards: this is said before the engines are stopped.
        stack.callback(say, "stopping the engines")
        started = {"elasticsearch_url": local.elasticsearch_url, "redis_url": local.redis_url}
        given = {name: url or started[name] for name, url in given.items()}
    return {name: url for name, url in given.items() if url}


def _partners(settings: Settings, stack: ExitStack) -> dict[str, TradingPartner]:
    """A trading partner of our own, for the time of the block: it approves what is requested."""
    address = stack.enter_context(serving(Partner()))
    return {settings.payers[0]: TradingPartner(url=address, receiver="PARTNER", payer_id="PARTNER")}


@contextmanager
def _service(
    addresses: Mapping[str, str], own_key: _OwnKey | None, port: int, workers: int
) -> Iterator[SpawnProcess]:
    """Run the service as a child, which we end in order."""
    say(f"starting the service ({workers} workers)")
    settings = {f"AUTHMATCH_{name.upper()}": url for name, url in addresses.items()}
    if own_key is not None:
        settings["AUTHMATCH_API_KEYS"] = own_key.setting
    if "AUTHMATCH_DOCUMENTS_DIR" not in os.environ:
        settings["AUTHMATCH_DOCUMENTS_DIR"] = str(engines.default_cache() / "documents")
    options = ("--host", LOOPBACK, "--port", str(port), "--workers", str(workers))
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings, options))
    child.start()
    try:
        yield child
    finally:
        if child.is_alive():
            say("stopping the service")
            child.terminate()
            child.join(GRACE_SECONDS + 5)
            child.kill()
            child.join()


def _serve(settings: Mapping[str, str], options: tuple[str, ...]) -> None:
    """Be the service: out of reach of the terminal's Ctrl-C, and gone when who started it is.

    Of this machine alone, so without TLS: whoever set it for another service is not hindered.
    """
    os.setsid()
    watch_parent()
    for name in _TLS:
        os.environ.pop(name, None)
    os.environ.update(settings)
    app(("serve", *options), prog_name="authmatch")


def _await_ready(service: SpawnProcess, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if not service.is_alive():
            end("the service ended while it was started", ENGINE_FAULT)
        if _is_ready(port):
            return
        time.sleep(_POLL_S)
    end(f"the service was not ready within {READY_SECONDS_MAX} s", ENGINE_FAULT)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _own_key(settings: Settings) -> _OwnKey:
    """The key of this machine: random, made once, and readable by its user alone."""
    file = engines.default_cache() / "homes" / HOME / "key"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_urlsafe(32), encoding="ascii")
        unfinished.replace(file)
    return _OwnKey(file.read_text(encoding="ascii"), settings.default_payer)


def _header(settings: Settings, own_key: _OwnKey | None) -> str:
    if settings.is_open:
        return ""
    return f" -H 'X-API-Key: {own_key.text if own_key else 'YOUR-API-KEY'}'"


async def _link(settings: Settings, own_key: _OwnKey | None, port: int) -> str:
    """A link that opens a session once, which may do what the key of this machine may."""
    async with application(settings) as parts:
        if own_key is None:
            ticket = await ticket_of_machine(parts, settings.default_payer)
        else:
            ticket = await ticket_of_key(parts, OWN_NAME, hash_of(own_key.text.encode()))
    return link(port, ticket)


def _say_what_to_try(loaded: Loaded, port: int, header: str, link: str | None) -> None:
    address = f"http://{LOOPBACK}:{port}"
    put("")
    put(f"authmatch answers on {address}, {loaded.count:,} authorizations of payer {loaded.payer}")
    put("")
    put("match a claim:")
    put(
        f"  curl -s {address}/match{header} -H 'Content-Type: application/json'"
        f" -d {loaded.claim} | python3 -m json.tool"
    )
    if loaded.request is not None:
        put("a request for authorization, which a partner on this machine approves:")
        put(f"  curl -s {address}/requests/{loaded.request}{header} | python3 -m json.tool")
    if link is not None:
        put("look at the workbench with a browser (the link signs in, once):")
        put(f"  {link}")
    put("for other commands, in another shell:")
    put('  eval "$(.venv/bin/authmatch engines start)"; .venv/bin/authmatch session link')
    put(f"documentation of the API:  {address}/docs")
    put("stop:                      Ctrl-C")
    sys.stdout.flush()
