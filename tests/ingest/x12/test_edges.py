"""What hardly ever happens, and must not go wrong then."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.ingest.x12._reader import read_async
from service.ingest.x12.wire._header import guess_header, read_header
from service.ingest.x12.wire.problem import Problem
from service.ingest.x12.wire.reading import SegmentReader, segments
from service.ingest.x12.wire.results import AuthorizationRead, InterchangeOutcome
from service.ingest.x12.wire.segment import Segment
from tests.ingest.x12.edi import (
    GRANTED,
    ISA,
    LINES,
    PROFESSIONAL,
    SERVICE,
    authorization,
    authorizations,
    claim,
    claims,
    codes,
    items,
    review,
)

COLLAPSED = "ISA*00**00**ZZ*S*ZZ*R*260301*1200*^*00501*905*0*P*"


@pytest.mark.parametrize(
    "head",
    [
        "ISA",
        "ISA\n",
        "ISAX",
        COLLAPSED,
        COLLAPSED + " ",
        COLLAPSED + ":ZGS*",
        "ISA*00*~GS*HI",
    ],
)
def test_a_header_whose_separators_cannot_be_told_is_none(head: str) -> None:
    """Letters, blanks, the same mark twice, too few elements."""
    assert read_header(head) is None


@pytest.mark.parametrize(
    ("tail", "component", "terminator"),
    [
        (":~", ":", "~"),
        (":\nGS*HI\n", ":", "\n"),
        (":\r\nGS*HI\r\n", ":", "\n"),
        ("\nGS*HI\n", "", "\n"),
        ("~\nGS*HI~\n", "", "~"),
        (":", ":", "\n"),
        (":~\r\n  GS*HI~", ":", "~"),
    ],
)
def test_the_end_of_a_collapsed_header_is_found(tail: str, component: str, terminator: str) -> None:
    """With and without a line break, a terminator, a component separator."""
    header = read_header(COLLAPSED + tail)

    assert header is not None
    assert (header.delimiters.component, header.delimiters.terminator) == (component, terminator)


def test_a_full_header_without_its_last_element_is_found_too() -> None:
    """The line break behind the terminator is no terminator."""
    header = read_header(ISA[:-1] + "~\nGS*HI~\nST*278~\n")

    assert header is not None
    assert (header.delimiters.component, header.delimiters.terminator) == ("", "~")
    assert guess_header("XX*1~") is None
    assert guess_header("GS:1~") is None


def pieces(text: str, size: int) -> list[str | int]:
    """The ids of segments and the places of problems, read in pieces of a size."""
    reader = SegmentReader(segment_characters_max=120)
    read = [
        each
        for start in range(0, len(text), size)
        for each in reader.feed(text[start : start + size].encode())
    ]
    return [
        each.id if isinstance(each, Segment) else each.byte_offset
        for each in (*read, *reader.end())
    ]


def test_a_segment_that_is_too_long_is_told_however_it_comes() -> None:
    """Whole in a chunk, or in pieces; blanks before it do not count."""
    text = f"{ISA}~{' ' * 500}ST*{'x' * 2000}~  ~SE*1~"

    assert pieces(text, len(text)) == ["ISA", text.index("ST*"), "SE"]
    assert pieces(text, 7) == ["ISA", text.index("ST*"), "SE"]


def test_an_interchange_may_begin_at_the_edge_of_a_chunk() -> None:
    """The one before has no end, and the new one other separators."""
    reader = SegmentReader()
    first = f"{ISA}~" + "MSG*x~\n" * 300
    other = f"{ISA}~IEA*0*1~".replace("*", "|").replace("~", "'")
    read = [*reader.feed(first.encode()), *reader.feed(other.encode()), *reader.end()]

    assert [each.id for each in read if isinstance(each, Segment)] == [
        "ISA", *["MSG"] * 300, "ISA", "IEA",
    ]  # fmt: skip


def test_blank_and_unprintable_segments_are_passed_over() -> None:
    """Control characters are taken out, what is left counts."""
    text = review(*GRANTED).replace("~UM", "~\x00\x01~U\x02M").replace("HCR", "hcr ")

    assert authorization(text)["decision"]["action"] == "A1"


def test_a_stream_that_breaks_off_gives_its_end() -> None:
    """What is left comes with the end of the stream."""
    text = review(*GRANTED)
    text = text[: text.index("SE*")].rstrip("~")

    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode()

    async def whole() -> list[object]:
        return [each async for each in read_async(chunks())]

    cut = list(segments([text.encode()]))

    assert isinstance(asyncio.run(whole())[-1], InterchangeOutcome)
    assert isinstance(cut[-1], Segment)
    assert cut[-1].id == "DTP"


def test_an_example_without_isa_is_read() -> None:
    """As manuals print them; and one that begins with what belongs into none."""
    text = review(*GRANTED)
    body = text[text.index("ST*") : text.index("GE*")]

    assert len(authorizations(body)) == 1
    assert len(authorizations("GS*HI~XX*1~" + body)) == 1
    assert [each.code for each in items("GS*HI~IEA*1*1~") if isinstance(each, Problem)]


@pytest.mark.parametrize(
    ("segments", "code"),
    [
        (("DTP*435*D8*soon",), "date-invalid"),
        (("DTP*096*D8*soon",), "date-invalid"),
        (("DTP*007*D8*20260601", "DTP*036*D8*20260501"), "period-reversed"),
        (("DTP*435*D8*20260601", "DTP*096*D8*20260501"), "period-reversed"),
    ],
)
def test_an_event_whose_dates_contradict_grants_nothing(
    segments: tuple[str, ...], code: str
) -> None:
    """It might hold for ever."""
    assert {code, "event-unread"} <= set(codes(review(*GRANTED, *segments)))


def test_the_earlier_end_of_two_counts() -> None:
    """A period, and an expiry within it."""
    document = authorization(
        review(*GRANTED, "DTP*007*RD8*20260301-20260430", "DTP*036*D8*20260331")
    )

    assert document["effective"] == {"from": "2026-03-01", "to": "2026-03-31"}


def test_elements_that_are_there_and_empty_are_no_values() -> None:
    """No NPI behind XX, no birth date, no tooth, a trace of dashes alone."""
    member = ("HL*3*2*22*1", "NM1*IL*1*DOE****MI*M1", "NM1*IL*1*DOE*****MI*M1", "DMG**19*F")
    text = review(
        *GRANTED[1:], "TRN*2*--*1", "NM1*SJ*1*ROE*****XX", SERVICE, "SV3*AD:D2392", "TOO*JP*--",
        member=member[:1] + member[2:3] + ("DMG***F",),
    )  # fmt: skip
    document = authorization(text)

    assert document["member"] == {"id": "M1", "subscriber_id": "M1", "gender": "F"}
    assert document["servicing_provider"] == {"name": "ROE"}
    assert "supersedes" not in document
    assert "tooth" not in document["lines"][0]


def test_a_claim_without_its_place_or_with_a_bad_admission() -> None:
    """The first might be a void, the second would be judged on the wrong day."""
    assert claims(claim(*LINES[PROFESSIONAL], clm="CLM*C1*1")) == []
    assert claims(claim("DTP*435*D8*soon", *LINES[PROFESSIONAL])) == []
    assert claims(claim("DTP*434*D8*soon", *LINES[PROFESSIONAL])) == []
    assert len(claims(claim("DTP*096*D8*soon", *LINES[PROFESSIONAL]))) == 1


def test_an_authorization_that_does_not_fit_the_model_is_left_out() -> None:
    """More lines than it holds: told by field and rule, without a word of it."""
    lines = [each for number in range(5, 600)
             for each in (f"HL*{number}*4*SS*0", "SV1*HC:97110")]  # fmt: skip
    text = review(*GRANTED, *lines)

    assert [each for each in items(text) if isinstance(each, AuthorizationRead)] == []
    assert "not-accepted" in codes(text)
