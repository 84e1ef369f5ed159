"""How a claim line counts: by units, visits, studies, days, or not at all."""

from typing import Any

import pytest

from service.accounting.planning.counting import provider_of
from service.domain.reference import References
from tests.accounting.asking import costs, outcomes, plan, shipped, with_policy
from tests.builders import build_authorization, build_claim

DAY = "2026-03-12"
VISIT = f"{DAY}|1234567893"
STUDY = f"{DAY}|70551|1"
EACH = {"components": "each"}
AS_VISITS = {"consumption": [{"id": "v", "procedures": ["97110"], "counts": "visits"}]}
AS_UNITS = {"consumption": [{"id": "u", "counts": "units"}]}
AS_STUDY = {"consumption": [{"id": "s", "counts": "study"}]}


def cost(line: Any, limits: Any, query: str, references: References | None = None) -> str | None:
    """What a line costs on the line of an authorization; None where kinds differ."""
    claim = build_claim(query, line=line)
    authorization = build_authorization(query, line={"limits": limits})
    planned = plan(claim, authorization, query=query, references=references)
    if planned.obstacles:
        assert outcomes(planned) == [("unit_kinds", "A1")]
        return None
    return costs(planned)[1]


def granted(unit: str) -> dict[str, str]:
    """Limits of ten."""
    return {"units": "10", "unit": unit}


@pytest.mark.parametrize(
    ("line", "limits", "expected"),
    [
        ({"units": "4"}, granted("UN"), "1/1"),
        ({"units": "4"}, granted("FL"), "1/1"),
        ({"units": "4"}, None, "1/1"),
        ({"units": None, "unit": None}, granted("UN"), "1/1"),
        ({"units": "4"}, granted("HS"), "1/4"),
        ({"units": "4", "unit": "DA"}, granted("UN"), None),
        # A unit in which no limit is set bars nothing.
        ({"units": "4", "unit": "DA", "charge": "9"}, {"unit": "UN", "amount": "100"}, "1/1"),
        # Visits: whatever is billed on a day is one, but days are not.
        ({"units": "4"}, granted("VS"), VISIT),
        ({"units": "0.25"}, granted("VS"), VISIT),
        ({"units": "45", "unit": "MJ"}, granted("VS"), VISIT),
        ({"units": "1", "unit": "VS"}, granted("VS"), VISIT),
        ({"units": "3", "unit": "VS"}, granted("VS"), f"{VISIT},{VISIT}|2,{VISIT}|3"),
        ({"units": "1001", "unit": "VS"}, granted("VS"), "1/1"),
        ({"units": "1", "unit": "DA"}, granted("VS"), None),
        ({"units": "1", "unit": "VS"}, granted("UN"), None),
        # Assistants and anesthesia go with the operation.
        ({"modifiers": ["AS"]}, granted("UN"), "0/1"),
        ({"modifiers": ["GP", "80"]}, granted("VS"), "0/1"),
        ({"modifiers": ["QZ"], "unit": "MJ"}, granted("UN"), "0/1"),
    ],
)
def test_a_professional_line(line: Any, limits: Any, expected: str | None) -> None:
    """The unit of the authorization decides, unless a row of the policy fits."""
    assert cost(line, limits, "professional") == expected


@pytest.mark.parametrize(
    ("line", "changes", "expected"),
    [
        ({}, {}, STUDY),
        ({"modifiers": ["26"]}, {}, STUDY),
        ({"modifiers": ["26"]}, EACH, "1/1"),
        ({"modifiers": []}, {}, "1/1"),
        ({"units": "2"}, {}, f"{STUDY},{DAY}|70551|2"),
        ({"units": "1001"}, {}, "1/1"),
        ({"modifiers": []}, AS_STUDY, STUDY),
        ({"procedure": None, "modifiers": []}, AS_STUDY, f"{DAY}|0611|1"),
        ({"procedure": None, "revenue_code": None}, AS_STUDY, f"{DAY}||1"),
        ({}, AS_UNITS, "1/1"),
        ({"procedure": "97110"}, AS_VISITS, f"{DAY}|1477777776"),
    ],
)
def test_an_outpatient_line(line: Any, changes: Any, expected: str) -> None:
    """The components of a study share it; the policy may count anything otherwise."""
    references = with_policy(**changes)

    assert cost(line, granted("UN"), "outpatient", references) == expected


def test_a_study_is_shared_only_in_its_own_units() -> None:
    """Hours of it are counted as hours."""
    line = {"procedure": "97110", "modifiers": ["TC"]}

    assert cost(line, granted("HS"), "outpatient") == "1/4"


@pytest.mark.parametrize(
    ("line", "unit", "expected"),
    [
        ({"units": "4", "unit": "DA"}, "DA", "1/1"),
        ({"units": "4", "unit": "DA"}, "DY", "1/1"),
        ({"units": "4"}, "DA", "1/1"),
        ({"units": "4", "revenue_code": "0250"}, "DA", "0/1"),
        ({"units": "4", "revenue_code": "0250"}, "UN", "1/1"),
        # A revenue code that is not known is not taken for one that is no accommodation.
        ({"units": "4", "revenue_code": None}, "DA", None),
    ],
)
def test_an_inpatient_line(line: Any, unit: str, expected: str | None) -> None:
    """Rooms count days, and what is given in the stay counts nothing beside them."""
    assert cost(line, granted(unit), "inpatient") == expected


def test_days_by_the_policy_may_have_no_limit() -> None:
    """Then the unit of the authorization bars nothing either."""
    references = with_policy(consumption=[{"id": "d", "counts": "days"}])

    line = {"units": "4", "charge": "9"}

    assert cost(line, {"unit": "VS", "amount": "9"}, "inpatient", references) == "1/1"


@pytest.mark.parametrize(
    ("line", "claim", "provider"),
    [
        ({"rendering_provider": {"npi": "1999999984"}}, {}, "1999999984"),
        ({"rendering_provider": {"tin": "741234567"}}, {}, "1234567893"),
        ({}, {}, "1234567893"),
        ({}, {"rendering_provider": None}, "1122334455"),
        ({}, {"rendering_provider": None, "billing_provider": {"tin": "741234567"}}, "741234567"),
        ({}, {"rendering_provider": None, "billing_provider": {}}, ""),
    ],
)
def test_whose_visit_it_is(line: Any, claim: Any, provider: str) -> None:
    """Who rendered it, else who billed it."""
    built = build_claim(line=line, **claim)

    assert provider_of(built, built.lines[0]) == provider


def test_the_shipped_policy_is_the_one_of_these_tables() -> None:
    """Components share, and four rows say what else is counted otherwise."""
    policy = shipped().accounting

    assert policy.components == "share"
    assert [each.counts for each in policy.consumption] == ["nothing", "nothing", "days", "charge"]
