"""What examiners decide about items of the worklist, and how that is undone.

A decision about a claim line rides with the claim, which is adjudicated anew with it in one step,
fenced by the ledger entry that the item is of: of two who decide at once the second is told what
the first did.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from service.access.act import note
from service.access.subject import BadPart
from service.application import worklist
from service.application.claims import count
from service.application.parts import Caller
from service.application.worklist import STALE, Stale, name_of
from service.domain.actor import Actor
from service.domain.adjudication import Adjudication
from service.domain.decision import (
    LINE_ACTIONS,
    Asked,
    Decision,
    Resolution,
    with_decision,
)
from service.domain.work_item import Listed, WorkItem
from service.domain.worklist_table import Action, ActionRow
from service.flow.adjudicating.adjudicate import (
    Adjudicated,
    Conflict,
    Overtaken,
    adjudicate,
    decisions_in,
)
from service.flow.adjudicating.choosing import BadSelection
from service.flow.adjudicating.run import Run
from service.rules.book import RuleBook
from service.stores.connection.clock import now, today

Answer = dict[str, Any]

_NEEDS: dict[Action, tuple[str, ...]] = {
    "select": ("clinical.authorization.write", "claims.adjudicate"),
    "override": ("clinical.authorization.write", "override", "claims.adjudicate"),
    "deny": ("claims.adjudicate",),
    "replace": ("claims.adjudicate",),
    "readjudicate": ("claims.adjudicate",),
}
"""The scopes that an action always needs beside worklist.work; the table may name more."""

_OF_SELECTION = "/selections/0"
_NO_OVERRIDE = "the accounting policy lets nobody use what is denied or pended (status_override)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The item as it is then, and the adjudication where the claim was adjudicated anew.

    ``proposed``: nothing was done yet, a second person must decide the same.
    """

    listed: Listed
    done: Adjudicated | None = None
    proposed: bool = False


def actions_of(caller: Caller, item: WorkItem) -> list[Answer]:
    """What may be decided about an item, what it takes, and why who asks may not; RulesUnknown."""
    rules = _rules(caller)
    texts = rules.references.worklist.reasons
    return [
        {
            "action": action,
            "scopes": list(_scopes(row)),
            "missing": [each for each in _scopes(row) if each not in caller.subject.scopes],
            "reasons": [{"code": each, "text": texts[each]} for each in row.reasons],
            "two_people": row.two_people,
            "deny_with": [each.model_dump(mode="json") for each in row.deny_with],
            "events": [
                {"code": code, "name": rules.event_codes.events[code].name}
                for code in _codes(item, row, rules)
            ],
            "barred": _barred(action, rules),
        }
        for action, row in worklist.allowed(caller, item).items()
    ]


async def resolve(
    caller: Caller, name: str, asked: Resolution, seen: str | None, *, dry: bool = False
) -> Resolved:
    """Decide about an item; ``seen`` is the ETag of what was seen, None for whatever stands.

    ``dry`` moves and writes nothing, and says what would come out. Raises NotOffered, Stale,
    Conflict where it was decided already, BadPart, BadSelection, NotPermitted, NotActing,
    EngineFault. A decision is first written to the item, so that nobody else can make one on what
    he saw before; if it ends there the item is still open.
    """
    note(why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    listed = await worklist.read(caller, name)
    item = listed.item
    worklist.demand_open(item)
    if seen is not None and seen != item.tag:
        raise Stale(STALE)
    row = _row(caller, item, asked)
    if row.two_people and not dry and _is_first(item, asked, actor):
        told = {"by": name_of(actor), "through": actor.by, "resolution": _content(asked)}
        await _write(caller, item.handled(proposed=told), listed)
        return Resolved(listed=await worklist.standing(caller, name), proposed=True)
    if asked.action == "request-information":
        return await _held(caller, listed, asked, actor, dry=dry)
    if asked.action == "no-action":
        closed = item.decided("dismissed", at=now(), actor=actor, why=_why(asked))
        if not dry:
            await _write(caller, closed, listed)
        return Resolved(listed=listed if dry else await worklist.standing(caller, name))
    return await _adjudicated(caller, listed, asked, actor, dry=dry)


async def undo(caller: Caller, name: str, asked: Asked, seen: str | None) -> Resolved:
    """Take back what was decided last about an item, while nothing followed.

    A claim is adjudicated anew without the decision; an item that was left as it is comes back.
    ``seen`` is the ETag of what was seen, None for whatever stands: somebody else may have decided
    otherwise since. Raises NotOffered, Stale, Conflict where there is nothing to undo or something
    followed, NotActing, NotPermitted, EngineFault.
    """
    note(why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    listed = await worklist.read(caller, name)
    item = listed.item
    if seen is not None and seen != item.tag:
        raise Stale(STALE)
    opened = replace(item, state="open", decided_at=None, by=None, on_behalf_of=None, why=None)
    if item.state == "dismissed":
        _demand(caller, opened, "no-action")
        await _write(caller, opened, listed)
        return Resolved(listed=await worklist.read(caller, name))
    if item.claim_id is None or item.line is None:
        raise Conflict("only a decision about a claim line can be undone")
    claim = await caller.stores.accumulators.read_claim(caller.payer, item.claim_id)
    entry = claim.entries.get(claim.version, "")
    record = await caller.stores.records.entry(caller.payer, entry)
    draft, _ = await caller.stores.records.recorded(caller.payer, entry)
    decisions = decisions_in(draft)
    last = next((each for each in decisions if each.line == item.line), None)
    if last is None:
        raise Conflict("nothing that was decided about this line is in force")
    if last.at != record.fields["at"] or record.fields["n"] != str(claim.sequence):
        raise Conflict(f"something followed the decision: {record.fields.get('why') or 'a step'}")
    _demand(caller, opened, last.action)
    kept = tuple(each for each in decisions if each is not last)
    why = f"undone: {last.told()}" + (f"; {asked.reason}" if asked.reason else "")
    sent = Adjudication.model_validate_json(draft["sent"])
    if not item.is_open:
        # Open by the time that its line waits again: so it waits since it first did.
        await _write(caller, opened, listed)
    done = await _run(caller, sent, entry, actor, why, decisions=kept)
    return Resolved(listed=await _afterwards(caller, listed), done=done)


def _row(caller: Caller, item: WorkItem, asked: Resolution) -> ActionRow:
    """The row that allows an action; raises BadPart for what it does not, NotPermitted."""
    row = worklist.allowed(caller, item).get(asked.action)
    if row is None:
        raise BadPart("/action", f"this is not done about an item of kind {item.kind}")
    for scope in _scopes(row):
        caller.subject.demand(scope, "/action")
    for path, reason in _misfits(item, row, asked, _rules(caller)):
        raise BadPart(path, reason)
    return row


def _misfits(
    item: WorkItem, row: ActionRow, asked: Resolution, rules: RuleBook
) -> Iterator[tuple[str, str]]:
    """Where a resolution does not fit its item, and why."""
    if (barred := _barred(asked.action, rules)) is not None:
        yield "/action", barred
    if item.claim_id is None if asked.action == "readjudicate" else _is_of_no_line(item, asked):
        yield "/action", "this item is of no claim that could be adjudicated so"
    if row.reasons and asked.reason_code not in row.reasons:
        yield "/reason_code", f"one of {', '.join(row.reasons)}"
    if not row.reasons and asked.reason_code is not None:
        yield "/reason_code", "this action has no reason codes"
    if asked.deny_with is not None and asked.deny_with not in row.deny_with:
        yield "/deny_with", "not one of the adjustments that fit the item"
    if asked.event is not None and asked.event not in _codes(item, row, rules):
        yield "/event", "not one of the events that may be raised instead"
    if asked.until is not None and asked.until <= today():
        yield "/until", "a day after today"


def _is_of_no_line(item: WorkItem, asked: Resolution) -> bool:
    return asked.action in LINE_ACTIONS and item.line is None


def _scopes(row: ActionRow) -> Iterable[str]:
    return dict.fromkeys((*_NEEDS.get(row.action, ()), *row.scopes))


def _demand(caller: Caller, item: WorkItem, action: Action) -> None:
    """See to it that who undoes an action might take it; raises NotPermitted."""
    row = worklist.allowed(caller, item).get(action)
    for scope in _NEEDS.get(action, ()) if row is None else _scopes(row):
        caller.subject.demand(scope, "/action")


def _barred(action: Action, rules: RuleBook) -> str | None:
    is_barred = action == "override" and not rules.references.accounting.status_override
    return _NO_OVERRIDE if is_barred else None


def _codes(item: WorkItem, row: ActionRow, rules: RuleBook) -> list[str]:
    """The events that may be raised instead of those of a line, in its type of query."""
    query_type = item.query_type or ""
    codes = [
        by_type.get(f"{query_type}/{item.claim_type}") or by_type.get(query_type)
        for by_type in (rules.event_codes.codes[each] for each in row.events)
    ]
    return list(dict.fromkeys(code for code in codes if code and code not in item.events))


def _rules(caller: Caller) -> RuleBook:
    return caller.parts.rules.of(caller.payer, today())


def _content(asked: Resolution) -> Answer:
    """What two people must agree on."""
    return asked.model_dump(mode="json", exclude={"by", "reason"}, exclude_defaults=True)


def _is_first(item: WorkItem, asked: Resolution, actor: Actor) -> bool:
    """Whether nobody has proposed this yet; raises Conflict for who proposed it himself."""
    proposed = item.handling.proposed
    if proposed is None or proposed["resolution"] != _content(asked):
        return True
    is_named = proposed["by"] != proposed["through"]
    first = Actor(by=proposed["through"], on_behalf_of=proposed["by"] if is_named else "")
    if actor.may_be(first):
        raise Conflict("a second person must decide the same: you proposed it")
    return False


def _why(asked: Resolution) -> str | None:
    parts = [f"[{asked.reason_code}]" if asked.reason_code else "", asked.reason or ""]
    return " ".join(filter(None, parts)) or None


async def _held(
    caller: Caller, listed: Listed, asked: Resolution, actor: Actor, *, dry: bool
) -> Resolved:
    """Wait for information: the item stays open, and is given out again on a day."""
    if dry or asked.until is None:
        return Resolved(listed=listed)
    told = f"{name_of(actor)}: {asked.reason}" if asked.reason else name_of(actor)
    held = listed.item.handled(hold_until=asked.until.isoformat(), asked=asked.asked, said=told)
    await _write(caller, held, listed)
    return Resolved(listed=await worklist.standing(caller, listed.item.item_id))


async def _adjudicated(
    caller: Caller, listed: Listed, asked: Resolution, actor: Actor, *, dry: bool
) -> Resolved:
    """Adjudicate the claim of an item anew, with a decision about its line if there is one."""
    item, decisions, why = listed.item, None, _why(asked)
    draft, _ = await caller.stores.waiting.kept(caller.payer, item.entry)
    at = now()
    if asked.action in LINE_ACTIONS and item.line is not None:
        made = _decision(item, item.line, asked, actor, at)
        decisions, why = with_decision(decisions_in(draft), made), made.told()
    if not dry:
        await _write(caller, item.decided("open", at=at, actor=actor, why=why), listed)
    sent = Adjudication.model_validate_json(draft["sent"])
    try:
        done = await _run(caller, sent, item.entry, actor, why, decisions=decisions, at=at, dry=dry)
    except ValueError:
        # Nothing was decided: who mends his request has still seen the item that stands.
        found = None if dry else await caller.stores.worklist.read(caller.payer, item.item_id)
        if found is not None and found.item.is_open and found.item.decided_at == at:
            again = replace(item, handling=found.item.handling)
            await caller.stores.worklist.write(caller.payer, again, found.seen)
        raise
    shown = listed if dry else await _afterwards(caller, listed)
    return Resolved(listed=shown, done=done)


async def _afterwards(caller: Caller, listed: Listed) -> Listed:
    """The item once its claim was adjudicated anew; what it shows is noted already."""
    await caller.stores.projection.project(caller.payer)
    found = await caller.stores.worklist.read(caller.payer, listed.item.item_id)
    return found or listed


def _decision(item: WorkItem, line: int, asked: Resolution, actor: Actor, at: str) -> Decision:
    proposed = item.handling.proposed
    first = f" (proposed by {proposed['by']})" if proposed else ""
    return Decision(
        line=line,
        action=asked.action,
        type=asked.type,
        authorizations=asked.authorizations,
        deny_with=asked.deny_with,
        event=asked.event,
        resolved=item.events,
        reason_code=asked.reason_code,
        reason=f"{asked.reason or ''}{first}" or None,
        by=actor.by,
        on_behalf_of=actor.on_behalf_of,
        at=at,
    )


async def _run(  # noqa: PLR0913 - how it is run
    caller: Caller,
    sent: Adjudication,
    entry: str,
    actor: Actor,
    why: str | None,
    *,
    decisions: tuple[Decision, ...] | None,
    at: str | None = None,
    dry: bool = False,
) -> Adjudicated:
    """Run the adjudication of an entry again; raises Conflict that says what was done meanwhile."""
    rules = caller.parts.rules.judging(caller.payer, sent)
    run = Run(
        payer=caller.payer,
        at=at or now(),
        rules=rules,
        dry=dry,
        again=True,
        entry=entry,
        actor=actor,
        decisions=decisions,
    )
    told = sent.model_copy(update={"reason": why})
    try:
        done = await adjudicate(told, run, caller.parts.claim_stores)
        return count(caller, rules.name, done, decisions or ())
    except Overtaken as overtaken:
        raise Conflict(await _what_happened(caller, sent.claim_id)) from overtaken
    except BadSelection as error:
        if decisions and error.path.startswith(_OF_SELECTION):
            error.path = error.path.removeprefix(_OF_SELECTION).replace("/line", "/type", 1)
        raise


async def _what_happened(caller: Caller, claim_id: str) -> str:
    """Say who was quicker, and what he did."""
    claim = await caller.stores.accumulators.read_claim(caller.payer, claim_id)
    record = await caller.stores.records.entry(caller.payer, claim.entries[claim.version])
    fields = record.fields
    who = fields.get("obo") or fields.get("by") or "the service"
    return f"the claim was changed meanwhile by {who}: {fields.get('why') or fields.get('k')}"


async def _write(caller: Caller, item: WorkItem, listed: Listed) -> None:
    if not await caller.stores.worklist.write(caller.payer, item, listed.seen):
        raise Stale(STALE)
