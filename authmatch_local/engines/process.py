"""Processes told apart for good: by their number *and* the moment they started.

A number alone is not enough: the system hands it out again, and whoever stops an engine by a
remembered number would then stop a stranger.
"""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from authmatch_local.engines.errors import EngineError

_POLL_SECONDS = 0.05
_ENDED = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of this machine: its number, and when it started in seconds since 1970."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """Return the process that lives under `pid` now, or None (a zombie does not live)."""
        try:
            found = psutil.Process(pid)
            # A killed program whose first thread is gone may have others that hold port and files.
            if found.status() in _ENDED and found.num_threads() <= 1:
                return None
            return cls(pid=pid, started=found.create_time())
        except psutil.NoSuchProcess:
            return None

    @property
    def is_alive(self) -> bool:
        """Whether this very process, not a later one with the same number, still lives."""
        return Process.of(self.pid) == self

    def works_in(self, folder: Path) -> bool:
        """Whether the process has its working directory in `folder` (False where unknown)."""
        try:
            place = psutil.Process(self.pid).cwd()
        except psutil.Error:
            return False
        return Path(place).is_relative_to(folder.resolve())

    def end(self, *, seconds_max: float) -> None:
        """Ask the process to end, wait for it, and kill it after `seconds_max`.

        Raises EngineError when it lives on in spite of that.
        """
        self._send(signal.SIGTERM)
        if not self._has_ended_within(seconds_max):
            self.kill()

    def kill(self) -> None:
        """Kill the process without asking it, and wait until it is gone.

        Raises EngineError when it is still there after ten seconds.
        """
        self._send(signal.SIGKILL)
        if not self._has_ended_within(10):
            raise EngineError(f"process {self.pid} cannot be ended")

    def _send(self, which: signal.Signals) -> None:
        if not self.is_alive:
            return
        try:
            psutil.Process(self.pid).send_signal(which)
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied as error:
            raise EngineError(f"process {self.pid} belongs to another user") from error

    def _has_ended_within(self, seconds_max: float) -> bool:
        # Not psutil's own wait: it would take the exit code of a child from who started it.
        deadline = time.monotonic() + seconds_max
        while self.is_alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True
