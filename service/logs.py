"""What the service logs: a line of JSON for each event, without values, and nobody waits for it.

Whoever reads the lines may stop reading. Then they wait in a queue with a bound; what comes after
that is dropped, and counted.
"""

import logging
import os
import queue
import sys
import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from functools import cache
from traceback import walk_tb
from typing import Any

import structlog
from prometheus_client import Counter

LINES_MAX = 2_000
FLUSH_S = 2.0
_FRAMES_MAX = 20
_CAUSES_MAX = 5
_STDOUT = 1
_QUIET = ("elastic_transport",)
"""Below errors this one writes the addresses that it asks for, with ids in them."""

DROPPED = Counter("authmatch_log_lines_dropped_total", "Lines that nobody read in time.")

Event = MutableMapping[str, Any]


class LineWriter:
    """Writes lines to a file descriptor, in a thread of its own; ``put`` never waits."""

    def __init__(self, descriptor: int, lines_max: int = LINES_MAX) -> None:
        """Start the thread, which ends with the process."""
        self._descriptor = descriptor
        self._lines: queue.Queue[bytes | threading.Event] = queue.Queue(lines_max)
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def put(self, line: str) -> None:
        """Have a line written; where too many wait it is dropped."""
        try:
            self._lines.put_nowait(f"{line}\n".encode())
        except queue.Full:
            DROPPED.inc()

    debug = info = warning = error = critical = msg = put
    """As structlog calls it."""

    def flush(self, seconds: float = FLUSH_S) -> None:
        """Wait until all is written that was put before, but no longer than so many seconds."""
        is_written = threading.Event()
        with suppress(queue.Full):
            self._lines.put_nowait(is_written)
            is_written.wait(seconds)

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            if isinstance(line, threading.Event):
                line.set()
                continue
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                DROPPED.inc()


@cache
def stdout_writer() -> LineWriter:
    """The one writer of the process."""
    return LineWriter(_STDOUT)


def without_values(_: object, __: str, event: Event) -> Event:
    """Say of an exception what it is and where it came from: its text may quote anything."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event.update(told(error))
    return event


def told(error: BaseException) -> dict[str, Any]:
    """The kind of an exception, the places that it went through, and the kinds of its causes."""
    places = [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < _CAUSES_MAX:
        causes.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return {"kind": type(error).__name__, "places": places[-_FRAMES_MAX:], "causes": causes}


class _OthersRecords(logging.Handler):
    """Takes what the server and the clients log by the standard library, without its values."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the first line of the message before anything was put into it."""
        error = record.exc_info[1] if record.exc_info else None
        if record.name == "uvicorn.error" and error is not None:
            return  # it left an endpoint, and was logged there
        log: Callable[..., Any] = getattr(
            structlog.get_logger(), "error" if record.levelno >= logging.ERROR else "warning"
        )
        log(str(record.msg).partition("\n")[0], logger=record.name, exc_info=error)


def log_as_service(level: str) -> None:
    """Log JSON to stdout, in this whole process."""
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            without_values,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: stdout_writer(),
    )
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _OthersRecords)]
    root.addHandler(_OthersRecords(max(number, logging.WARNING)))
    _quieten_others()


def log_as_command() -> None:
    """Log for a person to stderr: stdout is for results."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            without_values,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    _quieten_others()


def _quieten_others() -> None:
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
