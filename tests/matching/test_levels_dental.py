"""Every level of the shipped dental template gives its points.

A row changes what it is about in a claim and an authorization that else agree in everything.
"""

from typing import Any

import pytest

from tests.builders import ask, build_authorization, build_claim, judge, told

Fields = dict[str, Any]

OTHER: Fields = {"npi": "1999999984", "tin": "999999999"}
UPPER_RIGHT = {"procedure": "D4341", "teeth": [], "oral_cavity": ["10"]}


def of_line(**line: Any) -> Fields:
    """Change the one line."""
    return {"line": line}


def treated(*teeth: str, surfaces: str = "MO") -> Fields:
    """Change the teeth that were treated, all on the same surfaces."""
    return of_line(teeth=[{"tooth": tooth, "surfaces": list(surfaces)} for tooth in teeth])


def scaling(**line: Any) -> Fields:
    """Change the authorized service to one that is billed by quadrant."""
    return of_line(procedure={"from": "D4341"}, tooth=None, surfaces=[], **line)


def to(**provider: Any) -> Fields:
    """Change the provider who is authorized."""
    return {"servicing_provider": provider}


def by(**provider: Any) -> Fields:
    """Change the provider who rendered the service."""
    return {"rendering_provider": provider, "billing_provider": {}}


DENTAL: list[tuple[str, Fields, Fields, str, bool]] = [
    ("procedure", {}, {}, "full in_range 30/30", False),
    (
        "procedure",
        {},
        of_line(procedure={"from": "D2390", "to": "D2394", "code_system": "AD"}),
        "full in_range 30/30",
        False,
    ),
    ("procedure", {}, of_line(procedure={"group": "dental-fillings"}), "partial group 22/30", True),
    ("procedure", {}, of_line(procedure={"from": "D2740"}), "partial category 8/30", True),
    ("procedure", {}, of_line(procedure={"from": "D3310"}), "missed 0/30", True),
    ("procedure", {}, of_line(procedure=None), "wildcard 30/30", False),
    ("procedure", of_line(procedure=None), {}, "not_evaluated 0/0", True),
    ("tooth", treated("014"), {}, "full same 16/16", False),
    ("tooth", {}, of_line(tooth=None, oral_cavity=["20"]), "partial in_quadrant 10/16", True),
    ("tooth", treated("AS"), of_line(tooth="AS"), "full same 16/16", False),
    (
        "tooth",
        treated("AS"),
        of_line(tooth=None, oral_cavity=["10"]),
        "partial in_quadrant 10/16",
        True,
    ),
    ("tooth", treated("14", "15"), {}, "partial one_of 10/10", True),
    ("tooth", treated("3"), of_line(tooth=None, oral_cavity=["20"]), "missed 0/16", True),
    ("tooth", treated("15"), {}, "missed 0/16", True),
    ("tooth", {}, of_line(tooth=None), "wildcard 16/16", False),
    ("tooth", treated(), {}, "not_evaluated 0/0", True),
    ("tooth", of_line(**UPPER_RIGHT), scaling(), "not_evaluated 0/0", False),
    ("quadrant", of_line(**UPPER_RIGHT), scaling(oral_cavity=["10"]), "full same 10/10", False),
    ("quadrant", of_line(**UPPER_RIGHT), scaling(oral_cavity=["01"]), "partial in_arch 6/10", True),
    ("quadrant", of_line(**UPPER_RIGHT), scaling(oral_cavity=["1"]), "partial in_arch 6/10", True),
    ("quadrant", of_line(**UPPER_RIGHT), scaling(oral_cavity=["40"]), "missed 0/10", True),
    ("quadrant", of_line(**UPPER_RIGHT), scaling(), "wildcard 10/10", False),
    (
        "quadrant",
        of_line(**{**UPPER_RIGHT, "oral_cavity": []}),
        scaling(oral_cavity=["10"]),
        "not_evaluated 0/0",
        True,
    ),
    ("quadrant", {}, {}, "not_evaluated 0/0", False),
    ("surface", {}, {}, "full within 8/8", False),
    ("surface", treated("14", surfaces="M"), {}, "full within 8/8", False),
    ("surface", treated("14", surfaces="MB"), {}, "partial overlaps 4/8", True),
    ("surface", treated("14", surfaces="MOD"), {}, "partial overlaps 4/8", True),
    ("surface", treated("14", surfaces="B"), {}, "missed 0/8", True),
    ("surface", {}, of_line(surfaces=[]), "wildcard 8/8", False),
    ("surface", treated("14", surfaces=""), {}, "not_evaluated 0/0", False),
    ("provider", {}, {}, "full rendering_npi 16/16", False),
    ("provider", {}, to(npi="1122334455"), "partial billing_npi 11/16", True),
    ("provider", {}, to(npi=OTHER["npi"], tin="741234567"), "partial tin 11/16", True),
    (
        "provider",
        by(npi="1234567893", taxonomy=["1223G0001X"]),
        to(npi=OTHER["npi"], taxonomy=["1223G0001X"]),
        "partial taxonomy 6/16",
        True,
    ),
    (
        "provider",
        by(npi="1234567893", specialty="19"),
        to(npi=OTHER["npi"], specialty="19"),
        "partial specialty 6/16",
        True,
    ),
    ("provider", {}, to(**OTHER), "missed 0/16", True),
    ("provider", {}, {"servicing_provider": None}, "wildcard 16/16", False),
    ("provider", by(), {}, "not_evaluated 0/0", False),
    ("dates", {}, {}, "full inside 10/10", False),
    (
        "dates",
        of_line(**{"from": "2026-05-31", "to": "2026-06-01"}),
        {},
        "partial overlaps 5/10",
        True,
    ),
    ("dates", of_line(**{"from": "2026-06-07"}), {}, "partial tolerance 4/10", True),
    ("number", {}, {}, "full same 10/10", False),
    (
        "number",
        {"authorization_numbers": [{"kind": "predetermination", "value": "au 1"}]},
        {},
        "full same 10/10",
        False,
    ),
    ("number", {"authorization_numbers": [{"value": "AU-2"}]}, {}, "missed 0/10", True),
    ("number", {"authorization_numbers": []}, {}, "not_evaluated 0/0", False),
]


@pytest.mark.parametrize(("criterion", "claim", "authorization", "expected", "bars_exact"), DENTAL)
def test_a_level_of_a_dental_line_gives_its_points(
    criterion: str, claim: Fields, authorization: Fields, expected: str, bars_exact: bool
) -> None:
    """The best level met gives its points; tooth and quadrant count for their own codes only."""
    asked = ask(build_claim("dental", **claim), "dental")
    (found,) = judge(asked, build_authorization("dental", **authorization))

    assert (expected, bars_exact) == (told(found, criterion), criterion in found.blockers)
