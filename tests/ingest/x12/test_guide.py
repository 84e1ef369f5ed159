"""Which transaction a message is: ST03, then GS08, then the content."""

import pytest

from service.ingest.x12.wire.guide import Guide, identify
from tests.ingest.x12.edi import (
    GRANTED,
    LINES,
    PROFESSIONAL,
    authorizations,
    claim,
    claims,
    codes,
    review,
    sets,
)


@pytest.mark.parametrize(
    ("set_id", "named", "of_group", "purpose", "kind", "problems", "refusal"),
    [
        ("278", "005010X217", "005010X217", "11", "278-response", (), None),
        ("278", "005010X217", "005010X279", "13", "278-request", ("guide-mismatch",), None),
        ("278", "005010X217", "005010X215", "11", "278-response", ("guide-mismatch",), None),
        ("278", "", "005010X217E2", "11", "278-response", (), None),
        ("278", "", "005010X279", "11", "278-response", ("guide-mismatch", "guide-missing"), None),
        ("278", "", "HC", "11", "278-response", ("guide-missing",), None),
        ("278", "005010X215", "", "28", "278-inquiry", ("inquiry",), None),
        ("278", "005010X215", "", "13", "278-inquiry", ("inquiry",), None),
        ("278", "005010X217", "", "28", "278-inquiry", ("inquiry",), None),
        ("278", "005010X215", "", "11", "278-response", (), None),
        ("278", "005010X216", "", "11", "278-notification", (), None),
        ("278", "005010X216", "", "14", "278-notification", (), None),
        ("278", "005010X216", "", "44", "278-acknowledgement", (), None),
        ("278", "005010X217", "", "", "278-request", (), "purpose-unknown"),
        ("278", "005010X217", "", "15", "278-request", (), "purpose-unknown"),
        ("278", "", "004010X094A1", "11", "278-request", (), "release-4010"),
        ("278", "006020X315", "", "11", "278-request", ("guide-mismatch", "guide-missing"),
         "release-not-supported"),
        ("278", "", "004010X061", "11", "278-request", ("guide-mismatch", "guide-missing"),
         "release-4010"),
        ("837", "008020X323", "005010X222A1", "00", "837P", ("guide-mismatch",), None),
        ("837", "008020X323", "", "00", "837", ("guide-mismatch", "guide-missing"),
         "release-not-supported"),
        ("278", "", "006020", "11", "278-request", ("guide-missing",), "release-not-supported"),
        ("837", "005010X222A1", "005010X223A2", "00", "837P", ("guide-mismatch",), None),
        ("837", "005010X222", "", "00", "837P", (), None),
        ("837", "005010X222A2", "", "00", "837P", (), None),
        ("837", "005010X223A3", "", "00", "837I", (), None),
        ("837", "005010X224A2", "", "00", "837D", (), None),
        ("837", "005010", "005010X224A3", "00", "837D", (), None),
        ("837", "", "", "00", "837", ("guide-missing",), None),
        ("837", "", "004010X098A1", "00", "837P", (), "release-4010"),
        ("837", "005010X222A1", "004010X098A1", "00", "837P", ("guide-mismatch",), None),
        ("270", "005010X279A1", "", "13", "other", (), "set-not-supported"),
        ("", "", "", "", "other", (), "set-not-supported"),
    ],
)  # fmt: skip
def test_a_message_is_told_by_what_it_says_first(
    set_id: str,
    named: str,
    of_group: str,
    purpose: str,
    kind: str,
    problems: tuple[str, ...],
    refusal: str | None,
) -> None:
    """BHT02 alone tells a response from a request."""
    guide = identify(set_id, named, of_group, "0007", purpose)

    assert (guide.kind, set(guide.problems), guide.refusal) == (kind, set(problems), refusal)


def test_the_structure_of_4010_is_told_where_no_guide_is_named() -> None:
    """BHT01 0078."""
    assert identify("278", "", "", "0078", "11").refusal == "release-4010"
    assert identify("837", "005010X291", "", "0019", "00") == Guide(
        "837P", "005010X291", is_predetermination=True
    )


def test_an_isa_of_4010_over_5010_content_does_not_matter() -> None:
    """ISA12 is of the interchange, not of what it carries."""
    text = review(*GRANTED).replace("*^*00501*", "*U*00401*")

    assert len(authorizations(text)) == 1


def test_a_4010_message_is_told_and_not_read() -> None:
    """By GS08, or by REF*87 of its header."""
    review_ = review(*GRANTED, guide="004010X094A1")
    former = claim("REF*D9*1", *LINES[PROFESSIONAL], guide="x").replace(
        "NM1*41", "REF*87*004010X098A1~NM1*41"
    )

    assert (authorizations(review_), claims(former)) == ([], [])
    assert "release-4010" in codes(review_)
    assert "release-4010" in codes(former)
    assert not sets(review_)[0].is_accepted


def test_ref_87_says_nothing_where_st03_names_the_guide() -> None:
    """A header copied from another release."""
    text = claim(*LINES[PROFESSIONAL]).replace("NM1*41", "REF*87*004010X098A1~NM1*41")

    assert len(claims(text)) == 1


def test_an_inquiry_is_told_and_accepted() -> None:
    """There is nothing to store, and nothing wrong."""
    text = review("TRN*1*T1", "UM*HS", bht="BHT*0007*28*R1*20260301*1200", guide="005010X215")

    assert (sets(text)[0].transaction.kind, codes(text)) == ("278-inquiry", ["inquiry"])
    assert sets(text)[0].is_accepted
