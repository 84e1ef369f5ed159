"""An office: pushes, adjudicates, and looks at late authorizations when it is told to."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from service.access.limits import Limits
from service.accounting.answers.answer import complete
from service.application import claims, maintenance
from service.application._shadows import Shadows
from service.application._stages import Stages
from service.application.parts import Application, Caller, Stores, gate_of, local_caller
from service.domain.adjudication import Adjudication, ClaimChange
from service.domain.answers import AdjudicationAnswer, RecordedAnswer
from service.domain.work_item import WorkItem, offer_item
from service.flow.adjudicating.claim_life import Step
from service.flow.late.claims import How
from service.flow.late.watch import LateWatch
from service.flow.matching.live_check import LiveCheck
from service.rules.book import RuleBook, Rules
from service.stores.ledger.reading import OF_CLAIM
from service.stores.waiting import late_queue
from tests.api.bodies import claim_body
from tests.ground import Ground, push, version_of

T = TypeVar("T")


@dataclass
class Office:
    """One payer's office; ``done`` is what was done with claims, in order."""

    parts: Application
    payer: str

    @property
    def stores(self) -> Stores:
        """Its stores."""
        return self.parts.stores

    @property
    def caller(self) -> Caller:
        """Its payer, asking."""
        return local_caller(self.parts, self.payer)

    @property
    def me(self) -> str:
        """Who asks, as records call him."""
        return self.caller.subject.title

    async def rebuild(self) -> None:
        """Make the books anew from the ledger."""
        await maintenance.rebuild(self.parts, [self.payer], force=True, tell=lambda *_: None)

    async def push(self, version: int = 1, query: str = "professional", **changes: Any) -> str:
        """Push a version of an authorization; gives its status."""
        (status,) = await push(self.stores, self.payer, version_of(version, query, **changes))
        return status

    async def adjudicate(
        self, query: str = "professional", *, again: bool = False, **claim: Any
    ) -> AdjudicationAnswer:
        """Adjudicate a claim as it comes in."""
        decided = {name: claim.pop(name) for name in ("stage", "selections", "by") if name in claim}
        given = Adjudication.model_validate(claim_body(query, **claim) | decided)
        return (await claims.adjudicate(self.caller, given, again=again)).answer

    async def work(self) -> list[How]:
        """Look at all that is due; gives what was done with claims."""
        done: list[How] = []
        look = self.parts.late_claims.look

        async def looked(*given: Any) -> How | None:
            how = await look(*given)
            done.extend([] if how is None else [how])
            return how

        await self.watch(looked).work()
        return done

    def watch(self, look: Any = None) -> LateWatch:
        """The background of a worker of this office."""
        stores = self.stores
        return LateWatch(
            stores.late_queue,
            stores.waiting,
            look or self.parts.late_claims.look,
            self.parts.late_claims.review,
            [self.payer],
        )

    async def queued(self) -> int:
        """How many members are in the queue."""
        return (await self.stores.late_queue.length([self.payer]))[self.payer]

    async def pause_over(self) -> None:
        """Let the time pass after which what failed is tried again."""
        due = self.stores.visibility.keys.late(self.payer).due
        owners: Any = await self.stores.redis.zrange(due, 0, -1)
        if owners:
            await self.stores.redis.zadd(due, dict.fromkeys(owners, 0), xx=True)

    async def waiting(self, member: str = "M0001") -> list[str]:
        """The claims of a member that wait."""
        owner = self.stores.visibility.keys.book(self.payer).owner(member)
        return await self.stores.waiting.page(self.payer, owner, after="", size=1000)

    async def item(self, claim_id: str = "C-1") -> WorkItem | None:
        """What is on the worklist about a claim."""
        listed = await self.stores.worklist.read(self.payer, offer_item(claim_id))
        return listed.item if listed else None

    async def kinds(self, claim_id: str = "C-1") -> list[str]:
        """What happened to a claim, oldest first."""
        page = await self.stores.ledger.page(self.payer, claim_id, OF_CLAIM)
        return [each.fields["k"] for each in reversed(page.entries)]

    async def last_word(self, claim_id: str = "C-1") -> tuple[str, str]:
        """Who did the last thing to a claim, and why."""
        page = await self.stores.ledger.page(self.payer, claim_id, OF_CLAIM)
        fields = page.entries[0].fields
        return fields["by"], fields["why"]

    async def stored(self, claim_id: str = "C-1") -> list[str]:
        """What became of the lines of a claim, as it stands now."""
        claim = await self.stores.accumulators.read_claim(self.payer, claim_id)
        assert claim.is_known
        draft, moved = await self.stores.waiting.kept(self.payer, claim.entries[claim.version])
        return [line["disposition"] for line in complete(draft, moved)["lines"]]

    async def change(self, step: Step, claim_id: str = "C-1", **content: Any) -> None:
        """Take a step of a claim's life."""
        await claims.change(self.caller, step, claim_id, ClaimChange(**content))

    async def used(self, authorization_id: str = "A1") -> int:
        """The units that are used of the first line of an authorization, in whole units."""
        state = await self.stores.accumulators.accounts(self.payer, authorization_id)
        found = {each.name: each.balances["units"].used for each in state.accounts}
        return found.get("L1", 0) // 3_000_000


@contextmanager
def at_once() -> Iterator[None]:
    """Let no member wait for others before its claims are looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late_queue, "SOON_S", 0.0)
        yield


@asynccontextmanager
async def office(
    ground: Ground, payer: str, rules: RuleBook | None = None, **settings: Any
) -> AsyncIterator[Office]:
    """Open an office of its own, as another worker has it."""
    changed = ground.settings.model_copy(update=settings)
    with at_once():
        async with ground.stores(changed) as stores:
            books = Rules(rules or ground.rules)
            stages = Stages(stores.rules, stores.kept, books, None)
            parts = Application(
                settings=changed,
                rules=books,
                stores=stores,
                live_check=LiveCheck(0),
                roles={},
                gate=gate_of(changed, {}, stores),
                limits=Limits(stores.usage, rate=0, at_once=0, failures=0),
                stages=stages,
                shadows=Shadows(stores.rules, books, None, stages, changed.member_id_form),
            )
            yield Office(parts, payer)


def run(ground: Ground, payer: str, work: Callable[[Office], Awaitable[T]], **settings: Any) -> T:
    """Do something in an office."""

    async def scenario(_: Stores) -> T:
        async with office(ground, payer, **settings) as opened:
            return await work(opened)

    return ground.run(scenario)


def dispositions(answer: RecordedAnswer) -> Sequence[str]:
    """What became of the lines."""
    return [line["disposition"] for line in answer["lines"]]


def events(answer: RecordedAnswer, line: int = 1) -> Sequence[str]:
    """The events of a line."""
    return [each["code"] for each in answer["lines"][line - 1]["events"]]
