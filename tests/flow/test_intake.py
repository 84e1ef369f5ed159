"""A stream of authorizations: cut into lines, read, pushed in batches, answered line by line."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.engine_fault import EngineFault
from service.domain.push import Pushed, PushResult
from service.flow import intake
from service.flow.intake import TooLong, split_lines, take_in

LINE_BYTES_MAX = 100_000


class Refused(EngineFault):
    """The engine refuses what it was sent."""

    is_lasting = True


@dataclass
class Shelf:
    """A store in memory; ``broken`` are the ids that it fails at, with this fault."""

    fault: EngineFault | None = None
    broken: frozenset[str] = frozenset()
    batches: list[list[tuple[str, int]]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    at_once: int = 0
    at_once_max: int = 0

    async def push(self, payer: str, pushed: Sequence[Pushed]) -> list[PushResult]:
        """Keep the newest version of each."""
        papers = [each.authorization for each in pushed]
        self.batches.append([(each.authorization_id, each.version) for each in papers])
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if self.fault and self.broken & {each.authorization_id for each in papers}:
            raise self.fault
        results = []
        for each in papers:
            id_, before = each.authorization_id, self.versions.get(each.authorization_id, 0)
            self.versions[id_] = max(before, each.version)
            results.append(
                PushResult(
                    authorization_id=id_,
                    version=each.version,
                    status="superseded" if before > each.version else "created",
                    current_version=self.versions[id_],
                )
            )
        return results


def line(id_: str, version: object = 1, **more: Any) -> bytes:
    """Write a small authorization."""
    paper = {
        "authorization_id": id_,
        "version": version,
        "kind": "authorization",
        "setting": "professional",
        "member": {"id": "M1"},
    }
    return orjson.dumps(paper | more)


async def stream(parts: Iterable[Any]) -> AsyncIterator[Any]:
    """Give parts one after the other, as a network does."""
    for part in parts:
        await asyncio.sleep(0)
        yield part


def taken(lines: Iterable[Any], store: Shelf, **limits: int) -> list[intake.Result]:
    """Take lines in, and give all results."""
    given = {"batch": 3, "line_bytes_max": LINE_BYTES_MAX} | limits

    async def run() -> list[intake.Result]:
        return [each async for each in take_in(stream(lines), "p", store, **given)]

    return asyncio.run(run())


def split(chunks: Iterable[bytes], line_bytes_max: int = LINE_BYTES_MAX) -> list[bytes | TooLong]:
    """Split chunks into lines."""

    async def run() -> list[bytes | TooLong]:
        return [each async for each in split_lines(stream(chunks), line_bytes_max)]

    return asyncio.run(run())


def chunked(text: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut a text at places."""
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:stop] for start, stop in pairwise(places)]


class TestSplitLines:
    """Lines out of chunks."""

    @given(
        lines=st.lists(st.binary(max_size=12).map(lambda each: each.replace(b"\n", b""))),
        cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=12),
        ends_with_line_end=st.booleans(),
    )
    def test_chunks_do_not_matter(
        self, lines: list[bytes], cuts: list[int], ends_with_line_end: bool
    ) -> None:
        """However a stream is cut into chunks, the lines are the same, too long ones included."""
        text = b"\n".join(lines) + (b"\n" if ends_with_line_end and lines else b"")
        expected: list[bytes | TooLong] = [
            TooLong() if len(each) > 8 else each for each in text.split(b"\n")
        ]
        if expected[-1] == b"":
            expected.pop()

        assert split(chunked(text, cuts), line_bytes_max=8) == expected

    def test_a_line_that_is_too_long_is_not_kept(self) -> None:
        """The rest of it passes by; the line after it is read."""
        assert split([b"x" * 9, b"y" * 9, b"\nnext"], line_bytes_max=10) == [TooLong(), b"next"]


class TestTakeIn:
    """Results out of lines."""

    def test_every_line_has_its_result_in_order(self) -> None:
        """What is rejected keeps its place between what is stored."""
        lines = [line("A"), b"", b"{", line("B", version="x"), b"[]", TooLong(), line("C")]

        results = taken(lines, Shelf())

        assert [(each["line"], each["status"]) for each in results] == [
            (1, "created"),
            (3, "rejected"),
            (4, "rejected"),
            (5, "rejected"),
            (6, "rejected"),
            (7, "created"),
        ]
        assert results[0] == {
            "line": 1,
            "authorization_id": "A",
            "version": 1,
            "status": "created",
            "current_version": 1,
            "reason": None,
            "errors": [],
        }

    def test_a_rejected_line_says_where_and_never_what(self) -> None:
        """Values may be health data: the place and the rule are enough."""
        (result,) = taken([line("B", version="secret", member={"id": "M1", "Jane": 1})], Shelf())

        assert result["authorization_id"] == "B"
        assert result["errors"][0]["path"] == "/version"
        assert result["reason"].startswith("/version: ")
        assert "secret" not in orjson.dumps(result).decode()

    @given(ids=st.lists(st.sampled_from("ABCD"), max_size=20), batch=st.integers(1, 6))
    def test_versions_of_one_id_are_pushed_in_their_order(self, ids: list[str], batch: int) -> None:
        """An id never stands twice in a batch, nor overtakes itself between two batches."""
        store = Shelf()
        lines = [line(each, version) for version, each in enumerate(ids, start=1)]

        results = taken(lines, store, batch=batch, in_flight=2)

        assert [each["status"] for each in results] == ["created"] * len(ids)
        assert all(len(dict(each)) == len(each) <= batch for each in store.batches)
        assert store.at_once_max <= 2

    def test_batches_go_out_while_lines_come_in(self) -> None:
        """As many batches as allowed are on their way together, never more."""
        store = Shelf()

        taken([line(f"A{number}") for number in range(40)], store, batch=2, in_flight=3)

        assert store.at_once_max == 3

    def test_a_batch_of_long_lines_is_closed_early(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Memory is bounded in bytes."""
        monkeypatch.setattr(intake, "BATCH_BYTES_MAX", 200)
        store = Shelf()

        taken([line(f"A{number}") for number in range(6)], store, batch=6)

        assert [len(each) for each in store.batches] == [2, 2, 2]

    def test_an_engine_fault_fails_its_batch_and_no_other(self) -> None:
        """What was not stored may be sent again; the rest is taken."""
        store = Shelf(fault=EngineFault("redis", "gone"), broken=frozenset({"A4"}))

        results = taken([line(f"A{number}") for number in range(9)], store)

        statuses = [each["status"] for each in results]
        assert statuses == ["created"] * 3 + ["failed"] * 3 + ["created"] * 3
        assert results[3]["reason"] == "redis: gone"

    def test_one_that_the_engine_refuses_does_not_take_others_with_it(self) -> None:
        """A batch refused as wrong is halved until the one at fault stands alone."""
        store = Shelf(fault=Refused("elasticsearch", "400"), broken=frozenset({"A4"}))

        results = taken([line(f"A{number}") for number in range(9)], store, batch=9)

        assert [each["line"] for each in results if each["status"] == "failed"] == [5]

    def test_an_outage_is_not_asked_for_ever(self) -> None:
        """After some batches that failed whole, the others are not tried."""
        ids = [f"A{number}" for number in range(40)]
        store = Shelf(fault=EngineFault("redis", "gone"), broken=frozenset(ids))

        results = taken([line(each) for each in ids], store, batch=2, in_flight=1)

        assert {each["status"] for each in results} == {"failed"}
        assert len(store.batches) == intake.FAILED_BATCHES_MAX
        assert results[-1]["reason"].startswith("not tried")

    def test_a_reader_that_leaves_ends_what_is_on_its_way(self) -> None:
        """Nothing goes on in the background for a client that is gone."""

        async def run() -> int:
            results = take_in(
                stream(line(f"A{number}") for number in range(50)),
                "p",
                Shelf(),
                batch=1,
                line_bytes_max=LINE_BYTES_MAX,
            )
            await anext(results)
            await results.aclose()  # type: ignore[attr-defined]
            return len(asyncio.all_tasks())

        assert asyncio.run(run()) == 1
