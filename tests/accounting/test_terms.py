"""The terms that a found authorization carries count its units as the whole of it would."""

import json
from dataclasses import replace
from typing import Any

import pytest

from service.accounting.limits.bounds import bounds_of
from service.accounting.limits.choice import certified_on, flags_of, window_of
from service.accounting.limits.lines import how_counted
from service.domain.authorization import Authorization
from service.domain.canonical import canonical_form
from service.domain.terms import HowCounted, counting_in, read_terms, terms_in, with_counting
from tests.accounting.asking import choose, plan
from tests.builders import AUTHORIZATIONS, build_authorization, build_claim

UNITS = {"units": "10", "unit": "UN"}
MONTHLY = {"reference": "certification_date", "period": 1, "unit": "month"}


def carried(authorization: Authorization) -> Authorization:
    """The authorization as it is read from its terms."""
    return read_terms(terms_in(canonical_form(authorization)))


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        *((query, {"limits": UNITS}) for query in AUTHORIZATIONS),
        (
            "professional",
            {"limits": {**UNITS, "renewal": MONTHLY}, "override_benefit_limits": False},
        ),
        ("professional", {"line": {"limits": {"per": {"count": "3", "period": "week"}}}}),
        ("professional", {"decision": {"action": "A6"}, "requested": UNITS}),
        ("professional", {"decision": {"action": "A3"}, "line": {"decision": {"action": "A1"}}}),
        (
            "professional",
            {"line": {"removed_on": "2026-03-20", "certification_date": "2026-04-01"}},
        ),
        ("professional", {"effective": None, "requested_dates": {"from": "2026-03-01"}}),
        ("professional", {"number": None, "certification_date": None}),
        (
            "inpatient",
            {
                "effective": None,
                "admission": {"date": "2026-03-12", "discharge_date": "2026-03-14"},
            },
        ),
        ("referral", {"lines": []}),
    ],
)
def test_the_terms_say_all_that_counting_needs(query: str, changes: Any) -> None:
    """Limits, days, decision, number: the plan of a claim is the same."""
    whole = build_authorization(query, version=7, **changes)
    terms = carried(whole)
    line = 1 if whole.lines else 0
    claim = build_claim(query, line={"units": "3", "charge": "100"})
    counted = how_counted(whole)
    asked = [replace(choose(each, line), counted=counted) for each in (whole, terms)]
    day = claim.lines[0].from_ or claim.statement.from_
    assert day is not None

    assert plan(claim, asked[0], query=query) == plan(claim, asked[1], query=query)
    for tell in (
        bounds_of,
        lambda each: choose(each, line).action,
        lambda each: certified_on(each, line),
        lambda each: window_of(each, line),
        lambda each: flags_of(each, line, day),
        lambda each: (each.number, each.version, each.kind, each.override_benefit_limits),
    ):
        assert tell(terms) == tell(whole)


def test_the_terms_say_nothing_else() -> None:
    """No person, provider or diagnosis but the member's id travels with them."""
    whole = build_authorization(member={"id": "M0001", "birth_date": "1980-05-02"}, limits=UNITS)
    terms = terms_in(canonical_form(whole))

    assert sorted(terms) == [
        "authorization_id",
        "certification_date",
        "decision",
        "effective",
        "kind",
        "limits",
        "lines",
        "member",
        "number",
        "setting",
        "version",
    ]
    assert (terms["member"], terms["lines"]) == ({"id": "M0001"}, [{"line": 1}])


def test_how_it_is_counted_travels_with_the_terms() -> None:
    """And is no part of the authorization; terms that say nothing of it are read all the same."""
    whole = build_authorization(limits=UNITS)
    terms = terms_in(canonical_form(whole))
    counted = HowCounted("shape", "1:a:b:c:d", (1,))

    assert counting_in(terms) is None
    assert counting_in(json.loads(json.dumps(with_counting(terms, counted)))) == counted
    assert read_terms(with_counting(terms, counted)) == read_terms(terms)
