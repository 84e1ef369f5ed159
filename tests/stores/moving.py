"""Authorizations that are pushed with another member, and what all members' claims then hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.accounting.books.books import AuthorizationChanged, Occasion
from service.accounting.books.plan import Bounds
from service.accounting.books.scale import SCALE
from service.accounting.limits.lines import how_counted
from service.accounting.replay.ledger_page import Difference
from service.application.parts import Stores
from service.domain.adjudication import ClaimChange
from service.domain.person import Person
from service.flow.adjudicating.claim_life import Step, change_claim
from service.stores.authorizations import locator
from service.stores.authorizations import store as authorization_store
from service.stores.connection import scripts as book_scripts
from service.stores.connection.bulk import run_bulk
from service.stores.connection.faults import EngineFault, EngineUnavailable
from service.stores.connection.key_names import BookKeys
from service.stores.ledger.reading import MOVED
from service.stores.units import steps
from tests.ground import push, version_of
from tests.movements import AT, Mover, bounds

LIMIT = 10
ID = "A1"


def limits() -> dict[str, Bounds]:
    """What a claim is told of the authorization."""
    return {ID: bounds(LIMIT)}


@dataclass
class Journey:
    """One authorization of ten units, with the member under whom it was pushed last."""

    stores: Stores
    payer: str
    member: str = "MNONE"
    version: int = 0
    members: list[str] = field(default_factory=list)

    async def to(self, member: str) -> list[str]:
        """Push the next version, with this member; gives the statuses."""
        self.member, self.version = member, self.version + 1
        if member not in self.members:
            self.members.append(member)
        return await self.again()

    async def again(self) -> list[str]:
        """Push the last version once more."""
        return await push(self.stores, self.payer, self.pushed(self.version, self.member))

    def pushed(self, version: int, member: str) -> Any:
        """A version with a member."""
        return version_of(version, authorization_id=ID, member={"id": member})

    def mover(self, member: str | None = None) -> Mover:
        """Who draws for a member, as matched with the last version."""
        return Mover(
            self.stores,
            self.payer,
            member=member or self.member,
            version=self.version,
            counted=how_counted(self.pushed(1, self.member).authorization),
        )

    @property
    def keys(self) -> BookKeys:
        """The book of the payer."""
        return self.mover().keys

    async def draw(self, claim_id: str, want: int = 4, **changes: Any) -> int:
        """Draw for the member of the last version; gives how many units were got."""
        moved = await self.mover().draw(claim_id, want, of=limits(), **changes)
        return sum(each.units for each in moved.drawn) // SCALE

    async def is_closed(self, member: str) -> bool:
        """Whether a former member has it no more, nor a claim that was matched before it went.

        Something was drawn on it already: else such a claim would count as one that came before.
        """
        if ID in await self.stores.reading.standing(self.payer, Person.of(member), [ID]):
            return False
        mover = self.mover(member)
        mover.version = self.version - 1
        try:
            await mover.draw(f"C-closed-{member}-{self.version}", 1, of=limits())
        except AuthorizationChanged:
            return True
        return False

    async def balance(self) -> tuple[int, int]:
        """What is used and reserved of the header."""
        state = await self.stores.accumulators.accounts(self.payer, ID)
        for each in state.accounts:
            if each.name == "H":
                units = each.balances["units"]
                return units.used // SCALE, units.reserved // SCALE
        return 0, 0

    async def kinds(self) -> set[str]:
        """What the ledger says that happened to it."""
        page = await self.stores.ledger.page(self.payer, ID, MOVED, size=200)
        return {each.fields["k"] for each in page.entries}

    async def differences(self) -> list[Difference]:
        """What a comparison of all books finds."""
        found = await self.stores.reconciliation.run([self.payer])
        return [each for *_, each in found.differences]


class Fault(EngineUnavailable):
    """An engine is lost at a step."""


@contextmanager
def fault_at(step: int, *, is_done: bool) -> Iterator[list[str]]:
    """Lose an engine at one of the steps that write; ``is_done``: the step, and not its answer.

    The steps of the block are listed as they are taken.
    """
    taken: list[str] = []

    def lose(name: str, when: bool) -> None:
        if len(taken) == step and when == is_done:
            raise Fault("redis", f"lost at {name}")

    async def script(*request: Any) -> Any:
        taken.append("script")
        lose("a script", False)
        answer = await book_scripts.run_script(*request)
        lose("a script", True)
        return answer

    async def bulk(elasticsearch: Any, operations: Any) -> Any:
        if operations:
            taken.append("bulk")
            lose("a write", False)
        written = await run_bulk(elasticsearch, operations)
        if operations:
            lose("a write", True)
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "run_script", script)
        patch.setattr(locator, "run_bulk", bulk)
        patch.setattr(authorization_store, "run_bulk", bulk)
        yield taken


async def step(journey: Journey, name: Step, claim_id: str, **content: Any) -> Any:
    """Take a step of a claim's life, as the service does."""
    books, change = journey.stores.accumulators, ClaimChange(**content)
    occasion = Occasion(kind=name, at=AT)
    return await change_claim(name, claim_id, change, journey.payer, books, occasion)


async def tries(work: Any) -> bool:
    """Whether something was done without a fault."""
    try:
        await work
    except EngineFault:
        return False
    return True
