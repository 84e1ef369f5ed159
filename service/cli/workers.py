"""The processes that answer: they are started, watched, started anew, and end with their parent."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from prometheus_client import multiprocess
from uvicorn import Config
from uvicorn.supervisors.multiprocess import Process

from service.background import backoff_s
from service.logs import stdout_writer

log = structlog.get_logger()

LOOK_S = 0.5
HUNG_S = 60.0
"""A worker that served and is silent for so long hangs."""
PAUSE_FIRST_S = 1.0
PAUSE_MOST_S = 30.0
END_S = 30.0
"""So long a worker may take to end: longer than it lets its requests go on."""


class Worker(Process):
    """A process that answers requests."""

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        """Start it."""
        super().__init__(config, sockets)
        self.is_serving = False
        self._is_asked = False
        self._unheard = 0
        self.start()

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """What the process does: it serves until it is told to end, or its parent is gone."""
        watch_parent()
        super().target(sockets)

    def look(self) -> None:
        """Hear what it says, and ask again: without waiting, for it may be slow to start."""
        self._unheard += 1
        with suppress(OSError, EOFError):
            while self.parent_conn.poll():
                if self.parent_conn.recv() and not self.is_serving:
                    self.is_serving = True
                    log.debug("worker_serves", worker=self.pid)
                self._is_asked, self._unheard = False, 0
            if not self._is_asked:
                self.parent_conn.send(b"ping")
                self._is_asked = True

    def is_hung(self, seconds: float) -> bool:
        """Whether it serves and has said nothing for so long; to start may take any time.

        Counted in looks: while all of us are paused nobody hangs.
        """
        return self.is_serving and self._unheard * LOOK_S > seconds


@dataclass(slots=True)
class Workers:
    """Keeps so many workers as the configuration says, until it is told to end."""

    config: Config
    hung_s: float = HUNG_S
    _sockets: list[socket.socket] = field(default_factory=list)
    _places: list[Worker | None] = field(default_factory=list)
    _not_before: float = 0.0
    _failures: int = 0
    _has_to_end: threading.Event = field(default_factory=threading.Event)

    def run(self) -> bool:
        """Serve; gives False where it ended by itself, since no worker could start."""
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: self._has_to_end.set())
        self._sockets = [self.config.bind_socket()]
        self._places = [self._worker() for _ in range(self.config.workers)]
        can_serve = True
        while can_serve and not self._has_to_end.wait(LOOK_S):
            can_serve = all(self._look(place) for place in range(len(self._places)))
        self._end()
        stdout_writer().flush()
        return can_serve

    def _worker(self) -> Worker:
        return Worker(self.config, self._sockets)

    def _look(self, place: int) -> bool:
        """Start a worker anew that died or hangs; gives False where nobody can serve any more."""
        worker = self._places[place]
        if worker is None:
            if time.monotonic() >= self._not_before:
                self._places[place] = worker = self._worker()
                log.warning("worker_started_anew", worker=worker.pid)
            return True
        worker.look()
        if worker.process.is_alive() and worker.is_hung(self.hung_s):
            log.error("worker_hangs", worker=worker.pid, seconds=self.hung_s)
            worker.kill()
            worker.join()
        return worker.process.is_alive() or self._bury(place, worker)

    def _bury(self, place: int, worker: Worker) -> bool:
        """Say that a worker died, and how; gives False where nobody can serve any more."""
        code = worker.exitcode or 0
        log.error("worker_died", worker=worker.pid, exit_code=code, served=worker.is_serving)
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
        self._places[place] = None
        if worker.is_serving:
            self._failures = 0
            return True
        pause_s = backoff_s(self._failures, first_s=PAUSE_FIRST_S, most_s=PAUSE_MOST_S)
        self._failures += 1
        self._not_before = time.monotonic() + pause_s
        # A signal came from outside: the next one may well start.
        return code < 0 or any(each is not None and each.is_serving for each in self._places)

    def _end(self) -> None:
        """Take no connection more, and let each worker finish what it has begun."""
        for each in self._sockets:
            each.close()  # or who connects now would wait for nobody
        workers = [each for each in self._places if each is not None]
        for worker in workers:
            worker.terminate()
        until = time.monotonic() + END_S
        for worker in workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                log.error("worker_does_not_end", worker=worker.pid)
                worker.process.kill()
                worker.process.join()


def watch_parent() -> None:
    """Have this process, which another one of ours made, end in order as soon as that is gone."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    """Wait until the parent is gone, then end in order: nobody would start what dies anew."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        log.error("parent_died", worker=os.getpid())
        os.kill(os.getpid(), signal.SIGTERM)
