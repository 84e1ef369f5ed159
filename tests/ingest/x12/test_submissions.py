"""What an X12 file gives to be pushed, what it does not, and where each stood."""

from pathlib import Path
from typing import Any

import pytest

from service.domain.submission import Submission
from service.ingest.x12.submissions import X12Submissions

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
MESSAGES = Path(__file__).parents[1] / "messages"
REVIEW = (EXAMPLES / "authorization.278.x12").read_text(encoding="ascii")


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


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (("HCR*A1*RAD-5521~\n", ""), "invalid", "a response without a decision"),
        (("****MI*M0777", ""), "invalid", "no id of the member"),
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
    ],
)
def test_counts_that_disagree_are_noted_beside_what_was_read(
    change: tuple[str, str], code: str
) -> None:
    """A service, a set or a group may be lost: not only the acknowledgement says so."""
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
