"""Brings the limits of what was drawn already up to the version that was pushed.

What was used stays, also where it is more than the new limit: then nothing more is granted, and the
remaining shows below zero. A line that is gone keeps its balance, with an end.
"""

from collections.abc import Sequence

from service.accounting.books.books import Amendment, Occasion
from service.accounting.limits.bounds import bounds_of
from service.stores.authorizations.arrival import Arrival
from service.stores.connection.clock import now
from service.stores.units.accumulators import Accumulators


class Balances:
    """Takes the limits of pushed versions."""

    def __init__(self, accumulators: Accumulators) -> None:
        """Amend these."""
        self._accumulators = accumulators

    async def carry(self, payer: str, arrived: Sequence[Arrival]) -> None:
        """Nothing goes anywhere."""

    async def amend(self, payer: str, arrived: Sequence[Arrival]) -> None:
        """Amend the accounts of those that were stored; may be repeated, older ones do nothing."""
        drawn = await self._accumulators.drawn_on(payer, [each.id for each in arrived])
        amendments = [
            Amendment(
                authorization_id=each.id,
                version=each.version,
                is_void=each.void,
                bounds=bounds_of(each.pushed.authorization),
            )
            for each in arrived
            if each.id in drawn
        ]
        occasion = Occasion(kind="amend", at=now(), why="pushed")
        await self._accumulators.amend(payer, amendments, occasion)
