"""What people ask first: what a word names, how an authorization stands, what a member has."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.access.act import note
from service.accounting.answers.statement import statement
from service.accounting.answers.status import Status as Status
from service.accounting.answers.status import status_of
from service.accounting.limits.bounds import bounds_of
from service.application import claims, members
from service.application.authorizations import Filter, Stored
from service.application.claims import WhyNotQuestion
from service.application.members import MemberAnswer
from service.application.parts import Caller
from service.domain.answers import StatementAnswer
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.stores.connection.clock import today
from service.stores.intake.requests import Kept, WantedRequests
from service.stores.ledger.entry import claims_in
from service.stores.ledger.reading import MATCHED, MOVED

CHARGES, AUTHORIZATIONS = "billing.charge.read", "clinical.authorization.read"
REQUESTS = "clinical.authorization.request"
FOUND_MAX = 50
CLAIMS_MAX = 100
_LENGTH_MAX = 200
_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An authorization in short: as it was pushed, how it stands, and its accounts."""

    authorization: Authorization
    state: Mapping[str, Any]
    status: Status
    accounts: Sequence[StatementAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An authorization that is no candidate for a line, and what it fails, as `why-not` says it."""

    shown: Overview
    finding: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a word names: a claim, authorizations by id or number, a member with authorizations.

    ``requests`` are ids, by their own or that of a charge.
    """

    claim: str | None = None
    requests: Sequence[str] = ()
    authorizations: Sequence[Stored] = ()
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOverview:
    """A member: where the id leads, authorizations, newest first, and claims that found one."""

    member: MemberAnswer
    authorizations: Sequence[Overview]
    total: int
    next_: str | None
    claims: Sequence[str]


async def find(caller: Caller, text: str) -> Found:
    """What is called so, as far as the caller may see it; old numbers find their authorization.

    Raises EngineFault.
    """
    wanted = text.strip()[:_LENGTH_MAX]
    may = caller.subject.scopes
    if not wanted:
        return Found()
    claim, asked, by_id, by_number, of_member = await asyncio.gather(
        _claim(caller, wanted) if CHARGES in may else _nothing(None),
        _requests(caller, wanted) if REQUESTS in may else _nothing([]),
        _by_id(caller, wanted) if AUTHORIZATIONS in may else _nothing([]),
        _listed(caller, Filter(number=wanted)) if AUTHORIZATIONS in may else _nothing([]),
        _listed(caller, Filter(member=wanted), 1) if AUTHORIZATIONS in may else _nothing([]),
    )
    named = {each.source.get("authorization_id"): each for each in (*by_id, *by_number)}
    return Found(
        claim=claim,
        requests=tuple(asked),
        authorizations=tuple(named.values()),
        member=wanted if of_member else None,
    )


async def _nothing(value: Any) -> Any:
    return value


async def _claim(caller: Caller, wanted: str) -> str | None:
    note(claims=(wanted,))
    known = await caller.stores.accumulators.read_claim(caller.payer, wanted)
    return wanted if known.is_known else None


async def _requests(caller: Caller, wanted: str) -> list[str]:
    """The request of this id, or else those for a charge of this id, the newest first."""
    store = caller.stores.requests
    found = await store.read(caller.payer, wanted)
    entries: Sequence[Kept] = [found] if found else []
    if found is None:
        of_charge = WantedRequests(charge=wanted)
        entries = (await store.page(caller.payer, of_charge, size=FOUND_MAX, after=None)).entries
    asked = [each.request.asked for each in entries]
    note(members=(each.member.id for each in asked), others=(each.request_id for each in asked))
    return [each.request_id for each in asked]


async def _by_id(caller: Caller, wanted: str) -> list[Stored]:
    stored = await caller.stores.reading.get(caller.payer, wanted)
    return [] if stored is None or "authorization_id" not in stored.source else [stored]


async def _listed(caller: Caller, wanted: Filter, size: int = FOUND_MAX) -> list[Stored]:
    page = await caller.stores.reading.page(caller.payer, wanted, size=size, after=None)
    return list(page.entries)


async def of_member(caller: Caller, member: str, *, after: str | None = None) -> MemberOverview:
    """A page of what a member has, all ids of the person together; raises BadCursor, EngineFault.

    Claims that found none of these authorizations are not among them: they are known by their ids.
    """
    told = await members.lead(caller, member)
    page = await caller.stores.reading.page(
        caller.payer, Filter(member=member), size=FOUND_MAX, after=after
    )
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(stored: Stored) -> Overview:
        async with turns:
            return await overview(caller, stored)

    shown = await asyncio.gather(*map(one, page.entries))
    ids = [each.authorization.authorization_id for each in shown]
    return MemberOverview(
        member=told,
        authorizations=shown,
        total=page.total,
        next_=page.next_,
        claims=await _claims_of(caller, ids) if CHARGES in caller.subject.scopes else (),
    )


async def left_out(caller: Caller, claim: Claim, line: int, known: Sequence[str]) -> list[LeftOut]:
    """Authorizations of the claim's member beside those that are known, and why each is left out.

    Of what has no number or does not stand any more no reason is looked for: its status is one.
    Raises EngineFault.
    """
    found = await _listed(caller, Filter(member=claim.member.id))
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(stored: Stored) -> LeftOut:
        async with turns:
            shown = await overview(caller, stored)
            number = shown.authorization.number
            if number is None or shown.status in ("VOID", "SUPERSEDED"):
                return LeftOut(shown=shown, finding=None)
            asked = WhyNotQuestion(claim=claim, line=line, number=number)
            told = await claims.explain(caller, asked)
            name = shown.authorization.authorization_id
            findings = (each for each in told["findings"] if each["authorization_id"] == name)
            return LeftOut(shown=shown, finding=next(findings, None))

    wanted = [each for each in found if each.source.get("authorization_id") not in known]
    return await asyncio.gather(*map(one, wanted))


async def _claims_of(caller: Caller, authorizations: Sequence[str]) -> list[str]:
    if not authorizations:
        return []
    about = (*MOVED, *MATCHED)
    page = await caller.stores.ledger.page(
        caller.payer, authorizations, about, size=CLAIMS_MAX, after=None
    )
    ids = list(dict.fromkeys(name for entry in page.entries for name in claims_in(entry)))
    note(claims=ids)
    return ids


async def overview(caller: Caller, stored: Stored) -> Overview:
    """An authorization in short, as it stands now; raises EngineFault."""
    authorization = Authorization.model_validate(stored.source)
    name = authorization.authorization_id
    held = await caller.stores.accumulators.accounts(caller.payer, name)
    accounts = statement(held, bounds_of(authorization))
    return Overview(
        authorization=authorization,
        state=stored.state,
        status=status_of(authorization, stored.state, accounts, today()),
        accounts=accounts,
    )
