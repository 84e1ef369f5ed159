"""Events: every outcome has a code for each type of query, and every code a text."""

from typing import get_args

import pytest

from service.domain.event import Outcome, make_event
from tests.builders import event_codes

QUERIES = ("inpatient", "outpatient", "professional", "dental", "referral")


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_has_a_code_and_a_text(outcome: Outcome, query: str) -> None:
    """What can happen can be said."""
    event = make_event(event_codes(), outcome, query)

    assert event.name
    assert event.description
    assert event.type == query


@pytest.mark.parametrize(
    ("outcome", "codes"),
    [
        ("not_found", "0001 0019 0009 0027 0032"),
        ("pending", "0002 0020 0010 0028 0033"),
        ("exhausted", "0003 0021 0011 0029 0034"),
        ("multiple", "0004 0022 0012 0030 0035"),
        ("denied", "0005 0023 0013 0031 0036"),
        ("invalid_number_claim", "0006 0024 0014 0017 0037"),
        ("non_exact", "0008 0026 0016 0040 0039"),
        ("units_exceeded", "0045 0043 0044 0046 0042"),
    ],
)
def test_the_codes_of_an_outcome(outcome: Outcome, codes: str) -> None:
    """Inpatient, outpatient, professional, dental, referral: each has its own."""
    assert [f"SPA-{code}" for code in codes.split()] == [
        event_codes().code_of(outcome, query) for query in QUERIES
    ]


def test_a_code_may_hold_for_any_type() -> None:
    """And a type of query that nobody knows has no code of its own."""
    assert event_codes().code_of("truncated", "vision") == "AUM-0001"
    with pytest.raises(KeyError):
        event_codes().code_of("denied", "vision")


def test_an_event_in_the_answer_leaves_out_what_is_not_known() -> None:
    """It speaks of an authorization, of a number, or of neither."""
    about = make_event(event_codes(), "denied", "dental", authorization_id="A1")
    plain = make_event(event_codes(), "not_found", "dental")

    assert {"code", "name", "type", "description", "authorization_id"} == set(about.as_answer())
    assert {"code", "name", "type", "description"} == set(plain.as_answer())
