"""Authorizations as they are given out in FHIR: ClaimResponses, with what was used of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service.accounting.answers.statement import statement
from service.accounting.answers.status import status_of
from service.accounting.limits.bounds import bounds_of
from service.application import authorizations
from service.application.authorizations import Filter, Stored
from service.application.intake import NotFound
from service.application.parts import Caller
from service.application.reception import as_stored
from service.domain.authorization import Authorization
from service.ingest.fhir import to_claim_response
from service.stores.connection.clock import today

READS_AT_ONCE = 16

Json = dict[str, Any]


async def find(caller: Caller, resource_id: str) -> Stored:
    """The authorization of a resource, by its own id or by that of FHIR; raises NotFound."""
    try:
        return await authorizations.read(caller, resource_id)
    except NotFound:
        wanted = Filter(ids=(resource_id,))
        page = await authorizations.listing(caller, wanted, size=1, after=None)
        if not page.entries:
            raise
        return page.entries[0]


async def write_all(caller: Caller, entries: Sequence[Stored]) -> list[Json]:
    """Write all; their balances are asked for together, some at a time."""
    free = asyncio.Semaphore(READS_AT_ONCE)

    async def one(stored: Stored) -> Json:
        async with free:
            return await write(caller, stored)

    return await asyncio.gather(*map(one, entries))


async def write(caller: Caller, stored: Stored) -> Json:
    """Write one with its balances; without them units that are used would look free."""
    accounts = await caller.stores.accumulators.accounts(
        caller.payer, stored.source["authorization_id"]
    )

    def written() -> Json:
        authorization = Authorization.model_validate(stored.source)
        balances = statement(accounts, bounds_of(authorization))
        status = status_of(authorization, stored.state, balances, today())
        state = replace(as_stored(stored), status=status)
        return to_claim_response(authorization, balances, insurer=caller.payer, state=state)

    return await asyncio.to_thread(written)  # many long ones would hold up everyone else
