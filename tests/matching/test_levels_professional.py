"""Every level of the shipped professional and referral templates gives its points.

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


def by(**provider: Any) -> Fields:
    """Change the provider who rendered the service."""
    return {"rendering_provider": provider, "billing_provider": {}}


def to(**provider: Any) -> Fields:
    """Change the provider who is authorized."""
    return {"servicing_provider": provider}


PROFESSIONAL: list[tuple[str, Fields, Fields, str, bool]] = [
    ("procedure", {}, {}, "full in_range 30/30", False),
    ("procedure", of_line(procedure="97140"), {}, "full in_range 30/30", False),
    ("procedure", of_line(procedure=" 97112 "), {}, "full in_range 30/30", False),
    (
        "procedure",
        of_line(procedure="97161"),
        of_line(procedure={"group": "therapy-evaluation"}),
        "partial group 24/30",
        True,
    ),
    (
        "procedure",
        {},
        {"service_type": "PT", **of_line(procedure={"from": "70551"})},
        "partial service_type 10/30",
        True,
    ),
    ("procedure", of_line(procedure="97150"), {}, "missed 0/30", True),
    ("procedure", of_line(procedure="9711T"), {}, "missed 0/30", True),
    ("procedure", {}, of_line(procedure=None), "wildcard 30/30", False),
    ("procedure", of_line(procedure=None), {}, "not_evaluated 0/0", True),
    ("dates", {}, {}, "full inside 20/20", False),
    ("dates", {}, {"effective": {"from": "2026-03-12"}}, "full inside 20/20", False),
    (
        "dates",
        of_line(**{"from": "2026-05-31", "to": "2026-06-01"}),
        {},
        "partial overlaps 10/20",
        True,
    ),
    ("dates", of_line(**{"from": "2026-06-07"}), {}, "partial tolerance 8/20", True),
    ("dates", of_line(**{"from": "2026-02-22"}), {}, "partial tolerance 8/20", True),
    ("provider", {}, {}, "full rendering_npi 20/20", False),
    (
        "provider",
        {"rendering_provider": None, "billing_provider": {"npi": "1234567893"}},
        {},
        "full rendering_npi 20/20",
        False,
    ),
    ("provider", {}, to(npi="1122334455"), "partial billing_npi 16/20", True),
    ("provider", {}, to(npi=OTHER["npi"], tin="74-1234567"), "partial tin 14/20", True),
    (
        "provider",
        by(npi="1234567893", groups=["G1", "G2"]),
        to(npi=OTHER["npi"], provider_group="G2"),
        "partial group 10/20",
        True,
    ),
    (
        "provider",
        by(npi="1234567893", taxonomy=["225100000X"]),
        to(npi=OTHER["npi"], taxonomy=["225100000X"]),
        "partial taxonomy 8/20",
        True,
    ),
    (
        "provider",
        by(npi="1234567893", specialty="65"),
        to(npi=OTHER["npi"], specialty="65"),
        "partial specialty 8/20",
        True,
    ),
    ("provider", {}, to(**OTHER), "missed 0/20", True),
    ("provider", {}, {"servicing_provider": None}, "wildcard 20/20", False),
    ("provider", by(), {}, "not_evaluated 0/0", True),
    ("provider", by(tin="741234567"), {}, "partial tin 14/14", True),
    ("number", {}, {}, "full same 10/10", False),
    ("number", {}, {"number": "X", "previous_numbers": ["au 1"]}, "full same 10/10", False),
    ("number", {"authorization_numbers": [{"value": "AU-2"}]}, {}, "missed 0/10", True),
    ("number", {}, {"number": None}, "missed 0/10", True),
    ("number", {"authorization_numbers": []}, {}, "not_evaluated 0/0", False),
    ("modifiers", of_line(modifiers=["25", "GP", "59"]), {}, "full subset 8/8", False),
    ("modifiers", {}, of_line(modifiers=["59", "GP"]), "full subset 8/8", False),
    ("modifiers", of_line(modifiers=["50"]), of_line(modifiers=["LT"]), "partial sides 4/8", True),
    ("modifiers", of_line(modifiers=["RT"]), of_line(modifiers=["50"]), "partial sides 4/8", True),
    (
        "modifiers",
        of_line(modifiers=["50"]),
        of_line(modifiers=["LT", "RT"]),
        "partial sides 4/8",
        True,
    ),
    ("modifiers", of_line(modifiers=["RT"]), of_line(modifiers=["LT"]), "missed 0/8", True),
    ("modifiers", of_line(modifiers=["26"]), of_line(modifiers=["TC"]), "missed 0/8", True),
    ("modifiers", of_line(modifiers=["GP"]), of_line(modifiers=["GP", "52"]), "missed 0/8", True),
    ("modifiers", of_line(modifiers=[]), {}, "missed 0/8", True),
    ("modifiers", {}, of_line(modifiers=["25"]), "wildcard 8/8", False),
    ("modifiers", of_line(modifiers=[]), of_line(modifiers=[]), "wildcard 8/8", False),
    ("place_of_service", {}, {}, "full same 7/7", False),
    ("place_of_service", of_line(place_of_service="02"), {}, "partial class 5/7", True),
    (
        "place_of_service",
        {"place_of_service": "19"},
        {"place_of_service": "22"},
        "partial class 5/7",
        True,
    ),
    (
        "place_of_service",
        {"place_of_service": "21"},
        {"place_of_service": "22"},
        "missed 0/7",
        True,
    ),
    ("place_of_service", {}, {"place_of_service": None}, "wildcard 7/7", False),
    ("place_of_service", {"place_of_service": None}, {}, "not_evaluated 0/0", False),
    ("diagnosis", {"diagnoses": [{"code": "m5450"}]}, {}, "full same 5/5", False),
    ("diagnosis", {"diagnoses": [{"code": "M54.16"}]}, {}, "partial category 3/5", True),
    ("diagnosis", {"diagnoses": [{"code": "M16.11"}]}, {}, "missed 0/5", True),
    (
        "diagnosis",
        {
            "diagnoses": [{"code": "M54.50"}, {"code": "M16.11"}],
            "line": {"diagnosis_pointers": [2]},
        },
        {},
        "missed 0/5",
        True,
    ),
    ("diagnosis", {}, {"diagnoses": []}, "wildcard 5/5", False),
    ("diagnosis", {"diagnoses": []}, {}, "not_evaluated 0/0", False),
]

ELSEWHERE = {"servicing_provider": {**OTHER, "taxonomy": ["207RC0001X"], "specialty": "21"}}
GYNECOLOGIST = {"servicing_provider": {**OTHER, "taxonomy": ["207V00000X"], "specialty": "16"}}

REFERRAL: list[tuple[str, Fields, Fields, str, bool]] = [
    ("specialty", {}, {}, "full taxonomy 25/25", False),
    ("specialty", {}, to(specialty="06"), "full specialty 25/25", False),
    ("specialty", {}, ELSEWHERE, "partial parent_of_taxonomy 15/25", True),
    ("specialty", {}, to(specialty="21"), "partial parent_of_specialty 15/25", True),
    ("specialty", {}, GYNECOLOGIST, "missed 0/25", True),
    ("specialty", {}, to(npi="1234567893"), "wildcard 25/25", False),
    ("specialty", by(npi="1234567893"), {}, "not_evaluated 0/0", True),
    ("provider", {}, {}, "full npi 25/25", False),
    ("provider", {}, to(npi=OTHER["npi"], tin="741234567"), "partial tin 20/25", True),
    (
        "provider",
        by(npi="1234567893", specialty="06", groups=["CARDIO-TX"]),
        to(specialty="06", provider_group="CARDIO-TX"),
        "partial group 20/25",
        True,
    ),
    ("provider", {}, to(specialty="06", **OTHER), "missed 0/25", True),
    ("provider", {}, to(specialty="06"), "wildcard 25/25", False),
    ("provider", by(specialty="06"), {}, "not_evaluated 0/0", False),
    ("dates", {}, {}, "full inside 20/20", False),
    (
        "dates",
        of_line(**{"from": "2026-05-31", "to": "2026-06-01"}),
        {},
        "partial overlaps 10/20",
        True,
    ),
    ("dates", of_line(**{"from": "2026-06-07"}), {}, "partial tolerance 8/20", True),
    ("referring_provider", {}, {}, "full npi 10/10", False),
    (
        "referring_provider",
        {"referring_provider": {"npi": "1111111112", "groups": ["PCP-7"]}},
        {},
        "partial group 6/10",
        True,
    ),
    ("referring_provider", {"referring_provider": {"npi": "1111111112"}}, {}, "missed 0/10", True),
    ("referring_provider", {}, {"requesting_provider": None}, "wildcard 10/10", False),
    ("referring_provider", {"referring_provider": None}, {}, "not_evaluated 0/0", False),
    ("number", {}, {}, "full same 10/10", False),
    ("number", {"authorization_numbers": [{"value": "AU-1"}]}, {}, "not_evaluated 0/0", False),
    (
        "number",
        {"authorization_numbers": [{"kind": "referral", "value": "AU-2"}]},
        {},
        "missed 0/10",
        True,
    ),
    ("service", {}, {}, "full in_range 10/10", False),
    ("service", {}, of_line(procedure={"group": "consultation"}), "full group 10/10", False),
    (
        "service",
        {},
        {"service_type": "3", **of_line(procedure=None)},
        "full service_type 10/10",
        False,
    ),
    (
        "service",
        of_line(procedure="99213"),
        of_line(procedure={"group": "consultation"}),
        "partial counterpart 3/10",
        True,
    ),
    (
        "service",
        of_line(procedure="99203"),
        of_line(procedure={"group": "treatment"}),
        "partial counterpart 3/10",
        True,
    ),
    ("service", of_line(procedure="70551"), {}, "missed 0/10", True),
    ("service", {}, of_line(procedure=None), "wildcard 10/10", False),
    ("service", of_line(procedure=None), {}, "not_evaluated 0/0", False),
]


@pytest.mark.parametrize(
    ("criterion", "claim", "authorization", "expected", "bars_exact"), PROFESSIONAL
)
def test_a_level_of_a_professional_line_gives_its_points(
    criterion: str, claim: Fields, authorization: Fields, expected: str, bars_exact: bool
) -> None:
    """The best level met gives its points; only full agreement, or no scope, keeps it exact."""
    (found,) = judge(ask(build_claim(**claim)), build_authorization(**authorization))

    assert (expected, bars_exact) == (told(found, criterion), criterion in found.blockers)
    assert bars_exact == (found.match_class != "exact")


@pytest.mark.parametrize(
    ("criterion", "claim", "authorization", "expected", "bars_exact"), REFERRAL
)
def test_a_level_of_a_referred_line_gives_its_points(
    criterion: str, claim: Fields, authorization: Fields, expected: str, bars_exact: bool
) -> None:
    """The same, for a line that needs a referral to a discipline or a provider."""
    asked = ask(build_claim("referral", **claim), "referral")
    (found,) = judge(asked, build_authorization("referral", **authorization))

    assert (expected, bars_exact) == (told(found, criterion), criterion in found.blockers)
