"""Compares a claim as it was adjudicated with what would come out now: is anything better?

Only what is better because of an authorization that arrived is offered. Pure, on answers.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from service.accounting.books.grant import Row
from service.accounting.books.rows import COUNTED, HeldRow
from service.domain.answers import LineAnswer
from service.matching.resolution import is_active

_DISPOSITIONS = ("void", "deny", "suspend", "cut_back", "pay")
_CLASSES = ("none", "non-exact", "exact")
_PAYABLE = ("pay", "cut_back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Lines that would come out otherwise, and the authorizations that arrived for them.

    ``needs_nobody``: all that is better would be paid without an examiner, and nothing is worse.
    ``is_new``: one of them was no candidate before, or in another version; else units came back.
    """

    lines: tuple[dict[str, Any], ...]
    authorizations: Mapping[str, int]
    needs_nobody: bool
    is_new: bool


def offer_of(
    before: Sequence[LineAnswer], now: Sequence[LineAnswer], arrived: Iterable[str] | None
) -> Offer | None:
    """What to offer, None where nothing is better; ``arrived`` is None for any.

    An authorization has a part in a line if it is a candidate of it now, or was one before: one
    that was withdrawn may have stood in the way.
    """
    ids = None if arrived is None else frozenset(arrived)
    known = {line["line"]: line for line in before}
    lines, versions, is_any_better = [], dict[str, int](), False
    needs_nobody, is_new = True, False
    for line in now:
        was = known[line["line"]]
        candidates = _candidates(was)
        seen = candidates | _candidates(line)
        mine = {name: each for name, each in seen.items() if ids is None or name in ids}
        better, worse = is_better(was, line), _is_worse(was, line)
        if better and mine:
            is_any_better = True
            versions |= mine
            is_new |= any(candidates.get(name) != each for name, each in mine.items())
            needs_nobody &= line["disposition"] in _PAYABLE
        needs_nobody &= not worse
        if better or worse:
            lines.append(_shown(was, line, better=better, authorizations=mine))
    if not is_any_better:
        return None
    return Offer(
        lines=tuple(lines), authorizations=versions, needs_nobody=needs_nobody, is_new=is_new
    )


def shown_outside(
    before: Sequence[LineAnswer],
    now: Sequence[LineAnswer] | None,
    outside: Collection[int],
    authorization_id: str,
) -> tuple[dict[str, Any], ...]:
    """Show lines that fall outside: as they were, and as they would come out if that is known."""
    would = {line["line"]: line for line in now or ()}
    return tuple(
        {
            "line": line["line"],
            "better": False,
            "before": _told(line),
            "now": _told(would[line["line"]]) if line["line"] in would else None,
            "authorizations": [authorization_id],
        }
        for line in before
        if line["line"] in outside
    )


def is_better(before: LineAnswer, now: LineAnswer) -> bool:
    """Whether a line would come out better: by what becomes of it, what is paid, or its class.

    Of the class only granting authorizations count: a pended or denied one helps nobody. A line
    that was paid in full waits for nothing.
    """
    if before["disposition"] == "pay" or _is_worse(before, now):
        return False
    if _order(now) > _order(before) or _approved(now) != _approved(before):
        return True
    was, is_now = _classes(before), _classes(now)
    kinds = was.keys() & is_now.keys()
    return any(is_now[kind] > was[kind] for kind in kinds) and all(
        is_now[kind] >= was[kind] for kind in kinds
    )


def _is_worse(before: LineAnswer, now: LineAnswer) -> bool:
    """Whether less would be paid of a line, or more of it stopped."""
    paid = zip(_approved(now), _approved(before), strict=True)
    return _order(now) < _order(before) or any(less < more for less, more in paid)


def _order(line: LineAnswer) -> int:
    return _DISPOSITIONS.index(line["disposition"])


def _approved(line: LineAnswer) -> tuple[Decimal, Decimal]:
    approved = line["approved"]
    return Decimal(approved["units"]), Decimal(approved["amount"])


def _classes(line: LineAnswer) -> dict[str, int]:
    """For each kind that is needed, the best class of an authorization that grants."""
    return {
        result["type"]: max(
            (
                _CLASSES.index(each["class"])
                for each in result["candidates"]
                if is_active(each["action"])
            ),
            default=0,
        )
        for result in line["results"]
        if result["required"]
    }


def _candidates(line: LineAnswer) -> dict[str, int]:
    return {
        each["authorization_id"]: int(each["version"])
        for result in line["results"]
        for each in result["candidates"]
    }


def _shown(
    before: LineAnswer, now: LineAnswer, *, better: bool, authorizations: Collection[str]
) -> dict[str, Any]:
    return {
        "line": now["line"],
        "better": better,
        "before": _told(before),
        "now": _told(now),
        "authorizations": sorted(authorizations),
    }


def _told(line: LineAnswer) -> dict[str, Any]:
    classes = {each["type"]: each["class"] for each in line["results"] if each["required"]}
    return {
        "disposition": line["disposition"],
        "classes": classes,
        "approved": dict(line["approved"]),
        "events": [each["code"] for each in line["events"]],
    }


def was_lowered(held: Iterable[HeldRow], drawn: Iterable[Row]) -> bool:
    """Whether a claim holds less than it drew: a step took some back, and a new run would not."""
    return _sums(held) != _sums(drawn)


def _sums(rows: Iterable[HeldRow | Row]) -> dict[tuple[int, str, str, int], tuple[int, int]]:
    sums: dict[tuple[int, str, str, int], tuple[int, int]] = {}
    for row in rows:
        if row.kind == COUNTED:
            continue
        key = row.line, row.kind, row.authorization_id, row.authorization_line
        units, amount = sums.get(key, (0, 0))
        sums[key] = units + row.units, amount + row.amount
    return sums
