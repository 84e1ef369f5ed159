"""Finds the claims that fall outside of an authorization that changed after they drew on it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from service.accounting.answers.outside import lines_outside
from service.accounting.books.books import Moved
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.record import Draft
from service.domain.authorization import Authorization
from service.stores.authorizations.amending import Amending
from service.stores.authorizations.reading import AuthorizationReading
from service.stores.ledger.records import Records
from service.stores.units.accumulators import Accumulators


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOutside:
    """A claim, the record of what it drew and what was moved, and its lines that fall outside.

    ``version`` is that of the authorization.
    """

    claim: ClaimState
    draft: Draft
    moved: Moved
    lines: tuple[int, ...]
    version: int


@dataclass(eq=False, repr=False)
class Outside:
    """Changes nothing; raises EngineFault."""

    _amending: Amending
    _accumulators: Accumulators
    _records: Records
    _reading: AuthorizationReading

    async def claims(self, payer: str, authorization_id: str) -> AsyncIterator[ClaimOutside]:
        """Give those that hold units which the authorization does not grant any more."""
        stored = await self._reading.get(payer, authorization_id)
        if stored is None:
            return
        authorization = Authorization.model_validate(stored.source)
        is_void = bool(stored.state.get("void"))
        ids = await self._amending.claims_of(payer, authorization_id)
        for claim in await self._accumulators.read_claims(payer, ids):
            if not claim.is_held or authorization_id not in claim.authorizations:
                continue
            draft, moved = await self._records.recorded(payer, claim.entries[claim.version])
            lines = lines_outside(claim, draft, authorization, is_void=is_void)
            if lines:
                yield ClaimOutside(
                    claim=claim,
                    draft=draft,
                    moved=moved,
                    lines=lines,
                    version=authorization.version,
                )
