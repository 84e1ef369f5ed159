"""An 837 is given back with other numbers: those alone change, and it is read as it was."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.domain.claim import Claim
from service.domain.claim_numbers import Placement, with_numbers
from service.ingest.x12.claim.numbers import edits_of, places_of
from service.ingest.x12.wire.rewriting import rewritten, single_bytes
from tests.ingest.x12.edi import MESSAGES, claim, claims, codes

FILES = {path.name: path.read_bytes() for path in sorted(MESSAGES.glob("*.edi"))}
Lines = dict[int, dict[str, str | None]]


def given_back(content: bytes, of_claim: dict[str, str | None], of_lines: Lines) -> bytes:
    """The file with these numbers on every claim, and on those of its lines."""
    edits: dict[int, Any] = {}
    for each in claims(content):
        placement = placement_for(each.claim, of_claim, of_lines)
        places = places_of(each)
        assert places is not None
        edits |= edits_of(places, placement)
    return b"".join(rewritten(io.BytesIO(content), edits))


def placement_for(claim: Claim, of_claim: Any, of_lines: Lines) -> Placement:
    """These numbers, on the lines that the claim has."""
    has = {each.line for each in claim.lines}
    lines: Any = {line: numbers for line, numbers in of_lines.items() if line in has}
    return Placement(of_claim=of_claim, of_lines=lines)


NUMBERS: list[tuple[dict[str, str | None], Lines]] = [
    ({"authorization": "NEW-1"}, {}),
    ({"authorization": "NEW-1", "referral": "REF-1"}, {1: {"authorization": None}}),
    ({"authorization": None}, {1: {"authorization": "L-1"}, 2: {"authorization": "L-2"}}),
    ({"authorization": None, "referral": None}, {}),
]


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
def test_a_file_is_read_as_it_was_but_for_its_numbers(
    name: str, numbers: tuple[dict[str, str | None], Lines]
) -> None:
    """Claims, problems and outcomes are the same: the counts of the sets too."""
    content = FILES[name]
    before, again = claims(content), claims(given_back(content, *numbers))

    assert [in_order(each.claim) for each in again] == [
        in_order(with_numbers(each.claim, placement_for(each.claim, *numbers))) for each in before
    ]
    assert set(codes(given_back(content, *numbers))) <= set(codes(content))


def in_order(claim: Claim) -> Any:
    """A claim with its numbers in an order that says nothing."""

    def key(number: dict[str, str]) -> tuple[str, ...]:
        return tuple(number.values())

    written = claim.model_dump(mode="json")
    for scope in (written, *written["lines"]):
        scope["authorization_numbers"].sort(key=key)
    return written


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_without_a_change_is_byte_for_byte_the_same(name: str) -> None:
    """Also one that is broken."""
    assert b"".join(rewritten(io.BytesIO(FILES[name]), {})) == FILES[name]


BODY = (
    "CLM*C-1*100***11:B:1*Y*A*Y*Y", "REF*F8*OLD", "REF*G1*BAD", "REF*G1*ELSE**2U:OTHER",
    "NTE*ADD*NOTE", "HI*ABK:M5416", "NM1*82*1*ROE****XX*1999999984", "REF*9F*R 1",
    "LX*1", "SV1*HC:97110*100*UN*1***1", "DTP*472*D8*20260301", "REF*G1*NEW 1", "AMT*T*1",
    "NM1*82*1*ROE****XX*1999999984",
)  # fmt: skip


@pytest.mark.parametrize("end", ["~", "~\n", "~\r\n", "\n", "~ \n"])
def test_numbers_stand_where_the_guide_has_them(end: str) -> None:
    """Behind dates and other references, before notes and codes; other payers' stay."""
    text = claim(*BODY[1:], clm=BODY[0]).replace("~", end)
    new: dict[str, str | None] = {"authorization": "NEW-1", "referral": None}
    found = given_back(text.encode(), new, {1: {"authorization": None}}).decode()
    segments = [each.strip() for each in found.split(end.strip(" ")[0])]

    start = segments.index("CLM*C-1*100***11:B:1*Y*A*Y*Y")
    assert segments[start + 1 : start + 5] == [
        "REF*F8*OLD", "REF*G1*ELSE**2U:OTHER", "REF*G1*NEW-1", "NTE*ADD*NOTE",
    ]  # fmt: skip
    assert "REF*9F*R 1" not in segments
    assert segments[segments.index("DTP*472*D8*20260301") + 1] == "AMT*T*1"
    assert found.count(end) == text.count(end) - 2


def test_a_file_of_two_bytes_a_character_becomes_one_of_one() -> None:
    """UTF-16 is written as UTF-8, and what was in one byte a character stays."""

    async def chunks(content: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(content), 7):
            yield content[at : at + 7]

    async def read(content: bytes) -> bytes:
        return b"".join([each async for each in single_bytes(chunks(content))])

    text = claim(*BODY[1:], clm=BODY[0]).replace("NOTE", "NÖTE")
    for encoding, expected in (
        ("utf-16", "utf-8"), ("utf-16-le", "utf-8"), ("utf-8", "utf-8"), ("latin-1", "latin-1"),
    ):  # fmt: skip
        assert asyncio.run(read(text.encode(encoding))) == text.encode(expected)


def test_a_number_with_a_separator_has_no_place() -> None:
    """Nor has one that is no plain text, or longer than REF02."""
    (one,) = claims(claim(*BODY[1:], clm=BODY[0]))
    places = places_of(one)
    assert places is not None

    fitting, others = ("A-1 2", "7" * 50), ("A*1", "A:1", "A^1", "A~1", "É1", "7" * 51)
    assert [places.can_hold(each) for each in fitting] == [True] * len(fitting)
    assert [places.can_hold(each) for each in others] == [False] * len(others)
