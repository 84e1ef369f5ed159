"""Events: every outcome has a code for each type of query, and every code a text."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from service.domain.event import (
    DEACTIVATED_CARCS,
    DenyWith,
    EventCodes,
    Events,
    EventText,
    Outcome,
)
from tests.builders import event_codes

QUERIES = ("inpatient", "outpatient", "professional", "dental", "referral")


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_has_a_code_and_a_text(outcome: Outcome, query: str) -> None:
    """What can happen can be said."""
    event = Events(event_codes(), query).make(outcome)

    assert event.name
    assert event.description
    assert event.query_type == query


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


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("truncated", "AUM-0001"),
        ("companion", "SPA-0047"),
        ("alternate", "SPA-0048"),
        ("unit_kinds", "AUM-0003"),
        ("unknown_original", "AUM-0004"),
        ("refused_selection", "AUM-0005"),
        ("renewal_unknown", "AUM-0006"),
        ("late_authorization", "AUM-0007"),
        ("granted_quantity_unknown", "AUM-0008"),
        ("non_daily_span", "AUM-0009"),
        ("charge_unknown", "AUM-0010"),
        ("examiner_denied", "AUM-0011"),
    ],
)
def test_an_outcome_of_one_code_for_all(outcome: Outcome, code: str) -> None:
    """What does not depend on the type of query."""
    assert {code} == {event_codes().code_of(outcome, query) for query in QUERIES}


@pytest.mark.parametrize(
    ("query", "claim_type", "code"),
    [
        ("referral", "institutional", "SPA-0041"),
        ("referral", "professional", "SPA-0042"),
        ("referral", "dental", "SPA-0042"),
        ("referral", None, "SPA-0042"),
        ("outpatient", "institutional", "SPA-0043"),
    ],
)
def test_a_code_may_depend_on_the_type_of_claim(
    query: str, claim_type: str | None, code: str
) -> None:
    """Exceeded referrals have one code for institutional claims, another one for the others."""
    codes = event_codes()

    assert code == codes.code_of("units_exceeded", query, claim_type)
    assert code == Events(codes, query, claim_type).make("units_exceeded").code


def test_a_code_may_hold_for_any_type() -> None:
    """And a type of query that nobody knows has no code of its own."""
    assert event_codes().code_of("truncated", "vision") == "AUM-0001"
    with pytest.raises(KeyError):
        event_codes().code_of("denied", "vision")


def test_an_event_in_the_answer_leaves_out_what_is_not_known() -> None:
    """It speaks of an authorization, of a number, or of neither."""
    about = Events(event_codes(), "dental").make("denied", authorization_id="A1")
    typed = Events(event_codes(), "dental").make("invalid_number_line", number="AU 9")
    plain = Events(event_codes(), "dental").make("not_found")

    always = {"code", "name", "query_type", "severity", "action", "description"}

    assert always | {"authorization_id"} == set(about.as_answer())
    assert always | {"number"} == set(typed.as_answer())
    assert always == set(plain.as_answer())


@pytest.mark.parametrize(
    ("outcome", "severity", "action", "adjustment"),
    [
        ("not_found", "error", "suspend", "CO 197"),
        ("pending", "error", "suspend", None),
        ("exhausted", "error", "suspend", "CO 198"),
        ("multiple", "error", "suspend", None),
        ("denied", "error", "suspend", "CO 39"),
        ("invalid_number_claim", "warning", "none", "CO 284 N54"),
        ("invalid_number_line", "warning", "none", "CO 284 N54"),
        ("non_exact", "error", "suspend", None),
        ("units_exceeded", "warning", "none", None),
        ("truncated", "error", "suspend", None),
        ("companion", "error", "suspend", None),
        ("alternate", "error", "suspend", None),
        ("unit_kinds", "error", "suspend", None),
    ],
)
def test_what_becomes_of_a_line(
    outcome: Outcome, severity: str, action: str, adjustment: str | None
) -> None:
    """As shipped an examiner decides; a referral that is absent has its own reason."""
    for query in QUERIES:
        event = Events(event_codes(), query).make(outcome)
        given = event_codes().events[event.code].deny_with
        written = " ".join([given.group, given.carc, *given.remarks]) if given else None
        is_absent_referral = (outcome, query) == ("not_found", "referral")

        assert (severity, action) == (event.severity, event.action)
        assert ("CO 288" if is_absent_referral else adjustment) == written


def test_an_informational_event_does_nothing() -> None:
    """Whatever its code says."""
    event = Events(event_codes(), "dental").make("denied", informational=True)

    assert (event.severity, event.action) == ("information", "none")
    assert event.as_answer()["severity"] == "information"


def test_an_event_may_have_the_code_that_a_table_names() -> None:
    """It keeps what it is about."""
    event = Events(event_codes(), "dental").make(
        "companion", code="AUM-0005", authorization_id="A1"
    )

    assert (event.outcome, event.code, event.authorization_id) == ("companion", "AUM-0005", "A1")


def test_what_is_not_written_suspends() -> None:
    """An examiner decides."""
    text = EventText(name="N", description="")

    assert (text.severity, text.action, text.deny_with) == ("error", "suspend", None)


@pytest.mark.parametrize("carc", ["197", "1", "B7", "P12"])
def test_an_adjustment_is_taken(carc: str) -> None:
    """Reasons are one to three digits, or a letter with one or two."""
    assert carc == DenyWith(group="CO", carc=carc, remarks=("N54", "MA130", "M62")).carc


@pytest.mark.parametrize(
    "adjustment",
    [
        {"group": "CR", "carc": "197"},
        {"group": "CO", "carc": 197},
        {"group": "CO", "carc": "0197"},
        {"group": "CO", "carc": "b7"},
        {"group": "CO", "carc": "197", "remarks": ["54"]},
        *({"group": "CO", "carc": each} for each in sorted(DEACTIVATED_CARCS)),
    ],
)
def test_an_adjustment_is_refused(adjustment: dict[str, Any]) -> None:
    """One of no known form, and one whose reason is deactivated."""
    with pytest.raises(ValidationError):
        DenyWith.model_validate(adjustment)


def test_a_denial_needs_its_reason() -> None:
    """A line is not denied without saying why."""
    with pytest.raises(ValidationError, match="must say why"):
        EventText(name="N", description="", action="deny")


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ({"not_found": {"any": "X-9"}}, "codes/not_found/any: X-9 has no text"),
        (
            {"units_exceeded": {"referral/vision": "X-1", "any": "X-1"}},
            "codes/units_exceeded/referral/vision: vision is not a type of claim",
        ),
        ({"pending": {"dental": "X-1"}}, "codes/pending: no code for any"),
        (
            {"not_found": {"dental/dental": "X-1", "dental": "X-1"}, "denied": {"vision": "X-1"}},
            "codes/denied: no code for dental/dental",
        ),
    ],
)
def test_codes_without_text_are_refused(codes: dict[str, dict[str, str]], said: str) -> None:
    """A file that would leave an event without a code or a text is wrong from the start."""
    given = {outcome: {"any": "X-1"} for outcome in get_args(Outcome)} | codes
    events = {"X-1": {"name": "N", "description": ""}}

    with pytest.raises(ValidationError, match=said):
        EventCodes.model_validate(
            {"kind": "event-codes", "version": "1", "codes": given, "events": events}
        )


def test_an_outcome_without_any_code_is_refused() -> None:
    """As in a file that was written for an earlier version."""
    with pytest.raises(ValidationError, match="codes: no code for not_found, pending"):
        EventCodes.model_validate(
            {"kind": "event-codes", "version": "1", "codes": {}, "events": {}}
        )


def test_a_code_tells_its_outcomes() -> None:
    """In any type of query; a code that only a table names has none."""
    assert event_codes().outcomes_of("SPA-0016") == ["non_exact"]
    assert event_codes().outcomes_of("SPA-0047") == ["companion"]
    assert event_codes().outcomes_of("X") == []
