"""What is used of an authorization is corrected by hand, with a reason."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from typing_extensions import TypedDict

from service.access.act import note
from service.accounting.answers.statement import statement
from service.accounting.books.books import (
    Correction,
    CorrectionRefused,
    occasion_of,
)
from service.accounting.books.plan import Drawable, base_of
from service.accounting.books.scale import scaled
from service.accounting.limits.bounds import RenewalUnknown, accounts_of, bounds_of
from service.accounting.limits.lines import how_counted
from service.application.authorizations import read
from service.application.parts import Caller
from service.domain.answers import StatementAnswer
from service.domain.authorization import Authorization
from service.domain.correction import BalanceCorrection
from service.domain.values import Weekday
from service.flow.adjudicating.adjudicate import Conflict
from service.flow.adjudicating.run import contended
from service.stores.connection.clock import now, today

KIND = "correct"
_PATHS = {"units": "/units", "amount": "/amount", "days": "/service_days"}


class BadCorrection(ValueError):
    """A correction that cannot be meant, at ``path``."""

    def __init__(self, path: str, reason: str) -> None:
        """Keep the path."""
        super().__init__(reason)
        self.path = path


class Corrected(TypedDict):
    """A correction that stands, and the account as it is now; ``changed`` is false for a repeat."""

    authorization_id: str
    correction_id: str
    changed: bool
    account: StatementAnswer


async def correct(caller: Caller, authorization_id: str, asked: BalanceCorrection) -> Corrected:
    """Add to what is used of one account, or take from it.

    Raises NotActing, NotFound, BadCorrection, Conflict for another correction of the same id or a
    void or superseded authorization, and EngineFault.
    """
    note(authorizations=(authorization_id,), why=asked.reason)
    occasion = occasion_of(KIND, now(), caller.subject.acting_for(asked.by), asked.reason)
    books = caller.stores.accumulators
    rules = caller.parts.rules.of(caller.payer, today())
    week_starts_on = rules.references.accounting.week_starts_on

    async def attempt() -> tuple[bool, Authorization]:
        stored = await read(caller, authorization_id)
        _check_current(stored.state)
        authorization = Authorization.model_validate(stored.source)
        line = _line_of(authorization, asked.account, week_starts_on)
        bounds, base = bounds_of(authorization), base_of(asked.account)
        counted = how_counted(authorization)
        correction = Correction(
            drawable=Drawable(
                authorization_id=authorization_id,
                version=stored.state["version"],
                bounds={base: bounds[base]},
                shape=counted.shape,
                lines=counted.lines,
            ),
            kind=authorization.kind,
            line=line,
            correction_id=asked.correction_id,
            account=asked.account,
            units=scaled(asked.units),
            amount=scaled(asked.amount),
            days=scaled(asked.service_days),
            owner=authorization.member.id,
        )
        return await books.correct(caller.payer, correction, occasion), authorization

    try:
        is_new, authorization = await contended(attempt)
    except CorrectionRefused as refused:
        raise _refusal(refused) from refused
    state = await books.accounts(caller.payer, authorization_id)
    accounts = statement(state, bounds_of(authorization))
    return {
        "authorization_id": authorization_id,
        "correction_id": asked.correction_id,
        "changed": is_new,
        "account": next(each for each in accounts if each["account"] == asked.account),
    }


def _check_current(state: Mapping[str, Any]) -> None:
    if state.get("void"):
        raise Conflict("the authorization is void: nothing of it is drawn any more")
    if newer := state.get("superseded_by"):
        raise Conflict(f"the authorization is superseded by {newer}: correct that one")


def _line_of(authorization: Authorization, name: str, week_starts_on: Weekday) -> int:
    """The line of an account, 0 for the header; raises BadCorrection for one that is not there."""
    base = base_of(name)
    head = base.rstrip("@~")
    line, period = (0 if head == "H" else int(head[1:])), name[len(base) :]
    if line and line not in {each.line for each in authorization.lines}:
        raise BadCorrection("/account", f"the authorization has no line {line}")
    try:
        day = date.fromisoformat(period) if period else date.min
        accounts = accounts_of(authorization, line, week_starts_on)
        names = {each.base: each.name_on(day) if period else each.base for each in accounts}
    except (RenewalUnknown, ValueError, OverflowError) as error:
        raise BadCorrection("/account", "it is not known which period that is") from error
    if base not in names:
        raise BadCorrection("/account", f"there is no such account; there are {_shown(names)}")
    if names[base] != name:
        raise BadCorrection("/account", f"the period of that day begins otherwise: {names[base]}")
    return line


def _shown(bases: dict[str, str]) -> str:
    return ", ".join(f"{base}DAY" if base[-1] in "@~" else base for base in bases)


def _refusal(refused: CorrectionRefused) -> Exception:
    if refused.measure is None:
        return Conflict("another correction was made under this id")
    reason = "less than nothing would be used" if refused.is_below else "more than can be counted"
    return BadCorrection(_PATHS[refused.measure], reason)
