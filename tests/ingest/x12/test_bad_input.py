"""Each bad input has a clear problem with its place, and the rest of the file is read."""

import pytest

from service.ingest.x12.wire.problem import Problem
from service.ingest.x12.wire.results import (
    AuthorizationRead,
    ClaimRead,
    GroupOutcome,
    InterchangeOutcome,
    Item,
    RequestRead,
    TransactionOutcome,
    Unread,
)
from tests.ingest.x12.edi import GRANTED, LINES, PROFESSIONAL, claim, items, review

GOOD = review(*GRANTED)
NEXT = GOOD.replace("AU1", "AU2")
"""What stands behind the bad part, and must come out."""

OTHER_MEMBER = ("HL*3*2*22*1", "NM1*IL*1*DOE*JANE****MI*M0001", "NM1*IL*1*ROE*ANN****MI*M0009")
DEPENDENTS = ("HL*9*2*22*1", "NM1*IL*1*DOE*JANE****MI*M0001", "HL*3*9*23*1",
              "NM1*QC*1*DOE*TED", "NM1*QC*1*DOE*TIM")  # fmt: skip
EVENT = "HL*7*3*EV*0"


def problems(found: list[Item]) -> list[Problem]:
    """All problems of a file, each once."""
    told: list[Problem] = []
    for each in found:
        if isinstance(each, Problem):
            told.append(each)
        elif isinstance(each, TransactionOutcome | GroupOutcome | InterchangeOutcome):
            told += each.problems
    return told


def numbers(found: list[Item]) -> list[str]:
    """The numbers of what was read."""
    return [each.document["number"] for each in found if isinstance(each, AuthorizationRead)]


@pytest.mark.parametrize("data", ["", " \r\n\x00", "{}", "<?xml version='1.0'?>", "PK\x03\x04\x00"])
def test_what_is_not_x12_is_told_once(data: str) -> None:
    """Empty, JSON, XML, an archive: nothing is read, and why."""
    (problem, *more) = [each for each in items(data) if isinstance(each, Problem)]

    assert problem.code in ("empty", "noise")
    assert [each.code for each in more] == (["no-interchange"] if problem.code == "noise" else [])
    assert len(items(data)) == 1 + len(more)


@pytest.mark.parametrize(
    ("bad", "code", "segment", "left"),
    [
        (GOOD[: GOOD.index("HCR*A1")] + "HCR*A", "truncated", "", []),
        (GOOD[: GOOD.index("DTP*")] + "DTP\n", "truncated", "", []),
        (GOOD[:-1].replace("~HCR*A1*AU1", ""), "no-decision", "HL", []),
        (GOOD.replace("SE*15*", "SE*99*"), "se-count", "SE", ["AU1"]),
        (GOOD.replace("GE*1*", "GE*9*"), "ge-count", "GE", ["AU1"]),
        (GOOD.replace("IEA*1*", "IEA*9*"), "iea-count", "IEA", ["AU1"]),
        (GOOD.replace("*0001*005010X217", "*0001").replace("X217", "X279"), "guide-mismatch", "ST",
         ["AU1"]),
        (GOOD.replace("*0001*005010X217", "*0001").replace("X*005010X217", "X*HC"),
         "guide-missing", "ST", ["AU1"]),
        (GOOD.replace("005010X217", "004010X094A1"), "release-4010", "BHT", []),
        (GOOD.replace("*11*REF1", "*99*REF1"), "purpose-unknown", "BHT", []),
        (GOOD.replace("~HCR*A1*AU1", ""), "no-decision", "HL", []),
        (GOOD.replace("HCR*A1", "HCR*ZZ"), "code-unknown", "HCR", ["AU1"]),
        (GOOD.replace("20260301-20260531", "20260230-20260531"), "date-invalid", "DTP", []),
        (GOOD.replace("20260301-20260531", "20260531-20260301"), "period-reversed", "DTP", []),
        (review(*GRANTED, member=OTHER_MEMBER), "two-members", "NM1", []),
        (review(*GRANTED, member=DEPENDENTS), "two-members", "NM1", []),
        (review(*GRANTED, "NM1*IL*1*ROE*ANN****MI*M0009"), "two-members", "NM1", []),
        (review(*GRANTED, "MSG*" + "x" * 300_000), "segment-too-long", "", []),
        (GOOD.replace("ST*278", "ST*834"), "set-not-supported", "BHT", []),
    ],
)  # fmt: skip
def test_a_bad_part_is_told_with_its_place_and_the_rest_is_read(
    bad: str, code: str, segment: str, left: list[str]
) -> None:
    """What is behind it in the file comes out, whatever was wrong before."""
    found = items(bad + NEXT)
    (problem,) = [each for each in problems(found) if each.code == code]

    assert numbers(found) == [*left, "AU2"]
    assert problem.segment_id == segment
    if segment:
        assert bad[problem.byte_offset :].startswith(segment)
        assert problem.segment_index > 0


def test_the_events_beside_a_bad_one_are_read() -> None:
    """Of one transaction set too."""
    bad = (EVENT, "TRN*2*T2*9", "HCR*A1*BAD", "DTP*AAH*D8*20260230")
    good = ("HL*8*3*EV*0", "TRN*2*T3*9", "HCR*A1*AU3", "DTP*AAH*D8*20260301")
    found = items(review(*GRANTED, *bad, *good))
    (unread,) = [each for each in found if isinstance(each, Unread)]

    assert numbers(found) == ["AU1", "AU3"]
    assert [each.code for each in unread.problems] == ["date-invalid", "event-unread"]


def test_a_request_that_is_sent_as_a_response_grants_nothing() -> None:
    """Whatever it holds: BHT02 says what it is, and without a decision there is none."""
    request = GOOD.replace("*11*REF1", "*13*REF1")
    found = items(request + GOOD.replace("~HCR*A1*AU1", "") + NEXT)

    assert numbers(found) == ["AU2"]
    assert [type(each) for each in found if isinstance(each, RequestRead | Unread)] == [
        RequestRead,
        Unread,
    ]
    assert {"request-decides", "no-decision"} <= {each.code for each in problems(found)}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("D8*20260312", "D8*20260231", "date-invalid"),
        ("HC:97110:GP*60", "HC:97110:GP*sixty", "number-invalid"),
        ("~DMG*", "~NM1*IL*1*ROE~DMG*", "two-members"),
        ("CLM*C1*", "CLM**", "no-claim-id"),
    ],
)  # fmt: skip
def test_a_bad_claim_leaves_the_next_one(old: str, new: str, code: str) -> None:
    """A claim whose day, charge, member or id cannot be read."""
    text = claim(*LINES[PROFESSIONAL])
    bad = text.replace(old, new)
    found = items(bad + text)
    (problem,) = [each for each in problems(found) if each.code == code]

    assert bad != text
    assert [each.document["claim_id"] for each in found if isinstance(each, ClaimRead)] == ["C1"]
    assert problem.byte_offset > 0


@pytest.mark.parametrize("reasons", ["", "93", "0U", "0V^0W"])
def test_reasons_of_a_decision_stay_as_they_came(reasons: str) -> None:
    """There may be none, and there is no list of them here."""
    (read,) = [
        each
        for each in items(review("TRN*2*T1*9", f"HCR*A3*AU1*{reasons}", "DTP*AAH*D8*20260301"))
        if isinstance(each, AuthorizationRead)
    ]
    expected = {"action": "A3"} | ({"reasons": reasons.split("^")} if reasons else {})

    assert read.document["decision"] == expected


def test_icd_9_stands_beside_icd_10_without_dots() -> None:
    """As they were sent, with the qualifier that tells them apart."""
    (read,) = [
        each
        for each in items(review(*GRANTED, "HI*BK:41090:D8:20250125*ABF:I10*BF:25000"))
        if isinstance(each, AuthorizationRead)
    ]

    assert read.document["diagnoses"] == [
        {"code": "41090", "type": "BK"},
        {"code": "I10", "type": "ABF"},
        {"code": "25000", "type": "BF"},
    ]
