"""The way in for pushes: into the store or, while Elasticsearch cannot take them, the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.actor import NOBODY, Actor
from service.domain.engine_fault import EngineFault
from service.domain.submission import Pushed, PushResult, Queued
from service.domain.work_item import OVERLAP
from service.stores.authorizations.arrival import withdrawal_of
from service.stores.authorizations.reading import AuthorizationReading, Stored
from service.stores.authorizations.store import AuthorizationStore
from service.stores.connection.breaker import Breaker
from service.stores.intake.outbox import Outbox
from service.stores.waiting.arising import Arising

_OTHERS_MAX = 19
"""So many others of a grant an item names."""


@dataclass(eq=False, repr=False)
class Entrance:
    """Pushes and withdraws; a fault is told at once while Elasticsearch is known to be away."""

    _authorizations: AuthorizationStore
    _reading: AuthorizationReading
    _outbox: Outbox
    _breaker: Breaker
    _arising: Arising

    async def push(self, payer: str, pushed: Sequence[Pushed]) -> list[PushResult]:
        """Take versions in; ids must differ. Raises an EngineFault if any could not be stored."""
        with self._breaker.attempt():
            results = await self._authorizations.push(payer, pushed)
            overlapping = [each for each in results if each.overlaps]
            if overlapping and self._arising.is_wanted(payer, OVERLAP):
                await self._arising.overlap(payer, await self._with_versions(payer, overlapping))
            return results

    async def _with_versions(
        self, payer: str, results: Sequence[PushResult]
    ) -> list[dict[str, int]]:
        """Grants and those that each overlaps, with their versions; the grant comes first."""
        named = {name: None for each in results for name in each.overlaps[:_OTHERS_MAX]}
        others = await self._reading.get_all(payer, list(named))
        versions = {each.source["authorization_id"]: each.state["version"] for each in others}
        return [
            {each.authorization_id: each.current_version}
            | {name: versions[name] for name in each.overlaps[:_OTHERS_MAX] if name in versions}
            for each in results
        ]

    async def push_or_queue(
        self, payer: str, pushed: Sequence[Pushed]
    ) -> Sequence[PushResult | Queued]:
        """Take versions in, now or later. Raises an EngineFault if neither is possible."""
        try:
            return await self.push(payer, pushed)
        except EngineFault as fault:
            if not fault.can_wait:
                raise
            return await self._outbox.put(payer, pushed)

    async def withdraw(
        self, payer: str, authorization_id: str, version: int, actor: Actor = NOBODY
    ) -> PushResult:
        """Make an authorization void, known yet or not."""
        with self._breaker.attempt():
            stored = await self._reading.get(payer, authorization_id)
            return await self._void(payer, authorization_id, version, stored, actor)

    async def withdraw_or_queue(
        self, payer: str, authorization_id: str, version: int, actor: Actor = NOBODY
    ) -> PushResult | Queued:
        """Make it void, now or later. Raises an EngineFault if neither is possible."""
        stored = None
        try:
            with self._breaker.attempt():
                stored = await self._reading.get(payer, authorization_id)
                return await self._void(payer, authorization_id, version, stored, actor)
        except EngineFault as fault:
            if not fault.can_wait:
                raise
            member = None if stored is None else str(stored.state["member_id"])
            return await self._outbox.put_withdrawal(
                payer, authorization_id, version, member, actor=actor
            )

    async def _void(
        self, payer: str, name: str, version: int, stored: Stored | None, actor: Actor
    ) -> PushResult:
        if stored is None:
            return await self._authorizations.withdraw_unknown(payer, name, version, actor)
        last = withdrawal_of(stored.source, version, actor)
        return await self._authorizations.withdraw(payer, last)
