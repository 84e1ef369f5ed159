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


async def amend_limits(accumulators: Accumulators, payer: str, arrived: Sequence[Arrival]) -> None:
    """Amend the accumulators of those that were stored; may be repeated, older ones do nothing."""
    drawn = await accumulators.drawn_on(payer, [(each.member, each.id) for each in arrived])
    amendments = [
        Amendment(
            authorization_id=each.id,
            member=each.member,
            version=each.version,
            is_void=each.void,
            bounds=bounds_of(each.pushed.authorization),
        )
        for each in arrived
        if each.id in drawn
    ]
    await accumulators.amend(payer, amendments, Occasion(kind="amend", at=now(), why="pushed"))
