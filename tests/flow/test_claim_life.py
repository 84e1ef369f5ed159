"""The steps of a claim after it was adjudicated, on books that hold just that claim."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from service.accounting.books.books import ClaimMoved, DrawRequest, LookedUp, Moved, Occasion
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.grant import Row
from service.accounting.books.rows import HeldRow
from service.accounting.books.scale import SCALE
from service.domain.adjudication import ClaimChange
from service.domain.answers import StepAnswer
from service.domain.engine_fault import EngineFault
from service.flow.adjudicating import run
from service.flow.adjudicating.adjudicate import Conflict
from service.flow.adjudicating.claim_life import (
    BadChange,
    Step,
    UnknownClaim,
    change_claim,
)


def row(line: int, units: int, of: str = "A1") -> HeldRow:
    """Units of a line, at ten dollars each."""
    return HeldRow(
        line=line,
        part=1,
        kind="authorization",
        authorization_id=of,
        authorization_line=1,
        origin="automatic",
        units=units * SCALE,
        amount=units * 10 * SCALE,
        debits=(),
    )


@dataclass
class BooksOfOneClaim:
    """Books that know one claim at most; somebody else changes it first, ``others`` times."""

    claim: ClaimState | None
    others: int = 0
    occasions: list[Occasion] = field(default_factory=list)

    async def look_up(
        self,
        payer: str,
        claim_id: str,
        member: str,
        *,
        counters: bool = False,
        charges: Sequence[str] = (),
    ) -> LookedUp:
        """No step asks for a member."""
        raise NotImplementedError

    async def recall(self, payer: str, looked_up: LookedUp) -> LookedUp:
        """Neither here."""
        raise NotImplementedError

    async def read_claim(self, payer: str, claim_id: str) -> ClaimState:
        """As it stands, where it is known."""
        known = self.claim if (payer, claim_id) == ("P", "C-1") else None
        return known or ClaimState(claim_id=claim_id)

    async def committed(self, payer: str, ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """No step asks for balances."""
        raise NotImplementedError

    async def draw(self, payer: str, request: DrawRequest) -> Moved:
        """No step draws."""
        raise NotImplementedError

    async def change(
        self,
        payer: str,
        claim: ClaimState,
        rows: Sequence[HeldRow],
        status: str,
        occasion: Occasion,
    ) -> Moved:
        """Take the rows, unless the claim was changed since it was read."""
        assert self.claim is not None
        if self.others:
            self.others -= 1
            self.claim = replace(self.claim, sequence=self.claim.sequence + 1)
        if claim.sequence != self.claim.sequence:
            raise ClaimMoved
        self.occasions.append(occasion)
        before = self.claim.rows
        self.claim = replace(claim, sequence=claim.sequence + 1, rows=tuple(rows), status=status)
        return Moved(undone=tuple(map(_moved, before)), drawn=tuple(map(_moved, rows)))


def _moved(held: HeldRow) -> Row:
    names = ("line", "part", "kind", "authorization_id", "authorization_line", "origin")
    return Row(
        **{name: getattr(held, name) for name in names},
        units=held.units,
        amount=held.amount,
        movements=(),
    )


def books(status: str = "used", **changes: Any) -> BooksOfOneClaim:
    """Books with version 2 of a claim: four units on line 1, of two authorizations, two on line 2.

    What was given back holds nothing.
    """
    held = (row(1, 3), row(1, 1, "A2"), row(2, 2)) if status in ("used", "reserved") else ()
    usual = {"claim_id": "C-1", "sequence": 1, "version": 2, "status": status, "rows": held}
    return BooksOfOneClaim(claim=ClaimState(**{**usual, **changes}))


def take(at: BooksOfOneClaim, step: Step, claim_id: str = "C-1", **change: Any) -> StepAnswer:
    """Take a step; ``keep`` are the units of lines."""
    lines = [{"line": line, "units": units} for line, units in change.pop("keep", {}).items()]
    asked = ClaimChange.model_validate({"lines": lines, **change})
    occasion = Occasion(kind=step, at="2026-03-12", by="D. Lee", why=asked.reason or "")
    return asyncio.run(change_claim(step, claim_id, asked, "P", at, occasion))


def held(changed: StepAnswer) -> str:
    """Status and units of the lines, as they are answered."""
    lines = [f"{each['line']}:{each['held']}" for each in changed["lines"]]
    return " ".join([changed["status"], *lines])


@pytest.mark.parametrize(
    ("step", "status", "keep", "expected"),
    [
        ("finalize", "reserved", {}, "used 1:4 2:2"),
        ("finalize", "reserved", {1: "3.5"}, "used 1:3.5 2:2"),
        ("finalize", "reserved", {1: "0", 2: "0"}, "used 1:0 2:0"),
        ("finalize", "used", {2: "1"}, "used 1:4 2:1"),
        ("release", "reserved", {}, "released 1:0 2:0"),
        ("reverse", "used", {}, "reversed 1:0 2:0"),
        ("reverse", "reserved", {}, "reversed 1:0 2:0"),
        ("adjust", "used", {1: "1", 2: "2"}, "used 1:1 2:2"),
        ("adjust", "reserved", {2: "0"}, "reserved 1:4 2:0"),
        ("release", "suspended", {}, "released"),
        ("reverse", "suspended", {}, "reversed"),
    ],
)
def test_a_step_says_what_is_held_afterwards(
    step: Step, status: str, keep: dict[int, str], expected: str
) -> None:
    """And when it is repeated, it changes nothing more and says the same of what is held."""
    at = books(status)
    first = take(at, step, keep=keep)
    after = at.claim
    again = take(at, step, keep=keep)

    assert held(first) == expected
    assert (first["changed"], again["changed"]) == (True, False)
    assert again["status"] == first["status"]
    assert at.claim == after


@pytest.mark.parametrize(
    ("step", "status", "keep", "refusal", "reason"),
    [
        ("finalize", "released", {}, Conflict, "is released: there is nothing to make final"),
        ("finalize", "reversed", {}, Conflict, "is reversed"),
        ("finalize", "suspended", {}, Conflict, "is suspended: there is nothing to make final"),
        ("adjust", "suspended", {1: "0"}, Conflict, "is suspended: it holds nothing"),
        ("release", "used", {}, Conflict, "is used: only what is reserved can be released"),
        ("release", "reversed", {}, Conflict, "is reversed"),
        ("release", "reserved", {1: "1"}, BadChange, "a release gives everything back"),
        ("reverse", "used", {1: "1"}, BadChange, "a reversal gives everything back"),
        ("adjust", "replaced", {}, Conflict, "is replaced: it holds nothing"),
        ("adjust", "replaced", {1: "1"}, Conflict, "is replaced: it holds nothing"),
        ("finalize", "released", {1: "1"}, Conflict, "is released"),
        ("adjust", "used", {}, BadChange, "name the lines"),
        ("adjust", "used", {1: "4.5"}, BadChange, "line 1 holds 4 units, not 4.5"),
        ("finalize", "reserved", {3: "1"}, BadChange, "line 3 holds 0 units, not 1"),
    ],
)
def test_a_step_that_cannot_be_taken(
    step: Step, status: str, keep: dict[int, str], refusal: type[Exception], reason: str
) -> None:
    """The reason names the state of the claim, or the line; nothing changes."""
    at = books(status)
    before = at.claim

    with pytest.raises(refusal, match=reason):
        take(at, step, keep=keep)
    assert at.claim == before


@pytest.mark.parametrize("status", ["released", "reversed", "replaced"])
def test_what_holds_nothing_can_be_reversed(status: str) -> None:
    """It stays what it is: whoever reverses wants nothing to be held."""
    assert (held(take(books(status), "reverse")), status) == (status, status)


@pytest.mark.parametrize(("version", "is_taken"), [(None, True), (2, True), (1, False)])
def test_a_step_may_name_the_version(version: int | None, is_taken: bool) -> None:
    """One that is not in force any more is refused."""
    at = books()
    if is_taken:
        assert held(take(at, "reverse", version=version)) == "reversed 1:0 2:0"
    else:
        with pytest.raises(Conflict, match="version 2 of the claim is in force, not 1"):
            take(at, "reverse", version=version)


@pytest.mark.parametrize("at", [BooksOfOneClaim(claim=None), books("none", sequence=0, version=0)])
def test_a_claim_that_is_not_known(at: BooksOfOneClaim) -> None:
    """Never adjudicated, or only begun."""
    with pytest.raises(UnknownClaim, match="C-1"):
        take(at, "reverse")


def test_the_answer_says_what_each_authorization_had_and_has() -> None:
    """Units and amounts, before and after."""
    answer = take(books(), "adjust", keep={1: "2", 2: "0"})

    assert answer["lines"] == [
        {
            "line": 1,
            "held_before": "4",
            "held": "2",
            "amount_before": "40.00",
            "amount": "20.00",
        },
        {"line": 2, "held_before": "2", "held": "0", "amount_before": "20.00", "amount": "0.00"},
    ]
    assert [" ".join(map(str, each.values())) for each in answer["authorizations"]] == [
        "A1 5 2 50.00 20.00",
        "A2 1 0 10.00 0.00",
    ]


def test_the_occasion_is_kept() -> None:
    """Who, why and when, under the name of the step."""
    at = books("reserved")
    take(at, "release", reason="cancelled")
    take(at, "release", reason="cancelled")

    assert at.occasions == [Occasion(kind="release", at="2026-03-12", by="D. Lee", why="cancelled")]


def test_a_claim_that_moved_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the step can be taken; somebody who is always quicker is a fault in the end."""
    monkeypatch.setattr(run, "FIRST_PAUSE_S", 0)
    patient, beaten = books(), books()
    patient.others, beaten.others = run.ATTEMPTS_MAX - 1, run.ATTEMPTS_MAX

    assert held(take(patient, "reverse")) == "reversed 1:0 2:0"
    with pytest.raises(EngineFault, match="is being changed"):
        take(beaten, "reverse")
    assert beaten.claim is not None and beaten.claim.is_held
