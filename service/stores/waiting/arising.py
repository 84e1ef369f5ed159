"""What comes on the worklist by itself beside claims: grants that overlap, and dead letters.

Which of them a payer wants is a matter of its rules (``by_itself`` of ``worklist.yaml``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.domain.actor import Actor
from service.domain.work_item import (
    DEAD_LETTER,
    OVERLAP,
    ItemKind,
    WorkItem,
    came_again,
    item_id,
    joined,
    letter_item,
)
from service.rules.book import RuleBook
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable
from service.stores.waiting.worklist import ATTEMPTS_MAX, Worklist


@dataclass(eq=False, repr=False)
class Arising:
    """Puts items on the worklist, and closes them; may be repeated. Raises EngineFault."""

    _worklist: Worklist
    _rules: Callable[[str], RuleBook]

    def is_wanted(self, payer: str, kind: ItemKind) -> bool:
        """Whether a payer wants items of a kind by themselves."""
        return kind in self._rules(payer).references.worklist.by_itself

    async def overlap(self, payer: str, grants: Iterable[Mapping[str, int]]) -> None:
        """Put grants on the worklist, each with the others that it overlaps and their versions."""
        items = [
            self._item(payer, item_id(OVERLAP, *sorted(each)), OVERLAP, authorizations=each)
            for each in grants
        ]
        await self._worklist.put(payer, items, joined)

    async def letters(self, payer: str, ids: Sequence[str]) -> None:
        """Put dead letters that came on the worklist, if the payer wants that."""
        if ids and self.is_wanted(payer, DEAD_LETTER):
            items = [self._item(payer, letter_item(each), DEAD_LETTER, letter=each) for each in ids]
            await self._worklist.put(payer, items, came_again)

    async def seen_to(self, payer: str, letter: str, *, actor: Actor, why: str | None) -> None:
        """Close the item of a dead letter, whoever put it there, as the letter was closed."""
        for _ in range(ATTEMPTS_MAX):
            listed = await self._worklist.read(payer, letter_item(letter))
            if listed is None or not listed.item.is_open:
                return
            closed = listed.item.decided("done", at=now(), actor=actor, why=why)
            if await self._worklist.write(payer, closed, listed.seen):
                return
        raise EngineUnavailable("elasticsearch", "other writes of one item did not end")

    def _item(self, payer: str, name: str, kind: ItemKind, **of: Any) -> WorkItem:
        table = self._rules(payer).references.worklist
        return table.timed(item_id=name, kind=kind, since=now(), **of)
