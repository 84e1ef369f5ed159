"""What is asked of claims: matched, adjudicated, changed, and read as they were and are."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from prometheus_client import Counter
from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from service.access.act import current, note
from service.access.subject import BadPart
from service.accounting.answers.answer import benefit_answer, complete, goes_before
from service.accounting.answers.balances import balances_told, with_balances
from service.accounting.books.books import LookedUp, occasion_of
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.record import Draft
from service.accounting.books.scale import written, written_amount
from service.application.intake import NotFound
from service.application.ledger_view import LedgerEntries, ledger_entries
from service.application.parts import Caller
from service.application.reception import aliases_of, check_version, policy_of
from service.application.statistics import count_results
from service.domain.adjudication import Adjudication, ClaimChange, Selection
from service.domain.answers import (
    LineAnswer,
    MatchAnswer,
    MatchedLine,
    RecordedAnswer,
    StepAnswer,
    StoredAnswer,
    UsedAuthorization,
)
from service.domain.charge import CHARGE, charges_of, takes_a_place
from service.domain.claim import Claim
from service.domain.claim_values import days_of
from service.domain.decision import Decision
from service.domain.differences import differences
from service.domain.engine_fault import EngineFault
from service.domain.values import Frozen, JsonObject, LineNumber
from service.flow.adjudicating import adjudicate as flow
from service.flow.adjudicating.adjudicate import Adjudicated, Conflict
from service.flow.adjudicating.claim_life import BadChange, Step, UnknownClaim, change_claim
from service.flow.adjudicating.run import Run
from service.flow.matching.counting import Counting
from service.flow.matching.match import Matched, grant, match_claim, mother_of
from service.flow.matching.why_not import WhyNotQuestion as WhyNotQuestion
from service.flow.matching.why_not import why_not
from service.ingest.x12.submissions import ClaimSent as ClaimSent
from service.ingest.x12.submissions import claims_sent
from service.rules.book import RuleBook
from service.stores.connection.clock import now
from service.stores.connection.reading import Listing
from service.stores.ledger.reading import OF_CLAIM
from service.stores.ledger.records import read_record

Answer = dict[str, Any]

DISPOSITIONS = Counter(
    "authmatch_dispositions_total",
    "Claim lines adjudicated, by what became of them.",
    ["disposition"],
)
REPLAYS = Counter(
    "authmatch_replays_total", "Claims that were sent again and answered from their record."
)


class RecordedAt(TypedDict):
    """What a claim was answered, and the ledger entry that says by whom, when and why."""

    entry: Answer
    answer: RecordedAnswer


class Difference(TypedDict):
    """What one of two answers says otherwise at a place (RFC 6901); null where it says nothing."""

    path: str
    was: JsonValue
    now: JsonValue


class Compared(TypedDict):
    """Two adjudications of a claim, the older one first, and what differs."""

    claim_id: str
    adjudications: list[RecordedAt]
    differences: list[Difference]


class LineLimits(Frozen):
    """The benefit limits that a line has met, as the benefit module would adjust them."""

    line: LineNumber
    limit_adjustments: tuple[JsonObject, ...] = Field(min_length=1, max_length=50)


class BenefitLimits(Frozen):
    """Benefit limits of an adjudicated claim."""

    lines: tuple[LineLimits, ...] = Field(min_length=1, max_length=999)


async def match(caller: Caller, claim: Claim, *, balances: bool = False) -> MatchAnswer:
    """Match one claim, count its results, and perhaps check it a second time.

    ``balances``: candidates and near misses say what is used and left of them. Raises EngineFault.
    """
    note(claims=(claim.claim_id,), members=_members_of(claim))
    act = current()
    asked = act.ask() if act is not None else None
    answer = await _match(caller, claim, balances=balances)
    if asked is not None:
        await asked
    return answer


def _members_of(claim: Claim) -> Iterable[str]:
    """Whose authorizations are looked at: the member's, and of a newborn his mother's."""
    return filter(None, (claim.member.id, mother_of(claim)))


async def _match(caller: Caller, claim: Claim, *, balances: bool) -> MatchAnswer:
    parts, rules = caller.parts, caller.parts.rules.judging(caller.payer, claim)
    matched = await _matched_by(caller, claim, rules)
    outcomes = count_results(caller.payer, rules.name, matched.answer["lines"])
    parts.stages.count(caller.payer, rules.name, outcomes)
    parts.live_check.offer(matched)
    parts.stores.kept.offer(caller.payer, claim, matched.answer)
    parts.shadows.offer(caller.payer, claim, matched)
    if not balances:
        return matched.answer
    granting = grant(claim, matched.searches, rules)
    if takes_a_place(claim):
        run = Run(payer=caller.payer, at=now(), rules=rules, dry=True)
        looked = await flow.balances_before(claim, run, parts.claim_stores, granting.accounts)
    else:
        looked = await parts.stores.accumulators.balances(caller.payer, granting.accounts)
    told = balances_told(granting.granted, looked)
    days = {line.line: days_of(claim, line)[0].isoformat() for line in claim.lines}
    lines: list[MatchedLine] = [
        {**line, "results": with_balances(line["results"], days[line["line"]], told)}
        for line in matched.answer["lines"]
    ]
    return {**matched.answer, "lines": lines}


async def tried(caller: Caller, claim: Claim, rules: RuleBook) -> tuple[MatchAnswer, MatchAnswer]:
    """What a claim is answered by the rules in force, and by others; nothing is kept or counted.

    Raises TableFault, EngineFault.
    """
    note(claims=(claim.claim_id,), members=_members_of(claim))
    books = caller.parts.rules.judging(caller.payer, claim), rules
    now_, then = [await _matched_by(caller, claim, each) for each in books]
    return now_.answer, then.answer


async def _matched_by(caller: Caller, claim: Claim, rules: RuleBook) -> Matched:
    counting = Counting.of(claim, rules)
    found = await _counted(caller, claim, counting) if counting.looks_back else None
    return await match_claim(
        claim,
        caller.payer,
        rules=rules,
        source=caller.parts.stores.search,
        person=found.person if found else None,
        counted=counting.values(found),
    )


async def _counted(caller: Caller, claim: Claim, counting: Counting) -> LookedUp:
    """Read who the member is with the counters, and what is counted of the claim itself."""
    books = caller.stores.accumulators
    found = await books.look_up(
        caller.payer, claim.claim_id, claim.member.id, counters=True, charges=charges_of(claim)
    )
    return await books.recall(caller.payer, found) if found.may_rest else found


def sent_in(
    caller: Caller,
    chunks: AsyncIterable[bytes],
    *,
    moves: bool = False,
    with_places: bool = False,
) -> AsyncIterator[ClaimSent]:
    """The claims of an X12 file, and why others cannot be read; with ``moves`` to adjudicate them.

    Then those of a transaction set that is not whole are left out, as the settings say. With
    ``with_places`` each knows the places of its numbers.
    """
    settings = caller.parts.settings
    only_whole = moves and settings.x12_broken_sets == "refuse"
    aliases = aliases_of(settings, caller.payer)
    policy = policy_of(settings)
    return claims_sent(chunks, policy, aliases, only_whole=only_whole, with_places=with_places)


async def explain(caller: Caller, question: WhyNotQuestion) -> Answer:
    """Say why an authorization does not cover a claim line; raises NoSuchLine, EngineFault."""
    parts, claim = caller.parts, question.claim
    note(claims=(claim.claim_id,), members=_members_of(claim))
    rules = parts.rules.judging(caller.payer, claim)
    return await why_not(question, caller.payer, rules=rules, source=parts.stores.search)


async def adjudicate(
    caller: Caller, claim: Adjudication, *, dry: bool = False, again: bool = False
) -> Adjudicated:
    """Adjudicate one claim by the rules of its days, and count what became of its lines.

    Raises NotPermitted for a selection or an override without its scope, NotActing, BadPart for a
    version beyond today, Conflict, BadSelection, ValueError for a quantity too large to be counted,
    EngineFault.
    """
    note(claims=(claim.claim_id,), members=_members_of(claim), why=claim.reason)
    check_version(claim.version, "/version")
    for name in ("claim_id", "original_claim_id"):
        if (getattr(claim, name) or "").startswith(CHARGE):
            raise BadPart(f"/{name}", f"ids that begin with {CHARGE} are those of charges")
    if claim.selections:
        caller.subject.demand("clinical.authorization.write", "/selections")
    if claim.override is not None:
        caller.subject.demand("override", "/override")
    rules = caller.parts.rules.judging(caller.payer, claim)
    actor = caller.subject.acting_for(claim.by)
    run = Run(payer=caller.payer, at=now(), rules=rules, dry=dry, again=again, actor=actor)
    done = await flow.adjudicate(claim, run, caller.parts.claim_stores)
    if done.matched is not None and not dry:
        caller.parts.shadows.offer(caller.payer, claim, done.matched)
    return count(caller, rules.name, done, claim.selections)


def count(
    caller: Caller, rules: str, done: Adjudicated, selected: Iterable[Selection | Decision]
) -> Adjudicated:
    """Count what became of the lines of a claim, or that it was sent again.

    ``selected`` is what people put first, by which results are overturned.
    """
    if done.matched is not None and not done.answer["dry_run"]:
        first = {
            (each.line, each.type): each.authorizations[0].authorization_id
            for each in selected
            if each.authorizations
        }
        outcomes = count_results(caller.payer, rules, done.answer["lines"], first)
        caller.parts.stages.count(caller.payer, rules, outcomes)
    if done.replayed:
        REPLAYS.inc()
    elif not done.answer["dry_run"]:
        for line in done.answer["lines"]:
            DISPOSITIONS.labels(line["disposition"]).inc()
    return done


async def not_copied(caller: Caller, done: Adjudicated) -> EngineFault | None:
    """Copy the ledger entry of a claim now; gives the fault where it waits in Redis instead."""
    try:
        if not (done.replayed or done.answer["dry_run"]):
            await caller.stores.projection.project(caller.payer)
    except EngineFault as fault:
        return fault
    return None


async def change(caller: Caller, step: Step, claim_id: str, asked: ClaimChange) -> StepAnswer:
    """Take a step of a claim's life.

    Raises NotActing, UnknownClaim, Conflict, BadChange, EngineFault.
    """
    note(claims=(claim_id,), why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    if claim_id.startswith(CHARGE):
        raise Conflict("this is a charge: it is attached and detached, and billed by a claim")
    occasion = occasion_of(step, now(), actor, asked.reason)
    books = caller.stores.accumulators
    return await change_claim(step, claim_id, asked, caller.payer, books, occasion)


async def as_answered(caller: Caller, claim_id: str) -> StoredAnswer:
    """The answer of a claim's latest adjudication, and its status now; raises UnknownClaim."""
    answer, _, _ = await _stored(caller, claim_id)
    return answer


async def as_sent(caller: Caller, claim_id: str) -> tuple[StoredAnswer, Adjudication]:
    """The same, and the claim as it was sent then, with what was selected; raises UnknownClaim."""
    answer, _, draft = await _stored(caller, claim_id)
    sent = Adjudication.model_validate_json(draft["sent"])
    note(members=_members_of(sent))
    return answer, sent


async def as_of(caller: Caller, claim_id: str, entry: str) -> tuple[RecordedAnswer, Answer]:
    """What a claim was answered by the adjudication of a ledger entry, and who made it, when, why.

    Raises UnknownClaim, NotFound where that entry is no adjudication of this claim, EngineFault.
    """
    stores = caller.stores
    if not (await stores.accumulators.read_claim(caller.payer, claim_id)).is_known:
        raise UnknownClaim(claim_id)
    found = await stores.ledger.entry(caller.payer, entry)
    if found is None or found.fields.get("c") != claim_id or not found.fields.get("b"):
        raise NotFound("there is no such adjudication of this claim")
    draft, moved = read_record(found)
    note(claims=(claim_id,), members=_members_of(Adjudication.model_validate_json(draft["sent"])))
    page = Listing(entries=(found,), total=1, next_=None)
    return complete(draft, moved), ledger_entries(page)["entries"][0]


async def compared(caller: Caller, claim_id: str, one: str, other: str) -> Compared:
    """What two adjudications of a claim were answered, the older one first, and what differs.

    Each is named by its ledger entry; raises UnknownClaim, NotFound, EngineFault.
    """
    pair = sorted((one, other), key=lambda each: tuple(map(int, each.split("-"))))
    found = [await as_of(caller, claim_id, each) for each in pair]
    was, now_ = (caller.shown(answer) for answer, _ in found)
    return {
        "claim_id": claim_id,
        "adjudications": [
            {"entry": entry, "answer": answer}
            for answer, (_, entry) in zip((was, now_), found, strict=True)
        ],
        "differences": [
            {"path": path, "was": before, "now": after}
            for path, before, after in differences(was, now_)
        ],
    }


async def as_held(caller: Caller, claim_id: str) -> tuple[StoredAnswer, ClaimState, Draft]:
    """As ``as_answered``, but a claim in force with what it holds now; and its record.

    Raises UnknownClaim.
    """
    answer, claim, draft = await _stored(caller, claim_id)
    return {**answer, "lines": _as_held(answer["lines"], claim)}, claim, draft


async def _stored(caller: Caller, claim_id: str) -> tuple[StoredAnswer, ClaimState, Draft]:
    stores = caller.stores
    claim = await stores.accumulators.read_claim(caller.payer, claim_id)
    if not claim.entries:
        raise UnknownClaim(claim_id)
    draft, moved = await stores.records.recorded(caller.payer, claim.entries[claim.version])
    answer: StoredAnswer = {
        **complete(draft, moved),
        "status": claim.status,
        "versions": sorted(claim.entries),
        "replaced_by": claim.replaced_by,
    }
    return answer, claim, draft


def _as_held(lines: list[LineAnswer], claim: ClaimState) -> list[LineAnswer]:
    """Write what a claim in force drew anew, as far as it was not given back since."""
    if not claim.is_held:
        return lines
    held: dict[tuple[int, str, str, int], list[int]] = {}
    for row in claim.rows:
        key = row.line, row.kind, row.authorization_id, row.authorization_line
        sums = held.setdefault(key, [0, 0])
        sums[0] += row.units
        sums[1] += row.amount
    return [
        {
            **line,
            "adjudicated_authorizations": [
                _now_held(line, key, units, amount)
                for key, (units, amount) in held.items()
                if key[0] == line["line"]
            ],
        }
        for line in lines
    ]


def _now_held(
    line: LineAnswer, key: tuple[int, str, str, int], units: int, amount: int
) -> UsedAuthorization:
    """Write what a line holds, also where another line or authorization counts it by now."""
    _, kind, name, number = key

    def likeness(drawn: UsedAuthorization) -> tuple[bool, bool, bool]:
        return drawn["type"] == kind, drawn["authorization_id"] == name, drawn["line"] == number

    drawn = max(line["adjudicated_authorizations"], key=likeness)
    return {
        **drawn,
        "authorization_id": name,
        "line": number,
        "units": written(units),
        "amount": written_amount(amount),
    }


async def history(caller: Caller, claim_id: str, *, size: int, after: str | None) -> LedgerEntries:
    """A page of what happened to a claim, newest first; raises UnknownClaim, BadCursor."""
    stores = caller.stores
    if not (await stores.accumulators.read_claim(caller.payer, claim_id)).is_known:
        raise UnknownClaim(claim_id)
    page = await stores.ledger.page(caller.payer, claim_id, OF_CLAIM, size=size, after=after)
    return ledger_entries(page)


async def benefit_limits(caller: Caller, claim_id: str, asked: BenefitLimits) -> Answer:
    """Take benefit limits off the lines that an authorization pays; moves nothing.

    Raises UnknownClaim, BadChange for a line that the claim has not.
    """
    answer, claim, draft = await _stored(caller, claim_id)
    drawn = {
        line["line"]: [each["authorization_id"] for each in line["adjudicated_authorizations"]]
        for line in _as_held(answer["lines"], claim)
        if claim.is_held
    }
    benefits = {line["line"]: line["benefit"] for line in draft["lines"]}
    for place, each in enumerate(asked.lines):
        if each.line not in benefits:
            raise BadChange(f"the claim has no line {each.line}", "lines", place, "line")
    return {
        "claim_id": answer["claim_id"],
        "version": answer["version"],
        "lines": [
            {
                "line": each.line,
                **benefit_answer(
                    each.limit_adjustments,
                    override=goes_before(benefits[each.line], drawn.get(each.line, ())),
                    action=benefits[each.line]["action"],
                ),
            }
            for each in asked.lines
        ],
    }
