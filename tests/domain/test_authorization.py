"""What a pushed authorization must hold to be accepted."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.authorization import Authorization, Limits, Procedure
from tests.builders import build_authorization

Fields = dict[str, Any]

NO_DATES: Fields = {"effective": None}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"lines": [{"line": 1}, {"line": 1}]}, "line 1 stands twice"),
        ({"pend_reasons": [{"reason": "X"}, {"reason": "X"}]}, "same pend reason stands twice"),
        (
            {"notes": [{"note_id": "N", "text": "a"}, {"note_id": "N", "text": "b"}]},
            "same version of a note stands twice",
        ),
        ({"supersedes": "A1"}, "cannot supersede itself"),
        ({"aliases": ["A2", "A1"]}, "no alias of itself"),
        (NO_DATES, "granted with A1 needs effective dates"),
        ({**NO_DATES, "lines": []}, "granted with A1 needs effective dates"),
        (
            {**NO_DATES, "decision": None, "line": {"decision": {"action": "A6"}}},
            "granted with A6 needs effective dates",
        ),
        ({"effective": {"from": "2026-03-02", "to": "2026-03-01"}}, "before it starts"),
        (
            {"admission": {"date": "2026-03-02", "discharge_date": "2026-03-01"}},
            "discharged before admitted",
        ),
        (
            {"other_servicing_providers": [{"npi": "1477777779", "group_scope": "out"}]},
            "another group_scope",
        ),
        ({"days_of_week": ["mon"]}, "Input should be"),
        ({"other_settings": ["home"]}, "Input should be"),
        ({"number": "--"}, "String should match pattern"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"version": "1"}, "valid integer"),
        ({"line": {"decision": {"action": "Z1"}}}, "Input should be"),
    ],
)
def test_what_does_not_hold_together_is_refused(header: Fields, reason: str) -> None:
    """With the reason, before anything is stored."""
    with pytest.raises(ValidationError, match=reason):
        build_authorization(**header)


@pytest.mark.parametrize(
    "header",
    [
        {"effective": {"from": "2026-03-01", "to": None}},
        {"effective": {"from": None, "to": "2026-03-01"}},
        {**NO_DATES, "requested_dates": {"from": "2026-03-01"}},
        {**NO_DATES, "admission": {"date": "2026-03-01"}},
        {**NO_DATES, "line": {"effective": {"from": "2026-03-01"}}},
        {**NO_DATES, "decision": {"action": "A4"}},
        {**NO_DATES, "decision": {"action": "A3"}},
        {**NO_DATES, "decision": None},
        {"notes": [{"note_id": "N", "text": "a"}, {"note_id": "N", "version": 2, "text": "b"}]},
        {"notes": [{"text": "a"}, {"text": "a"}]},
    ],
)
def test_one_day_is_enough_for_a_grant(header: Fields) -> None:
    """An open end is valid on; what is not granted needs no dates."""
    assert build_authorization(**header).authorization_id == "A1"


@pytest.mark.parametrize(
    ("procedure", "reason"),
    [
        ({"from": "97110", "group": "therapy"}, "not by both"),
        ({"to": "97140", "group": "therapy"}, "not by both"),
        ({"to": "97140"}, "needs its first code"),
        ({"from": "97110", "to": "G0283"}, "not of one code system and shape"),
        ({"from": "D2740", "to": "97140"}, "not of one code system and shape"),
        ({"from": "97140", "to": "97110"}, "the range ends before it starts"),
    ],
)
def test_a_scope_of_procedures_is_of_one_kind(procedure: Fields, reason: str) -> None:
    """A code, a range that rises in one shape, or a group."""
    with pytest.raises(ValidationError, match=reason):
        Procedure.model_validate(procedure)


@pytest.mark.parametrize(
    "procedure", [{"from": "97110"}, {"from": "97110", "to": "97110"}, {"group": "therapy"}, {}]
)
def test_a_right_scope_of_procedures(procedure: Fields) -> None:
    """One code is a range of one."""
    assert procedure == Procedure.model_validate(procedure).model_dump(
        by_alias=True, exclude_none=True
    )


def test_units_say_of_what() -> None:
    """Days, visits and units are never the same."""
    with pytest.raises(ValidationError, match="need their unit of measure"):
        Limits.model_validate({"units": "4"})

    assert Limits.model_validate({"units": "4", "unit": "vs"}).unit == "VS"


@pytest.mark.parametrize(("action", "is_void"), [("C", True), ("A3", False), (None, False)])
def test_a_cancelled_authorization_is_void(action: str | None, is_void: bool) -> None:
    """HCR01 C; what has no decision is not void."""
    decision = {"action": action} if action else None
    authorization: Authorization = build_authorization(decision=decision)

    assert is_void == authorization.is_void


@pytest.mark.parametrize(
    ("procedure", "code", "is_named"),
    [
        ({"from": "97110"}, "97110", True),
        ({"from": "97-110"}, "97110", True),
        ({"from": "97110"}, "97112", False),
        ({"from": "97110", "to": "97140"}, "97112", True),
        ({"from": "97110", "to": "97140"}, "97140", True),
        ({"from": "97110", "to": "97140"}, "97141", False),
        # Between the two as text, but of another shape.
        ({"from": "97110", "to": "97140"}, "971109", False),
        ({"from": "97110", "to": "97140"}, "9711F", False),
        ({"from": "D2740", "to": "D2750", "code_system": "AD"}, "D2745", True),
        ({"group": "therapy"}, "97110", False),
        ({}, "97110", False),
    ],
)
def test_a_procedure_names_codes(procedure: Fields, code: str, is_named: bool) -> None:
    """A group is looked up elsewhere."""
    assert Procedure.model_validate(procedure).names(code) == is_named


@pytest.mark.parametrize(
    ("header", "made_at"),
    [
        ({}, None),
        ({"certification_date": "2026-03-01"}, "2026-03-01"),
        ({"received_at": "2026-03-02T10:00:00Z", "certification_date": "2026-03-01"}, "2026-03-02"),
        ({"source": {"event_time": "2026-03-03T10:00:00Z"}}, "2026-03-03"),
    ],
)
def test_when_an_authorization_was_made(header: dict[str, Any], made_at: str | None) -> None:
    """The first that is known: sent, decided, received, or certified."""
    authorization = Authorization.model_validate(
        {
            "authorization_id": "A1",
            "version": 1,
            "kind": "authorization",
            "setting": "professional",
            "member": {"id": "M1"},
            "pend_reasons": [{"reason": "X"}, {"reason": "Y"}],
            **header,
        }
    )

    assert (authorization.made_at and authorization.made_at.isoformat()[:10]) == made_at
