"""The service as a process of its own, as `authmatch serve` starts it: so that it can be killed."""

import os
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import httpx

from service.settings import Settings
from tests.redis_process import free_port

ROOT = Path(__file__).parents[2]
START_S = 60
STOP_S = 30


class ServiceProcess:
    """One service; after a kill it is started again on the same port."""

    def __init__(
        self,
        settings: Settings,
        *,
        workers: int = 1,
        stdout: int | IO[bytes] | None = None,
        trust: Path | None = None,
        **more: str,
    ) -> None:
        """Take the settings that an operator would put into the environment, ``more`` by name.

        ``trust`` is a file of signers, for a service that is given a certificate of its own.
        """
        self._trust = ssl.create_default_context(cafile=trust) if trust else None
        self._port = free_port()
        self._workers = workers
        self._stdout = stdout
        self._settings = {
            "AUTHMATCH_ELASTICSEARCH_URL": str(settings.elasticsearch_url),
            "AUTHMATCH_REDIS_URL": str(settings.redis_url),
            "AUTHMATCH_REDIS_CLUSTER": str(settings.redis_cluster),
            "AUTHMATCH_REDIS_REPLICAS": str(settings.redis_replicas),
            "AUTHMATCH_INDEX_PREFIX": settings.index_prefix,
            "AUTHMATCH_INDEX_SHARDS": str(settings.index_shards),
            "AUTHMATCH_DEFAULT_PAYER": settings.default_payer,
            "AUTHMATCH_LATE_AUTHORIZATIONS": settings.late_authorizations,
            "AUTHMATCH_LIVE_CHECK_SHARE": "0",
            "AUTHMATCH_OPEN_PROFILE": str(settings.open_profile),
            "AUTHMATCH_LOG_LEVEL": "ERROR",
            **more,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{'https' if self._trust else 'http'}://127.0.0.1:{self._port}"

    def __enter__(self) -> "ServiceProcess":
        """Start it, and wait until it is ready."""
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(STOP_S)
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    def start(self) -> None:
        """Start it; it is not ready yet."""
        own = {name: each for name, each in os.environ.items() if not name.startswith("AUTHMATCH_")}
        words = ("serve", "--port", str(self._port), "--workers", str(self._workers))
        self._process = subprocess.Popen(
            (sys.executable, "-m", "service.cli", *words),
            cwd=ROOT,
            env=own | self._settings,
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=None if self._stdout is None else subprocess.STDOUT,
        )

    def wait_until_ready(self) -> None:
        """Return when it answers that it is ready."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError("the service ended while it was started")
            try:
                verify = self._trust or True
                answer = httpx.get(f"{self.url}/health/ready", verify=verify, trust_env=False)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                return
            time.sleep(0.05)
        raise RuntimeError("the service was not ready in time")

    def terminate(self) -> None:
        """Tell it to end; it is not waited for."""
        if self._process is not None:
            self._process.terminate()

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        if self._process is None:
            raise RuntimeError("the service was not started")
        return self._process.wait(STOP_S)

    def kill(self) -> None:
        """End it without a word, as a crash would, in the middle of whatever it does."""
        if self._process is None:
            raise RuntimeError("the service was not started")
        self._process.kill()
        self._process.wait(STOP_S)
