"""`authmatch run`: everything on this machine, with data to try it on, until Ctrl-C."""

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Annotated

import typer

from authmatch_local import engines
from authmatch_local.commands.engines import failures_told
from authmatch_local.commands.first_data import Loaded, load_first_data
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
from service.cli.terminal import put, say
from service.settings import Settings

HOME = "run"
READY_SECONDS_MAX = 60
_POLL_S = 0.1


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
    with ExitStack() as stack:
        addresses = _addresses(settings, stack)
        settings = settings.model_copy(update=addresses)
        asyncio.run(install(settings, wait_seconds_max=READY_SECONDS_MAX))
        service = stack.enter_context(_service(addresses, port, workers))
        loaded = asyncio.run(load_first_data(settings, sample))  # while the service starts
        _await_ready(service, port)
        _say_what_to_try(loaded, port)
        code = service.wait()
        end(f"the service ended by itself, with exit code {code}", ENGINE_FAULT)


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


@contextmanager
def _service(
    addresses: Mapping[str, str], port: int, workers: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service as a child out of reach of the terminal's Ctrl-C: we end it, in order."""
    say(f"starting the service ({workers} workers)")
    settings = {f"AUTHMATCH_{name.upper()}": url for name, url in addresses.items()}
    options = ("--host", LOOPBACK, "--port", str(port), "--workers", str(workers))
    child = subprocess.Popen(  # noqa: S603 - this very program
        (sys.executable, "-m", "service.cli", "serve", *options),
        env=os.environ | settings,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            say("stopping the service")
            child.terminate()
            try:
                child.wait(GRACE_SECONDS + 5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _await_ready(service: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if service.poll() is not None:
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


def _say_what_to_try(loaded: Loaded, port: int) -> None:
    address = f"http://{LOOPBACK}:{port}"
    put("")
    put(f"authmatch answers on {address}, {loaded.count:,} authorizations of payer {loaded.payer}")
    put("")
    put("match a claim:")
    put(
        f"  curl -s {address}/match{loaded.header} -H 'Content-Type: application/json'"
        f" -d {loaded.claim} | python3 -m json.tool"
    )
    put(f"documentation of the API:  {address}/docs")
    put("stop:                      Ctrl-C")
    sys.stdout.flush()
