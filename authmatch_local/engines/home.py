"""A home: the folder in the cache that holds one pair of engines, their data and their ports.

Homes are independent of each other (`run` for the developer, `tests` for the suite). What is
remembered of an engine is one small JSON file: the port, kept for good, and the process while it
runs.
"""

import contextlib
import fcntl
import json
import os
import random
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from authmatch_local.engines.errors import EngineError, InUseError
from authmatch_local.engines.process import Process

# Below the ports that the system gives to outgoing connections: while an engine is down for a
# moment, no connection of a client can take its port, nor connect to itself on it.
_PORTS = range(15_000, 30_000)
_PORT_TRIES_MAX = 200
_LOCK_POLL_SECONDS = 0.1

Data = Literal["kept", "new", "new in memory"]
"""What an engine that is started has: what it had, nothing, or nothing and on no disk.

In memory nothing waits for a disk; what a killed process wrote is still there for the next one. It
is gone with the engine's stop, and on disk after all where the machine has no room.
"""
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
_MEMORY_BYTES_MIN = 4 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is known of an engine: its port, and its process when it was last seen running."""

    port: int
    process: Process | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The folder of one pair of engines under the cache."""

    cache: Path
    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", self.name):
            raise EngineError(f"{self.name!r} is no name for a home: use a-z, 0-9 and hyphens")

    @property
    def folder(self) -> Path:
        """The folder of this home."""
        return self.cache / "homes" / self.name

    def engine_folder(self, engine: str) -> Path:
        """The folder that belongs to `engine`: its data, settings and log."""
        return self.folder / engine

    def make_folder(self, engine: str, data: Data) -> Path:
        """Give the folder of `engine`, without what was in it unless that is kept."""
        folder = self.engine_folder(engine)
        if data != "kept":
            shutil.rmtree(folder.resolve(), ignore_errors=True)
            folder.unlink(missing_ok=True)
        if data == "new in memory" and _has_room(_MEMORY) and not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.symlink_to(tempfile.mkdtemp(prefix="authmatch-", dir=_MEMORY))
        folder.resolve().mkdir(parents=True, exist_ok=True)
        return folder.resolve()

    def leave_memory(self, engine: str) -> None:
        """Drop the data of `engine` if they are in memory."""
        folder = self.engine_folder(engine)
        if folder.is_symlink():
            shutil.rmtree(folder.resolve(), ignore_errors=True)
            folder.unlink()

    def remembered(self, engine: str) -> Remembered | None:
        """Return what is known of `engine`, or None when it never ran here."""
        try:
            state = json.loads(self._state_file(engine).read_text(encoding="utf-8"))
            pid, started = state["pid"], state["started"]
            process = None if pid is None else Process(pid=pid, started=started)
            return Remembered(port=state["port"], process=process)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise EngineError(f"{self._state_file(engine)} is damaged: remove it") from error

    def remember(self, engine: str, port: int, process: Process | None) -> None:
        """Write down port and process of `engine`, all or nothing."""
        state = {
            "port": port,
            "pid": process.pid if process else None,
            "started": process.started if process else None,
        }
        file = self._state_file(engine)
        unfinished = file.with_suffix(".new")
        unfinished.write_text(json.dumps(state), encoding="utf-8")
        unfinished.replace(file)

    def port_for(self, engine: str) -> int:
        """Return the engine's port: the one it had while that is free, else a new free one."""
        remembered = self.remembered(engine)
        if remembered is not None and _is_free(remembered.port):
            return remembered.port
        for port in random.sample(_PORTS, _PORT_TRIES_MAX):
            if _is_free(port):
                return port
        raise EngineError("no free port found on 127.0.0.1")

    def _state_file(self, engine: str) -> Path:
        return self.folder / f"{engine}.json"


@contextlib.contextmanager
def locked(file: Path, *, seconds_max: float, shared: bool = False) -> Iterator[None]:
    """Hold the lock `file`, waiting for others up to `seconds_max` seconds; then InUseError."""
    # The system's own lock: it can be shared, and ends with the process that held it.
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    deadline = time.monotonic() + seconds_max
    try:
        while True:
            try:
                fcntl.flock(
                    descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
                )
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise InUseError(f"{file} is held by another process") from error
                time.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _has_room(memory: Path) -> bool:
    return memory.is_dir() and shutil.disk_usage(memory).free >= _MEMORY_BYTES_MIN


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the engines do: connections of the last run that linger do not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
