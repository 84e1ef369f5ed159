"""Makes records of adjudications and the movements that complete them, and tells the answers."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, cast

from service.accounting.answers.answer import line_answer
from service.accounting.books.grant import AccountMovement, Balance, Row
from service.accounting.books.record import Draft, KindDraft, KnownAuthorization, LineDraft
from service.accounting.books.scale import scaled
from service.domain.answers import AdjustmentReason, EventAnswer, LineAnswer
from service.domain.claim import AuthorizationKind

EXCEEDED: AdjustmentReason = {"group": "CO", "carc": "198", "remarks": []}
PRICED: AdjustmentReason = {"group": "CO", "carc": "45", "remarks": ["N45"]}
DENIALS: dict[str, AdjustmentReason] = {
    "SPA-0009": {"group": "CO", "carc": "197", "remarks": []},
    "SPA-0011": {"group": "CO", "carc": "198", "remarks": []},
    "SPA-0014": {"group": "CO", "carc": "284", "remarks": ["N54"]},
}

KNOWN: dict[str, KnownAuthorization] = {
    name: {
        "number": f"AU-{name}",
        "kind": "authorization",
        "version": 3,
        "actions": {"1": "A1"},
        "flags": {},
    }
    for name in ("A1", "A2", "R1")
}


def whole(quantity: str) -> int:
    """A quantity as it is counted."""
    return scaled(Decimal(quantity))


def event(code: str, action: str = "none", **more: Any) -> EventAnswer:
    """An event, with what its action does to the line."""
    return cast(EventAnswer, {"code": code, "action": action, **more})


def kind_of(
    kind: str = "authorization",
    *order: str,
    exceeded: str = "none",
    exhausted: str = "suspend",
    adjustment: AdjustmentReason = EXCEEDED,
) -> KindDraft:
    """What a record keeps of a kind in case that its units run short."""
    return {
        "kind": kind,
        "query_type": "professional",
        "exceeded": event("SPA-0011" if exceeded == "deny" else "SPA-0044", exceeded),
        "exhausted": event("SPA-0011", exhausted),
        "adjustment": adjustment,
        "order": list(order),
    }


def line_draft(line: int = 1, units: str = "4", amount: str = "240", **changes: Any) -> LineDraft:
    """The record of a claim line that asks for its units, unless something else is said."""
    draft: LineDraft = {
        "day": "2026-04-06",
        "line": line,
        "billed": {"units": whole(units), "unit": "UN", "amount": whole(amount)},
        "asks": True,
        "events": [],
        "resolved": [],
        "kinds": [kind_of("authorization", "A1")],
        "benefit": {"action": "BENAU", "limit_adjustments": [], "may_override": {}},
        "prior": [],
        "requirement": None,
        "results": [],
    }
    return cast(LineDraft, {**draft, **changes})


def drawn(
    units: str = "4",
    amount: str = "240",
    of: str = "A1",
    *,
    line: int = 1,
    authorization_line: int = 1,
    kind: AuthorizationKind = "authorization",
    movements: Iterable[AccountMovement] = (),
) -> Row:
    """What was drawn from an authorization, in claim units and charge."""
    return Row(
        line=line,
        part=1,
        kind=kind,
        authorization_id=of,
        authorization_line=authorization_line,
        origin="automatic",
        units=whole(units),
        amount=whole(amount),
        movements=tuple(movements),
    )


def moved(
    account: str, before: str, after: str, *, limit: str | None = None, amount: str = "0"
) -> AccountMovement:
    """The movement of an account from so many units used to so many."""
    bound = None if limit is None else whole(limit)
    nothing = Balance(limit=None, used=0, reserved=0)
    return AccountMovement(
        account=account,
        unit="UN",
        units=whole(after) - whole(before),
        amount=whole(amount),
        days=0,
        before={
            "units": Balance(limit=bound, used=whole(before), reserved=0),
            "amount": nothing,
            "days": nothing,
        },
        after={
            "units": Balance(limit=bound, used=whole(after), reserved=0),
            "amount": Balance(limit=None, used=whole(amount), reserved=0),
            "days": nothing,
        },
    )


def recorded(*lines: LineDraft, **more: Any) -> Draft:
    """The record of a claim; all its authorizations go before benefit limits, unless it is said."""
    drafts = []
    for line in lines:
        may = {**dict.fromkeys(KNOWN, True), **line["benefit"]["may_override"]}
        drafts.append({**line, "benefit": {**line["benefit"], "may_override": may}})
    usual = {
        "claim": {"claim_id": "C-1", "version": 2},
        "rules": {"accounting": "2026.1"},
        "lines": drafts,
        "denials": DENIALS,
        "priced": PRICED,
        "authorizations": KNOWN,
        "bounds": {},
    }
    return cast(Draft, {**usual, **more})


def answered(
    line: LineDraft, *rows: Row, short: bool = False, lean: Iterable[str] = ()
) -> LineAnswer:
    """The answer of a line; ``lean`` are the kinds that ran short."""
    draft = recorded(line)
    return line_answer(draft["lines"][0], rows, draft, is_short=short, lean=frozenset(lean))


def told(answer: LineAnswer) -> list[str]:
    """What becomes of a line: disposition, the parts of what was billed, adjustments."""
    parts = {
        "approved": answer["approved"],
        "denied": answer["denied"],
        "suspended": answer["suspended"],
    }
    shown = [
        f"{name} {part['units']} {part['amount']}"
        for name, part in parts.items()
        if (part["units"], part["amount"]) != ("0", "0.00")
    ]
    adjustments = [
        " ".join([each["group"], each["carc"], *each["remarks"], each["units"], each["amount"]])
        for each in answer["adjustments"]
    ]
    return [answer["disposition"], *shown, *adjustments]
