"""An engine that runs, and what must be known of a kind of engine to start one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from authmatch_local.engines.process import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine that answered when it was started or found; it may have ended since."""

    name: str
    url: str
    port: int
    process: Process
    started_here: bool
    stop_seconds_max: float = 30

    @property
    def pid(self) -> int:
        """The number of the engine's own process (not of a script that started it)."""
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the engine's process still lives (it may hang all the same)."""
        return self.process.is_alive

    def stop(self) -> None:
        """End the engine in good order; no error when it has ended already."""
        self.process.end(seconds_max=self.stop_seconds_max)

    def kill(self) -> None:
        """End the engine as a power cut would (SIGKILL), and wait until it is gone."""
        self.process.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How one engine is started: a command that leaves a daemon and its number in `pid_file`."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    pid_file: Path
    logs: tuple[Path, ...]


class Kind(Protocol):
    """A kind of engine: its name, and how one is prepared, addressed and asked for its health."""

    @property
    def name(self) -> str:
        """The name of its folder and state file in a home."""
        ...

    @property
    def boot_seconds_max(self) -> float:
        """How long it may take to answer, in seconds."""
        ...

    def launch(self, folder: Path, port: int) -> Launch:
        """Write what the engine needs into `folder` and return how it is started."""
        ...

    def url(self, port: int) -> str:
        """The address that clients connect to."""
        ...

    def answers(self, port: int) -> bool:
        """Whether the engine on `port` serves requests now; asked with a short time limit."""
        ...
