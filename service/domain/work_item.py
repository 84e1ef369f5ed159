"""A claim on the worklist: what would come out otherwise now, and what was decided about it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from service.domain.actor import Actor
from service.domain.values import Frozen, Text

LATE_AUTHORIZATION = "late-authorization"
"""Why a claim is on the worklist: an authorization came after it was adjudicated."""

FALLS_OUTSIDE = "falls-outside"
"""An authorization changed after it was drawn on, and does not grant all of that any more."""

_TAG = re.compile(r'^(?:W/)?"(\d{1,18})-(\d{1,18})"$')

_NOTHING = Decimal(0), Decimal(0)

ItemState = Literal["open", "done", "dismissed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A claim that is offered for re-adjudication.

    ``entry`` is the ledger entry of the adjudication that would be run again: with another one the
    offer does not stand. ``authorizations`` are those that arrived, with the version that was seen;
    ``lines`` those that would come out otherwise. ``why``, ``by`` and ``on_behalf_of`` tell of the
    decision.
    """

    claim_id: str
    claim_version: int
    member_id: str = field(repr=False)
    entry: str
    authorizations: Mapping[str, int]
    lines: tuple[Mapping[str, Any], ...]
    offered_at: str
    state: ItemState = "open"
    reason: str = LATE_AUTHORIZATION
    decided_at: str | None = None
    by: str | None = None
    on_behalf_of: str | None = None
    why: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.state == "open"

    def decided(self, state: ItemState, *, at: str, actor: Actor, why: str | None) -> "WorkItem":
        """The item with the decision written in."""
        by, other = actor.by or None, actor.on_behalf_of or None
        return replace(self, state=state, decided_at=at, by=by, on_behalf_of=other, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An item as it was read; ``seen`` (sequence number, term) tells which write of it that was."""

    item: WorkItem
    seen: tuple[int, int]

    @property
    def tag(self) -> str:
        """The ETag under which somebody may decide."""
        return f'"{self.seen[0]}-{self.seen[1]}"'

    def as_answer(self) -> dict[str, Any]:
        """The item as it is shown."""
        item = self.item
        shown = asdict(item)
        del shown["entry"]
        shown["authorizations"] = [
            {"authorization_id": name, "version": version}
            for name, version in sorted(item.authorizations.items())
        ]
        if item.is_open:
            # Who is about to decide is written before it is decided.
            shown |= dict.fromkeys(("decided_at", "by", "on_behalf_of", "why"))
        return {**shown, "etag": self.tag}


def seen_of(tag: str) -> tuple[int, int]:
    """Read an ETag; raises ValueError for one that was not given out here."""
    found = _TAG.match(tag)
    if found is None:
        raise ValueError("this is not the ETag of an item")
    return int(found[1]), int(found[2])


class ItemDecision(Frozen):
    """Why an item of the worklist is decided so, and for whom where that is somebody else."""

    by: Text | None = None
    reason: Text | None = None


def joined(known: WorkItem | None, offered: WorkItem) -> WorkItem | None:
    """The item that the worklist should hold; None where the offer says nothing new.

    What was dismissed comes back with another authorization, with another version of one, or where
    more would be paid of a line than it said: units may have come back. One that is open for
    another reason keeps the lines that it has.
    """
    if known is None or known.entry != offered.entry:
        return offered
    newest = dict(known.authorizations)
    for name, version in offered.authorizations.items():
        newest[name] = max(version, newest.get(name, 0))
    if newest == known.authorizations and not _says_more(known, offered):
        return None
    if not known.is_open:
        return replace(offered, authorizations=newest)
    both = replace(offered, authorizations=newest, offered_at=known.offered_at)
    if known.reason == offered.reason:
        return both
    lines = {each["line"]: each for each in (*known.lines, *offered.lines)}
    shown = tuple(lines[number] for number in sorted(lines))
    return replace(both, lines=shown, reason=FALLS_OUTSIDE)


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
