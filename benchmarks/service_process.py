"""The service under measurement: real processes on loopback, stopped by their own pid."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.settings import Settings

START_S = 60


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a process that works with the engines and indices of these settings."""
    return os.environ | {
        "AUTHMATCH_ELASTICSEARCH_URL": settings.elasticsearch_url or "",
        "AUTHMATCH_REDIS_URL": settings.redis_url or "",
        "AUTHMATCH_INDEX_PREFIX": settings.index_prefix,
        "AUTHMATCH_OPEN_PROFILE": "true",
    }


@contextmanager
def serving(settings: Settings, payer: str, workers: int) -> Iterator[tuple[str, int]]:
    """Serve a payer with so many workers; gives the address and the pid of the first process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "service.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--workers", str(workers)],
        env=environment(settings) | {"AUTHMATCH_DEFAULT_PAYER": payer},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the service did not become ready")


def resident_mb(pid: int) -> float:
    """Give the memory of the heaviest process below (and with) this one, in MB."""
    heaviest = 0.0
    for each in [pid, *_children(pid)]:
        try:
            text = Path(f"/proc/{each}/status").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith("VmRSS:"):
                heaviest = max(heaviest, int(line.split()[1]) / 1024)
    return heaviest


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    direct = [int(each) for each in path.read_text().split()] if path.exists() else []
    return [every for each in direct for every in [each, *_children(each)]]
