"""Writes the answer of an adjudication: the record, completed with what the accumulators gave.

The same record and the same movements always give the same answer: so it is written anew when a
claim is sent again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from service.accounting.answers.used import used_authorizations
from service.accounting.books.books import Moved
from service.accounting.books.grant import Row
from service.accounting.books.plan import Bounds
from service.accounting.books.record import Draft
from service.accounting.books.scale import written, written_amount

Answer = dict[str, Any]
EXCEEDED, EXHAUSTED = "exceeded", "exhausted"
NOTHING = (0, 0)
"""No units and no charge."""


def bounds_in(draft: Draft) -> dict[str, dict[str, Bounds]]:
    """Give the limits that were in force, by authorization and base."""
    return {
        name: {
            base: Bounds(units=units, amount=amount, days=days, unit=unit)
            for base, (units, amount, days, unit) in bases.items()
        }
        for name, bases in draft.get("bounds", {}).items()
    }


def complete(draft: Draft, moved: Moved) -> Answer:
    """Write the whole answer."""
    rows: dict[int, list[Row]] = {}
    for row in moved.drawn:
        rows.setdefault(row.line, []).append(row)
    lines = [
        line_answer(
            each,
            rows.get(each["line"], ()),
            draft["authorizations"],
            is_short=each["line"] in moved.short,
            lean=frozenset(kind for line, kind in moved.lean if line == each["line"]),
        )
        for each in draft["lines"]
    ]
    answer = {**draft["claim"], "lines": lines}
    undone = [*_returned(moved.undone, "own"), *_returned(moved.given_back, "original")]
    if undone:
        answer["returned"] = undone
    if "previous" in draft:
        answer["changed"] = changes(draft["previous"], summary(draft, lines))
    answer["rules"] = draft["rules"]
    return answer


class _Outcome(NamedTuple):
    """What became of a line: units and charge billed and granted, and why."""

    disposition: str
    billed: tuple[int, int]
    granted: tuple[int, int]
    events: list[Answer]
    adjustments: list[Answer]


def line_answer(
    draft: Draft,
    rows: Sequence[Row],
    known: Mapping[str, Any],
    *,
    is_short: bool,
    lean: frozenset[str] = frozenset(),
) -> Answer:
    """Write the answer of one line; ``is_short``: some was left, but not all that was asked.

    ``known`` is what is said of each authorization, ``lean`` names the kinds that ran short.
    """
    outcome = _outcome(draft, rows, is_short, lean)
    unit = draft["billed"]["unit"]
    benefit, actions = _benefit(draft, rows)
    return {
        "line": draft["line"],
        "disposition": outcome.disposition,
        "billed": _shown(*outcome.billed, unit),
        **_split(outcome, unit),
        "adjustments": outcome.adjustments,
        "events": [_event(each) for each in outcome.events],
        "resolved_events": [_event(each) for each in draft["resolved"]],
        "actions": actions,
        "benefit": benefit,
        "adjudicated_authorizations": used_authorizations(draft, rows, known),
        "prior_authorizations": draft["prior"],
        "requirement": draft["requirement"],
        "results": draft["results"],
    }


def _outcome(draft: Draft, rows: Sequence[Row], is_short: bool, lean: frozenset[str]) -> _Outcome:
    billed = draft["billed"]["units"], draft["billed"]["amount"]
    granted = _granted(rows)
    events, adjustments = list(draft["events"]), []
    short = [each for each in draft["kinds"] if each["kind"] in lean] or draft["kinds"][:1]
    is_less = granted[0] < billed[0] or granted[1] < billed[1]
    if draft["asks"] and not rows:
        events += _shortage(short, rows, EXCEEDED if is_short else EXHAUSTED)
    elif draft["asks"] and is_less:
        events += _shortage(short, rows, EXCEEDED)
    disposition = _disposition(events)
    if not draft["asks"] and disposition == "pay":
        granted = billed
        if draft.get("void"):
            disposition, billed, granted = "void", NOTHING, NOTHING
    elif draft["asks"] and is_less and disposition == "pay":
        disposition = "cut_back"
        rest = billed[0] - granted[0], billed[1] - granted[1]
        adjustments = [_adjustment(short[0]["adjustment"], *rest)]
    elif disposition == "deny":
        adjustments = _denials(events, *billed)
    if disposition in ("suspend", "deny"):
        granted = NOTHING
    return _Outcome(disposition, billed, granted, events, adjustments)


def _granted(rows: Iterable[Row]) -> tuple[int, int]:
    """Sum up what each kind granted; every kind grants the same, so that the least is all."""
    by_kind: dict[str, list[int]] = {}
    for row in rows:
        sums = by_kind.setdefault(row.kind, [0, 0])
        sums[0] += row.units
        sums[1] += row.amount
    if not by_kind:
        return 0, 0
    return min(each[0] for each in by_kind.values()), min(each[1] for each in by_kind.values())


def _disposition(events: Iterable[Mapping[str, Any]]) -> str:
    """Say what becomes of the line: what needs a person comes before what denies by itself."""
    actions = {each["action"] for each in events}
    if "suspend" in actions:
        return "suspend"
    return "deny" if "deny" in actions else "pay"


def _shortage(short: Iterable[Mapping[str, Any]], rows: Sequence[Row], what: str) -> list[Answer]:
    """Give the event of each kind that ran short.

    A line that got nothing cannot be paid: an event that does nothing by itself suspends it.
    """
    events = []
    for kind in short:
        event = {**kind[what]}
        last = [row.authorization_id for row in rows if row.kind == kind["kind"]]
        named = last[-1] if last else next(iter(kind["order"]), None)
        if named is not None:
            event["authorization_id"] = named
        if not rows and event["action"] == "none":
            event["action"] = "suspend"
        events.append(event)
    return events


def _denials(events: Iterable[Mapping[str, Any]], units: int, amount: int) -> list[Answer]:
    """Deny the whole line once, with the reason of the first event that denies."""
    first = next(each for each in events if each["action"] == "deny")
    return [_adjustment(first["deny_with"], units, amount)]


def _adjustment(rule: Mapping[str, Any], units: int, amount: int) -> Answer:
    return {
        "group": rule["group"],
        "carc": rule["carc"],
        "remarks": list(rule.get("remarks", ())),
        "units": written(units),
        "amount": written_amount(amount),
    }


def _split(outcome: _Outcome, unit: str) -> Answer:
    """Balance a line: approved, denied and suspended are together what was billed."""
    billed, granted = outcome.billed, outcome.granted
    rest = billed[0] - granted[0], billed[1] - granted[1]
    waits = outcome.disposition == "suspend"
    return {
        "approved": _shown(*granted, unit),
        "denied": _shown(*(NOTHING if waits else rest), unit),
        "suspended": _shown(*(rest if waits else NOTHING), unit),
    }


def _shown(units: int, amount: int, unit: str) -> Answer:
    return {"units": written(units), "unit": unit, "amount": written_amount(amount)}


def _event(event: Mapping[str, Any]) -> Answer:
    return {name: value for name, value in event.items() if name not in ("outcome", "deny_with")}


def _benefit(draft: Draft, rows: Sequence[Row]) -> tuple[Answer, list[str]]:
    """Take benefit limits off where the authorization pays (seed 001), unless it says not (004).

    ``override`` also tells a benefit module that runs after us whether to apply its limits.
    """
    given = draft["benefit"]
    may = given["may_override"]
    override = bool(rows) and all(may[row.authorization_id] for row in rows)
    answer = benefit_answer(given["limit_adjustments"], override=override, action=given["action"])
    actions = answer.pop("actions")
    return {"override": override, "action": given["action"], **answer}, actions


def benefit_answer(limits: Sequence[Any], *, override: bool, action: str) -> Answer:
    """Say which benefit limits stand, which are taken off, and with which action code."""
    kept, removed = ([], list(limits)) if override else (list(limits), [])
    return {
        "limit_adjustments": kept,
        "removed_limit_adjustments": removed,
        "actions": [action] if removed else [],
    }


def _returned(rows: Iterable[Row], whose: str) -> list[Answer]:
    """Say what was given back before the claim was drawn, by line and authorization."""
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


def summary(draft: Draft, lines: Sequence[Mapping[str, Any]]) -> Answer:
    """Give what a later run of the claim is compared with."""
    return {
        "version": draft["claim"]["version"],
        "rules": draft["rules"],
        "lines": {
            str(each["line"]): {
                "disposition": each["disposition"],
                "approved_units": each["approved"]["units"],
                "approved_amount": each["approved"]["amount"],
                "authorizations": [
                    used["authorization_id"] for used in each["adjudicated_authorizations"]
                ],
            }
            for each in lines
        },
    }


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Answer:
    """Say what is other than in the run before: rules, then lines."""
    rules = {
        name: {"before": before["rules"].get(name), "after": value}
        for name, value in after["rules"].items()
        if before["rules"].get(name) != value
    }
    rules |= {
        name: {"before": value, "after": None}
        for name, value in before["rules"].items()
        if name not in after["rules"]
    }
    lines = [
        {"line": int(number), "before": before["lines"].get(number), "after": value}
        for number, value in after["lines"].items()
        if before["lines"].get(number) != value
    ]
    gone = [
        {"line": int(number), "before": value, "after": None}
        for number, value in before["lines"].items()
        if number not in after["lines"]
    ]
    return {"since_version": before["version"], "rules": rules, "lines": [*lines, *gone]}
