"""`authmatch serve`: the HTTP service, as it runs in production."""

import asyncio
import os
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer
import uvicorn

from service.application.certificate import ServerCertificate
from service.application.engines import routes
from service.application.maintenance import install_when_ready
from service.application.parts import application
from service.cli.configuration import read_settings
from service.cli.faults import ENGINE_FAULT, BadInput, end
from service.cli.terminal import say
from service.cli.workers import Workers
from service.logs import log_as_service
from service.settings import SECRET_LENGTH_MIN, Settings, is_loopback
from service.telemetry import is_installed

APPLICATION = "service.workbench.app:create_app"
PROTOCOL = "service.api.connection:BoundedProtocol"
LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 15
KEEP_ALIVE_SECONDS = 75
"""Longer than a load balancer keeps an idle connection, or it sends a claim into one just ended."""
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

PortOption = Annotated[int, typer.Option(min=1, max=65_535, help="Where it listens.")]
WorkersOption = Annotated[int, typer.Option(min=1, max=256, help="Processes that answer.")]


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = LOOPBACK,
    port: PortOption = 8080,
    workers: WorkersOption = 1,
    wait: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds to wait for the engines.")
    ] = 60,
) -> None:
    """Serve the API until told to stop; installs the indices first.

    Outside of loopback it needs a surrogate key of its own, and long API keys.
    """
    settings = read_settings()
    check_host(host, settings)
    check_port(host, port)
    if settings.otlp_url is not None and not is_installed():
        raise BadInput("AUTHMATCH_OTLP_URL is set: install authmatch[otel]")
    if settings.tls_cert is not None:
        ServerCertificate(settings.tls_cert, settings.tls_key)  # what cannot be used is told now
    say_who_can_listen(host, settings)
    asyncio.run(install(settings, wait_seconds_max=wait))
    log_as_service(settings.log_level)
    with _metrics_of_all(workers):
        config = _config(settings, host, port, workers)
        if workers == 1:
            _serve_here(config)
        elif not Workers(config).run():
            end("the workers cannot start: the log says why (not_started)", ENGINE_FAULT)


def _config(settings: Settings, host: str, port: int, workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        APPLICATION,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=PROTOCOL,
        ws="none",
        log_config=None,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_context_factory=None if settings.tls_cert is None else server_context,
    )


def _serve_here(config: uvicorn.Config) -> None:
    """Serve in this process; the server repeats a signal by which it ended, and that is no fault.

    One that cannot start leaves by itself, with the code of a failed engine.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()


def server_context(*_: object) -> ssl.SSLContext:
    """What a worker listens with; raises NotConfigured."""
    settings = read_settings()
    return ServerCertificate(str(settings.tls_cert), settings.tls_key).listening


def say_who_can_listen(host: str, settings: Settings) -> None:
    """Say where health data and credentials cross a network in clear text."""
    if settings.tls_cert is None and not is_loopback(host):
        say("no TLS for callers (AUTHMATCH_TLS_CERT): a balancer must end it on this machine")
    for route in routes(settings):
        if route.is_open_to_others:
            say(f"no TLS to {route.engine}: what goes to {route.host} can be read on the way")


def check_host(host: str, settings: Settings) -> None:
    """Refuse to serve others while anyone may call, or while everybody knows the secret."""
    if is_loopback(host):
        return
    if settings.is_open:
        raise BadInput(f"AUTHMATCH_OPEN_PROFILE is set: without keys only {LOOPBACK} is served")
    if any(len(key.get_secret_value()) < SECRET_LENGTH_MIN for key in settings.api_keys):
        raise BadInput(
            f"AUTHMATCH_API_KEYS is short: keys of {SECRET_LENGTH_MIN} characters are needed"
        )
    if settings.weak_secret is not None:
        raise BadInput(
            f"AUTHMATCH_SURROGATE_KEY is {settings.weak_secret}: so only {LOOPBACK} is served"
        )


def check_port(host: str, port: int) -> None:
    """Find a port that is taken, or an address that is not ours, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadInput(f"cannot listen on {host}:{port}: {error.strerror}") from error


async def install(settings: Settings, *, wait_seconds_max: float) -> None:
    """Install the indices, waiting for engines that are not up yet; raises EngineFault."""
    async with application(settings) as parts:
        await install_when_ready(parts, wait_seconds_max=wait_seconds_max, say=say)


@contextmanager
def _metrics_of_all(workers: int) -> Iterator[None]:
    """Have the metrics of all workers come together in a fresh folder."""
    if workers == 1:
        os.environ.pop(_METRICS_FOLDER, None)
        yield
        return
    with tempfile.TemporaryDirectory(prefix="authmatch-metrics-") as folder:
        os.environ[_METRICS_FOLDER] = folder
        yield
