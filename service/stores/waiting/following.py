"""Keeps the worklist as the ledger says: an item comes and goes with the line that it is of.

Each entry may be looked at again, by two workers or when the ledger is read anew: the later one
counts, and what people set on an item is left alone.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from service.accounting.answers.stopped import StoppedLine, may_stop, stopped_lines
from service.accounting.books.claim_state import RELEASED, REVERSED
from service.accounting.books.record import Draft
from service.domain.actor import Actor
from service.domain.work_item import (
    Listed,
    WorkItem,
    entry_after,
    item_id,
    line_item,
    sooner,
)
from service.rules.book import RuleBook
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.key_names import SHELVES
from service.stores.ledger.entry import LedgerEntry, charges_in
from service.stores.ledger.reading import LedgerReading
from service.stores.ledger.records import moved_in, read_record
from service.stores.waiting.worklist import ATTEMPTS_MAX, Worklist

CHANGED = "the claim was adjudicated anew, reversed or replaced"
_ENTRIES_AT_ONCE = 500

Drafts = Sequence[tuple[LedgerEntry, Draft]]
"""Entries, each with its record."""


@dataclass(eq=False, repr=False)
class Following:
    """What the ledger says of lines that wait; raises EngineFault."""

    _worklist: Worklist
    _rules: Callable[[str], RuleBook]
    _over: Callable[[str, Sequence[str]], Awaitable[Collection[str]]]
    """Which of some authorizations have less than nothing left."""
    _decide_by: Callable[[str, Sequence[str]], Awaitable[Mapping[str, datetime]]]
    """By when to decide about those of some authorizations that are not decided."""

    async def follow(self, payer: str, entries: Drafts) -> None:
        """Have the worklist say what these entries say, the oldest first."""
        found: dict[str, list[WorkItem]] = {}
        changed: dict[str, LedgerEntry] = {}
        amended: dict[str, LedgerEntry] = {}
        for entry, draft in entries:
            fields = entry.fields
            if fields.get("a"):
                amended[fields["a"]] = entry
            claim_id, original = fields.get("c"), fields.get("oc")
            if claim_id and draft:
                found[claim_id] = self._found(payer, entry, draft)
                if fields.get("n") != "1":
                    changed[claim_id] = entry
            elif claim_id and fields.get("s") in (RELEASED, REVERSED):
                changed[claim_id] = entry
                found.pop(claim_id, None)
            for before in (*filter(None, [original]), *charges_in(fields)):
                changed[before] = entry
                found.pop(before, None)
        over = await self._over(payer, list(amended)) if amended else ()
        negative = [self._negative(payer, amended[name]) for name in amended if name in over]
        lines = [item for items in found.values() for item in items]
        await self._worklist.found(payer, [*await self._in_time(payer, lines), *negative])
        await self._close(payer, changed)

    async def _in_time(self, payer: str, lines: Sequence[WorkItem]) -> list[WorkItem]:
        """The items, those of pended authorizations due when these must be decided, if sooner."""
        pending = [each for each in lines if "pending" in each.outcomes]
        names = list(dict.fromkeys(name for each in pending for name in each.authorizations))
        clocks = await self._decide_by(payer, names) if names else {}

        def in_time(item: WorkItem) -> WorkItem:
            is_pending = "pending" in item.outcomes
            mine = [clocks[name] for name in item.authorizations if name in clocks]
            return sooner(item, min(mine)) if is_pending and mine else item

        return [in_time(each) for each in lines]

    def _negative(self, payer: str, entry: LedgerEntry) -> WorkItem:
        """The item of an authorization that has less than nothing left since it was changed."""
        fields = entry.fields
        table = self._rules(payer).references.worklist
        return table.timed(
            item_id=item_id("negative-balance", fields["a"]),
            kind="negative-balance",
            since=fields["at"],
            entry=entry.id,
            authorizations={fields["a"]: int(fields["v"])},
        )

    def _found(self, payer: str, entry: LedgerEntry, draft: Draft) -> list[WorkItem]:
        drawn = {each["row"]["l"] for each in orjson.loads(entry.fields.get("r") or "[]")}
        if not may_stop(draft, drawn):
            return []
        rules, told = self._rules(payer), orjson.loads(draft.get("sent", "{}"))
        member = told.get("member", {}).get("id")
        return [
            item_of(each, entry, draft, member, rules)
            for each in stopped_lines(draft, moved_in(entry, draft))
        ]

    async def _close(self, payer: str, changed: Mapping[str, LedgerEntry]) -> None:
        """Close what is of an adjudication that is not in force any more; it says by whom."""
        for _ in range(ATTEMPTS_MAX):
            listed = await self._worklist.of_claims(payer, changed)
            closed = [
                (_closed(each, changed[each.item.claim_id]), each)
                for each in listed
                if each.item.claim_id
                and entry_after(changed[each.item.claim_id].id, each.item.entry)
            ]
            done = await self._worklist.write_all(payer, closed)
            if all(done):
                return
        raise EngineUnavailable("elasticsearch", "other writes of items did not end")

    async def rebuild(self, payer: str, ledger: LedgerReading) -> None:
        """Read the ledger of a payer again, and have the worklist say what it says."""
        some: list[tuple[LedgerEntry, Draft]] = []
        async for entry in ledger.of_shelves(payer, range(SHELVES), with_records=True):
            some.append((entry, read_record(entry)[0]))
            if len(some) == _ENTRIES_AT_ONCE:
                await self.follow(payer, some)
                some = []
        await self.follow(payer, some)


def item_of(
    stopped: StoppedLine, entry: LedgerEntry, draft: Draft, member: str | None, rules: RuleBook
) -> WorkItem:
    """The item of a line that waits since an entry."""
    head = draft["claim"]
    outcomes = tuple(
        dict.fromkeys(
            outcome for code in stopped.events for outcome in rules.event_codes.outcomes_of(code)
        )
    )
    return rules.references.worklist.timed(
        item_id=line_item(head["claim_id"], stopped.line),
        kind=stopped.kind,
        since=entry.fields["at"],
        entry=entry.id,
        claim_id=head["claim_id"],
        claim_version=head["version"],
        line=stopped.line,
        member_id=member,
        claim_type=head["claim_type"],
        query_type=stopped.query_type,
        events=stopped.events,
        outcomes=outcomes,
        units=stopped.units,
        unit=stopped.unit,
        amount=stopped.amount,
        authorizations=stopped.authorizations,
    )


def _closed(listed: Listed, entry: LedgerEntry) -> WorkItem:
    fields = entry.fields
    actor = Actor(by=fields.get("by", ""), on_behalf_of=fields.get("obo", ""))
    return listed.item.decided(
        "done", at=fields["at"], actor=actor, why=fields.get("why") or CHANGED
    )
