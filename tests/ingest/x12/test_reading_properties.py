"""Any separators, any cuts of the stream, any bytes: the same segments, and never an exception."""

import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.x12._reader import X12Reader, read
from service.ingest.x12.reply.acknowledgement import acknowledge
from service.ingest.x12.reply.answering import Answer, answer
from service.ingest.x12.wire.problem import Problem
from service.ingest.x12.wire.reading import segments
from service.ingest.x12.wire.results import (
    GroupOutcome,
    InquiryRead,
    InterchangeOutcome,
    Item,
    TransactionOutcome,
)
from service.ingest.x12.wire.segment import Segment
from service.ingest.x12.wire.writing import ControlNumbers
from tests.ingest.x12.edi import MESSAGES, as_json
from tests.ingest.x12.mutation import mutated

FILES = {path.name: path.read_bytes() for path in sorted(MESSAGES.glob("*.edi"))}
MARKS = "".join(
    each for each in map(chr, range(0x1C, 0x7F)) if not each.isalnum() and each not in " \t\r\n-."
)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBERS = ControlNumbers(interchange=1, group=1)
FAST = settings(max_examples=60)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data, cut at these places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def test_there_are_messages() -> None:
    """A moved folder must not turn these tests into nothing."""
    assert len(FILES) >= 6


@FAST
@given(st.sampled_from(sorted(FILES)), st.lists(st.integers(0, 10**6), max_size=30))
def test_any_cuts_give_the_same_items(name: str, cuts: list[int]) -> None:
    """What was read does not depend on how the stream was cut."""
    data = FILES[name]

    assert list(read(pieces(data, cuts))) == list(read([data]))


@FAST
@given(st.lists(st.sampled_from(MARKS), min_size=4, max_size=4, unique=True), st.booleans())
def test_any_separators_give_the_same_segments(marks: list[str], breaks: bool) -> None:
    """Whatever four separators an interchange has."""
    element, component, repetition, terminator = marks
    rows: list[list[list[str] | str]] = [
        ["GS", "HI"],
        ["ST", "278", "1"],
        ["HI", ["BK", "A"], ["BF", "B"]],
        ["IEA", "1", "9"],
    ]
    head: list[list[str] | str] = [
        "ISA",
        *["00", " " * 10] * 2,
        "ZZ",
        "A" * 15,
        "ZZ",
        "B" * 15,
        "260301",
        "1200",
    ]
    head += [repetition, "00501", "000000001", "0", "P", component]

    def joined(row: list[list[str] | str]) -> str:
        return element.join(
            component.join(each) if isinstance(each, list) else each for each in row
        )

    text = (terminator + "\n" * breaks).join([joined(head), *map(joined, rows), ""])
    found = [each for each in segments([text.encode()]) if isinstance(each, Segment)]

    assert [each.id for each in found] == ["ISA", "GS", "ST", "HI", "IEA"]
    assert found[0].delimiters == tuple(marks)
    assert [found[3].parts(1), found[3].parts(2)] == [["BK", "A"], ["BF", "B"]]


def told(items: list[Item]) -> list[str]:
    """Write all that a reader may be asked for."""
    written = []
    for item in items:
        written.append(repr(item))
        if isinstance(item, InterchangeOutcome):
            written.append(acknowledge(item, NUMBERS, AT, ta1=True))
        elif isinstance(item, InquiryRead):
            written.append(answer([Answer(inquiry=item)], NUMBERS, AT))
        elif not isinstance(item, GroupOutcome | TransactionOutcome | Problem):
            written.append(repr(as_json(item)))
    return written


@FAST
@given(st.binary(max_size=600), st.booleans())
def test_any_bytes_give_no_exception(data: bytes, begins: bool) -> None:
    """Also behind the beginning of a real file."""
    start = FILES["review-home-health.edi"][:400] if begins else b""

    told(list(read([start + data])))


def run(rounds: int, seed: int) -> None:
    """Read mutated files whole and in pieces; write all that may be asked of what was read."""
    chance = random.Random(seed)
    for _ in range(rounds):
        data = mutated(chance.choice(list(FILES.values())), chance)
        cuts = [chance.randrange(10**6) for _ in range(chance.choice([0, 3, 50]))]
        whole = list(read([data]))
        told(whole)
        assert list(read(pieces(data, cuts))) == whole, data


def test_mutated_files_give_no_exception() -> None:
    """A few hundred of them, always the same."""
    run(300, seed=20260301)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_many_mutated_files_give_no_exception(seed: int) -> None:
    """Thousands of them."""
    run(2000, seed)


def test_a_line_of_200_million_bytes_is_not_held() -> None:
    """Neither in the reader of segments nor by the set it stands in."""
    reader = X12Reader()
    start, _, rest = FILES["review-home-health.edi"].partition(b"~\nHI*")
    list(reader.feed(start + b"~MSG*"))
    for _ in range(200):
        assert list(reader.feed(b"x" * 1_000_000)) == []
    found = [*reader.feed(b"~HI*" + rest), *reader.end()]

    assert reader.segments.held_characters < 1000
    assert [type(each).__name__ for each in found][:2] == ["Unread", "TransactionOutcome"]
