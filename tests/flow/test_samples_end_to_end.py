"""Generated samples through push and match on the real engines: what each story says comes out."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from authmatch_local.samples import Expected, SampleData
from service.application.parts import Stores
from service.domain.answers import MatchedLine
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.domain.submission import Pushed
from tests.ground import Ground, match

BATCH = 500
AT_ONCE = 6

Told = tuple[dict[str, Any], tuple[Expected, ...]]


def batches(papers: Iterable[dict[str, Any]]) -> Iterator[list[Pushed]]:
    """The authorizations as a sender would push them, some hundred at a time."""
    batch: list[Pushed] = []
    for paper in papers:
        pushed = Pushed(authorization=Authorization.model_validate(paper), source=paper)
        batch.append(pushed)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def difference(expected: Expected, line: MatchedLine) -> dict[str, Any]:
    """What came out other than expected: name to both."""
    result = next(each for each in line["results"] if each["type"] == expected.type)
    shown = result["candidates"]
    best: dict[str, Any] = dict(shown[0]) if shown else {}
    wanted_and_got = {
        "template": (expected.template, result["template"]),
        "class": (expected.class_, result["class"]),
        "chosen": (list(expected.chosen), result["chosen"]),
        "best": (expected.best, best.get("authorization_id")),
        "events": (list(expected.events), sorted(each["code"] for each in result["events"])),
        "score": (expected.score, best.get("score")),
        "attainable": (expected.attainable, best.get("attainable")),
    }
    return {name: pair for name, pair in wanted_and_got.items() if pair[0] != pair[1]}


async def compare(
    stores: Stores, payer: str, told: Sequence[Told], seen: Counter[str]
) -> list[str]:
    """Match claims, a few at once, and give what differs from their stories."""
    differing: list[str] = []
    waiting = list(told)

    async def work() -> None:
        while waiting:
            claim, all_expected = waiting.pop()
            lines = await match(stores, payer, Claim.model_validate(claim))
            by_number = {line["line"]: line for line in lines}
            for expected in all_expected:
                seen[expected.story] += 1
                seen["heavy"] += expected.heavy
                found = difference(expected, by_number[expected.line])
                if found:
                    differing.append(f"{expected.story} {expected.claim_id}: {found}")

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return differing


def run_samples(ground: Ground, payer: str, sample: SampleData) -> Counter[str]:
    """Push all, match all; everything expected must hold."""
    seen: Counter[str] = Counter()

    async def scenario(stores: Stores) -> list[str]:
        for batch in batches(sample.authorizations()):
            results = await stores.authorizations.push(payer, batch)
            assert {each.status for each in results} <= {"created"}
        return await compare(stores, payer, list(sample.claims()), seen)

    assert ground.run(scenario) == []
    return seen


def test_every_story_comes_out_as_told(ground: Ground, payer: str) -> None:
    """Of some thousand authorizations, heavy members among them, all claims are answered right."""
    seen = run_samples(ground, payer, SampleData(seed=7, authorizations=1_500, heavy_every=40))

    assert seen["heavy"] >= 4
    assert sum(seen.values()) > 350


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_story_comes_out_as_told_in_a_larger_sample(ground: Ground, payer: str) -> None:
    """The same for a larger sample of another seed."""
    run_samples(ground, payer, SampleData(seed=2_026, authorizations=60_000, heavy_every=200))
