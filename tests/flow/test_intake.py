"""A stream of submissions: pushed in batches, kept where they cannot be, answered one by one."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.engine_fault import EngineFault
from service.domain.submission import DeadLetter, Pushed, PushResult, Queued, Submission
from service.flow import intake
from service.flow.intake import Doors, Taken, take_in
from service.ingest.cutting import KEPT_BYTES, Cut
from service.ingest.submissions import read_json

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


@dataclass
class Outbox:
    """Keeps what it is given; ``fault`` is raised instead."""

    fault: EngineFault | None = None
    kept: list[str] = field(default_factory=list)

    async def put(self, payer: str, pushed: Sequence[Pushed]) -> list[Queued]:
        """Keep pushes."""
        if self.fault:
            raise self.fault
        papers = [each.authorization for each in pushed]
        self.kept += [each.authorization_id for each in papers]
        return [
            Queued(authorization_id=each.authorization_id, version=each.version, ticket="T")
            for each in papers
        ]


@dataclass
class Letters:
    """Keeps letters; ``fault`` is raised instead."""

    fault: EngineFault | None = None
    kept: list[DeadLetter] = field(default_factory=list)

    async def keep(self, payer: str, letters: Sequence[DeadLetter]) -> list[str]:
        """Keep letters, and number them."""
        if self.fault:
            raise self.fault
        self.kept += letters
        return [f"L{number}" for number in range(len(self.kept) - len(letters), len(self.kept))]


def submission(number: int, content: bytes | Cut) -> Submission:
    """Read a line as it is read from a stream."""
    piece = content if isinstance(content, Cut) else Cut(content, len(content), number, number * 10)
    read = read_json(piece, LINE_BYTES_MAX)
    assert read
    return read


async def stream(parts: Iterable[Any]) -> AsyncIterator[Any]:
    """Give parts one after the other, as a network does."""
    for part in parts:
        await asyncio.sleep(0)
        yield part


def taken(
    lines: Iterable[bytes | Cut],
    store: Shelf,
    outbox: Outbox | None = None,
    letters: Letters | None = None,
    **limits: int,
) -> list[intake.Result]:
    """Take lines in, and give all results."""
    given = {"batch": 3} | limits
    doors = Doors(
        payer="p",
        store=store,
        outbox=outbox or Outbox(EngineFault("redis", "gone")),
        letters=letters or Letters(),
        origin="here",
    )
    read = [submission(number, each) for number, each in enumerate(lines, start=1)]

    async def run() -> list[intake.Result]:
        given_back = take_in(stream(read), doors, **given)
        return [each.result async for each in given_back if isinstance(each, Taken)]

    return asyncio.run(run())


class TestTakeIn:
    """Results out of lines."""

    def test_every_line_has_its_result_in_order(self) -> None:
        """What is rejected keeps its place between what is stored."""
        too_long = Cut(b"{", 2 * KEPT_BYTES, 5, 50)
        lines: list[bytes | Cut] = [
            line("A"),
            b"{",
            line("B", version="x"),
            b"[]",
            too_long,
            line("C"),
        ]

        results = taken(lines, Shelf())

        assert [(each["line"], each["status"]) for each in results] == [
            (1, "created"),
            (2, "rejected"),
            (3, "rejected"),
            (4, "rejected"),
            (5, "rejected"),
            (6, "created"),
        ]
        assert results[0] == {
            "line": 1,
            "authorization_id": "A",
            "version": 1,
            "status": "created",
            "current_version": 1,
            "reason": None,
            "errors": [],
            "start": 10,
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

        assert [each["line"] for each in results if each["status"] == "rejected"] == [5]
        assert {each["status"] for each in results} == {"created", "rejected"}

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
            read = (submission(number, line(f"A{number}")) for number in range(50))
            doors = Doors(
                payer="p", store=Shelf(), outbox=Outbox(), letters=Letters(), origin="here"
            )
            results = take_in(stream(read), doors, batch=1)
            await anext(results)
            await results.aclose()  # type: ignore[attr-defined]
            return len(asyncio.all_tasks())

        assert asyncio.run(run()) == 1


class TestKeeping:
    """What becomes of what cannot be stored."""

    def test_what_is_rejected_is_kept_as_it_came(self) -> None:
        """With the reason, the place and the way it came in; the result names the letter."""
        letters = Letters()

        results = taken([line("A"), b"{x"], Shelf(), letters=letters)

        (letter,) = letters.kept
        assert results[1]["dead_letter"] == "L0"
        assert "dead_letter" not in results[0]
        assert (letter.content, letter.code, letter.position, letter.origin) == (
            b"{x",
            "unreadable",
            {"line": 2},
            "here",
        )
        assert letter.reason.startswith("not JSON")
        assert letter.is_whole

    def test_parts_of_one_document_are_kept_once(self) -> None:
        """As the document that they came in."""
        letters = Letters()

        first, second = taken([b"{x", b"{x"], Shelf(), letters=letters)

        assert len(letters.kept) == 1
        assert first["dead_letter"] == second["dead_letter"] == "L0"

    def test_of_a_line_that_is_too_long_the_beginning_is_kept(self) -> None:
        """It cannot be tried again, but it can be told what it was."""
        letters = Letters()

        taken([Cut(b"x" * 10, 5 * LINE_BYTES_MAX, 1, 10)], Shelf(), letters=letters)

        assert not letters.kept[0].is_whole

    def test_what_could_not_even_be_kept_is_to_be_sent_again(self) -> None:
        """Nothing is lost: the sender is told that it failed."""
        letters = Letters(EngineFault("elasticsearch", "gone"))

        (result,) = taken([b"{x"], Shelf(), letters=letters)

        assert result["status"] == "failed"
        assert "it could not be kept: elasticsearch: gone" in result["reason"]

    def test_one_that_the_engine_refuses_is_kept_too(self) -> None:
        """The same would be refused again."""
        letters = Letters()
        store = Shelf(fault=Refused("elasticsearch", "400"), broken=frozenset({"A"}))

        taken([line("A")], store, letters=letters)

        assert [each.code for each in letters.kept] == ["refused"]

    def test_while_the_search_engine_is_away_pushes_wait_in_the_outbox(self) -> None:
        """And what is wrong is still told apart."""
        ids = [f"A{number}" for number in range(20)]
        store = Shelf(fault=EngineFault("elasticsearch", "gone"), broken=frozenset(ids))
        outbox = Outbox()

        results = taken([*map(line, ids), b"{"], store, outbox)

        assert [each["status"] for each in results] == ["queued"] * 20 + ["rejected"]
        assert results[0]["ticket"] == "T"
        assert sorted(outbox.kept) == sorted(ids)

    @pytest.mark.parametrize(
        ("fault", "full"),
        [
            (EngineFault("redis", "gone"), None),
            (EngineFault("elasticsearch", "gone"), EngineFault("redis", "the outbox is full")),
        ],
        ids=["a fault of Redis", "a full outbox"],
    )
    def test_what_may_not_wait_has_failed(
        self, fault: EngineFault, full: EngineFault | None
    ) -> None:
        """The outbox is in Redis, and has a limit."""
        store = Shelf(fault=fault, broken=frozenset({"A"}))

        (result,) = taken([line("A")], store, Outbox(full))

        assert (result["status"], result["reason"]) == ("failed", str(full or fault))
