"""Cases that payers meet, by the number that the list of edge cases gives them."""

from typing import Any

import pytest

from service.domain.claim import AuthorizationKind
from service.domain.event import Events
from service.matching.ranking import rank
from service.matching.resolution import resolve
from service.matching.scorer import Judged
from tests.builders import (
    ask,
    build_authorization,
    build_candidate,
    build_claim,
    event_codes,
    judge,
    told,
)

Fields = dict[str, Any]


def found_by(query: str, claim: Fields, authorization: Fields) -> Judged:
    """Judge one authorization against a claim of one line; it must be a candidate."""
    asked = ask(build_claim(query, **claim), query)
    (found,) = judge(asked, build_authorization(query, **authorization))
    return found


def day(first: str, last: str | None = None) -> Fields:
    """Change the days of the one line."""
    return {"line": {"from": first, "to": last or first}}


@pytest.mark.parametrize("number", ["AU-0098", "au 98", "00098"])
def test_case_17_a_superseded_number_finds_the_current_version(number: str) -> None:
    """Case 17: the numbers of what an authorization supersedes are its own."""
    authorization = build_authorization(other_numbers=["98"], number="NEW-7")
    candidate = build_candidate(authorization, inherited_numbers=["AU0098", "AU98"])
    claim = build_claim(authorization_numbers=[{"value": number}])
    (found,) = judge(ask(claim), candidate)

    assert told(found, "number") == "full same 10/10"


def test_case_20_without_a_number_an_exact_match_is_found() -> None:
    """Case 20: no number on the claim leaves the number out of what can be reached."""
    found = found_by("professional", {"authorization_numbers": []}, {})

    assert (found.match_class, found.score, found.attainable) == ("exact", 90, 90)


@pytest.mark.parametrize("typed", ["AU-1", "au 1", " AU.1 ", "Au-1"])
def test_case_23_a_number_is_compared_as_if_typed_well(typed: str) -> None:
    """Case 23: case, spaces, dashes and dots do not matter."""
    found = found_by("professional", {"authorization_numbers": [{"value": typed}]}, {})

    assert told(found, "number") == "full same 10/10"


@pytest.mark.parametrize(
    ("query", "claim", "expected", "why"),
    [
        ("professional", day("2026-05-30", "2026-06-02"), "non-exact", "ends 2 days after the end"),
        (
            "outpatient",
            day("2026-02-28", "2026-03-02"),
            "non-exact",
            "starts 1 day before the start",
        ),
        ("inpatient", {"statement": {"from": "2026-03-12", "to": "2026-03-20"}}, "exact", None),
    ],
)
def test_case_24_a_span_that_leaves_the_validity(
    query: str, claim: Fields, expected: str, why: str | None
) -> None:
    """Case 24: partial overlap is non-exact; a stay from its authorized day is exact."""
    found = found_by(query, claim, {})
    place = [each.plan.criterion.id for each in found.asked.criteria].index(
        "days" if query == "inpatient" else "dates"
    )
    asked = found.asked.criteria[place]
    words = asked.plan.uses[0].why(found.line, asked.levels[0][2])

    assert expected == found.match_class
    assert why is None or why == words


@pytest.mark.parametrize(
    ("case", "effective", "service", "expected"),
    [
        (28, {"from": "2026-03-01", "to": None}, "2031-07-04", "exact"),
        (29, {"from": "2026-03-12", "to": "2026-03-12"}, "2026-03-12", "exact"),
        (30, {"from": "2026-03-13", "to": "2026-05-31"}, "2026-03-12", "non-exact"),
        (30, {"from": "2026-03-01", "to": "2026-03-05"}, "2026-03-12", "non-exact"),
    ],
)
def test_cases_28_to_30_the_ends_of_a_validity(
    case: int, effective: Fields, service: str, expected: str
) -> None:
    """Case 28: no end is valid on. Case 29: one day. Case 30: through match days, never exact."""
    found = found_by("professional", day(service), {"effective": effective})

    assert (expected, case == 30) == (found.match_class, found.tolerance)


def test_case_30_beyond_the_match_days_there_is_no_candidate() -> None:
    """Case 30: seven days before and after, not eight."""
    authorization = build_authorization(effective={"from": "2026-03-20", "to": "2026-05-31"})

    assert judge(ask(), authorization) == []


def test_case_31_validity_counts_not_the_day_of_issue() -> None:
    """Case 31: an authorization that was certified after the service is exact all the same."""
    found = found_by("professional", {}, {"certification_date": "2026-04-30"})

    assert found.match_class == "exact"


@pytest.mark.parametrize(
    ("case", "query", "claim", "authorization", "expected"),
    [
        (39, "professional", {"line": {"procedure": "97124"}}, {}, "exact"),
        (
            39,
            "professional",
            {},
            {"line": {"procedure": {"group": "therapy"}, "modifiers": ["GP"]}},
            "non-exact",
        ),
        (40, "professional", {"line": {"procedure": "70551"}}, {"lines": []}, "exact"),
        (
            42,
            "professional",
            {"line": {"modifiers": ["50"]}},
            {"line": {"modifiers": ["LT"]}},
            "non-exact",
        ),
        (
            43,
            "professional",
            {"line": {"procedure": "70496"}},
            {"line": {"procedure": {"from": "70450"}}},
            "none",
        ),
        (
            46,
            "professional",
            {"rendering_provider": {"npi": "1999999984", "tin": "741234567"}},
            {},
            "non-exact",
        ),
        (
            48,
            "professional",
            {},
            {"servicing_provider": {"npi": "1477777776", "tin": "751112223"}},
            "non-exact",
        ),
        (50, "inpatient", {"billing_provider": {"npi": "1999999984"}}, {}, "non-exact"),
        (50, "inpatient", {"admission": {"date": "2026-03-15"}}, {}, "non-exact"),
        (51, "inpatient", {"line": {"revenue_code": "0200"}}, {}, "non-exact"),
        (
            63,
            "dental",
            {"line": {"teeth": [{"tooth": "14", "surfaces": ["M", "O", "D"]}]}},
            {},
            "non-exact",
        ),
        (64, "dental", {"line": {"teeth": []}}, {}, "non-exact"),
    ],
)
def test_what_class_a_case_has(
    case: int, query: str, claim: Fields, authorization: Fields, expected: str
) -> None:
    """Range or group, no codes, one side of two, a group practice, a transfer, a surface more."""
    found = found_by(query, claim, authorization)

    assert expected == found.match_class, f"case {case}"


@pytest.mark.parametrize(
    ("scope", "network", "expected"),
    [
        ("out", "in", "non-exact"),
        ("in", "out", "non-exact"),
        ("in", "in", "exact"),
        ("either", "in", "exact"),
        ("either", "out", "exact"),
        (None, "out", "exact"),
        ("out", None, "exact"),
    ],
)
def test_case_47_the_network_status_that_is_covered(
    scope: str | None, network: str | None, expected: str
) -> None:
    """Case 47: the other network status bars an exact match; no statement does not."""
    provider = {"npi": "1234567893", "group_scope": scope}
    found = found_by("professional", {"network": network}, {"servicing_provider": provider})

    assert expected == found.match_class
    assert (("network",) if expected == "non-exact" else ()) == found.blockers


@pytest.mark.parametrize("case", [48, 49])
def test_cases_48_and_49_an_inpatient_authorization_is_for_the_stay(case: int) -> None:
    """Cases 48, 49: neither a surgeon nor observation hours draw on an authorized stay."""
    query = "professional" if case == 48 else "outpatient"

    assert judge(ask(query=query), build_authorization("inpatient")) == []


@pytest.mark.parametrize(
    ("kind", "requested", "candidates"),
    [
        ("notification", "notification", 1),
        ("notification", "authorization", 0),
        ("authorization", "notification", 1),
        ("referral", "notification", 0),
        ("referral", "authorization", 0),
    ],
)
def test_case_67_a_notification_satisfies_its_own_rule_only(
    kind: str, requested: AuthorizationKind, candidates: int
) -> None:
    """Case 67: what is looked for must be what was stored; an approval meets a duty to notify."""
    asked = ask(requested=requested)

    assert candidates == len(judge(asked, build_authorization(kind=kind)))


def test_case_72_a_cap_that_is_reached_decides_nothing() -> None:
    """Case 72: with more candidates than may be shown none is taken, not even an exact one."""
    authorizations = [build_authorization(authorization_id=f"A{each}") for each in range(51)]
    asked = ask()
    ranked = rank(judge(asked, *authorizations), asked.plan.template)
    resolution = resolve(ranked, Events(event_codes(), "professional"))

    assert (len(ranked.exact), ranked.truncated) == (50, True)
    assert (
        resolution.chosen,
        [each.code for each in resolution.events],
    ) == ((), ["AUM-0001", "SPA-0012"])
