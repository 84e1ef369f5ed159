"""What a request must say, and those that follow from one."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.domain.misfits import misfits
from service.domain.request import (
    AuthorizationRequest,
    Used,
    as_authorization,
    asked_again,
    asked_for,
    copied_forward,
    differences,
    form_of,
)
from tests.builders import build_authorization
from tests.partners.bed import asked, charge

NPI = {"npi": "1234567893"}
DAY = {"from": "2026-12-01"}


def line(**changes: Any) -> dict[str, Any]:
    """A service that is asked for."""
    units = {"units": "1", "unit": "UN"}
    return {"line": 1, "procedure": {"from": "97110"}, "requested": units, **changes}


BARE = {"line": 1, "requested": {"units": "1", "unit": "UN"}}
STAY = {"admission": {"date": "2026-12-01"}, "bill_type": "111", "type": "institutional"}


@pytest.mark.parametrize(
    ("changes", "of_line", "expected"),
    [
        ({}, {}, {"setting": "professional"}),
        ({"type": "dental"}, {}, {"setting": "dental"}),
        (
            {"type": "dental"},
            {"teeth": [{"tooth": "3"}, {"tooth": "4"}]},
            {"lines": [line(tooth="3")]},
        ),
        ({"type": "institutional"}, {}, {"setting": "outpatient"}),
        (STAY, {}, {"setting": "inpatient", "bill_type": "111"} | {"admission": STAY["admission"]}),
        ({"emergency": True}, {}, {"urgency": "03"}),
        ({"billing_provider": NPI}, {}, {"requesting_provider": NPI}),
        ({"rendering_provider": NPI}, {}, {"servicing_provider": NPI}),
        ({"facility": NPI}, {}, {"facility": NPI}),
        ({}, {"rendering_provider": NPI}, {"servicing_provider": NPI}),
        ({"place_of_service": "11"}, {}, {"place_of_service": "11"}),
        ({"diagnoses": [{"code": "M54.50"}]}, {}, {"diagnoses": [{"code": "M54.50"}]}),
        (
            {},
            {"procedure": None, "revenue_code": "0128", "modifiers": ["A", "B", "C", "D", "E"]},
            {"lines": [{**BARE, "revenue_code": "0128", "modifiers": list("ABCD")}]},
        ),
    ],
)
def test_what_a_claim_line_needs_is_asked_for(
    changes: dict[str, Any], of_line: dict[str, Any], expected: dict[str, Any]
) -> None:
    """With what the claim says; what it does not say is missing."""
    service = {"line": 2, "procedure": "97110", "from": "2026-12-01", "units": "1", "unit": "UN"}
    other = {"line": 1, "from": "2026-11-01"}
    usual = {"claim_id": "C-1", "type": "professional", "member": {"id": "W123"}}
    claim = Claim.model_validate({**usual, "lines": [other, service | of_line], **changes})
    form = asked_for(claim, 2)
    days = {"from": "2026-12-01", "to": "2026-12-01"}
    said = {"member": {"id": "W123"}, "requested_dates": days, "lines": [line()]}
    assert form == {**said, "setting": form["setting"], **expected}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"requesting_provider": {"tin": "123456789"}}, "/requesting_provider/npi"),
        ({"requested_dates": {"to": "2026-12-01"}}, "/requested_dates/from"),
        ({"lines": [], "service_type": None}, "/lines"),
        ({"setting": "inpatient"}, "/admission/date"),
        ({"setting": "inpatient", "admission": {"type": "1"}}, "/admission/date"),
        ({"diagnoses": []}, "/diagnoses"),
        ({"certification_type": "R"}, "/previous_number"),
        ({"lines": [line(), line()]}, "/lines/1/line"),
        ({"lines": [line(procedure=None)]}, "/lines/0/procedure"),
        ({"lines": [line(procedure={"group": "therapy"})]}, "/lines/0/procedure/group"),
        ({"lines": [line(requested={})]}, "/lines/0/requested/units"),
        ({"lines": [line(requested={"units": "0", "unit": "UN"})]}, "/lines/0/requested/units"),
        (
            {"lines": [line(requested={"per": {"count": "0", "period": "week"}})]},
            "/lines/0/requested/units",
        ),
        ({"documents": [{"type": "OZ", "transmission": "FX"}]}, "/documents/0/control_number"),
        ({"charges": [charge(member={"id": "W999"})]}, "/charges/0/member/id"),
        ({"charges": [charge(), charge()]}, "/charges/1/charge_id"),
        ({"charges": [{"charge_id": "CH-1"}]}, "/charges/0/member"),
        ({"note": "a*b"}, "/note"),
        ({"member": {"id": "W1*23"}}, "/member/id"),
        ({"service_type": "PT:X"}, "/service_type"),
        ({"diagnoses": [{"code": "M54.5~"}]}, "/diagnoses/0/code"),
        ({"lines": [line(procedure={"from": "97110^"})]}, "/lines/0/procedure/from"),
        ({"lines": [line(modifiers=["GP", "G*"])]}, "/lines/0/modifiers/1"),
        ({"urgency": "X"}, "/urgency"),
        ({"kind": "notification"}, "/kind"),
    ],
)
def test_what_a_payer_would_reject_is_said_with_its_place(
    changes: dict[str, Any], path: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(ValidationError) as refused:
        AuthorizationRequest.model_validate(asked(**changes))
    assert path in [each["path"] for each in misfits(refused.value)[1]]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"setting": "dental", "diagnoses": []},
        {"requesting_provider": {**NPI, "name": "CARE: A CLINIC"}},
        {"certification_type": "3", "previous_number": "PA1", "diagnoses": []},
        {"certification_type": "S", "previous_reference": "AR1"},
        {"lines": [], "setting": "inpatient", "admission": {"date": "2026-12-01"}},
        {"lines": [], "service_type": "PT"},
        {"lines": [line(procedure=None, revenue_code="0420")]},
        {"lines": [line(procedure=None, service_type="PT")]},
        {"lines": [line(requested={"per": {"count": "3", "period": "week"}, "unit": "VS"})]},
        {"documents": [{"type": "OZ", "transmission": "AA"}]},
    ],
)
def test_what_can_be_sent_is_taken(changes: dict[str, Any]) -> None:
    """And comes back as it was."""
    request = AuthorizationRequest.model_validate(asked(**changes))
    assert AuthorizationRequest.model_validate(form_of(request)) == request


def test_the_row_has_the_id_of_the_answer_and_grants_nothing() -> None:
    """Whatever answers the trace number is a newer version of it."""
    request = AuthorizationRequest.model_validate(asked())
    row = as_authorization(request, trace="AM1", action="A4")
    assert (row.version, row.decision and row.decision.action) == (1, "A4")
    assert row.authorization_id.startswith("authorization.trace.")
    assert row.lines[0].limits is None
    assert row.lines[0].requested is not None
    change = request.model_copy(update={"certification_type": "S", "previous_number": "PA1"})
    changed = as_authorization(change, trace="AM1")
    assert changed.authorization_id.startswith("authorization.change.")
    assert (changed.decision, changed.previous_numbers) == (None, ("PA1",))


@pytest.mark.parametrize("urgency", [None, "E", "U", "03"])
def test_an_urgent_one_is_expedited(urgency: Any) -> None:
    """CMS-0057-F: 72 hours instead of 7 days."""
    request = AuthorizationRequest.model_validate(asked(urgency=urgency))
    assert request.is_expedited == (urgency in ("U", "03"))


@pytest.mark.parametrize(
    ("days", "then"),
    [
        ({"from": "2026-12-01", "to": "2027-02-28"}, {"from": "2027-03-01", "to": "2027-05-29"}),
        ({"from": "2026-12-01", "to": "2026-12-01"}, {"from": "2026-12-02", "to": "2026-12-02"}),
        ({"from": "2028-02-28", "to": "2028-02-29"}, {"from": "2028-03-01", "to": "2028-03-02"}),
        ({"from": "2026-12-01"}, {"from": "2026-12-15"}),
        ({"from": "2027-01-01"}, {"from": "2027-01-01"}),
    ],
)
def test_a_renewal_asks_for_as_many_days_after_the_last(
    days: dict[str, str], then: dict[str, str]
) -> None:
    """With the number that it renews, and the same services."""
    former = form_of(AuthorizationRequest.model_validate(asked(requested_dates=days)))
    former["lines"][0]["requested_dates"] = days
    copied = copied_forward(
        former,
        {"request_id": "R-2", "evidence": [{"line": 1, "unit": "UN", "used": "9"}]},
        certification="R",
        number="PA1",
        reference=None,
        today=date(2026, 12, 15),
    )
    made = AuthorizationRequest.model_validate(copied)
    assert form_of(made)["requested_dates"] == then
    assert (made.previous_number, made.lines[0].requested_dates) == ("PA1", None)
    assert made.evidence == (Used(line=1, unit="UN", used=Decimal(9)),)


def test_of_no_days_there_are_no_next_ones() -> None:
    """The renewal of what was granted without days says none: they must be typed."""
    given: dict[str, Any] = {"certification": "R", "number": "PA1", "reference": None}
    copied = copied_forward({"requested_dates": {}}, {}, **given, today=date(2026, 12, 1))
    assert copied["requested_dates"] == {}


def test_changes_are_a_merge_patch_and_are_shown_as_differences() -> None:
    """A rebuilt request is a new one: it names no number, and has what was corrected."""
    former = form_of(AuthorizationRequest.model_validate(asked()))
    patch = {
        "request_id": "R-2",
        "diagnoses": [{"code": "M54.51"}, {"code": "M99"}],
        "patient_name": {"first": None},
        "servicing_provider": None,
        "facility": {"npi": "1987654328"},
    }
    copied = copied_forward(
        former, patch, certification="I", number="PA1", reference="AR1", today=date(2026, 12, 1)
    )
    made = AuthorizationRequest.model_validate(copied)
    assert (made.certification_type, made.previous_number) == ("I", None)
    shown = [(each["path"], each["was"], each["is"]) for each in differences(former, form_of(made))]
    assert shown == [
        ("/patient_name/first", "JANE", None),
        ("/servicing_provider", {"npi": "1234567893"}, None),
        ("/diagnoses/0/code", "M54.50", "M54.51"),
        ("/diagnoses/1", None, {"code": "M99"}),
        ("/facility", None, {"npi": "1987654328"}),
    ]


def test_an_authorization_is_asked_for_again_as_it_stands() -> None:
    """What was used beyond it is asked for; what was taken out of it, or has no limit, is not."""
    authorization = build_authorization(
        requesting_provider=NPI,
        effective={"from": "2026-01-01", "to": "2026-06-30"},
        lines=[
            line(requested=None, limits={"units": "10", "unit": "UN"}),
            line(line=2, requested=None, limits={"units": "10", "unit": "UN"}),
            line(
                line=3, requested=None, limits={"units": "1", "unit": "UN"}, removed_on="2026-02-01"
            ),
            line(line=4, requested=None),
            line(line=5, requested={"per": {"count": "2", "period": "week"}, "unit": "VS"}),
        ],
    )
    used = [
        Used(line=1, unit="UN", used=Decimal(12)),
        Used(line=2, unit="UN", used=Decimal(3)),
        Used(line=5, unit="VS", used=Decimal(3)),
    ]
    form = asked_again(authorization, used)
    assert [(each["line"], each["requested"].get("units")) for each in form["lines"]] == [
        (1, "12"),
        (2, "10"),
        (5, None),
    ]
    assert form["requested_dates"] == {"from": "2026-01-01", "to": "2026-06-30"}


@pytest.mark.parametrize(
    ("header", "own", "days"),
    [
        ({"requested_dates": DAY}, {}, DAY),
        ({}, {"effective": DAY}, DAY),
        ({"decision": None}, {}, {}),
    ],
)
def test_the_days_are_those_of_the_grant(
    header: dict[str, Any], own: dict[str, Any], days: dict[str, str]
) -> None:
    """Of the whole, else what was asked, else of the first line that has any."""
    form = build_authorization().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    form |= {"effective": None, "lines": [line(requested=None, limits=None, **own)], **header}
    assert asked_again(Authorization.model_validate(form), ())["requested_dates"] == days
