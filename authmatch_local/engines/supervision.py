"""Starting one engine of a home, or finding the one that runs already."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from authmatch_local.engines.account import Account
from authmatch_local.engines.download import Progress
from authmatch_local.engines.engine import Engine, Kind, Launch
from authmatch_local.engines.errors import EngineError
from authmatch_local.engines.home import Data, Home, locked
from authmatch_local.engines.process import Process

_POLL_SECONDS = 0.1
_LOG_LINES_MAX = 12
# From the end of the launcher, which leaves a daemon, to the daemon's own word.
_PID_FILE_SECONDS_MAX = 10
# Another process may be starting the same engine: it is waited for, and its engine used.
_LOCK_SECONDS_MAX = 300


def find(home: Home, kind: Kind) -> Engine | None:
    """Return the engine of `home` that runs, whether it answers or not, else None."""
    known = home.remembered(kind.name)
    if known is None:
        return None
    process = known.process
    if process is None or not process.is_alive:
        process = _orphan(home, kind)
    if process is None:
        return None
    return _engine(kind, known.port, process, started_here=False)


def ensure(
    home: Home, kind: Kind, account: Account, *, progress: Progress, data: Data = "kept"
) -> Engine:
    """Return the engine of `home`, started when it does not run; it answers when this returns.

    `data` is what an engine that has to be started finds. EngineError when it does not
    answer within the kind's time limit; nothing is left running then.
    """
    with locked(home.folder / f"{kind.name}.lock", seconds_max=_LOCK_SECONDS_MAX):
        found = find(home, kind)
        if found is not None:
            _await_answer(found, kind)
            home.remember(kind.name, found.port, found.process)
            return found
        folder = home.make_folder(kind.name, data)
        if account.is_foreign:
            for passed in (home.folder.parent, home.folder, folder):
                passed.chmod(0o755)
        port = home.port_for(kind.name)
        home.remember(kind.name, port, None)
        launch = kind.launch(folder, port)
        account.own(folder)
        progress(f"booting {kind.name.capitalize()}")
        begun = time.monotonic()
        process = _boot(home, kind, account, launch, port)
        progress(f"{kind.name.capitalize()} ready in {time.monotonic() - begun:.1f} s")
        return _engine(kind, port, process, started_here=True)


def stop(home: Home, kind: Kind) -> bool:
    """Stop the engine of `home` in good order; False when none ran."""
    with locked(home.folder / f"{kind.name}.lock", seconds_max=_LOCK_SECONDS_MAX):
        engine = find(home, kind)
        if engine is None:
            return False
        engine.stop()
        home.leave_memory(kind.name)
        home.remember(kind.name, engine.port, None)
        return True


def _engine(kind: Kind, port: int, process: Process, *, started_here: bool) -> Engine:
    return Engine(
        name=kind.name,
        url=kind.url(port),
        port=port,
        process=process,
        started_here=started_here,
    )


def _boot(home: Home, kind: Kind, account: Account, launch: Launch, port: int) -> Process:
    launch.pid_file.unlink(missing_ok=True)
    launcher = _spawn(account, launch, home.engine_folder(kind.name))
    try:
        return _await_boot(home, kind, launcher, launch, port)
    except BaseException:  # also an interrupt from the terminal: nothing may be left running
        _abandon(launcher, _process_of(launch.pid_file))
        raise


def _await_boot(
    home: Home, kind: Kind, launcher: subprocess.Popen[bytes], launch: Launch, port: int
) -> Process:
    """Wait until the launcher is done and the engine answers; written down as soon as it lives."""
    deadline = time.monotonic() + kind.boot_seconds_max
    number_deadline = deadline
    process: Process | None = None
    while time.monotonic() < deadline:
        code = launcher.poll()
        if code == 0:
            number_deadline = min(number_deadline, time.monotonic() + _PID_FILE_SECONDS_MAX)
        if process is None and (pid := _read_number(launch.pid_file)) is not None:
            process = Process.of(pid)
            if process is None:
                raise _failure(f"{kind.name} ended while it was started", launch)
            home.remember(kind.name, port, process)
        if code not in (None, 0) or (process is not None and not process.is_alive):
            raise _failure(f"{kind.name} ended while it was started", launch)
        if process is None and time.monotonic() > number_deadline:
            raise _failure(f"{kind.name} ended before it had started", launch)
        if process is not None and code == 0 and kind.answers(port):
            return process
        time.sleep(_POLL_SECONDS)
    raise _failure(f"{kind.name} did not answer within {kind.boot_seconds_max:.0f} s", launch)


def _spawn(account: Account, launch: Launch, folder: Path) -> subprocess.Popen[bytes]:
    """Run the launch command in a session of its own, out of reach of the terminal's Ctrl-C."""
    with launch.logs[0].open("wb") as log:
        try:
            return subprocess.Popen(  # noqa: S603 - a program of the cache, no shell
                launch.command,
                cwd=folder,
                env=dict(launch.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.uid if account.is_foreign else None,
                group=account.gid if account.is_foreign else None,
                extra_groups=() if account.is_foreign else None,
            )
        except OSError as error:
            raise EngineError(f"{launch.command[0]} cannot be run: {error.strerror}") from error


def _abandon(launcher: subprocess.Popen[bytes], process: Process | None) -> None:
    if launcher.poll() is None:
        # Not reaped yet, so the group is still the one that was made for it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(launcher.pid, signal.SIGKILL)
        launcher.wait()
    if process is not None:
        process.kill()


def _await_answer(engine: Engine, kind: Kind) -> None:
    deadline = time.monotonic() + kind.boot_seconds_max
    while not kind.answers(engine.port):
        if not engine.is_alive:
            raise EngineError(f"{kind.name} ended just now: start it again")
        if time.monotonic() > deadline:
            raise EngineError(f"{kind.name} runs (process {engine.pid}) but does not answer")
        time.sleep(_POLL_SECONDS)


def _orphan(home: Home, kind: Kind) -> Process | None:
    """Find an engine whose starter was killed before it could write the process down."""
    folder = home.engine_folder(kind.name)
    process = _process_of(folder / "pid")
    return process if process is not None and process.works_in(folder) else None


def _process_of(pid_file: Path) -> Process | None:
    pid = _read_number(pid_file)
    return None if pid is None else Process.of(pid)


def _read_number(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None  # not there yet, or not written to its end


def _failure(reason: str, launch: Launch) -> EngineError:
    lines: list[str] = []
    for log in launch.logs:
        with contextlib.suppress(OSError):
            lines += log.read_text(encoding="utf-8", errors="replace").splitlines()
    return EngineError(reason, log_tail="\n".join(lines[-_LOG_LINES_MAX:]))
