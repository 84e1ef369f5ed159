"""Every part of the benchmarks runs, at a size that says nothing of speed."""

import io
import math
import re
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from elasticsearch import Elasticsearch
from rich.console import Console

from benchmarks.__main__ import FAILED, measure
from benchmarks.contest import Contest
from benchmarks.measure import Measured, at_least
from benchmarks.sizes import SIZES

ROWS = {
    "reading": 4,
    "command-line": 1,
    "units": 2,
    "ten-lines": 5,
    "match": 9,
    "adjudicate": 1,
    "charges": 1,
    "pages": 1,
    "tuning": 3,
    "worklist": 1,
    "alerts": 1,
    "growth": 2,
    "bulk": 2,
}


@pytest.fixture(scope="module")
def contest(elasticsearch_url: str, redis_url: str) -> Iterator[Contest]:
    """All parts at the smallest size, with indices of their own."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}-"
    with closing(
        Contest(SIZES["tiny"], elasticsearch_url, redis_url, lambda _: None, prefix)
    ) as contest:
        yield contest
    with Elasticsearch(elasticsearch_url) as client:
        for index in client.indices.get(index=f"{prefix}*"):
            client.indices.delete(index=index)


def test_every_part_is_run_here(contest: Contest) -> None:
    """A new one too."""
    assert list(contest.parts) == list(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_part_gives_its_rows(contest: Contest, name: str) -> None:
    """Each with a figure, which means nothing at this size; only PostgreSQL need not be there."""
    rows = list(contest.parts[name]())

    assert len(rows) == ROWS[name]
    for row in rows:
        assert row.ours, row.what
        assert math.isfinite(row.ours), row.what
        assert row.note.startswith("not measured") or (row.ratio or row.reach)


def _rows_in(file: Path) -> list[str]:
    written = orjson.loads(file.read_bytes())
    return [row["what"] for part in written.values() for row in part["rows"]]


def good() -> Iterator[Measured]:
    """Reach what should be reached."""
    yield at_least("good", 2.0, 1.0, 1.0, "/s")


def short() -> Iterator[Measured]:
    """Fall short of it."""
    yield at_least("short", 1.0, 2.0, 1.0, "/s")


def broken() -> Iterator[Measured]:
    """Give a row, and fail."""
    yield from good()
    raise RuntimeError("broken in the middle")


def test_a_part_that_fails_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    """What it gave before is kept; the exit code says that one failed."""
    said, file = io.StringIO(), tmp_path / "latest.json"

    code = measure({"broken": broken, "good": good}, Console(file=said), file)

    assert code == FAILED
    written = orjson.loads(file.read_bytes())
    assert {name: each["failed"] for name, each in written.items()} == {
        "broken": True,
        "good": False,
    }
    assert _rows_in(file) == ["good", "good"]
    assert "broken in the middle" in said.getvalue()
    assert "failed: broken" in said.getvalue()


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    """Whoever stops a run keeps what was measured until then."""
    file, seen = tmp_path / "latest.json", []

    def looking() -> Iterator[Measured]:
        yield from good()
        seen.extend(_rows_in(file))
        yield from good()

    assert measure({"looking": looking}, Console(file=io.StringIO()), file) == 0
    assert seen == ["good"]


def test_parts_may_be_run_one_by_one(tmp_path: Path) -> None:
    """What others gave stays in the file; the same part again takes the place of its rows."""
    file = tmp_path / "latest.json"

    for parts in ({"good": good}, {"short": short}, {"good": good}):
        assert measure(parts, Console(file=io.StringIO()), file) == 0

    assert sorted(_rows_in(file)) == ["good", "short"]


def test_a_row_that_falls_short_is_shown_and_fails_nothing(tmp_path: Path) -> None:
    """A measure is not a test: it depends on the machine."""
    said, file = io.StringIO(), tmp_path / "latest.json"

    code = measure({"short": short}, Console(file=said), file)

    assert code == 0
    assert [row["met"] for row in orjson.loads(file.read_bytes())["short"]["rows"]] == [False]
    assert re.search(r"short .* no ", said.getvalue())
