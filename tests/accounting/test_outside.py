"""A claim that holds units which its authorization does not grant any more is to be reviewed."""

from typing import Any

import pytest

from service.accounting.answers.outside import lines_outside
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.rows import HeldDebit, HeldRow
from service.accounting.books.scale import SCALE
from service.domain.adjudication import Adjudication, content_of
from service.domain.authorization import Authorization
from tests.builders import build_authorization, build_claim

PT = {"procedure": {"from": "97110"}}
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def held(number: int = 1, name: str = "A1", start: int = 0, units: int = 4) -> HeldRow:
    """A row of the claim line 1."""
    debit = HeldDebit(account="H", units=units * SCALE, amount=0, numerator=1, denominator=1)
    return HeldRow(
        line=1,
        part=1,
        kind="authorization",
        authorization_id=name,
        authorization_line=number,
        origin="automatic",
        units=units * SCALE,
        amount=0,
        debits=(debit,),
        start=start * SCALE,
    )


def outside(
    authorization: Authorization,
    *rows: HeldRow,
    line: dict[str, Any] | None = None,
    status: str = "used",
    flags: tuple[str, ...] = (),
    action: str = "A1",
    is_void: bool = False,
    is_known: bool = True,
) -> tuple[int, ...]:
    """The lines that fall outside, of a claim of four units on a day in March."""
    usual = {"from": "2026-03-20", "to": "2026-03-20", "units": "4"}
    claim = build_claim(line=usual | (line or {}))
    sent = Adjudication.model_validate(claim.model_dump(by_alias=True, exclude_unset=True))
    known = {"number": None, "version": 1, "actions": {"1": action}, "flags": {"1": list(flags)}}
    draft: Any = {
        "sent": content_of(sent).decode(),
        "authorizations": {"A1": known} if is_known else {},
    }
    state = ClaimState(claim_id="C-1", status=status, rows=rows or (held(),))
    return lines_outside(state, draft, authorization, is_void=is_void)


def version(effective: dict[str, str] | None = None, **changes: Any) -> Authorization:
    """A version that has the day, if nothing else is said."""
    usual: dict[str, Any] = {"effective": effective or MARCH, "line": PT}
    return build_authorization(**usual | changes)


DAYS = {"from": "2026-03-20", "to": "2026-03-23", "unit": "DA"}
EARLY = {"from": "2026-03-01", "to": "2026-03-21"}


@pytest.mark.parametrize(
    ("authorization", "changes", "expected"),
    [
        (version(), {}, ()),
        (version({"from": "2026-03-01"}), {}, ()),
        (version({"to": "2026-03-20"}), {}, ()),
        (version({"from": "2026-03-01", "to": "2026-03-19"}), {}, (1,)),
        (version({"from": "2026-03-21", "to": "2026-03-31"}), {}, (1,)),
        (version({"from": "2026-03-01", "to": "2026-03-19"}), {"flags": ("expired",)}, ()),
        (version({"from": "2026-03-01", "to": "2026-03-19"}), {"flags": ("retro",)}, (1,)),
        (version(decision={"action": "A3"}), {}, (1,)),
        (version(decision={"action": "A3"}), {"action": "A3"}, ()),
        (version(decision={"action": "A3"}), {"is_known": False}, (1,)),
        (version(line=PT | {"removed_on": "2026-03-10"}), {}, (1,)),
        (version(line=PT | {"removed_on": "2026-02-10"}), {}, (1,)),
        (version(), {"is_void": True}, (1,)),
        (version(), {"is_void": True, "status": "reversed"}, ()),
        (version(EARLY), {"line": DAYS}, (1,)),
        (version(EARLY), {"line": DAYS | {"to": "2026-03-21", "units": "2"}}, ()),
        (version(EARLY), {"line": DAYS | {"unit": "UN", "units": "3"}}, (1,)),
    ],
)
def test_what_is_not_granted_any_more_is_outside(
    authorization: Authorization, changes: dict[str, Any], expected: tuple[int, ...]
) -> None:
    """Its line, its decision or its days; but not what was so when it was drawn."""
    assert outside(authorization, **changes) == expected


def test_a_line_that_is_gone_is_outside() -> None:
    """So is one of lines that came where there were none; a header without lines has number 0."""
    assert outside(version(), held(3)) == (1,)
    assert outside(version(), held(0)) == (1,)
    assert outside(build_authorization(lines=[], effective=MARCH), held(0)) == ()


def test_only_the_days_of_what_is_held_count() -> None:
    """Of a stay the first two days are held of this one, the others of another."""
    early = version(EARLY)

    assert outside(early, held(units=2), held(name="B1", start=2, units=2), line=DAYS) == ()
    assert outside(early, held(name="B1", units=2), held(start=2, units=2), line=DAYS) == (1,)
    assert outside(early, held(name="B1"), line=DAYS) == ()
