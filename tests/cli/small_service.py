"""A service that does next to nothing, kept by real workers, so that these are seen by themselves.

    python -m tests.cli.small_service PORT FOLDER

Files of the folder say what it does: while `fails` is there no worker starts, and a request is
answered as soon as `answers` is there.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from prometheus_client import Gauge
from uvicorn import Config

from service.cli.workers import Workers
from service.logs import log_as_service, stdout_writer

WORKERS = 2
HUNG_S = 1.0
FOLDER = Path(sys.argv[-1])


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Say which process answers, once it may."""
    if scope["type"] == "lifespan":
        log_as_service("DEBUG")
        Gauge("small_alive", "Of workers that live.", multiprocess_mode="livesum").set(1)
        await receive()
        if (FOLDER / "fails").exists():
            raise RuntimeError("it cannot start")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        stdout_writer().flush()
        await send({"type": "lifespan.shutdown.complete"})
        return
    (FOLDER / "asked").touch()
    while not (FOLDER / "answers").exists():  # noqa: ASYNC110 - said from another process
        await asyncio.sleep(0.01)
    body = str(os.getpid()).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    log_as_service("DEBUG")
    config = Config(
        "tests.cli.small_service:app",
        port=int(sys.argv[-2]),
        workers=WORKERS,
        lifespan="on",
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=15,
    )
    sys.exit(not Workers(config, hung_s=HUNG_S).run())
