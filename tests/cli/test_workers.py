"""Processes that answer: one that dies is started anew, and said; they end with their parent."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.small_service import WORKERS
from tests.redis_process import free_port

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
SLOW = """
import pathlib, sys, time
if "--multiprocessing-fork" in sys.argv and (pathlib.Path(__file__).parent / "slow").exists():
    time.sleep(2)  # longer than a worker that serves may be silent
"""


class Small:
    """The small service as a process of its own, and what it logged."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; nothing is started."""
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log"
        (folder / "sitecustomize.py").write_text(SLOW)
        (folder / "metrics").mkdir()

    def start(self) -> None:
        """Start it, on the same port each time."""
        words = (sys.executable, "-m", "tests.cli.small_service", str(self.port), str(self.folder))
        own = os.environ | {"PYTHONPATH": f"{self.folder}:{ROOT}"}
        own["PROMETHEUS_MULTIPROC_DIR"] = str(self.folder / "metrics")
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(words, cwd=ROOT, env=own, stdout=log, stderr=log)

    @property
    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def workers(self) -> list[psutil.Process]:
        """Its processes that answer, or will."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if is_worker(each)]

    def is_full(self) -> bool:
        """Whether all workers are there and serve."""
        workers = {each.pid for each in self.workers()}
        return len(workers) == WORKERS and workers <= set(self.said("worker_serves"))

    def said(self, event: str) -> dict[int, dict[str, object]]:
        """What the log says of an event, by worker."""
        lines = self._log.read_text().splitlines()
        found = [json.loads(each) for each in lines if each.startswith("{")]
        return {each["worker"]: each for each in found if each["event"] == event}

    def end(self) -> int:
        """Tell it to end; gives its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(WAIT_S)


def is_worker(process: psutil.Process) -> bool:
    """Whether a child of the service is one that answers; the dead are none."""
    try:
        return "--multiprocessing-fork" in process.cmdline()
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so; fails where it never is."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """One for all tests: to start processes takes most of the time of this module."""
    made = Small(tmp_path_factory.mktemp("small"))
    yield made
    if made.is_alive:
        made.end()


@pytest.fixture
def small(shared: Small) -> Small:
    """One whose workers all serve, and answer at once."""
    for name in ("fails", "slow", "asked"):
        (shared.folder / name).unlink(missing_ok=True)
    (shared.folder / "answers").touch()
    if not shared.is_alive:
        shared.start()
    until(shared.is_full)
    return shared


def test_a_worker_that_dies_or_hangs_is_started_anew_and_said(small: Small) -> None:
    """Killed from outside, or silent for longer than it may be; to start may take longer."""
    (small.folder / "slow").touch()
    killed, stopped = small.workers()
    killed.kill()
    stopped.suspend()
    until(lambda: {killed.pid, stopped.pid} <= set(small.said("worker_died")) and small.is_full())

    died, anew = small.said("worker_died"), {each.pid for each in small.workers()}
    assert set(small.said("worker_hangs")) == {stopped.pid}
    assert {died[each.pid]["exit_code"] for each in (killed, stopped)} == {-signal.SIGKILL}
    assert all(died[each.pid]["served"] for each in (killed, stopped))
    assert anew == set(small.said("worker_started_anew")), "nobody was killed on the way"
    metrics = {each.name for each in (small.folder / "metrics").glob("gauge_livesum_*")}
    assert metrics == {f"gauge_livesum_{each}.db" for each in anew}, "the dead count no more"


def test_one_that_cannot_start_is_tried_again_while_another_serves(small: Small) -> None:
    """And the service ends where none is left, with a code that says so."""
    (small.folder / "fails").touch()
    small.workers()[0].kill()
    until(lambda: any(not each["served"] for each in small.said("worker_died").values()))
    (small.folder / "fails").unlink()
    until(small.is_full)

    (small.folder / "fails").touch()
    for each in small.workers():
        each.kill()
    assert small.process is not None
    assert small.process.wait(WAIT_S) == 1


def test_workers_end_with_their_parent(small: Small) -> None:
    """They say so, and the next service has the port."""
    orphans = small.workers()
    assert small.process is not None
    small.process.kill()
    small.process.wait(WAIT_S)
    until(lambda: not any(each.is_running() for each in orphans))
    assert set(small.said("parent_died")) == {each.pid for each in orphans}
    small.start()
    until(small.is_full)


def test_what_was_begun_is_finished_and_nobody_else_is_let_in(small: Small) -> None:
    """Told to end it answers the request that it has, and refuses who connects then."""
    (small.folder / "answers").unlink()
    assert small.process is not None
    with socket.create_connection(("127.0.0.1", small.port), WAIT_S) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: (small.folder / "asked").exists())
        small.process.terminate()
        until(lambda: not is_let_in(small.port))
        (small.folder / "answers").touch()
        received = b""
        while chunk := line.recv(65_536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in received
    assert small.process.wait(WAIT_S) == 0


def is_let_in(port: int) -> bool:
    """Whether a new connection is taken."""
    try:
        with socket.create_connection(("127.0.0.1", port), WAIT_S):
            return True
    except ConnectionRefusedError:
        return False
