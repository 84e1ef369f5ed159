"""An item of the worklist: why something waits for a person, who has it, and what was decided.

What is found (by the ledger, or by whoever offers something) and what people set are kept apart: an
item that is found again keeps who has it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal

import orjson

from service.domain.actor import Actor
from service.domain.claim import ClaimType
from service.domain.event import Outcome
from service.domain.moment import in_zone

ItemKind = Literal[
    "suspended",
    "review",
    "late-authorization",
    "freed-units",
    "falls-outside",
    "negative-balance",
    "duplicate",
    "overlap",
    "dead-letter",
]
"""Why something waits for a person: its line is suspended; it is marked for review; a claim would
come out otherwise (an authorization came, units came back, or it falls outside of one that
changed); or what is wrong with an authorization, or with what was sent."""

LATE_AUTHORIZATION: ItemKind = "late-authorization"
FREED_UNITS: ItemKind = "freed-units"
FALLS_OUTSIDE: ItemKind = "falls-outside"
OVERLAP: ItemKind = "overlap"
DEAD_LETTER: ItemKind = "dead-letter"

ItemState = Literal["open", "done", "dismissed"]

_NOTHING = Decimal(0), Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What people set on an item that is open.

    ``hold_until`` is the day on which it is shown again, ``skipped_by`` who does not want it next,
    ``asked`` what somebody was asked for, ``proposed`` a decision that a second person must make as
    well.
    """

    assignee: str | None = None
    team: str | None = None
    hold_until: str | None = None
    watchers: tuple[str, ...] = ()
    skipped_by: tuple[str, ...] = ()
    said: str | None = None
    asked: str | None = None
    proposed: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """Something that waits for a person.

    ``entry`` is the ledger entry of the adjudication that it is of: with another one in force it
    does not stand. ``line`` is None where it is of a whole claim. ``authorizations`` are those that
    were found or arrived, with the version that was seen; ``lines`` those that would come out
    otherwise. ``events`` are the codes that stop the line, ``outcomes`` what happened. ``why``,
    ``by`` and ``on_behalf_of`` tell of the decision.
    """

    item_id: str
    kind: ItemKind
    since: str
    due: str
    priority: int
    entry: str = ""
    claim_id: str | None = None
    claim_version: int | None = None
    line: int | None = None
    member_id: str | None = field(default=None, repr=False)
    claim_type: ClaimType | None = None
    query_type: str | None = None
    events: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    units: str | None = None
    unit: str | None = None
    amount: str | None = None
    authorizations: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[Mapping[str, Any], ...] = ()
    letter: str | None = None
    state: ItemState = "open"
    decided_at: str | None = None
    by: str | None = None
    on_behalf_of: str | None = None
    why: str | None = None
    handling: Handling = Handling()

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.state == "open"

    @property
    def tag(self) -> str:
        """The ETag under which somebody may decide: of what is decided upon, not of who has it.

        One about which somebody is just deciding has another.
        """
        seen = (
            self.item_id,
            self.entry,
            self.state,
            self.decided_at,
            self.authorizations,
            self.lines,
        )
        content = orjson.dumps((*seen, self.handling.proposed), option=orjson.OPT_SORT_KEYS)
        return f'"{hashlib.sha256(content).hexdigest()[:16]}"'

    def decided(self, state: ItemState, *, at: str, actor: Actor, why: str | None) -> "WorkItem":
        """The item with the decision written in."""
        by, other = actor.by or None, actor.on_behalf_of or None
        return replace(self, state=state, decided_at=at, by=by, on_behalf_of=other, why=why)

    def handled(self, **changes: Any) -> "WorkItem":
        """The item with something set by a person."""
        return replace(self, handling=replace(self.handling, **changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An item as it was read; ``seen`` (sequence number, term) tells which write of it that was."""

    item: WorkItem
    seen: tuple[int, int]

    def as_answer(self) -> dict[str, Any]:
        """The item as it is shown."""
        item = self.item
        shown = fields_of(item)
        del shown["entry"]
        shown["handling"] = fields_of(item.handling)
        shown["authorizations"] = [
            {"authorization_id": name, "version": version}
            for name, version in sorted(item.authorizations.items())
        ]
        if item.is_open:
            # Who is about to decide is written before it is decided.
            shown |= dict.fromkeys(("decided_at", "by", "on_behalf_of", "why"))
        return {**shown, "etag": item.tag}


def fields_of(value: WorkItem | Handling) -> dict[str, Any]:
    """The fields of an item as plain JSON has them; ``asdict`` would copy all of it."""
    names, read, lists = _FIELDS[type(value)]
    found = dict(zip(names, read(value), strict=True))
    for name in lists:
        found[name] = list(found[name])
    return found


def _fields(kind: type) -> tuple[list[str], Callable[[Any], tuple[Any, ...]], list[str]]:
    """The names of its fields, what reads them all, and those that are lists."""
    names = [each.name for each in fields(kind)]
    lists = [each.name for each in fields(kind) if each.default == ()]
    return names, attrgetter(*names), lists


_FIELDS = {kind: _fields(kind) for kind in (WorkItem, Handling)}


def item_id(*subject: str | int) -> str:
    """Name the item of a claim line, a claim, or whatever else it is of; it tells no id of those.

    >>> item_id("claim", "C-1") == item_id("claim", "C-1")
    True
    """
    return hashlib.sha256(orjson.dumps(subject)).hexdigest()[:24]


def line_item(claim_id: str, line: int) -> str:
    """Name the item of a claim line."""
    return item_id("line", claim_id, line)


def offer_item(claim_id: str) -> str:
    """Name the item of a claim that would come out otherwise."""
    return item_id("claim", claim_id)


def letter_item(letter: str) -> str:
    """Name the item of a dead letter."""
    return item_id(DEAD_LETTER, letter)


def came_again(known: WorkItem | None, found: WorkItem) -> WorkItem | None:
    """The item of something that came; None while it is open, and where a person left it so."""
    if known is None:
        return found
    return found.handled(watchers=known.handling.watchers) if known.state == "done" else None


def found_again(known: WorkItem | None, found: WorkItem) -> WorkItem | None:
    """The item of a claim line that the worklist should hold; None where it says nothing new.

    One that is still open waits since it did first, with the time it had then, and stays with who
    has it; one that was closed comes back as a new one, for those who watch it.
    """
    if known is None:
        return found
    if entry_after(known.entry, found.entry) or known.entry == found.entry:
        return None
    if known.is_open:
        told = replace(known.handling, proposed=None)
        return replace(
            found,
            handling=told,
            since=known.since,
            due=known.due,
            priority=min(known.priority, found.priority),
        )
    return found.handled(watchers=known.handling.watchers)


def sooner(item: WorkItem, due: datetime) -> WorkItem:
    """The item, due at a time if that is before it is due anyway."""
    if due >= datetime.fromisoformat(item.due):
        return item
    return replace(item, due=in_zone(due, UTC).isoformat(timespec="seconds"))


def entry_after(one: str, other: str) -> bool:
    """Whether a ledger entry was written after another; that of no entry was before all."""
    return _order(one) > _order(other)


def _order(entry: str) -> tuple[int, ...]:
    return tuple(map(int, entry.split("-"))) if entry else ()


def joined(known: WorkItem | None, offered: WorkItem) -> WorkItem | None:
    """The item of a claim that the worklist should hold; None where the offer says nothing new.

    What was dismissed comes back with another authorization, with another version of one, or where
    more would be paid of a line than it said: units may have come back. One that is open for
    another reason keeps the lines that it has; what was proposed of less is proposed no more.
    """
    if known is None or known.entry != offered.entry:
        return offered if known is None else found_again(known, offered)
    newest = dict(known.authorizations)
    for name, version in offered.authorizations.items():
        newest[name] = max(version, newest.get(name, 0))
    if newest == known.authorizations and not _says_more(known, offered):
        return None
    if not known.is_open:
        return replace(offered, authorizations=newest)
    both = replace(
        offered,
        authorizations=newest,
        since=known.since,
        due=known.due,
        handling=replace(known.handling, proposed=None),
    )
    if (known.kind == FALLS_OUTSIDE) == (offered.kind == FALLS_OUTSIDE):
        return both
    lines = {each["line"]: each for each in (*known.lines, *offered.lines)}
    shown = tuple(lines[number] for number in sorted(lines))
    return replace(both, lines=shown, kind=FALLS_OUTSIDE)


def _says_more(known: WorkItem, offered: WorkItem) -> bool:
    """Whether more would be paid now of any line than an item says."""
    told = {line["line"]: _payable(line) for line in known.lines}
    return any(
        more > before
        for line in offered.lines
        if line["better"]
        for before, more in zip(told.get(line["line"], _NOTHING), _payable(line), strict=True)
    )


def _payable(line: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    if line["now"] is None:
        return _NOTHING
    approved = line["now"]["approved"]
    return Decimal(approved["units"]), Decimal(approved["amount"])
