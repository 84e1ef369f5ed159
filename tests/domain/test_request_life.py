"""What answers make of a request, in whatever order they come."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.request import AuthorizationRequest
from service.domain.request_life import (
    Answer,
    Cadence,
    Request,
    answer_of,
    answered,
    delivered,
    refused_by_form,
    sent,
    tried,
)
from tests.builders import build_authorization
from tests.partners.bed import asked, charge

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
CADENCE = Cadence(retry_s=300, inquire_s=3600, appeal_days=30)


def going(**changes: Any) -> Request:
    """A request that is on its way."""
    request = AuthorizationRequest.model_validate(asked(**changes))
    return sent(Request(asked=request, trace="AM1", made_at=NOW), "ISA*", "row", NOW)


def said(action: Any = "A1", version: int = 10, **more: Any) -> Answer:
    """What a payer said."""
    return Answer(at=NOW, version=version, action=action, authorization_id="UM-1", **more)


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("A1", "APPROVED"),
        ("A2", "MODIFIED"),
        ("A6", "MODIFIED"),
        ("A3", "DENIED"),
        ("A4", "PENDED"),
        ("CT", "PENDED"),
        (None, "PENDED"),
        ("NA", "NOT_REQUIRED"),
        ("C", "CANCELLED"),
    ],
)
def test_an_action_is_a_status(action: Any, status: str) -> None:
    """HCR01; one that is not known decides nothing."""
    after = answered(going(), said(action), CADENCE)
    assert after.status == status
    assert after.step == ("inquire" if status == "PENDED" else None)
    assert after.follow_up == (date(2026, 12, 7) if status == "PENDED" else None)
    assert after.appeal_by == (date(2026, 12, 30) if status == "DENIED" else None)


@pytest.mark.parametrize("action", ["A3", "A4"])
def test_terms_are_days_of_the_payer_and_run_from_the_first_such_answer(action: Any) -> None:
    """Eleven at night in New York is no other day; whoever says the same again puts nothing off."""
    late = datetime(2026, 12, 1, 4, tzinfo=UTC)
    first = said(action).model_copy(update={"at": late})
    after = answered(going(), first, CADENCE, ZoneInfo("America/New_York"))
    term = (after.follow_up, after.appeal_by)
    assert term == ((None, date(2026, 12, 30)) if action == "A3" else (date(2026, 12, 7), None))

    again = said(action, 11).model_copy(update={"at": late + timedelta(days=5)})
    told = answered(after, again, CADENCE)
    assert (told.follow_up, told.appeal_by, len(told.answers)) == (*term, 2)
    other = answered(told, said("A1", 12), CADENCE)
    assert (other.follow_up, other.appeal_by) == (None, None)


@pytest.mark.parametrize(
    ("policy", "action", "charges", "step"),
    [
        ("attach", "A1", 1, "attach"),
        ("attach", "A6", 1, "attach"),
        ("attach", "A1", 0, None),
        ("attach", "A3", 1, None),
        ("attach", "A4", 1, "inquire"),
        ("offer", "A1", 1, None),
    ],
)
def test_by_policy_the_charges_of_what_is_granted_are_attached_at_once(
    policy: Any, action: Any, charges: int, step: Any
) -> None:
    """It is the next step of the request; one that led to nothing is taken again."""
    cadence = Cadence(retry_s=300, inquire_s=3600, when_granted=policy)
    after = answered(going(charges=[charge()] * charges), said(action), cadence)
    assert after.step == step
    if step == "attach":
        assert after.due == NOW
        assert tried(after, "away", cadence, NOW).due == NOW + timedelta(seconds=300)


def test_an_expedited_one_is_followed_up_sooner() -> None:
    """By the payer's rule: 72 hours."""
    after = answered(going(urgency="U"), said("A4"), CADENCE)
    assert after.follow_up == date(2026, 12, 3)


@pytest.mark.parametrize(
    ("reasons", "follow_up", "status", "step", "pause"),
    [
        (("42",), "P", "PENDING", "send", timedelta(seconds=300)),
        (("42",), "R", "PENDING", "send", timedelta(seconds=300)),
        (("80",), None, "PENDING", "send", timedelta(seconds=300)),
        (("42",), "W", "PENDING", "send", timedelta(days=30)),
        (("15",), "X", "PENDING", "send", timedelta(days=10)),
        (("42",), "Y", "PENDING", "inquire", timedelta(seconds=3600)),
        (("42",), "S", "PENDING", "inquire", timedelta(seconds=3600)),
        (("42",), "N", "REFUSED", None, None),
        (("15",), "C", "REFUSED", None, None),
        ((), None, "REFUSED", None, None),
    ],
)
def test_a_refusal_is_a_delay_or_must_be_corrected(
    reasons: tuple[str, ...], follow_up: str | None, status: str, step: Any, pause: Any
) -> None:
    """AAA03 says why, AAA04 what to do."""
    refusal = Answer(at=NOW, refused=reasons, follow_up=follow_up)
    after = answered(going(), refusal, CADENCE)
    assert (after.status, after.step) == (status, step)
    assert after.due == (NOW + pause if pause else None)
    assert (after.problem == "PROCESSING_DELAY") == (status == "PENDING")


def test_a_refusal_takes_back_no_decision() -> None:
    """Nor does an inquiry that finds nothing decide anything."""
    approved = answered(going(), said(), CADENCE)
    late = Answer(at=NOW, refused=("15",))
    assert answered(approved, late, CADENCE).status == "APPROVED"
    not_found = Answer(at=NOW, refused=("AA",), is_of_inquiry=True)
    after = answered(going(), not_found, CADENCE)
    assert (after.status, after.step) == ("PENDING", "inquire")
    silent = answered(going(), not_found, Cadence(inquire_s=0))
    assert (silent.step, silent.due) == (None, None)


def test_an_answer_again_or_an_older_one_changes_nothing() -> None:
    """The older one is kept, and told."""
    approved = answered(going(), said("A1", 4), CADENCE)
    assert answered(approved, said("A1", 4), CADENCE) == approved
    older = answered(approved, said("A4", 3), CADENCE)
    assert (older.status, len(older.answers)) == ("APPROVED", 2)


@given(st.permutations([("A4", 1), ("A4", 2), ("A6", 3), ("A1", 4), ("A1", 4)]))
def test_the_newest_answer_stands_in_whatever_order_they_come(
    order: list[tuple[Any, int]],
) -> None:
    """The same one twice is one."""
    request = going()
    for action, version in order:
        request = answered(request, said(action, version), CADENCE)
    assert (request.status, request.step) == ("APPROVED", None)
    assert len(request.answers) == 4


def test_a_step_that_led_to_nothing_is_taken_again_after_its_pause() -> None:
    """The pause is that of the step; without a cadence of inquiries that of sending."""
    once = tried(going(), "away", CADENCE, NOW)
    assert (once.attempts, once.problem, once.due) == (1, "away", NOW + timedelta(seconds=300))
    with_payer = delivered(once, CADENCE, NOW)
    assert (with_payer.step, with_payer.problem) == ("inquire", None)
    assert tried(with_payer, "away", CADENCE, NOW).due == NOW + timedelta(seconds=3600)
    assert tried(with_payer, "away", Cadence(inquire_s=0), NOW).due == NOW + timedelta(seconds=300)
    later = NOW + timedelta(days=1)
    assert delivered(with_payer, CADENCE, later).delivered_at == NOW
    approved = answered(with_payer, said(), CADENCE)
    assert delivered(approved, CADENCE, later) == approved
    assert refused_by_form(going(), "unread").status == "REFUSED"


@pytest.mark.parametrize(
    ("header", "lines", "action"),
    [
        ("A1", (), "A1"),
        (None, (), None),
        ("A1", (None,), "A1"),
        (None, ("A1", "A1"), "A1"),
        (None, ("A1", "A3"), "A2"),
        (None, ("A3", "A4"), None),
        ("A2", ("A1", "A3"), "A2"),
        ("A2", ("A3",), "A3"),
    ],
)
def test_lines_that_differ_are_told_as_their_event_would(
    header: Any, lines: tuple[Any, ...], action: Any
) -> None:
    """Some of it granted is A2, whatever says so."""
    written = build_authorization(
        decision={"action": header, "reasons": ["93"]} if header else None,
        administrative_reference="AR1",
        number=None,
        lines=[
            {
                "line": at,
                "procedure": {"from": "97110"},
                "number": "PA1",
                "decision": {"action": each, "reasons": ["0U"]} if each else None,
            }
            for at, each in enumerate(lines, start=1)
        ],
    )
    answer = answer_of(written, ["1-8", "1-8"], NOW)
    assert (answer.action, answer.reference, answer.wanted) == (action, "AR1", ("1-8",))
    assert answer.number == ("PA1" if lines else None)
