"""People of a payer who work on rules that are kept on real engines."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from service.application import claims, rules_drafts, rules_publishing, rules_stages
from service.application.maintenance import install
from service.application.parts import Application, Caller, application, local_caller
from service.application.rules import Asked
from service.application.rules_drafts import ApprovalAsked, DraftWanted
from service.application.rules_publishing import PublishAsked, RollbackAsked
from service.domain.claim import Claim
from service.rules.texts import read_folder
from tests.api.bodies import claim_body
from tests.builders import QUERIES
from tests.ground import Ground

T = TypeVar("T")
TEXTS = read_folder(QUERIES)
WHY = Asked(reason="a test")
Edit = tuple[str, str, str]

WEIGHT = ("professional.yaml", "weight: 24", "weight: 21")
TITLE = ("dental.yaml", "title: ", "title: New ")
RESULTS = ("base.yaml", "max_results: 50", "max_results: 49")


def texts_with(*edits: Edit, of: Mapping[str, str] = TEXTS) -> dict[str, str | None]:
    """The files that some edits change."""
    texts: dict[str, str | None] = {}
    for file, old, new in edits:
        before = texts.get(file) or of.get(file, "")
        assert old in before, (file, old)
        texts[file] = before.replace(old, new, 1)
    return texts


@dataclass(frozen=True)
class Office:
    """People of a payer who work on rules."""

    parts: Application
    payer: str

    def of(self, name: str) -> Caller:
        """One of them, by a key of its own."""
        local = local_caller(self.parts, self.payer)
        subject = replace(local.subject, kind="key", name=name)
        return Caller(self.parts, self.payer, subject)

    async def drafted(self, *edits: Edit, by: str = "ann", **more: Any) -> str:
        """A draft of these edits."""
        wanted = DraftWanted(title="t", reason="r", changed=texts_with(*edits), **more)
        return str((await rules_drafts.begin(self.of(by), wanted))["id"])

    async def approved(self, *edits: Edit, by: str = "ann", **more: Any) -> str:
        """A draft that was evaluated, submitted, and approved by somebody else."""
        draft = await self.drafted(*edits, by=by, **more)
        await rules_drafts.evaluate(self.of(by), draft, WHY)
        await rules_drafts.submit(self.of(by), draft, WHY)
        await rules_drafts.approve(self.of("kim"), draft, ApprovalAsked(reason="r"))
        return draft

    async def publish(self, draft: str, **more: Any) -> dict[str, Any]:
        """Publish a draft that no report is of, as a second approver."""
        asked = PublishAsked(reason="go", **{"despite_gates": "a test", **more})
        return await rules_publishing.publish(self.of("pat"), draft, asked)

    async def rollback(self, **more: Any) -> dict[str, Any]:
        """Roll back."""
        asked = RollbackAsked(reason="back", **more)
        return await rules_publishing.rollback(self.of("lee"), asked)

    async def sets(self) -> list[tuple[int, str | None, str]]:
        """What is in force: numbers, first days of service, states."""
        found = await rules_stages.in_force(self.of("ann"))
        return [(each["number"], each["effective_from"], each["state"]) for each in found["sets"]]

    async def answer(self, **more: Any) -> dict[str, Any]:
        """What a claim is answered, but for the time it took."""
        claim = Claim.model_validate(claim_body(claim_id="C-1", **more))
        answer: Any = await claims.match(self.of("ann"), claim)
        del answer["took_ms"]
        return dict(answer)


def in_office(ground: Ground, payer: str, work: Callable[[Office], Awaitable[T]]) -> T:
    """Let the people of an office work on kept rules."""

    async def opened() -> T:
        async with office(ground, payer) as people:
            return await work(people)

    return asyncio.run(opened())


@asynccontextmanager
async def office(ground: Ground, payer: str) -> AsyncIterator[Office]:
    """An office on the engines, with the shipped rules in force."""
    async with application(ground.settings) as parts:
        await install(parts)
        yield Office(parts, payer)
