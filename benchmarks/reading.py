"""Reads X12 files against a reader that only cuts them, and measures the memory of a large one."""

import gc
import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from pyx12.x12file import X12Reader

from benchmarks.measure import Measured, at_least
from benchmarks.sizes import Size
from benchmarks.x12_files import claims_837, reviews_278
from service.ingest.x12._reader import read
from service.ingest.x12.wire.reading import segments
from service.ingest.x12.wire.results import AuthorizationRead, ClaimRead

CHUNK_BYTES = 64 * 1024
MEMORY_MAX_MB = 200
_MILLION = 1_000_000

Chunks = list[bytes]


def reading_rows(size: Size) -> Iterator[Measured]:
    """Read an 837 and a file of 278 of some MB, and one large file for its memory."""
    claims = list(claims_837(int(size.x12_mb * _MILLION)))
    reviews = list(reviews_278(int(size.x12_mb * _MILLION)))
    for what, sets, ours, reach in (
        ("837, segments alone", claims, _segments, 4.0),
        ("837 to claims", claims, _documents(ClaimRead), 1.0),
        ("278 to authorizations", reviews, _documents(AuthorizationRead), 1.0),
    ):
        speeds = _speeds(sets, ours, size.rounds)
        what = f"{what}, MB a second, against pyx12's X12Reader (tokens only)"
        yield at_least(what, *speeds, reach, "MB/s")
    yield _memory(size.x12_large_mb)


def _speeds(sets: Chunks, ours: Callable[[Chunks], int], rounds: int) -> tuple[float, float]:
    """Time both in turns, and take the best of each: what else runs only ever adds."""
    file = b"".join(sets)
    chunks = [file[start : start + CHUNK_BYTES] for start in range(0, len(file), CHUNK_BYTES)]
    text = file.decode()
    turns = [
        (_seconds(lambda: ours(chunks)), _seconds(lambda: _tokens(text))) for _ in range(rounds)
    ]
    first, second = (len(file) / _MILLION / min(times) for times in zip(*turns, strict=True))
    return first, second


def _seconds(call: Callable[[], int]) -> float:
    gc.collect()
    started = time.process_time()
    assert call() > 0, "nothing was read"
    return time.process_time() - started


def _tokens(text: str) -> int:
    return sum(1 for _ in X12Reader(io.StringIO(text)))


def _segments(chunks: Chunks) -> int:
    return sum(1 for _ in segments(chunks))


def _documents(kind: type[object]) -> Callable[[Chunks], int]:
    return lambda chunks: sum(isinstance(each, kind) for each in read(chunks))


def _memory(large_mb: float) -> Measured:
    """Read a large 837 in a process of its own, which says the most that it held."""
    command = [sys.executable, "-m", "benchmarks.reading", str(large_mb)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout
    claims, peak_mb = said.split()
    return Measured(
        what=f"837 of {large_mb:g} MB, peak memory",
        ours=float(peak_mb),
        against=None,
        ratio=None,
        reach=MEMORY_MAX_MB,
        met=float(peak_mb) < MEMORY_MAX_MB,
        unit="MB",
        note=f"{int(claims):,} claims in one interchange, the whole process",
    )


def _large(size_mb: float) -> Iterator[bytes]:
    """Give a large file without holding it: one set again and again, each with its own number."""
    start, one, *_ = islice(claims_837(1), 3)
    yield start
    count = int(size_mb * _MILLION) // len(one) + 1
    for number in range(1, count + 1):
        yield one.replace(b"*0001*005010", b"*%04d*005010" % number).replace(
            b"*0001~\n", b"*%04d~\n" % number
        )
    yield b"GE*%d*17~\nIEA*1*000000905~\n" % count


def _read_large(size_mb: float) -> str:
    """Read it, and say how many claims it had and the most that this process ever held.

    Not by ``getrusage``: that begins with what the parent held.
    """
    claims = sum(isinstance(each, ClaimRead) for each in read(_large(size_mb)))
    status = Path("/proc/self/status").read_text().splitlines()
    peak_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return f"{claims} {peak_kb / 1024:.1f}"


if __name__ == "__main__":
    print(_read_large(float(sys.argv[1])))
