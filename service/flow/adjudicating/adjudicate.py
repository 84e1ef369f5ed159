"""Adjudicates a claim: matches it, draws its units in one step, and says what becomes of each line.

A claim that was adjudicated before is answered from its record; nothing is ever drawn twice.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.accounting.answers.answer import complete, summary
from service.accounting.books.books import (
    AuthorizationBehind,
    DrawRequest,
    LookedUp,
    occasion_of,
)
from service.accounting.books.claim_state import (
    REPLACED,
    RESERVED,
    REVERSED,
    SUSPENDED,
    USED,
    ClaimState,
)
from service.accounting.books.claim_state import VOID as VOIDING
from service.accounting.books.grant import Balances
from service.accounting.books.plan import ClaimPlan
from service.accounting.books.record import Draft, pack
from service.accounting.books.waiting import NEVER_WAITS
from service.accounting.planning.tallies import Values
from service.background import end
from service.domain.adjudication import (
    Adjudication,
    content_of,
    fingerprint,
    fingerprints_as,
)
from service.domain.answers import AdjudicationAnswer, Summary
from service.domain.charge import CHARGE, charges_of
from service.domain.claim import Claim
from service.domain.decision import Decision, with_decisions
from service.domain.engine_fault import RecordLost
from service.domain.misfits import Misfit
from service.domain.person import Person
from service.flow.adjudicating._drafting import REPLACEMENT, VOID, Drafting
from service.flow.adjudicating.choosing import choose_all
from service.flow.adjudicating.run import ClaimStores, Run, contended
from service.flow.matching.counting import Counting
from service.flow.matching.match import Matched, match_claim
from service.telemetry import stage

CHAIN_MAX = 20
_NOTHING = (0,) * 6

_STATUS_OF_STAGE = {"final": USED, "preliminary": RESERVED}
_KIND_OF_STAGE = {"final": "apply", "preliminary": "reserve"}
_OF_ANOTHER = (
    "this claim id was adjudicated for another member: send the claim under an id of its own"
)


class Conflict(Misfit):
    """The claim was adjudicated otherwise, or is not what this call takes it for."""


class Overtaken(Conflict):
    """The adjudication that was to be run again is not the one in force any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjudicated:
    """The answer, and what was found where the claim was matched; ``written``: it stands."""

    answer: AdjudicationAnswer
    matched: Matched | None = None
    replayed: bool = False
    written: bool = True


async def adjudicate(claim: Adjudication, run: Run, stores: ClaimStores) -> Adjudicated:
    """Adjudicate one claim.

    Raises Conflict, BadSelection, ValueError for a quantity too large to be counted, and
    EngineFault when an engine fails: then nothing was moved, or all of it; the same call again
    tells which.
    """

    async def attempt() -> Adjudicated:
        try:
            return await _attempt(claim, run, stores)
        except AuthorizationBehind as behind:
            # Whoever pushed the version may never come to it: then it is done here.
            await stores.versions.catch_up(run.payer, behind.authorization_id)
            raise

    done = await contended(attempt)
    if stores.live_check is not None and done.matched is not None:
        stores.live_check.offer(done.matched)
    return done


async def _attempt(claim: Adjudication, run: Run, stores: ClaimStores) -> Adjudicated:
    """Look the claim up, match it, draw it.

    Most claims are new: one that may be at rest is asked for while it is matched; if more is known
    then, it is matched anew.
    """
    books, sent, counting = stores.books, content_of(claim), Counting.of(claim, run.rules)
    found = await books.look_up(
        run.payer,
        claim.claim_id,
        claim.member.id,
        counters=counting.looks_back,
        charges=charges_of(claim),
    )
    counted = counting.values(found)
    matching: asyncio.Task[Matched | None] | None = None
    if not found.claim.is_known:
        matching = asyncio.create_task(_match(claim, run, found.person, stores, counted))
    try:
        if found.may_rest:
            found = await books.recall(run.payer, found)
        if await _is_replay(claim, found, fingerprint(sent), run, stores):
            return await _replay(found.claim, claim.version, run, stores)
        _check_order(claim, found.claim)
        original = await _original(claim, claim.version, found, stores, run)
        known = counting.values(found, original)
        if matching is not None and known == counted:
            matched = await matching
        else:
            matched = await _match(claim, run, found.person, stores, known)
    finally:
        if matching is not None:
            await end(matching)
    before = _Before(sent=sent, found=found, original=original, counting=counting)
    return await _draw(claim, before, matched, run, stores)


async def balances_before(
    claim: Claim, run: Run, stores: ClaimStores, accounts: Mapping[str, Iterable[str]]
) -> Balances:
    """Balances of accounts, by authorization, as an adjudication would find them; moves nothing.

    What the claim itself holds, its original and the charges that it names is given back by then.
    Raises EngineFault.
    """

    async def attempt() -> Balances:
        found = await stores.books.look_up(
            run.payer, claim.claim_id, claim.member.id, charges=charges_of(claim)
        )
        if found.may_rest:
            found = await stores.books.recall(run.payer, found)
        original = await _original(claim, 0, found, stores, run)
        is_own = found.is_of_person(found.claim)
        request = DrawRequest(
            claim=found.claim if is_own else ClaimState(claim_id=CHARGE),
            version=1,
            fingerprint="-",
            state=RESERVED,
            plan=ClaimPlan(),
            occasion=occasion_of("match", run.at, run.actor, None),
            owner=found.owner,
            marked=found.owners[0],
            original=original if original and original.claim_id != claim.claim_id else None,
            looked_at=accounts,
            must_find=True,
            charges=[each for each in found.charges if found.is_of_person(each)],
            dry=True,
        )
        return (await stores.books.draw(run.payer, request)).looked_at

    found = await contended(attempt)
    names = ((name, account) for name, each in accounts.items() for account in each)
    return {each: found.get(each, _NOTHING) for each in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What is known of a claim before it is drawn: as it was sent, as it stands, its original."""

    sent: bytes
    found: LookedUp
    original: ClaimState | None
    counting: Counting


async def _draw(
    claim: Adjudication, before: _Before, matched: Matched | None, run: Run, stores: ClaimStores
) -> Adjudicated:
    found, original, state = before.found, before.original, before.found.claim
    previous, decisions = await _before(claim, state, run, stores)
    claim = with_decisions(claim, decisions)
    drafting = Drafting(
        claim=claim,
        rules=run.rules,
        person=found.person,
        previous=previous,
        is_unknown=claim.frequency in (REPLACEMENT, VOID) and original is None,
        decisions=decisions,
    )
    if matched is None:
        drafted = drafting.void_drafted()
    else:
        drafted = drafting.claim_drafted(matched, await choose_all(claim, matched, run, stores))
    request = DrawRequest(
        claim=state,
        version=claim.version,
        fingerprint=fingerprint(before.sent),
        state=_status(claim, state, run),
        plan=drafted.plan,
        occasion=occasion_of(_kind(claim, state, run), run.at, run.actor, claim.reason),
        owner=found.owner,
        marked=found.owners[0],
        last_push=found.last_push,
        original=original if original and original.claim_id != claim.claim_id else None,
        original_status=REVERSED if claim.frequency == VOID else REPLACED,
        record=pack({**drafted.draft, "sent": before.sent.decode()}),
        matched=_found(matched),
        waiting=NEVER_WAITS if run.attaching else drafted.waiting,
        counted=before.counting.rows(found.owner),
        seen=found.counters,
        looked_at=drafted.looked_at,
        must_find=drafted.some_wait,
        others_wait=drafted.others_wait,
        charges=[each for each in found.charges if found.is_of_person(each)],
        all_or_nothing=run.attaching,
        dry=run.dry or (run.attaching and drafted.is_stopped),
    )
    with stage("draw", len(claim.lines)):
        moved = await stores.books.draw(run.payer, request)
    answer = complete(drafted.draft, moved)
    return Adjudicated(
        answer={**answer, "status": moved.status, "replayed": False, "dry_run": run.dry},
        matched=matched,
        written=moved.entry is not None,
    )


def _check_in_force(state: ClaimState, run: Run) -> None:
    if run.seen is not None and state.sequence != run.seen:
        raise Overtaken("the charge was attached, detached or billed meanwhile")
    if run.entry is None:
        return
    if not state.is_in_force or not state.stands_as(run.entry):
        raise Overtaken("the claim was adjudicated anew, reversed or replaced meanwhile")


def _status(claim: Adjudication, state: ClaimState, run: Run) -> str:
    if run.entry is not None and state.is_held:
        return state.status
    return VOIDING if claim.frequency == VOID else _STATUS_OF_STAGE[claim.stage]


async def _is_replay(
    claim: Adjudication, found: LookedUp, mark: str, run: Run, stores: ClaimStores
) -> bool:
    """Whether this very claim was answered before.

    Raises Conflict for other content, or another member; Overtaken where another run is in force.
    """
    state = found.claim
    if not found.is_of_person(state):
        raise Conflict(_OF_ANOTHER, "claim_id")
    _check_in_force(state, run)
    known = state.fingerprints.get(claim.version)
    if known is None or run.again:
        return False
    if known == mark or known in fingerprints_as(claim, found.person):
        return True
    if (
        claim.stage == "final"
        and state.version == claim.version
        and await _is_preliminary(state, run, stores)
    ):
        return False
    raise Conflict(
        f"version {claim.version} of this claim was adjudicated with other content;"
        " send a higher version, or ask to readjudicate",
        "version",
    )


async def _is_preliminary(state: ClaimState, run: Run, stores: ClaimStores) -> bool:
    """Whether the version in force came as preliminary: one of which all waits does not tell."""
    if state.status != SUSPENDED:
        return state.status == RESERVED
    draft, _ = await stores.records.recorded(run.payer, state.entries[state.version])
    return draft["claim"]["stage"] == "preliminary"


def _check_order(claim: Adjudication, state: ClaimState) -> None:
    if claim.version < state.version:
        raise Conflict(f"version {state.version} of this claim was adjudicated already", "version")
    if state.replaced_by is not None:
        raise Conflict(f"this claim was {state.status} by claim {state.replaced_by}", "claim_id")


async def _replay(state: ClaimState, version: int, run: Run, stores: ClaimStores) -> Adjudicated:
    draft, moved = await stores.records.recorded(run.payer, state.entries[version])
    answer = complete(draft, moved)
    return Adjudicated(
        answer={**answer, "status": state.status, "replayed": True, "dry_run": False},
        replayed=True,
    )


async def _original(
    claim: Claim, version: int, found: LookedUp, stores: ClaimStores, run: Run
) -> ClaimState | None:
    """Find what a replacement or void is about: the claim named, or what replaced that since.

    A claim of another member is not looked at: it is answered like one that does not exist. Where
    there is none of that name it is an earlier version of the claim itself: providers keep their
    number (CLM01), and name the payer's (REF F8), which need not be one of ours.
    """
    if claim.frequency not in (REPLACEMENT, VOID):
        return None
    own = found.claim if any(one < version for one in found.claim.fingerprints) else None
    name = claim.original_claim_id
    state = own
    for _ in range(CHAIN_MAX):
        if name is None or name == claim.claim_id:
            break
        state = await stores.books.read_claim(run.payer, name)
        if not state.is_known or not found.is_of_person(state):
            return own
        if state.is_held or state.replaced_by in (None, claim.claim_id):
            break
        name = state.replaced_by
    if name == claim.claim_id:
        state = found.claim
    return state if state is not None and state.is_known else None


async def _before(
    claim: Adjudication, state: ClaimState, run: Run, stores: ClaimStores
) -> tuple[Summary | None, tuple[Decision, ...]]:
    """The run before in short, so that this one can say what changed, and the decisions that hold.

    What examiners decided about a version holds when it is run again; a new version is as sent.
    """
    if not state.entries:
        return None, run.decisions or ()
    try:
        draft, moved = await stores.records.recorded(run.payer, state.entries[state.version])
    except RecordLost:  # it has one again afterwards
        return None, run.decisions or ()
    decisions = run.decisions
    if decisions is None:
        decisions = decisions_in(draft) if claim.version == state.version else ()
    return summary(draft, complete(draft, moved)["lines"]), decisions


def decisions_in(draft: Draft) -> tuple[Decision, ...]:
    """What examiners decided about the lines of an adjudication."""
    return tuple(
        Decision.model_validate(each)
        for line in draft["lines"]
        for each in line.get("decisions", ())
    )


async def _match(
    claim: Adjudication,
    run: Run,
    person: Person,
    stores: ClaimStores,
    counted: Mapping[int, Values],
) -> Matched | None:
    """Match a claim; a void has nothing to match."""
    if claim.frequency == VOID:
        return None
    return await match_claim(
        claim,
        run.payer,
        rules=run.rules,
        source=stores.source,
        person=person,
        counted=counted,
    )


def _found(matched: Matched | None) -> tuple[str, ...]:
    """Name every authorization that was found, whatever its status (seed 001)."""
    shown = (each for search in matched.searches for each in search.ranked.shown) if matched else ()
    return tuple(dict.fromkeys(each.candidate.authorization_id for each in shown))


def _kind(claim: Adjudication, state: ClaimState, run: Run) -> str:
    """Name what happens, as the ledger calls it."""
    if claim.frequency == VOID:
        return "void"
    if claim.frequency == REPLACEMENT:
        return "replace"
    if run.attaching:
        return "attach"
    return "readjudicate" if state.is_known else _KIND_OF_STAGE[claim.stage]
