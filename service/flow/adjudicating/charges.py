"""Charges: which authorizations are valid for one, and what is attached to it.

What is attached is held as reserved until a claim names the charge, or it is detached. A check asks
the books as an attachment does, and moves nothing: so both say the same.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.accounting.books.books import DrawRequest, LookedUp, Moved, occasion_of
from service.accounting.books.claim_state import RESERVED, ClaimState
from service.accounting.books.grant import Measure, Row
from service.accounting.books.plan import ClaimPlan, Draw, Drawable, LinePlan, Part
from service.accounting.books.rows import is_counter_book
from service.accounting.books.scale import SCALE
from service.accounting.limits.choice import Asked as AskedLine
from service.accounting.limits.choice import Choice
from service.accounting.planning.planning import plan_claim
from service.domain.adjudication import Adjudication
from service.domain.candidate import Candidate
from service.domain.charge import SELECTED_MAX, Asked, Charge, Unfit, asked_by, lines_for
from service.domain.claim import AuthorizationKind, kinds_meeting
from service.domain.engine_fault import RecordLost
from service.domain.event import Outcome
from service.domain.terms import counting_in, read_terms
from service.flow.adjudicating.run import ClaimStores, Run, contended
from service.flow.matching.counting import Counting
from service.querying.search import CANDIDATES_MAX, Search
from service.requirement.decision import Requirement, choose_template, decide_requirement

Reason = Unfit | Outcome
"""Why an authorization is not valid for a charge: what it is not, or what is in the way."""
Wanted = Mapping[tuple[str, Measure], int]
"""By account and measure what a charge costs, scaled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """An authorization of the member, as it is for a charge.

    ``kind`` is that of what the charge needs, ``lines`` those that are for it (0 is the header
    alone); ``rows`` are what would be drawn, or was tried, with the balances before it.
    """

    candidate: Candidate
    kind: AuthorizationKind
    lines: tuple[int, ...] = ()
    reason: Reason | None = None
    plan: ClaimPlan = field(default_factory=ClaimPlan)
    rows: tuple[Row, ...] = ()

    @property
    def remaining(self) -> int | None:
        """The least that is left of a limit in units, in its unit; None without one."""
        before = (each.before["units"] for row in self.rows for each in row.movements)
        left = (each.remaining for each in before)
        return min((each for each in left if each is not None), default=None)

    @property
    def wanted(self) -> Wanted:
        """What the charge costs of the line that is drawn first."""
        sums: dict[tuple[str, Measure], int] = {}
        for part in (part for line in self.plan.lines for part in line.parts):
            for key, number in _cost(part, part.ways[0].draws[0]):
                sums[key] = sums.get(key, 0) + number
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a charge needs, how it was found, and every authorization that was looked at.

    ``sent`` is the charge as it was attached, where it is held. Not all were looked at where it is
    ``truncated``.
    """

    requirement: Requirement
    found: LookedUp
    sent: Adjudication | None
    looked: tuple[Looked, ...]
    truncated: bool

    @property
    def held(self) -> ClaimState:
        """How the charge is held."""
        return self.found.claim

    @property
    def is_others(self) -> bool:
        """Whether it was attached for another member."""
        return not self.found.is_of_person(self.held)

    @property
    def is_valid(self) -> bool:
        """Whether all that is attached is still for the charge, as far as it was looked at."""
        if self.truncated:
            return True
        valid = {each.candidate.authorization_id for each in self.looked if each.reason is None}
        held = (name for name in self.held.authorizations if not is_counter_book(name))
        return valid.issuperset(held)

    def is_attached(self, charge: Charge) -> bool:
        """Whether the charge is held as it is now, whatever it is attached to.

        It may have been attached under another id of the person, before that was merged.
        """
        if self.sent is None:
            return False
        asked, member = charge.as_claim(), self.sent.member
        if member.id in self.found.person.ids:
            member = member.model_copy(update={"id": asked.member.id})
        given = {"selections": (), "version": 1, "member": member}
        return self.sent.model_copy(update=given) == asked


async def check(
    charge: Charge, run: Run, stores: ClaimStores, *filters: Mapping[str, Any]
) -> Checked:
    """Look at the authorizations of the member that are in force; moves nothing.

    ``filters`` are clauses that they must fulfil. Raises EngineFault, TableFault.
    """
    return await contended(lambda: _check(charge, run, stores, filters))


async def _check(
    charge: Charge, run: Run, stores: ClaimStores, filters: Iterable[Mapping[str, Any]]
) -> Checked:
    claim = charge.as_claim()
    counting = Counting.of(claim, run.rules)
    found = await stores.books.look_up(
        run.payer, claim.claim_id, claim.member.id, counters=counting.looks_back
    )
    search = Search(filter=tuple(map(dict, filters)))
    (held, sent), candidates = await asyncio.gather(
        _held(found, run, stores), stores.source.search(run.payer, found.person, search)
    )
    counted = counting.values(held).get(charge.line)
    requirement = decide_requirement(claim, claim.lines[0], run.rules.tables, counted)
    asked = asked_by(charge, requirement.needed, run.rules.references.groups)
    looking = _Looking(claim=claim, run=run, requirement=requirement, asked=asked)
    looked = [looking.at(each) for each in candidates.candidates]
    moved = await _tried(looked, held, run, stores)
    return Checked(
        requirement=requirement,
        found=held,
        sent=sent,
        looked=tuple(_as_tried(each, place, moved) for place, each in enumerate(looked)),
        truncated=candidates.total > CANDIDATES_MAX,
    )


async def _held(
    found: LookedUp, run: Run, stores: ClaimStores
) -> tuple[LookedUp, Adjudication | None]:
    """How the charge is held, and as what it was attached."""
    if found.may_rest:
        found = await stores.books.recall(run.payer, found)
    state = found.claim
    if state.status != RESERVED or not found.is_of_person(state):
        return found, None
    try:
        draft, _ = await stores.records.recorded(run.payer, state.entries[state.version])
    except RecordLost:  # it is attached anew
        return found, None
    return found, Adjudication.model_validate_json(draft["sent"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looking:
    """Looks at candidates for one charge."""

    claim: Adjudication
    run: Run
    requirement: Requirement
    asked: Asked
    query_types: dict[AuthorizationKind, str] = field(default_factory=dict)

    def at(self, candidate: Candidate) -> Looked:
        """Which lines of one are for the charge, and how it would be drawn."""
        own = (candidate.terms or {}).get("kind", "authorization")
        needed = (each for each in self.requirement.needed if own in kinds_meeting(each))
        kind = next(needed, own)
        lines, unfit = lines_for(self.asked, candidate.lines)
        if candidate.terms is None or unfit is not None:
            return Looked(candidate=candidate, kind=kind, lines=lines, reason=unfit or "void")
        authorization, counted = read_terms(candidate.terms), counting_in(candidate.terms)
        asked = AskedLine(
            line=self.claim.lines[0],
            kind=kind,
            query_type=self._query_type(kind),
            choices=tuple(
                Choice(authorization=authorization, line=line, origin="selected", counted=counted)
                for line in lines[:SELECTED_MAX]
            ),
        )
        planned = plan_claim(self.claim, [asked], self.run.rules.references)
        reason = planned.obstacles[0].outcome if planned.obstacles else None
        return Looked(candidate=candidate, kind=kind, lines=lines, reason=reason, plan=planned.plan)

    def _query_type(self, kind: AuthorizationKind) -> str:
        if kind not in self.query_types:
            rules, line = self.run.rules, self.claim.lines[0]
            choice = choose_template(self.claim, line, kind, rules.tables)
            self.query_types[kind] = rules.query_type(rules.plan(choice.template))
        return self.query_types[kind]


async def _tried(looked: Sequence[Looked], held: LookedUp, run: Run, stores: ClaimStores) -> Moved:
    """Ask the books what each of them would give in the place of what the charge holds now."""
    lines: list[LinePlan] = []
    drawables: dict[str, Drawable] = {}
    for place, each in enumerate(looked):
        lines += (line._replace(line=place, whole_only=True) for line in each.plan.lines)
        drawables |= each.plan.authorizations
    if not lines:
        return Moved()
    request = DrawRequest(
        claim=held.claim,
        version=1,
        fingerprint="-",
        state=RESERVED,
        plan=ClaimPlan(lines=tuple(lines), authorizations=drawables),
        occasion=occasion_of("attach", run.at, run.actor, None),
        owner=held.owner,
        marked=held.owners[0],
        dry=True,
    )
    return await stores.books.draw(run.payer, request)


def _as_tried(looked: Looked, place: int, moved: Moved) -> Looked:
    """What the books said of one."""
    drawn = tuple(row for row in moved.drawn if row.line == place)
    if drawn or not looked.plan.lines:
        return replace(looked, rows=drawn)
    reason: Reason = "units_exceeded" if place in moved.short else "exhausted"
    tried = tuple(row for row in moved.tried if row.line == place)
    return replace(looked, rows=tried, reason=reason)


def _cost(part: Part, draw: Draw) -> Iterable[tuple[tuple[str, Measure], int]]:
    for debit in draw.debits:
        units = -(-part.want * debit.numerator // debit.denominator)
        yield (debit.account, "units"), len(debit.unit_tokens) * SCALE or units
        yield (debit.account, "days"), len(debit.day_tokens) * SCALE
        yield (debit.account, "amount"), part.charge if debit.counts_amount else 0
