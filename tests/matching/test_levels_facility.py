"""Every level of the shipped outpatient and inpatient templates gives its points.

A row changes what it is about in a claim and an authorization that else agree in everything.
"""

from typing import Any

import pytest

from tests.builders import ask, build_authorization, build_claim, judge, told

Fields = dict[str, Any]

OTHER: Fields = {"npi": "1999999984", "tin": "999999999"}


def of_line(**line: Any) -> Fields:
    """Change the one line."""
    return {"line": line}


def at(**facility: Any) -> Fields:
    """Change the facility that is authorized."""
    return {"facility": facility}


def diagnosed(*codes: str) -> Fields:
    """Change the diagnoses."""
    return {"diagnoses": [{"code": code} for code in codes]}


BY_REVENUE_ONLY = of_line(procedure=None, modifiers=["TC"], revenue_code="611")

OUTPATIENT: list[tuple[str, Fields, Fields, str, bool]] = [
    ("procedure", {}, {}, "full in_range 28/28", False),
    ("procedure", {}, BY_REVENUE_ONLY, "full revenue_only 28/28", False),
    (
        "procedure",
        of_line(procedure="97161"),
        of_line(procedure={"group": "therapy-evaluation"}),
        "partial group 22/28",
        True,
    ),
    (
        "procedure",
        {},
        {"service_type": "62", **of_line(procedure={"from": "73721"})},
        "partial service_type 10/28",
        True,
    ),
    ("procedure", of_line(procedure="70552"), {}, "missed 0/28", True),
    ("procedure", of_line(revenue_code="0612"), BY_REVENUE_ONLY, "missed 0/28", True),
    ("procedure", of_line(procedure=None), {}, "missed 0/28", True),
    ("procedure", {}, of_line(procedure=None, revenue_code=None), "wildcard 28/28", False),
    ("procedure", of_line(procedure=None, revenue_code=None), {}, "not_evaluated 0/0", True),
    ("dates", {}, {}, "full inside 20/20", False),
    (
        "dates",
        of_line(**{"from": "2026-05-31", "to": "2026-06-01"}),
        {},
        "partial overlaps 10/20",
        True,
    ),
    ("dates", of_line(**{"from": "2026-06-07"}), {}, "partial tolerance 8/20", True),
    ("facility", {}, {}, "full npi 20/20", False),
    ("facility", {"facility": OTHER}, at(**OTHER), "full npi 20/20", False),
    ("facility", {}, at(npi=OTHER["npi"], tin="751112223"), "partial tin 14/20", True),
    (
        "facility",
        {"facility": {"groups": ["NET-1"]}},
        at(npi=OTHER["npi"], provider_group="NET-1"),
        "partial group 8/20",
        True,
    ),
    ("facility", {}, at(**OTHER), "missed 0/20", True),
    ("facility", {}, {"facility": None}, "wildcard 20/20", False),
    ("facility", {"billing_provider": {}}, {}, "not_evaluated 0/0", False),
    ("number", {}, {}, "full same 10/10", False),
    ("number", {"authorization_numbers": [{"value": "AU-2"}]}, {}, "missed 0/10", True),
    ("number", {"authorization_numbers": []}, {}, "not_evaluated 0/0", False),
    ("revenue", of_line(revenue_code="611"), {}, "full same 8/8", False),
    ("revenue", of_line(revenue_code="0612"), {}, "partial class 5/8", True),
    ("revenue", of_line(revenue_code="0351"), {}, "missed 0/8", True),
    ("revenue", {}, of_line(revenue_code=None), "wildcard 8/8", False),
    ("revenue", of_line(revenue_code=None), {}, "not_evaluated 0/0", False),
    ("modifiers", of_line(modifiers=["TC", "59"]), {}, "full subset 6/6", False),
    ("modifiers", of_line(modifiers=["50"]), of_line(modifiers=["LT"]), "partial sides 3/6", True),
    ("modifiers", of_line(modifiers=["LT"]), of_line(modifiers=["RT"]), "missed 0/6", True),
    ("modifiers", of_line(modifiers=[]), {}, "missed 0/6", True),
    ("modifiers", {}, of_line(modifiers=[]), "wildcard 6/6", False),
    ("diagnosis", diagnosed("Z01.1", "M16.11"), {}, "full same 5/5", False),
    ("diagnosis", diagnosed("M16.0"), {}, "partial category 3/5", True),
    ("diagnosis", diagnosed("Z01.1"), {}, "missed 0/5", True),
    ("diagnosis", {}, diagnosed(), "wildcard 5/5", False),
    ("diagnosis", diagnosed(), {}, "not_evaluated 0/0", False),
    ("bill_type", {"bill_type": "137"}, {}, "full class 3/3", False),
    ("bill_type", {"bill_type": "0141"}, {}, "missed 0/3", True),
    ("bill_type", {}, {"bill_type": None}, "wildcard 3/3", False),
    ("bill_type", {"bill_type": None}, {}, "not_evaluated 0/0", False),
]


def admitted(day: str, *, until: str = "2026-03-16") -> Fields:
    """Change the day of admission, and the stay that is billed with it."""
    return {"admission": {"date": day}, "statement": {"from": day, "to": until}}


INPATIENT: list[tuple[str, Fields, Fields, str, bool]] = [
    ("facility", {}, {}, "full npi 25/25", False),
    ("facility", {"facility": OTHER}, at(**OTHER), "full npi 25/25", False),
    ("facility", {}, at(npi=OTHER["npi"], tin="751112223"), "partial tin 18/25", True),
    (
        "facility",
        {"facility": {"groups": ["NET-1"]}},
        at(npi=OTHER["npi"], provider_group="NET-1"),
        "partial group 8/25",
        True,
    ),
    ("facility", {}, at(**OTHER), "missed 0/25", True),
    ("facility", {}, {"facility": None}, "wildcard 25/25", False),
    ("facility", {"billing_provider": {}}, {}, "not_evaluated 0/0", True),
    ("admission", {}, {}, "full same_day 25/25", False),
    ("admission", admitted("2026-03-13"), {}, "partial next_day 20/25", True),
    ("admission", admitted("2026-03-11"), {}, "partial next_day 20/25", True),
    ("admission", admitted("2026-03-15"), {}, "partial near 12/25", True),
    ("admission", admitted("2026-03-16"), {}, "partial overlaps 8/25", True),
    ("admission", admitted("2026-03-18", until="2026-03-20"), {}, "missed 0/25", True),
    ("admission", {}, {"admission": None}, "partial overlaps 8/25", True),
    ("admission", {"admission": None}, {}, "partial overlaps 8/8", True),
    ("level_of_care", {}, {}, "full same 15/15", False),
    ("level_of_care", {}, {"level_of_care": "intensive-care"}, "partial lower 12/15", True),
    ("level_of_care", of_line(revenue_code="200"), {}, "partial higher 5/15", True),
    ("level_of_care", {}, {"level_of_care": "unheard-of"}, "missed 0/15", True),
    ("level_of_care", {}, {"level_of_care": None}, "wildcard 15/15", False),
    ("level_of_care", of_line(revenue_code="0250"), {}, "not_evaluated 0/0", False),
    ("level_of_care", of_line(revenue_code=None), {}, "not_evaluated 0/0", False),
    ("diagnosis", {"drg": None}, {}, "full principal 10/10", False),
    ("diagnosis", diagnosed("S72.001A"), {}, "full drg 10/10", False),
    ("diagnosis", {"drg": "190", **diagnosed("M16.0")}, {}, "partial category 6/10", True),
    ("diagnosis", {"drg": "480", **diagnosed("S72.001A")}, {}, "partial mdc 6/10", True),
    ("diagnosis", {"drg": "190", **diagnosed("J44.1")}, {}, "missed 0/10", True),
    ("diagnosis", {}, {"drg": None, **diagnosed()}, "wildcard 10/10", False),
    ("diagnosis", {"drg": None, **diagnosed()}, {}, "not_evaluated 0/0", False),
    ("number", {}, {}, "full same 10/10", False),
    ("number", {"authorization_numbers": [{"value": "AU-2"}]}, {}, "missed 0/10", True),
    ("number", {"authorization_numbers": []}, {}, "not_evaluated 0/0", False),
    ("bill_type", {"bill_type": "0114"}, {}, "full class 10/10", False),
    ("bill_type", {"bill_type": "0211"}, {"bill_type": "0181"}, "partial family 5/10", True),
    ("bill_type", {"bill_type": "0131"}, {}, "missed 0/10", True),
    ("bill_type", {}, {"bill_type": None}, "wildcard 10/10", False),
    ("bill_type", {"bill_type": None}, {}, "not_evaluated 0/0", False),
    ("days", {}, {}, "full inside 5/5", False),
    ("days", admitted("2026-03-12", until="2026-03-20"), {}, "partial partly 3/5", False),
]


@pytest.mark.parametrize(
    ("criterion", "claim", "authorization", "expected", "bars_exact"), OUTPATIENT
)
def test_a_level_of_an_outpatient_line_gives_its_points(
    criterion: str, claim: Fields, authorization: Fields, expected: str, bars_exact: bool
) -> None:
    """The best level met gives its points; only full agreement, or no scope, keeps it exact."""
    asked = ask(build_claim("outpatient", **claim), "outpatient")
    (found,) = judge(asked, build_authorization("outpatient", **authorization))

    assert (expected, bars_exact) == (told(found, criterion), criterion in found.blockers)


@pytest.mark.parametrize(
    ("criterion", "claim", "authorization", "expected", "bars_exact"), INPATIENT
)
def test_a_level_of_an_inpatient_line_gives_its_points(
    criterion: str, claim: Fields, authorization: Fields, expected: str, bars_exact: bool
) -> None:
    """The same for a stay; days beyond its end are cut back and never bar an exact match."""
    asked = ask(build_claim("inpatient", **claim), "inpatient")
    (found,) = judge(asked, build_authorization("inpatient", **authorization))

    assert (expected, bars_exact) == (told(found, criterion), criterion in found.blockers)


def test_days_outside_the_stay_give_nothing() -> None:
    """A stay found through match days only has no day inside, and still an admission near by."""
    claim = build_claim("inpatient", **admitted("2026-03-18", until="2026-03-20"))
    (found,) = judge(ask(claim, "inpatient"), build_authorization("inpatient"))

    assert told(found, "days") == "missed 0/5"
    assert found.tolerance
