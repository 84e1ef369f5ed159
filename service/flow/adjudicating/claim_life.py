"""What becomes of a claim after it was adjudicated: its units are made final, or given back.

Each change says what is to hold afterwards, so that it may be repeated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from service.accounting.books.books import Books, Moved, Occasion
from service.accounting.books.claim_state import (
    RELEASED,
    RESERVED,
    REVERSED,
    SUSPENDED,
    USED,
    ClaimState,
)
from service.accounting.books.rows import HeldRow, MoreThanHeld, amounts_of, shrink, units_of
from service.accounting.books.scale import scaled, written, written_amount
from service.domain.adjudication import ClaimChange
from service.domain.answers import GivenBack, StepAnswer
from service.domain.misfits import Misfit
from service.flow.adjudicating.adjudicate import Conflict
from service.flow.adjudicating.run import contended

Step = Literal["finalize", "release", "reverse", "adjust"]


class BadChange(Misfit):
    """A change that cannot be meant: where, and why."""


class UnknownClaim(LookupError):
    """A claim that was never adjudicated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Next:
    """What a claim holds after a step, and as what."""

    status: str
    rows: Sequence[HeldRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keep:
    """What lines are to keep, scaled: units and charge, of those that are named at a place."""

    units: Mapping[int, int]
    amounts: Mapping[int, int]
    places: Mapping[int, int]

    def __bool__(self) -> bool:
        return bool(self.units or self.amounts)

    def of(self, claim: ClaimState) -> list[HeldRow]:
        """The rows that a claim keeps; raises BadChange."""
        try:
            return shrink(claim.rows, self.units, self.amounts)
        except MoreThanHeld as error:
            raise BadChange(
                f"{error} for these units: amounts are only lowered here; send a new version of the"
                " claim for more",
                *("lines", self.places[error.line], "amount"),
            ) from error


def _finalize(claim: ClaimState, keep: _Keep) -> _Next:
    if claim.status not in (RESERVED, USED):
        raise Conflict(f"the claim is {claim.status}: there is nothing to make final")
    return _Next(status=USED, rows=keep.of(claim))


def _release(claim: ClaimState, keep: _Keep) -> _Next:
    if keep:
        raise BadChange(
            "a release gives everything back; lines are for adjust or finalize", "lines"
        )
    if claim.status not in (RESERVED, SUSPENDED, RELEASED):
        raise Conflict(f"the claim is {claim.status}: only what is reserved can be released")
    return _Next(status=RELEASED, rows=())


def _reverse(claim: ClaimState, keep: _Keep) -> _Next:
    if keep:
        raise BadChange("a reversal gives everything back; lines are for adjust", "lines")
    return _Next(status=REVERSED if claim.is_in_force else claim.status, rows=())


def _adjust(claim: ClaimState, keep: _Keep) -> _Next:
    if not claim.is_held:
        raise Conflict(f"the claim is {claim.status}: it holds nothing")
    if not keep:
        reason = "name the lines that are to be adjusted, and their units or amounts"
        raise BadChange(reason, "lines")
    return _Next(status=claim.status, rows=keep.of(claim))


_STEPS: Mapping[Step, Callable[[ClaimState, _Keep], _Next]] = {
    "finalize": _finalize,
    "release": _release,
    "reverse": _reverse,
    "adjust": _adjust,
}


async def change_claim(
    step: Step, claim_id: str, change: ClaimChange, payer: str, books: Books, occasion: Occasion
) -> StepAnswer:
    """Take one step of a claim's life.

    Raises UnknownClaim, Conflict where the claim is not in a state for it, BadChange for units
    that the claim does not hold, and EngineFault.
    """

    async def attempt() -> StepAnswer:
        claim = await books.read_claim(payer, claim_id)
        if not claim.is_known:
            raise UnknownClaim(claim_id)
        following = _STEPS[step](claim, _keep(claim, change))
        if (following.status, tuple(following.rows)) == (claim.status, claim.rows):
            return _answer(claim, following, Moved(), is_new=False)
        moved = await books.change(payer, claim, following.rows, following.status, occasion)
        return _answer(claim, following, moved, is_new=True)

    return await contended(attempt)


def _keep(claim: ClaimState, change: ClaimChange) -> _Keep:
    """Read what lines are to keep: no more units than they hold."""
    if change.version is not None and change.version != claim.version:
        reason = f"version {claim.version} of the claim is in force, not {change.version}"
        raise Conflict(reason, "version")
    if change.lines and not claim.is_held:
        raise Conflict(f"the claim is {claim.status}: it holds nothing", "lines")
    held = units_of(claim.rows)
    keep = {}
    for place, each in enumerate(change.lines):
        if each.units is None:
            continue
        units = scaled(each.units)
        if units > held.get(each.line, 0):
            shown = written(held.get(each.line, 0))
            raise BadChange(
                f"line {each.line} holds {shown} units, not {each.units:f}:"
                " units are only given back here; send a new version of the claim for more",
                *("lines", place, "units"),
            )
        keep[each.line] = units
    amounts = {each.line: scaled(each.amount) for each in change.lines if each.amount is not None}
    places = {each.line: place for place, each in enumerate(change.lines)}
    return _Keep(units=keep, amounts=amounts, places=places)


def _answer(claim: ClaimState, following: _Next, moved: Moved, *, is_new: bool) -> StepAnswer:
    kept, amounts = units_of(following.rows), amounts_of(following.rows)
    before = amounts_of(claim.rows)
    return {
        "claim_id": claim.claim_id,
        "version": claim.version,
        "status": following.status,
        "changed": is_new,
        "lines": [
            {
                "line": line,
                "held_before": written(units),
                "held": written(kept.get(line, 0)),
                "amount_before": written_amount(before[line]),
                "amount": written_amount(amounts.get(line, 0)),
            }
            for line, units in sorted(units_of(claim.rows).items())
        ],
        "authorizations": [_given_back(*each) for each in _by_authorization(moved).items()],
    }


def _by_authorization(moved: Moved) -> dict[str, list[int]]:
    """Sum up the units and amounts that each authorization had and has of the claim."""
    sums: dict[str, list[int]] = {}
    for rows, place in ((moved.undone, 0), (moved.drawn, 2)):
        for row in rows:
            each = sums.setdefault(row.authorization_id, [0, 0, 0, 0])
            each[place] += row.units
            each[place + 1] += row.amount
    return sums


def _given_back(authorization_id: str, sums: Sequence[int]) -> GivenBack:
    return {
        "authorization_id": authorization_id,
        "units_before": written(sums[0]),
        "units": written(sums[2]),
        "amount_before": written_amount(sums[1]),
        "amount": written_amount(sums[3]),
    }
