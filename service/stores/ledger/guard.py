"""What must hold before units are moved."""

from dataclasses import dataclass

from service.stores.connection.durability import Durability
from service.stores.ledger.epoch import Epoch


@dataclass(eq=False)
class Guard:
    """Asked before every movement; mostly it knows the answer already."""

    _durability: Durability
    _epoch: Epoch

    async def ensure(self) -> None:
        """Return when Redis keeps what it acknowledges, and holds what the ledger says.

        Raises NotDurable, AccumulatorsLost, or another EngineFault where an engine cannot be asked.
        """
        await self._durability.ensure()
        await self._epoch.verify()
