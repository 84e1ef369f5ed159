"""Times two contenders in turns, so that what else the machine does falls on both."""

import http.client
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One row of the table: ours, what it is set against, their ratio and what it should reach."""

    what: str
    ours: float
    against: float | None
    ratio: float | None
    reach: float | None
    met: bool | None
    unit: str
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)


def at_most(what: str, ours: float, against: float, reach: float, unit: str) -> Measured:
    """Make a row whose ratio should not exceed ``reach``."""
    return _row(what, (ours, against), reach, unit, met=ours / against <= reach)


def at_least(what: str, ours: float, against: float, reach: float, unit: str) -> Measured:
    """Make a row whose ratio should reach ``reach``."""
    return _row(what, (ours, against), reach, unit, met=ours / against >= reach)


def _row(what: str, pair: tuple[float, float], reach: float, unit: str, *, met: bool) -> Measured:
    ours, against = pair
    return Measured(
        what=what,
        ours=ours,
        against=against,
        ratio=ours / against,
        reach=reach,
        met=met,
        unit=unit,
    )


class Connection:
    """A bare keep-alive HTTP client: what is measured is the server, not the client."""

    def __init__(self, url: str) -> None:
        """Connect to the host of an address."""
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port, timeout=120
        )

    def __enter__(self) -> "Connection":
        """Use it for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._connection.close()

    def post(self, path: str, body: bytes, content_type: str = "application/json") -> bytes:
        """Post a body and read the whole answer; any status but 200 ends the benchmark."""
        return self._ask("POST", path, body, {"Content-Type": content_type})

    def get(self, path: str) -> bytes:
        """Get an address and read the whole answer; any status but 200 ends the benchmark."""
        return self._ask("GET", path, None, {})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {answer[:300]!r}")
        return answer


def milliseconds(call: Callable[[], object]) -> float:
    """Time one call."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def p50_in_turns(
    ours: Sequence[Callable[[], object]], against: Sequence[Callable[[], object]]
) -> tuple[float, float]:
    """Give the medians of both, each call of ours followed by its counterpart."""
    ours_ms, against_ms = [], []
    for mine, other in zip(ours, against, strict=True):
        ours_ms.append(milliseconds(mine))
        against_ms.append(milliseconds(other))
    return statistics.median(ours_ms), statistics.median(against_ms)
