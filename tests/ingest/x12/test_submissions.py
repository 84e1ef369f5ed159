"""What an X12 file gives to be pushed, what it does not, and where each stood."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service.domain.submission import Submission
from service.ingest.x12.fields.policy import WIRE_POLICY
from service.ingest.x12.submissions import ClaimSent, X12Submissions, claims_sent
from tests.ingest.x12.edi import (
    DIAGNOSIS,
    LINES,
    PROFESSIONAL,
    claim,
    claim_segments,
    interchange,
    transaction,
)

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
MESSAGES = Path(__file__).parents[1] / "messages"
REVIEW = (EXAMPLES / "authorization.278.x12").read_text(encoding="ascii")
EVENT = REVIEW[REVIEW.index("HL*4*") : REVIEW.index("SE*")]


def read(text: str | bytes, **options: Any) -> list[Submission]:
    """Read a file."""
    reader = X12Submissions(**options)
    content = text.encode() if isinstance(text, str) else text
    sent = [*reader.feed(content), *reader.end()]
    return [each for each in sent if isinstance(each, Submission)]


def test_an_event_can_be_pushed_with_the_place_where_it_stands() -> None:
    """The interchange, the transaction set, and what its sender must know."""
    (one,) = read(REVIEW)

    assert one.pushed is not None
    assert (one.format, one.authorization_id) == ("x12", "authorization.RAD5521.87e2996ba99a8072")
    assert one.pushed.source["lines"][0]["procedure"]["from"] == "72148"
    assert one.position == {
        "interchange": "000000301",
        "transaction": "0001",
        "segment": 12,
        "byte": 401,
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("*11*REQ", "*13*REQ"), "a request for review"),
        (("*11*REQ", "*28*REQ"), "an inquiry"),
        (("HCR*A1*RAD-5521~\n", "AAA*N**75*C~\n"), "a refusal to look (AAA) (75)"),
    ],
    ids=["a request", "an inquiry", "a refusal to look"],
)
def test_what_decides_nothing_is_noted(change: tuple[str, str], reason: str) -> None:
    """It is no authorization and no fault, so there is nothing to keep."""
    (one,) = read(REVIEW.replace(*change))

    assert (one.pushed, one.code) == (None, None)
    assert str(one.reason).startswith(reason)


def test_a_request_says_what_is_wrong_with_it_and_that_it_is_one() -> None:
    """Its count, and a segment that was passed over."""
    (one,) = read(
        REVIEW.replace("*11*REQ", "*13*REQ").replace("DTP*102*D8*20260407~\n", "N9*X~\n" * 2)
    )

    assert str(one.reason).startswith("a request for review")
    assert {"se-count", "segment-unknown"} <= {each["code"] for each in one.warnings}


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (("HCR*A1*RAD-5521~\n", ""), "invalid", "a response without a decision"),
        (("****MI*M0777", ""), "invalid", "no id of the member"),
        (("HL*4*3*EV", "HL*4*3*19"), "invalid", "what stands in an unknown level"),
        ((EVENT, ""), "invalid", "a response without an event"),
        (("DTP*007*RD8*20260410-20260710~", "DTP*007*RD8*20260231-20260710~"), "invalid", ""),
        (("005010X217~", "004010X094~"), "invalid", "this is release 004010"),
        (("ST*278*0001*005010X217~", "ST*999*0001~"), "invalid", "this transaction set is not"),
    ],
)
def test_what_cannot_be_taken_says_why_and_where(
    change: tuple[str, str], code: str, reason: str
) -> None:
    """As a dead letter it can be found and tried again."""
    rejected = [each for each in read(REVIEW.replace(*change)) if each.code]

    assert [each.code for each in rejected] == [code]
    assert str(rejected[0].reason).startswith(reason)
    assert rejected[0].errors
    assert rejected[0].position["interchange"] == "000000301"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("SE*20*", "SE*23*"), "se-count"),
        (("SV1*HC:72148*900*UN*1~\n", ""), "se-count"),
        (("SE*20*0001", "SE*20*0002"), "se-number"),
        (("SE*20*0001~\n", ""), "se-missing"),
        (("GE*1*", "GE*2*"), "ge-count"),
        (("IEA*1*", "IEA*3*"), "iea-count"),
        (("DMG*D8", "DMX*D8"), "segment-unknown"),
        (("DTP*102*", "SBR*102*"), "segment-misplaced"),
        (("HL*5*4*SS", "HL*5*9*SS"), "hl-parent"),
        (("GS*HI*", "GS*HC*"), "group-mismatch"),
    ],
)
def test_what_is_wrong_with_the_whole_is_noted_beside_what_was_read(
    change: tuple[str, str], code: str
) -> None:
    """A segment, a set or a group may be lost: not only the acknowledgement says so."""
    taken, noted = read(REVIEW.replace(*change))

    assert taken.pushed is not None
    assert (noted.pushed, noted.code) == (None, None)
    assert [each["code"] for each in noted.warnings] == [code]
    assert noted.reason == noted.warnings[0]["message"]


@pytest.mark.parametrize("content", ["", "hello", "ISA", "GS*", "{}"])
def test_a_file_that_is_not_x12_is_one_submission(content: str) -> None:
    """It says so, and the file itself is kept."""
    found = read(content)

    assert [each.code for each in found][:1] == ["unreadable"]
    assert found[0].content == content.encode()
    assert found[0].content_bytes == len(content)


@pytest.mark.parametrize(
    ("aliases", "is_taken"),
    [(frozenset(), True), (frozenset({"ep100"}), True), (frozenset({"ep200"}), False)],
)
def test_a_message_for_another_payer_is_not_taken(aliases: frozenset[str], is_taken: bool) -> None:
    """Where the names of the payer are known."""
    (one,) = read(REVIEW, aliases=aliases)

    assert (one.pushed is not None) is is_taken
    assert is_taken or one.reason == "the message is for another payer"


def test_one_bad_event_does_not_stop_the_others() -> None:
    """Events, sets and interchanges of a file stand for themselves."""
    found = read((MESSAGES / "several-interchanges.edi").read_bytes())

    assert len([each for each in found if each.pushed]) > 1


def test_claims_in_a_file_of_authorizations_are_noted_once() -> None:
    """They are matched, not stored: nothing of them is lost."""
    found = read((MESSAGES / "claim-professional.edi").read_bytes())

    assert [(each.code, each.pushed) for each in found] == [(None, None)]
    assert "claims are no authorizations" in str(found[0].reason)


def sent(text: str) -> list[ClaimSent]:
    """The claims of a file as they are matched."""

    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode()

    async def all_of_it() -> list[ClaimSent]:
        return [each async for each in claims_sent(chunks(), WIRE_POLICY, frozenset())]

    return asyncio.run(all_of_it())


def test_a_claim_says_what_was_passed_over_of_it_and_above_it() -> None:
    """Not what was passed over of another claim; its diagnoses may be lost so."""
    lines = LINES[PROFESSIONAL]
    first = claim_segments("HI!ABK:M5450", *lines, guide=PROFESSIONAL, patient=("N9*X",))
    second = ("CLM*C2*240***11:B:1*Y*A*Y*Y", DIAGNOSIS, "SBR*X", *lines, "UM*X")
    text = interchange(
        transaction(*first, *second, set_id="837", st03=PROFESSIONAL), guide="005010X223A2"
    )
    told = {
        str(each.beside["claim_id"]): [
            (one["code"], one["loop"])
            for one in each.beside["problems"]
            if one["code"] != "pointer"
        ]
        for each in sent(text)
    }
    whole = [("guide-mismatch", None), ("group-mismatch", None), ("segment-unknown", "2010BB")]

    assert told == {
        "C1": [*whole, ("segment-unknown", "2300")],
        "C2": [*whole, ("segment-misplaced", "2400")],
    }


def test_a_claim_that_is_left_out_says_why_and_not_what_else_was_seen() -> None:
    """CLM05 tells no place; that the subscriber's id stands for the patient's is no reason."""
    patient = ("HL*3*2*23*0", "PAT*19", "NM1*QC*1*DOE*KIM", "DMG*D8*20150101*F")
    (one,) = sent(claim(*LINES[PROFESSIONAL], clm="CLM*C1*240***11::1*Y*A*Y*Y", patient=patient))

    assert one.claim is None
    assert {"dependent", "element-missing"} <= {each["code"] for each in one.beside["problems"]}
    assert one.reason == "a required element is missing"
