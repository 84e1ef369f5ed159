"""Composite elements: cut by the separator of the body, of a known shape, or not read at all."""

from datetime import date

import pytest

from service.ingest.x12.fields.policy import ReadingPolicy
from tests.ingest.x12.edi import (
    DENTAL,
    DIAGNOSIS,
    GRANTED,
    INSTITUTIONAL,
    ISA,
    LINES,
    PROFESSIONAL,
    SERVICE,
    authorization,
    authorizations,
    claim,
    claim_document,
    claims,
    codes,
    items,
    review,
    sets,
)

GUIDES = (PROFESSIONAL, INSTITUTIONAL, DENTAL)


def body_by(mark: str, text: str) -> str:
    """The message with another separator in its body than its ISA names."""
    return ISA + text.removeprefix(ISA).replace(":", mark)


@pytest.mark.parametrize("mark", [">", "<", "|", "\\", "^"])
@pytest.mark.parametrize("guide", GUIDES)
def test_a_claim_is_cut_by_the_separator_that_all_its_composites_use(guide: str, mark: str) -> None:
    """As if ISA16 had named it; and that it did not is told, with the place."""
    text = claim(DIAGNOSIS, *LINES[guide], guide=guide)
    other = body_by(mark, text)

    assert claim_document(other) == claim_document(text)
    (found,) = (each for one in sets(other) for each in one.problems)
    assert (found.code, found.segment_id, found.element) == ("separator-other", "CLM", 5)
    assert "separator-other" not in codes(text)


def test_a_grant_is_of_the_code_that_was_sent() -> None:
    """And not of one that cannot exist."""
    text = review(*GRANTED, SERVICE, "SV1*HC:97110:GP*60*UN*12")
    other = authorization(body_by(">", text))

    assert other == authorization(text)
    assert other["lines"][0]["procedure"]["from"] == "97110"


@pytest.mark.parametrize(
    ("clm", "lines"),
    [
        ("CLM*C1*240***11>B>8", LINES[PROFESSIONAL]),
        ("CLM*C1*240***11:B:1", ("LX*1", "SV1*HC>97110*60*UN*2", "DTP*472*D8*20260312")),
        ("CLM*C1*240***11>B>1", ("LX*1", "SV1*HC<97110*60*UN*2", "DTP*472*D8*20260312")),
    ],
)
def test_composites_that_do_not_agree_are_not_guessed(clm: str, lines: tuple[str, ...]) -> None:
    """A void among them must not be read as an original."""
    text = claim(DIAGNOSIS, *lines, clm=clm)

    assert claims(text) == []
    assert {"separator-unclear", "claim-unread"} <= set(codes(text))


def test_the_claims_of_a_set_use_one_separator() -> None:
    """What the first one tells holds for the others; one that differs is left out alone."""
    second = ("CLM*C2*9***11>B>1", *(each.replace(":", ">") for each in LINES[PROFESSIONAL]))
    text = claim(DIAGNOSIS, *LINES[PROFESSIONAL], *second, "CLM*C3*9***11:B:1",
                 *LINES[PROFESSIONAL])  # fmt: skip

    assert [each.document["claim_id"] for each in claims(text)] == ["C1", "C3"]


def test_a_review_whose_composites_do_not_agree_grants_nothing() -> None:
    """It would be stored for a code that nobody bills."""
    text = review(*GRANTED, SERVICE, "SV1*HC>97110*60*UN*12")

    assert authorizations(text) == []
    assert "separator-unclear" in codes(text)


@pytest.mark.parametrize(
    ("place", "component"),
    [
        ("", 1), (":B:1", 1), ("111:B:1", 1), ("1 1:B:1", 1),
        ("11::1", 2), ("11:C:1", 2), ("11:1", 2), ("B:1", 2), ("A:1:", 2),
        ("11:B", 3), ("11:B:", 3), ("11:B:17", 3), ("11:B:-", 3), ("11:A::1", 3),
    ],
)  # fmt: skip
@pytest.mark.parametrize("guide", [PROFESSIONAL, INSTITUTIONAL])
def test_a_place_that_is_empty_or_shifted_is_no_original(
    guide: str, place: str, component: int
) -> None:
    """Facility, its kind and the frequency are all required: the claim is left out, with where."""
    text = claim(*LINES[guide], clm=f"CLM*C1*240***{place}*Y", guide=guide)

    assert claims(text) == []
    found = [each for one in sets(text) for each in one.problems if each.segment_id == "CLM"]
    assert (found[0].element, found[0].component) == (5, component)


@pytest.mark.parametrize("code", ["HC", "HC:", "HC 97110", "97110>59", "HC:97110>59", "HC::GP"])
def test_a_service_that_is_no_single_code_is_not_read(code: str) -> None:
    """Neither billed nor granted as something else."""
    billed = claim(DIAGNOSIS, "LX*1", f"SV1*{code}*60*UN*2", "DTP*472*D8*20260312")
    granted = review(*GRANTED, SERVICE, f"SV1*{code}*60*UN*2")

    assert claims(billed) == []
    assert authorizations(granted) == []


ESTIMATE = ("LX*1", "SV1*HC:97110*60*UN*2")
DAY = ReadingPolicy(estimate_day=date(2026, 4, 2))


@pytest.mark.parametrize(
    ("guide", "clm"),
    [
        ("005010X291", None),
        (PROFESSIONAL, "CLM*C1*240***11:B:1**************PB"),
        (DENTAL, "CLM*C1*240***11:B:1**************PB"),
    ],
)
def test_a_predetermination_need_not_have_a_date(guide: str, clm: str | None) -> None:
    """It is marked, and matched as of the day that the payer says."""
    service = LINES[DENTAL][:2] if guide == DENTAL else ESTIMATE
    text = claim(*service, guide=guide, clm=clm)
    (read,) = claims(text, DAY)

    assert read.is_predetermination
    assert read.document["lines"][0]["from"] == "2026-04-02"
    assert [each.code for each in read.problems] == ["estimate-undated"]
    assert claims(text) == []  # by policy


def test_the_dates_of_a_predetermination_stay() -> None:
    """Only a line that has none is of the day."""
    second = ("LX*2", "SV1*HC:97140*60*UN*2")
    text = claim(*LINES[PROFESSIONAL], *second, guide="005010X291")
    (read,) = claims(text, DAY)

    assert [each["from"] for each in read.document["lines"]] == ["2026-03-12", "2026-04-02"]


def test_a_claim_that_is_paid_needs_its_date() -> None:
    """No day stands for it."""
    text = claim(*ESTIMATE)

    assert claims(text, DAY) == []
    assert "no-service-date" in codes(text)
    assert items(text, DAY)
