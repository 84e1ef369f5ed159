"""A charge asks of an authorization what a biller would: active, in time, and for its code."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.authorization import Authorization
from service.domain.charge import (
    Charge,
    asked_by,
    charges_of,
    lines_for,
    selection_of,
    takes_a_place,
)
from service.domain.claim import AuthorizationKind
from service.domain.code_groups import PROCEDURE_GROUPS, GroupTable
from service.domain.effective import effective_lines
from service.domain.reference import StoredReferences
from tests.builders import build_claim

GROUPS = {
    PROCEDURE_GROUPS: GroupTable.model_validate(
        {
            "kind": "groups",
            "id": PROCEDURE_GROUPS,
            "version": "1",
            "groups": {"therapy": {"members": ["97110..97140"]}, "imaging": {"members": ["7*"]}},
        }
    )
}
APRIL = {"from": "2026-04-01", "to": "2026-04-30"}
GRANTED = {"action": "A1"}


def charge(**said: Any) -> Charge:
    """Four units of therapy in April."""
    usual = {"charge_id": "CH-1", "member": {"id": "M-1"}, "procedure": "97110", "units": "4"}
    return Charge.model_validate({**usual, "from": "2026-04-10", **said})


def judged(
    line: dict[str, Any],
    needed: tuple[AuthorizationKind, ...] = ("authorization",),
    said: dict[str, Any] | None = None,
    **header: Any,
) -> str | None:
    """What an authorization with this line lacks."""
    usual = {"authorization_id": "A", "version": 1, "kind": "authorization", "setting": "dental"}
    usual |= {"member": {"id": "M-1"}, "decision": GRANTED, "effective": APRIL}
    authorization = Authorization.model_validate({**usual, "lines": [{"line": 1} | line], **header})
    asked = asked_by(charge(**(said or {})), needed, GROUPS)
    return lines_for(asked, effective_lines(authorization, StoredReferences()))[1]


THERAPY = {"procedure": {"from": "97110"}}


@pytest.mark.parametrize(
    ("line", "lacks"),
    [
        ({}, None),
        (THERAPY, None),
        ({"procedure": {"from": "97100", "to": "97199"}}, None),
        ({"procedure": {"from": "97140"}}, "code"),
        ({"procedure": {"from": "9711", "to": "9712"}}, "code"),
        ({"procedure": {"group": "therapy"}}, None),
        ({"procedure": {"group": "imaging"}}, "code"),
        ({"revenue_code": "0420"}, "code"),
        ({"decision": {"action": "A6"}}, None),
        ({"decision": {"action": "NA"}}, None),
        ({"decision": {"action": "A3"}}, "denied"),
        ({"decision": {"action": "A4"}}, "pending"),
        ({"decision": {"action": "C"}}, "void"),
        ({"effective": {"from": "2026-04-11"}}, "upcoming"),
        ({"effective": {"to": "2026-04-09"}}, "expired"),
        ({"effective": {"from": "2026-04-10", "to": "2026-04-10"}}, None),
    ],
)
def test_what_an_authorization_lacks(line: dict[str, Any], lacks: str | None) -> None:
    """Seed 000: active, the day within its dates, the code covered or none named."""
    assert judged(line) == lacks


@pytest.mark.parametrize(
    ("said", "line", "lacks"),
    [
        ({"procedure": None, "revenue_code": "420"}, {"revenue_code": "0420"}, None),
        ({"procedure": None, "revenue_code": "421"}, {"revenue_code": "0420"}, "code"),
        ({"procedure": None}, THERAPY, "code"),
        ({"procedure": None}, {"procedure": {"group": "therapy"}}, "code"),
        ({"to": "2026-05-02"}, {}, "expired"),
        ({"from": "2026-03-30", "to": "2026-04-02"}, {}, "upcoming"),
    ],
)
def test_what_it_lacks_for_another_charge(
    said: dict[str, Any], line: dict[str, Any], lacks: str | None
) -> None:
    """Of all its days, and by whichever code it has."""
    assert judged(line, said=said) == lacks


@pytest.mark.parametrize(
    ("needed", "kind", "lacks"),
    [
        (("authorization",), "referral", "kind"),
        (("referral",), "referral", None),
        (("notification",), "authorization", None),
        (("authorization", "referral"), "referral", None),
        ((), "referral", None),
    ],
)
def test_it_is_of_a_kind_that_is_needed(needed: Any, kind: str, lacks: str | None) -> None:
    """An approval meets a duty to notify; where nothing is needed any kind may do."""
    assert judged(THERAPY, needed, kind=kind) == lacks


def test_of_several_lines_those_that_fit_count_else_the_nearest_is_told() -> None:
    """A line of another code is nearer than one that is denied."""
    denied, other = {"decision": {"action": "A3"}}, {"procedure": {"from": "99213"}}
    lines = [{"line": number} | each for number, each in enumerate((denied, other, THERAPY), 1)]

    assert judged({}, lines=lines[:2]) == "code"
    assert judged({}, lines=lines) is None
    asked = asked_by(charge(), (), {})
    assert lines_for(asked, []) == ((), "void")


def test_it_is_held_like_a_claim_of_one_line() -> None:
    """Under an id that no claim has; a header alone is selected without a line."""
    claim = charge(diagnoses=[{"code": "M54.5"}], place_of_service="11").as_claim(3)

    assert (claim.claim_id, claim.version, claim.stage) == ("charge:CH-1", 3, "preliminary")
    assert (claim.diagnoses[0].code, claim.lines[0].place_of_service) == ("M54.5", "11")
    selected = selection_of(1, "A", "authorization", (0,)).authorizations
    assert [each.line for each in selected] == [None]
    assert len(selection_of(1, "A", "referral", range(1, 99)).authorizations) == 20


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"from": None}, "from"),
        ({"charge_ids": ["CH-2"]}, "charge_ids"),
        ({"charge_id": "a/b"}, "charge_id"),
        ({"charge_id": "x" * 91}, "charge_id"),
        ({"charge_id": ".."}, "charge_id"),
        ({"units": "0.0"}, "units"),
        ({"to": "2026-04-01"}, "to"),
        ({"claim_id": "C-1"}, "claim_id"),
    ],
)
def test_what_is_no_charge(said: dict[str, Any], path: str) -> None:
    """It says where."""
    with pytest.raises(ValidationError) as refused:
        charge(**said)
    assert refused.value.errors()[0]["loc"] == (path,)


@pytest.mark.parametrize(
    ("frequency", "charges"), [("1", ("charge:B", "charge:A")), ("7", ("charge:B", "charge:A"))]
)
def test_a_claim_names_charges_once(frequency: str, charges: tuple[str, ...]) -> None:
    """In their order; a void names none."""
    lines = [{"charge_ids": ["B", "A"]}, {"charge_ids": ["A"]}]

    assert charges_of(build_claim(lines=lines, frequency=frequency)) == charges
    assert charges_of(build_claim(lines=lines, frequency="8")) == ()


@pytest.mark.parametrize(
    ("frequency", "charges", "expected"),
    [("1", [], False), ("1", ["A"], True), ("7", [], True), ("8", ["A"], False)],
)
def test_a_claim_takes_the_place_of_others(
    frequency: str, charges: list[str], expected: bool
) -> None:
    """Of charges that it names, or of the claim that it replaces."""
    claim = build_claim(lines=[{"charge_ids": charges}], frequency=frequency)
    assert takes_a_place(claim) is expected
