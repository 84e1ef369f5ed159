"""Child processes told apart for good: by their number *and* the moment they started.

A number alone is not enough: the system hands it out again, and whoever stops an engine by a
remembered number would then stop a stranger.
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tools.engines.errors import EngineError

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of this machine: its number and its start mark (opaque, equal for one life)."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """Return the process that lives under `pid` now, or None (a zombie does not live)."""
        started = _start_mark(pid)
        return None if started is None else cls(pid=pid, started=started)

    @property
    def is_alive(self) -> bool:
        """Whether this very process, not a later one with the same number, still lives."""
        return _start_mark(self.pid) == self.started

    def works_in(self, folder: Path) -> bool:
        """Whether the process has its working directory in `folder` (False where unknown)."""
        try:
            place = Path(f"/proc/{self.pid}/cwd").resolve(strict=True)
        except OSError:
            return False
        return place.is_relative_to(folder.resolve())

    def end(self, *, seconds_max: float) -> None:
        """Ask the process to end, wait for it, and kill it after `seconds_max`.

        Raises EngineError when it lives on in spite of that.
        """
        self._send(signal.SIGTERM)
        if not self._has_ended_within(seconds_max):
            self.kill()

    def kill(self) -> None:
        """Kill the process without a word to it, and wait until it is gone.

        Raises EngineError when it is still there after ten seconds.
        """
        self._send(signal.SIGKILL)
        if not self._has_ended_within(10):
            raise EngineError(f"process {self.pid} cannot be ended")

    def _send(self, which: signal.Signals) -> None:
        if not self.is_alive:
            return
        try:
            os.kill(self.pid, which)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise EngineError(f"process {self.pid} belongs to another user") from error

    def _has_ended_within(self, seconds_max: float) -> bool:
        deadline = time.monotonic() + seconds_max
        while self.is_alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


def _start_mark(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return _start_mark_from_proc(pid)
    return _start_mark_from_ps(pid)


def _start_mark_from_proc(pid: int) -> str | None:
    """Read boot and start time, in clock ticks since that boot."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses, which may hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    state, threads, start_ticks = fields[0], int(fields[17]), fields[19]
    # A killed program whose first thread is gone may have others that still hold port and files.
    if state in "ZX" and threads <= 1:
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{start_ticks}"


def _start_mark_from_ps(pid: int) -> str | None:
    """Ask `ps`, where the system has no /proc (macOS)."""
    answer = subprocess.run(  # noqa: S603 - a number of our own, no shell
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    state, _, started = answer.stdout.strip().partition(" ")
    if answer.returncode != 0 or state.startswith("Z"):
        return None
    return started.strip() or None
