"""Writes the answer of an adjudication: the record, completed with what the accumulators gave.

The same record and the same movements always give the same answer: so it is written anew when a
claim is sent again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from service.accounting.answers.balances import balances_told, with_balances
from service.accounting.answers.used import used_authorizations
from service.accounting.books.books import Moved
from service.accounting.books.grant import Row
from service.accounting.books.plan import Bounds
from service.accounting.books.record import BenefitDraft, Draft, KindDraft, LineDraft
from service.accounting.books.scale import written, written_amount
from service.domain.answers import (
    AdjustmentAnswer,
    AdjustmentReason,
    Before,
    BenefitAnswer,
    CandidateBalance,
    Change,
    ChangedLine,
    ChangesAnswer,
    Disposition,
    EventAnswer,
    LimitsAnswer,
    LineAnswer,
    Quantity,
    RecordedAnswer,
    ResolutionAnswer,
    ReturnedAnswer,
    Summary,
)

_Value = TypeVar("_Value")

NOTHING = (0, 0)
"""No units and no charge."""


def bounds_in(draft: Draft) -> dict[str, dict[str, Bounds]]:
    """The limits that were in force, by authorization and base; none in an empty record."""
    return {
        name: {
            base: Bounds(units=units, amount=amount, days=days, unit=unit)
            for base, (units, amount, days, unit) in bases.items()
        }
        for name, bases in draft.get("bounds", {}).items()
    }


def complete(draft: Draft, moved: Moved) -> RecordedAnswer:
    """The whole answer."""
    rows, tried = rows_by_line(moved.drawn), rows_by_line(moved.tried)
    told = balances_told(draft.get("granted", {}), moved.looked_at)
    lines = [
        line_answer(
            line,
            rows.get(line["line"], ()),
            draft,
            tried=tried.get(line["line"], ()),
            balances=told,
            is_short=line["line"] in moved.short,
            lean=frozenset(kind for number, kind in moved.lean if number == line["line"]),
        )
        for line in draft["lines"]
    ]
    before: Before = {}
    returned = [
        *_returned(moved.undone, "own"),
        *_returned(moved.given_back, "original"),
        *_returned(moved.unattached, "charge"),
    ]
    if returned:
        before["returned"] = returned
    if "previous" in draft:
        before["changed"] = changes(draft["previous"], summary(draft, lines))
    return {**draft["claim"], "lines": lines, **before, "rules": draft["rules"]}


def rows_by_line(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Rows by the claim line that they are of."""
    lines: dict[int, list[Row]] = {}
    for row in rows:
        lines.setdefault(row.line, []).append(row)
    return lines


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a line: units and charge billed and granted, and why."""

    disposition: Disposition
    billed: tuple[int, int]
    granted: tuple[int, int]
    events: list[EventAnswer]
    adjustments: list[AdjustmentAnswer]

    @property
    def rest(self) -> tuple[int, int]:
        """What was billed and not granted."""
        return self.billed[0] - self.granted[0], self.billed[1] - self.granted[1]


def line_answer(
    line: LineDraft,
    rows: Sequence[Row],
    draft: Draft,
    *,
    tried: Sequence[Row] = (),
    balances: Mapping[str, list[CandidateBalance]] | None = None,
    is_short: bool,
    lean: frozenset[str] = frozenset(),
) -> LineAnswer:
    """The answer of one line; ``is_short``: some was left, but not all that was asked.

    ``draft`` is that of the whole claim, ``tried`` what gave nothing, ``balances`` those of the
    candidates; ``lean`` names the kinds that ran short.
    """
    outcome = outcome_of(line, rows, draft, is_short, lean)
    unit = line["billed"]["unit"]
    waits = outcome.disposition == "suspend"
    benefit, actions = benefit_of(line, rows)
    answer: LineAnswer = {
        "line": line["line"],
        "disposition": outcome.disposition,
        "billed": _shown(outcome.billed, unit),
        "approved": _shown(outcome.granted, unit),
        "denied": _shown(NOTHING if waits else outcome.rest, unit),
        "suspended": _shown(outcome.rest if waits else NOTHING, unit),
        "adjustments": outcome.adjustments,
        "events": outcome.events,
        "resolved_events": line["resolved"],
        "actions": actions,
        "benefit": benefit,
        "adjudicated_authorizations": used_authorizations(line, rows, draft["authorizations"]),
        "tried_authorizations": used_authorizations(line, tried, draft["authorizations"]),
        "prior_authorizations": line["prior"],
        "requirement": line["requirement"],
        "results": with_balances(line["results"], line["day"], balances or {}),
    }
    if "decisions" in line:
        answer["resolutions"] = [resolution_answer(each) for each in line["decisions"]]
    return answer


def outcome_of(
    line: LineDraft,
    rows: Sequence[Row],
    draft: Draft,
    is_short: bool,
    lean: frozenset[str],
) -> Decided:
    """Decide about a line; the arguments are those of ``line_answer``."""
    denials = draft["denials"]
    billed = line["billed"]["units"], line["billed"]["amount"]
    granted = _granted(rows)
    rest = billed[0] - granted[0], billed[1] - granted[1]
    priced = min(_priced(rows), rest[1])
    short_of = rest[0], rest[1] - priced
    is_less = short_of != NOTHING
    short = [kind for kind in line["kinds"] if kind["kind"] in lean] or line["kinds"][:1]
    events = list(line["events"])
    if line["asks"] and (is_less or not rows):
        events += _shortage(short, rows, "exceeded" if rows or is_short else "exhausted")
    disposition = _disposition(events)
    if disposition == "suspend":
        return Decided(disposition, billed, NOTHING, events, [])
    if disposition == "deny":
        first = next(event["code"] for event in events if event["action"] == "deny")
        reason = line["denial"] if "denial" in line else denials[first]
        return Decided(disposition, billed, NOTHING, events, [_adjustment(reason, billed)])
    if not line["asks"]:
        if line.get("void"):
            return Decided("void", NOTHING, NOTHING, events, [])
        return Decided("pay", billed, billed, events, [])
    adjustments = [_adjustment(short[0]["adjustment"], short_of)] if is_less else []
    if priced:
        adjustments.append(_adjustment(draft["priced"], (0, priced)))
    return Decided("cut_back" if adjustments else "pay", billed, granted, events, adjustments)


def _priced(rows: Iterable[Row]) -> int:
    """How much of the charge is over an authorized price; of two kinds the lower price counts."""
    by_kind: dict[str, int] = {}
    for row in rows:
        by_kind[row.kind] = by_kind.get(row.kind, 0) + row.priced
    return max(by_kind.values(), default=0)


def _granted(rows: Iterable[Row]) -> tuple[int, int]:
    """Sum up what each kind granted; every kind grants the same, so that the least is all."""
    by_kind: dict[str, tuple[int, int]] = {}
    for row in rows:
        units, amount = by_kind.get(row.kind, NOTHING)
        by_kind[row.kind] = units + row.units, amount + row.amount
    sums = by_kind.values()
    return min((units for units, _ in sums), default=0), min((each for _, each in sums), default=0)


def _disposition(events: Iterable[EventAnswer]) -> Literal["suspend", "deny", "pay"]:
    """What becomes of the line: what needs a person comes before what denies by itself."""
    actions = {event["action"] for event in events}
    if "suspend" in actions:
        return "suspend"
    return "deny" if "deny" in actions else "pay"


def _shortage(
    short: Iterable[KindDraft], rows: Sequence[Row], what: Literal["exceeded", "exhausted"]
) -> list[EventAnswer]:
    """The event of each kind that ran short, about the last that was drawn, else the first tried.

    A line that got nothing cannot be paid: an event that does nothing by itself suspends it.
    """
    events = []
    for kind in short:
        event: EventAnswer = {**kind[what]}
        drawn = [row.authorization_id for row in rows if row.kind == kind["kind"]]
        named = drawn[-1:] or kind["order"][:1]
        if named:
            event["authorization_id"] = named[0]
        if not rows and event["action"] == "none":
            event["action"] = "suspend"
        events.append(event)
    return events


def _adjustment(reason: AdjustmentReason, of: tuple[int, int]) -> AdjustmentAnswer:
    return {**reason, "units": written(of[0]), "amount": written_amount(of[1])}


def _shown(quantity: tuple[int, int], unit: str) -> Quantity:
    units, amount = quantity
    return {"units": written(units), "unit": unit, "amount": written_amount(amount)}


def resolution_answer(decision: Mapping[str, Any]) -> ResolutionAnswer:
    """What an examiner decided about a line, as it is answered (seed 001)."""
    return {
        "action": decision["action"],
        "events": list(decision["resolved"]),
        "authorizations": list(decision["authorizations"]),
        "reason_code": decision["reason_code"],
        "reason": decision["reason"],
        "by": decision["by"],
        "on_behalf_of": decision["on_behalf_of"] or None,
        "at": decision["at"],
    }


def benefit_of(line: LineDraft, rows: Sequence[Row]) -> tuple[BenefitAnswer | None, list[str]]:
    """Take benefit limits off where the authorization pays (seed 001), unless it says not (004).

    A line that gave no limit says nothing of it: a benefit module that runs after us asks then.
    """
    given = line["benefit"]
    if not given["limit_adjustments"]:
        return None, []
    override = goes_before(given, [row.authorization_id for row in rows])
    limits = benefit_answer(given["limit_adjustments"], override=override, action=given["action"])
    benefit: BenefitAnswer = {
        "override": override,
        "limit_adjustments": limits["limit_adjustments"],
        "removed_limit_adjustments": limits["removed_limit_adjustments"],
    }
    return benefit, limits["actions"]


def goes_before(benefit: BenefitDraft, drawn: Sequence[str]) -> bool:
    """Whether what was drawn goes before the benefit's limits: all of it must."""
    return bool(drawn) and all(benefit["may_override"][name] for name in drawn)


def benefit_answer(limits: Sequence[Any], *, override: bool, action: str) -> LimitsAnswer:
    """Which benefit limits stand, which are taken off, and with which action code."""
    kept, removed = ([], list(limits)) if override else (list(limits), [])
    return {
        "limit_adjustments": kept,
        "removed_limit_adjustments": removed,
        "actions": [action] if removed else [],
    }


def _returned(
    rows: Iterable[Row], whose: Literal["own", "original", "charge"]
) -> list[ReturnedAnswer]:
    """What was given back before the claim was drawn, by line and authorization."""
    return [
        {
            "of": whose,
            "line": row.line,
            "authorization_id": row.authorization_id,
            "authorization_line": row.authorization_line,
            "units": written(row.units),
            "amount": written_amount(row.amount),
        }
        for row in rows
    ]


def summary(draft: Draft, lines: Sequence[LineAnswer]) -> Summary:
    """What a later run of the claim is compared with."""
    return {
        "version": draft["claim"]["version"],
        "rules": draft["rules"],
        "lines": {
            str(line["line"]): {
                "disposition": line["disposition"],
                "approved_units": line["approved"]["units"],
                "approved_amount": line["approved"]["amount"],
                "authorizations": [
                    used["authorization_id"] for used in line["adjudicated_authorizations"]
                ],
            }
            for line in lines
        },
    }


def changes(before: Summary, after: Summary) -> ChangesAnswer:
    """What is other than in the run before: rules, then lines; those that are gone come last."""
    rules: dict[str, Change[str]] = {
        name: {"before": was, "after": now}
        for name, was, now in _pairs(before["rules"], after["rules"])
    }
    lines: list[ChangedLine] = [
        {"line": int(number), "before": was, "after": now}
        for number, was, now in _pairs(before["lines"], after["lines"])
    ]
    return {"since_version": before["version"], "rules": rules, "lines": lines}


def _pairs(
    before: Mapping[str, _Value], after: Mapping[str, _Value]
) -> Iterator[tuple[str, _Value | None, _Value | None]]:
    """Each name whose value is not the same, with both values."""
    for name in dict.fromkeys((*after, *before)):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)
