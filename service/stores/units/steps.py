"""Runs the scripts that move units: on a book that is whole, with all accounts that they need.

The row of a movement is written in the same step.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from redis.commands.core import AsyncScript

from service.access.act import current
from service.stores.audit.trail import Movement, Trail
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.key_names import KeyNames
from service.stores.connection.replicas import Replicas, Unconfirmed
from service.stores.connection.scripts import run_script
from service.stores.units.archive import Archive

RECALLS_MAX = 4
LOOKS_MAX = 3
_NOWHERE = "accounts that a claim draws on are neither in Redis nor in the archive: reconcile"

Row = tuple[bytes | str, ...]
Touch = Callable[[str], None]
"""Is told that something of a payer was moved, so that it is projected soon."""


class Epoch(Protocol):
    """The marks of books, by which one that was lost, or is an older one, is told."""

    def moved(self, payer: str, entry: str) -> None:
        """Remember what was acknowledged."""
        ...

    async def confirm(self, payer: str) -> None:
        """Return when what is not in the book never was; raises EngineFault."""
        ...

    async def settle(self, payer: str) -> str:
        """Look whether the book is whole, and give its mark; raises EngineFault."""
        ...


class Guard(Protocol):
    """Asked before the accumulators are decided upon and moved."""

    @property
    def epoch(self) -> Epoch:
        """The marks."""
        ...

    async def ensure(self, payer: str) -> str:
        """Give the mark of a book that may be moved; else raises EngineFault."""
        ...


@dataclass(eq=False, repr=False)
class Steps:
    """Every one is done whole, or is a fault and nothing moved."""

    _keys: KeyNames
    _archive: Archive
    _trail: Trail
    guard: Guard
    replicas: Replicas
    _touch: Touch

    async def move(
        self,
        payer: str,
        script: AsyncScript,
        names: Sequence[str],
        arguments: Callable[[Collection[str]], Sequence[bytes | str]],
        movement: Movement,
    ) -> dict[str, Any]:
        """Run a script that moves units; accounts that Redis does not have are recalled first.

        ``arguments`` is given the authorizations of which it is known that nobody drew on them.
        """
        new: set[str] = set()
        for _ in range(RECALLS_MAX):
            row: Row = self._trail.moving(payer, movement)
            answer = await self.run(payer, script, names, arguments(new), row)
            if answer["s"] == "unled":
                await self._trail.go_on(payer)
            elif answer["s"] == "absent":
                new |= await self._archive.recall(payer, "accounts", answer["a"])
            else:
                if "tr" in answer:
                    self._trail.appended(payer, answer["tr"], current())
                return answer
        raise EngineUnavailable("redis", _NOWHERE)

    async def run(
        self,
        payer: str,
        script: AsyncScript,
        names: Sequence[str],
        arguments: Sequence[bytes | str],
        row: Row,
    ) -> dict[str, Any]:
        """Run a script, once it is the book that is known; raises Unconfirmed, EngineFault."""
        epoch, book = await self.guard.ensure(payer), self._keys.book(payer)
        keys = [*names, book.archived, book.epoch, book.trail, book.trail_head]
        for _ in range(LOOKS_MAX):
            try:
                answer = await run_script(self.replicas, script, keys, [*arguments, epoch, *row])
            except Unconfirmed:
                self._touch(payer)
                raise
            if answer["s"] != "apart":
                if "e" in answer:
                    self.guard.epoch.moved(payer, answer["e"])
                self._touch(payer)
                return answer
            epoch = await self.guard.epoch.settle(payer)
        raise EngineUnavailable("redis", "it is another one again and again")
