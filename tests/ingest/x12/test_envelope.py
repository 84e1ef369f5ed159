"""Envelopes: what disagrees is a warning, and one bad set never stops the rest."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.ingest.x12._reader import read, read_async
from service.ingest.x12.wire import loops
from service.ingest.x12.wire.problem import Findings, Problem
from service.ingest.x12.wire.results import (
    AuthorizationRead,
    ClaimRead,
    GroupOutcome,
    InterchangeOutcome,
    Unread,
)
from tests.ingest.x12.edi import (
    DIAGNOSIS,
    GRANTED,
    LINES,
    MESSAGES,
    PROFESSIONAL,
    REVIEW,
    SERVICE,
    authorizations,
    claim,
    claim_segments,
    claims,
    codes,
    interchange,
    items,
    outcome,
    review,
    sets,
    transaction,
)

GOOD = review(*GRANTED)


def told(text: str) -> list[str]:
    """The codes of all problems, those of the envelopes too."""
    one = outcome(text)
    return [
        *(each.code for each in one.problems),
        *(each.code for group in one.groups for each in group.problems),
        *codes(text),
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("SE*15*0001", "SE*99*0001", "se-count"),
        ("SE*15*0001", "SE*x*0001", "se-count"),
        ("SE*15*0001", "SE*16*0002", "se-number"),
        ("SE*15*0001~", "", "se-missing"),
        ("GE*1*17", "GE*2*17", "ge-count"),
        ("GE*1*17", "GE*1*18", "ge-number"),
        ("GE*1*17~", "", "ge-missing"),
        ("SE*15*0001~GE*1*17~", "", "se-missing"),
        ("IEA*1*000000905", "IEA*2*000000905", "iea-count"),
        ("IEA*1*000000905", "IEA*1*000000906", "iea-number"),
        ("IEA*1*000000905~", "", "iea-missing"),
        ("GE*1*17~", "GE*1*17~XX*1~", "outside"),
        ("GE*1*17~", "GE*1*17~SE*1*2~", "outside"),
        ("GE*1*17~", "GE*1*17~GE*1*17~", "outside"),
    ],
)
def test_an_envelope_that_disagrees_is_a_warning(old: str, new: str, code: str) -> None:
    """The authorization within is read."""
    assert old in GOOD
    text = GOOD.replace(old, new)

    assert [each.document for each in authorizations(text)] == [
        each.document for each in authorizations(GOOD)
    ]
    assert code in told(text)


def test_a_good_envelope_has_no_problem() -> None:
    """Control numbers compare without their leading zeros; a TA1 may stand in between."""
    text = GOOD.replace("GE*1*17", "GE*1*0017").replace("IEA*1*000000905", "TA1*1~IEA*1*905")

    assert told(text) == []


def test_sets_stand_without_a_group() -> None:
    """GS is missing: the guide is told by ST03."""
    text = GOOD.replace(GOOD[GOOD.index("GS*") : GOOD.index("ST*")], "").replace("GE*1*17~", "")

    assert len(authorizations(text)) == 1
    assert {"gs-missing", "ge-missing"} <= set(told(text))


def test_a_bad_set_does_not_stop_the_next() -> None:
    """Of another kind, empty, broken, without its end."""
    body = GOOD[GOOD.index("ST*") : GOOD.index("GE*")]
    text = interchange("ST*270*1*005010X279A1~", "ST*278*2~SE*2*2~", "ST~XX*?~", body, "ST*278*9~")

    assert len(authorizations(text)) == 1
    assert [each.transaction.kind for each in sets(text)] == [
        "other", "278-request", "other", "278-response", "278-request",
    ]  # fmt: skip
    assert {"set-not-supported", "bht-missing"} <= set(codes(text))


def test_a_file_that_breaks_off_loses_its_last_part_only() -> None:
    """The claim that was open might lack lines; the one before is whole."""
    two = claim(*LINES[PROFESSIONAL], "CLM*C2*1***11:B:1", *LINES[PROFESSIONAL])
    text = two[: two.index("SE*")]

    assert [each.document["claim_id"] for each in claims(text)] == ["C1"]
    assert {"truncated", "claim-unread"} <= set(codes(text))
    assert codes(GOOD[: GOOD.index("SE*")])[-1] == "truncated"


def test_a_set_that_another_interchange_cuts_off_is_not_whole() -> None:
    """As at the end of a file."""
    found = items(GOOD[: GOOD.index("SE*")] + GOOD)

    assert len([each for each in found if isinstance(each, AuthorizationRead)]) == 1
    assert len([each for each in found if isinstance(each, Unread)]) == 1
    assert len([each for each in found if isinstance(each, InterchangeOutcome)]) == 2


def test_a_part_that_lost_a_segment_is_left_out() -> None:
    """What was too long to be read might have been its limit; the next part is read."""
    long = "MSG*" + "x" * 200_000
    event = review(*GRANTED, long, "HL*7*3*EV*0", "HCR*A1*AU2", "DTP*AAH*D8*20260301")
    both = claim(long, *LINES[PROFESSIONAL], "CLM*C2*1***11:B:1", *LINES[PROFESSIONAL])

    assert [each.document["number"] for each in authorizations(event)] == ["AU2"]
    assert [each.document["claim_id"] for each in claims(both)] == ["C2"]
    assert "segment-too-long" in codes(event)


def test_a_part_with_too_many_segments_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not held in memory."""
    monkeypatch.setattr(loops, "SEGMENTS_MAX", 30)
    many = [f"MSG*{number}" for number in range(40)]

    assert "unit-too-long" in codes(review(*GRANTED, *many))
    assert authorizations(review(*GRANTED, *many)) == []
    assert authorizations(review(*GRANTED, *[SERVICE, "SV1*HC:97110"] * 20)) == []
    assert claims(claim(*["NTE*ADD*x"] * 40, *LINES[PROFESSIONAL])) == []
    assert (
        len(claims(claim(*LINES[PROFESSIONAL], *["CLM*C2*1***11:B:1", *LINES[PROFESSIONAL]] * 20)))
        == 21
    )


def test_several_interchanges_and_sets_give_all_of_their_parts() -> None:
    """Each with its own separators; the second has a set of another kind."""
    found = items((MESSAGES / "several-interchanges.edi").read_bytes())
    numbers = [each.document["number"] for each in found if isinstance(each, AuthorizationRead)]

    assert numbers == ["X-1", "Y-1"]
    assert len([each for each in found if isinstance(each, InterchangeOutcome)]) == 2
    assert len([each for each in found if isinstance(each, GroupOutcome)]) == 2


def test_a_stream_is_read_as_a_file_is() -> None:
    """Chunk by chunk."""
    data = (MESSAGES / "claim-professional.edi").read_bytes()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 100):
            yield data[start : start + 100]

    async def whole() -> list[object]:
        return [each async for each in read_async(chunks())]

    assert asyncio.run(whole()) == list(read([data]))


def test_problems_of_the_file_stand_alone_and_say_nothing_of_it() -> None:
    """Text before the first interchange; a second one without separators that can be told."""
    found = items("From: JANE DOE\n\n" + GOOD + "ISA")
    alone = [each for each in found if isinstance(each, Problem)]

    assert [each.code for each in alone] == ["noise", "noise"]
    assert "JANE" not in repr(alone)


def test_a_problem_within_the_interchange_is_of_the_interchange() -> None:
    """A segment that is too long between two groups."""
    text = GOOD.replace("IEA*", "XX*" + "x" * 200_000 + "~IEA*")

    assert "segment-too-long" in [each.code for each in outcome(text).problems]


def test_problems_are_listed_up_to_a_number() -> None:
    """The rest is told once."""
    lines = [f"HL*{number}*9*SS*0" for number in range(5, 300)]
    found = codes(review(*GRANTED, *lines))

    assert len(found) == Findings.LIMIT + 1
    assert found[-1] == "too-many-problems"


def test_the_place_of_a_problem_is_complete() -> None:
    """Segment, byte, position in the set, loop, element: all of it as JSON."""
    text = review(*GRANTED, "DTP*102*D8*20269999")
    (problem,) = (each for one in sets(text) for each in one.problems)

    assert problem.as_json() == {
        "code": "date-invalid", "severity": "warning", "message": "not a date: left out",
        "segment": "DTP", "segment_index": 17, "byte_offset": text.index("DTP*102"),
        "position": 15, "loop": "2000E", "element": 3, "component": None, "ik3": "8", "ik4": "8",
    }  # fmt: skip


def test_a_large_group_counts_all_of_its_sets() -> None:
    """GE01 is compared with their number."""
    body = transaction(
        *claim_segments(DIAGNOSIS, *LINES[PROFESSIONAL]), set_id="837", st03=PROFESSIONAL
    )
    text = interchange(*[body] * 5, guide=PROFESSIONAL, group="HC")

    assert len([each for each in items(text) if isinstance(each, ClaimRead)]) == 5
    assert told(text) == []
    assert REVIEW not in text
