"""Adjudicates a claim: matches it, draws its units in one step, and says what becomes of each line.

A claim that was adjudicated before is answered from its record; nothing is ever drawn twice.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any

from service.accounting.answers.answer import complete, summary
from service.accounting.books.books import (
    AuthorizationChanged,
    ClaimMoved,
    DrawRequest,
    Home,
    Occasion,
)
from service.accounting.books.claim_state import REPLACED, RESERVED, REVERSED, USED, ClaimState
from service.accounting.books.claim_state import VOID as VOIDING
from service.accounting.books.record import pack
from service.domain.adjudication import (
    Adjudication,
    content_of,
    fingerprint,
    fingerprints_as,
)
from service.domain.answers import AdjudicationAnswer, Summary
from service.domain.engine_fault import EngineFault
from service.domain.person import PersonChanged
from service.flow.adjudicating._drafting import REPLACEMENT, VOID, Drafted, Drafting
from service.flow.adjudicating.choosing import choose_all
from service.flow.adjudicating.lookup import Opened
from service.flow.adjudicating.rooms import Rooms, Run
from service.flow.matching.finding import CandidateSource
from service.flow.matching.match import Matched, match_once

ATTEMPTS_MAX = 8
FIRST_PAUSE_S = 0.02
CHAIN_MAX = 20
_TURNS = 4
"""So often the loop must turn until the question to Redis is out; then matching may have it."""

_STATUS_OF_STAGE = {"final": USED, "preliminary": RESERVED}
_KIND_OF_STAGE = {"final": "apply", "preliminary": "reserve"}
_OF_ANOTHER = (
    "this claim id was adjudicated for another member: send the claim under an id of its own"
)


class Conflict(Exception):
    """The claim was adjudicated otherwise, or is not what this call takes it for."""


class Overtaken(Conflict):
    """The adjudication that was to be run again is not the one in force any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjudicated:
    """The answer; ``home`` is where something was written, and ``matched`` what was found."""

    answer: AdjudicationAnswer
    home: Home | None = None
    matched: Matched | None = None
    replayed: bool = False


async def adjudicate(claim: Adjudication, run: Run, rooms: Rooms) -> Adjudicated:
    """Adjudicate one claim.

    Raises Conflict, BadSelection, ValueError for a quantity too large to be counted, and
    EngineFault when an engine fails: then nothing was moved, or all of it; the same call again
    tells which.
    """
    pause = FIRST_PAUSE_S
    for _ in range(ATTEMPTS_MAX):
        try:
            return await _attempt(claim, run, rooms)
        except (ClaimMoved, AuthorizationChanged, PersonChanged):
            # Somebody else was quicker; what was read is read again. A push that is on its way in
            # becomes searchable within a moment.
            await asyncio.sleep(pause)
            pause *= 2
    raise EngineFault("redis", "the claim, or an authorization, is being changed")


async def _attempt(claim: Adjudication, run: Run, rooms: Rooms) -> Adjudicated:
    """Look the claim up and match it side by side: most claims are new, and each takes its time."""
    member = claim.member.id
    looking = asyncio.create_task(
        rooms.books.look_up(run.payer, claim.claim_id, member, dry=run.dry)
    )
    source = Opened(rooms.source, looking)
    matching = asyncio.create_task(_match(claim, run, source, rooms))
    try:
        return await _decide(claim, await looking, matching, run, rooms)
    finally:
        await _end(looking, matching)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """End what nobody waits for any more: a claim that was answered before needs no match."""
    for each in tasks:
        each.cancel()
    if not all(each.done() for each in tasks):
        await asyncio.wait(tasks)
    for each in tasks:
        if not each.cancelled():
            each.exception()


async def _decide(
    claim: Adjudication,
    looked_up: tuple[Home, ClaimState],
    matching: Awaitable[Matched | None],
    run: Run,
    rooms: Rooms,
) -> Adjudicated:
    home, state = looked_up
    if not home.is_of_member:
        raise Conflict(_OF_ANOTHER)
    _check_in_force(state, run)
    sent = content_of(claim)
    mark = fingerprint(sent)
    if _is_replay(claim, state, mark, home, run):
        return await _replay(claim, state, home, rooms)
    _check_order(claim, state)
    if home.is_apart:
        home, state = await _bring_home(home, state, rooms, run)
    original = await _original(claim, home, rooms, run)
    matched = await matching
    previous = await _summary(state, home, rooms) if state.is_known else None
    drafted = await _draft(claim, original, home, matched, previous, rooms)
    request = DrawRequest(
        claim=state,
        version=claim.version,
        fingerprint=mark,
        state=_status(claim, state, run),
        plan=drafted.plan,
        occasion=Occasion(
            kind=_kind(claim, state), at=run.at, by=claim.by or "", why=claim.reason or ""
        ),
        owner=home.owner,
        original=original if original and original.claim_id != claim.claim_id else None,
        original_status=REVERSED if claim.frequency == VOID else REPLACED,
        record=pack(drafted.draft),
        matched=_found(matched),
        waiting=replace(drafted.waiting, sent=sent),
        dry=run.dry,
    )
    moved = await rooms.books.draw(home, request)
    answer = complete(drafted.draft, moved)
    return Adjudicated(
        answer={**answer, "status": request.state, "replayed": False, "dry_run": run.dry},
        home=None if run.dry else home,
        matched=matched,
    )


def _check_in_force(state: ClaimState, run: Run) -> None:
    if run.entry is None:
        return
    if not state.is_held or not state.stands_as(run.entry):
        raise Overtaken("the claim was adjudicated anew, reversed or replaced meanwhile")


def _status(claim: Adjudication, state: ClaimState, run: Run) -> str:
    if run.entry is not None:
        return state.status
    return VOIDING if claim.frequency == VOID else _STATUS_OF_STAGE[claim.stage]


def _is_replay(claim: Adjudication, state: ClaimState, mark: str, home: Home, run: Run) -> bool:
    """Whether this very claim was answered before. Raises Conflict for other content."""
    known = state.fingerprints.get(claim.version)
    if known is None or run.again:
        return False
    if known == mark or known in fingerprints_as(claim, home.person):
        return True
    if state.version == claim.version and state.status == RESERVED and claim.stage == "final":
        return False
    raise Conflict(
        f"version {claim.version} of this claim was adjudicated with other content;"
        " send a higher version, or ask to readjudicate"
    )


async def _bring_home(
    home: Home, state: ClaimState, rooms: Rooms, run: Run
) -> tuple[Home, ClaimState]:
    """Bring a claim, and before it what it holds, to where its person's claims are drawn."""
    if home.person is not None and home.person.also:
        await rooms.gathering.bring(home.payer, home.person, state.authorizations)
    return await rooms.books.bring_home(home, state, dry=run.dry)


def _check_order(claim: Adjudication, state: ClaimState) -> None:
    if claim.version < state.version:
        raise Conflict(f"version {state.version} of this claim was adjudicated already")
    if state.replaced_by is not None:
        raise Conflict(f"this claim was {state.status} by claim {state.replaced_by}")


async def _replay(claim: Adjudication, state: ClaimState, home: Home, rooms: Rooms) -> Adjudicated:
    draft, moved = await rooms.records.recorded(home, state.entries[claim.version])
    answer = complete(draft, moved)
    return Adjudicated(
        answer={**answer, "status": state.status, "replayed": True, "dry_run": False},
        replayed=True,
    )


async def _original(claim: Adjudication, home: Home, rooms: Rooms, run: Run) -> ClaimState | None:
    """Find what a replacement or void is about: the claim named, or what replaced that since.

    A claim of another member is not looked at: it is answered like one that does not exist.
    """
    if claim.frequency not in (REPLACEMENT, VOID) or claim.original_claim_id is None:
        return None
    name: str | None = claim.original_claim_id
    there, state = home, None
    for _ in range(CHAIN_MAX):
        if name is None or name == claim.claim_id:
            break
        found = await rooms.books.find_claim(home, name)
        if found is None:
            return None
        there, state = found
        if state.is_held or state.replaced_by in (None, claim.claim_id):
            break
        name = state.replaced_by
    if name == claim.claim_id:
        there, state = home, await rooms.books.read_claim(home, claim.claim_id)
    if state is None or not state.is_known:
        return None
    if there.is_apart:
        _, state = await _bring_home(there, state, rooms, run)
    return state


async def _summary(state: ClaimState, home: Home, rooms: Rooms) -> Summary:
    """The run before in short, so that this one can say what changed."""
    draft, moved = await rooms.records.recorded(home, state.entries[state.version])
    return summary(draft, complete(draft, moved)["lines"])


async def _match(
    claim: Adjudication, run: Run, source: CandidateSource, rooms: Rooms
) -> Matched | None:
    """Match a claim; a void has nothing to match."""
    if claim.frequency == VOID:
        return None
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    return await match_once(claim, run.payer, rules=rooms.rules, source=source)


async def _draft(
    claim: Adjudication,
    original: ClaimState | None,
    home: Home,
    matched: Matched | None,
    previous: Summary | None,
    rooms: Rooms,
) -> Drafted:
    drafting = Drafting(
        claim=claim,
        rules=rooms.rules,
        person=home.person,
        previous=previous,
        is_unknown=claim.frequency in (REPLACEMENT, VOID) and original is None,
    )
    if matched is None:
        return drafting.void_drafted()
    return drafting.claim_drafted(matched, await choose_all(claim, matched, home, rooms))


def _found(matched: Matched | None) -> tuple[str, ...]:
    """Name every authorization that was found, whatever its status (seed 001)."""
    shown = (each for search in matched.searches for each in search.ranked.shown) if matched else ()
    return tuple(dict.fromkeys(each.candidate.authorization_id for each in shown))


def _kind(claim: Adjudication, state: ClaimState) -> str:
    """Name what happens, as the ledger calls it."""
    if claim.frequency == VOID:
        return "void"
    if claim.frequency == REPLACEMENT:
        return "replace"
    return "readjudicate" if state.is_known else _KIND_OF_STAGE[claim.stage]
