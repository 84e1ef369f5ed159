"""A claim of many lines gives others their turn, and costs as many steps as it has lines."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.background import AT_A_TURN
from service.flow.matching import match as matching
from service.flow.matching.finding import Finder
from service.ingest.cutting import PIECES_AT_A_TIME, LineCutter, cut
from service.matching import numbers
from tests.builders import build_claim
from tests.ground import Ground, match

STEPS = (
    "decide_requirement",
    "line_values",
    "rank_search",
    "numbers_for",
    "settle",
    "resolve",
    "with_specialised",
    "write_result",
)
"""What is done for each line of a claim, one line after the other."""
LINES = 10 * AT_A_TURN
SUBMITTED = [{"value": f"NONE-{each}"} for each in range(20)]


class Turns:
    """Counts the turns of everybody else, and what was done between any two of them."""

    def __init__(self) -> None:
        self.now = 0
        self.done: Counter[tuple[str, int]] = Counter()

    def counted(self, name: str, inner: Any) -> Any:
        """A step that is counted."""

        def step(*given: Any, **named: Any) -> Any:
            self.done[name, self.now] += 1
            return inner(*given, **named)

        return step

    def most(self, name: str) -> int:
        """How often a step was done between two turns."""
        return max(count for (each, _), count in self.done.items() if each == name)

    async def count(self) -> None:
        """Have a turn whenever anybody has."""
        while True:
            self.now += 1
            await asyncio.sleep(0)


def test_a_claim_of_many_lines_holds_up_nobody(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two turns of others no more lines are looked at than may be, in any step.

    A number that fits nothing is looked for once in each line, not once for each pair of them.
    """
    turns = Turns()
    for name in STEPS:
        monkeypatch.setattr(matching, name, turns.counted(name, getattr(matching, name)))
    monkeypatch.setattr(numbers, "fit", turns.counted("fit", numbers.fit))
    monkeypatch.setattr(Finder, "judge", turns.counted("judge", Finder.judge))
    line = build_claim().lines[0].model_dump(mode="json", by_alias=True)
    lines = [{**line, "line": number + 1} for number in range(LINES)]

    async def scenario(stores: Any) -> None:
        others = asyncio.create_task(turns.count())
        claim = build_claim(lines=lines, authorization_numbers=SUBMITTED)
        assert len(await match(stores, payer, claim)) == LINES
        others.cancel()

    ground.run(scenario)
    assert {name: turns.most(name) for name in (*STEPS, "judge")} == dict.fromkeys(
        (*STEPS, "judge"), AT_A_TURN
    )
    fitted = sum(count for (name, _), count in turns.done.items() if name == "fit")
    assert fitted == LINES * len(SUBMITTED)


def test_a_stream_of_many_lines_holds_up_nobody() -> None:
    """Thousands of lines that come in one piece are cut with others' turns between them."""
    turns = Turns()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"1\n" * 20 * PIECES_AT_A_TIME

    async def scenario() -> None:
        others = asyncio.create_task(turns.count())
        async for _ in cut(chunks(), LineCutter(100)):
            turns.done["cut", turns.now] += 1
        others.cancel()

    asyncio.run(scenario())
    assert turns.most("cut") <= PIECES_AT_A_TIME
