"""Every name that is written to Redis and the ledger is in the one list that says what it means."""

import re
from typing import Any

import orjson

from service.accounting.books import wire
from service.application.parts import Stores
from tests.ground import Ground
from tests.movements import Mover, bounds

PATTERNS = {
    "VERSION": r"\d+",
    "BASE": r"(?:H|L\d+)[@~]?",
    "ACCOUNT": r"(?:H|L\d+)(?:[@~][^.|]*)?",
    "LINE": r"L\d+",
    "ITEM": ".+",
    "DAY": ".+",
}


def unknown(names: wire.Names, found: set[str]) -> set[str]:
    """The fields that no name of a list stands for."""
    patterns = []
    for name in names:
        pattern = re.escape(name)
        for word, meant in PATTERNS.items():
            pattern = pattern.replace(word, meant)
        patterns.append(re.compile(pattern))
    return {each for each in found if not any(pattern.fullmatch(each) for pattern in patterns)}


def test_all_that_is_written_is_named(ground: Ground, payer: str) -> None:
    """After claims were drawn, replaced, changed and amended in any order."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.some_of_everything(seed=4, steps=60)
        await mover.draw("C-priced", 2, of={"A-priced": bounds()}, price=(50, 1))
        found: dict[str, set[str]] = {name: set() for name in ("claim", "accounts", "tokens")}
        for kind, fields in found.items():
            async for key in stores.redis.scan_iter(f"{mover.keys.prefix}:{kind}:*", count=1000):
                fields |= {str(name) for name in await stores.redis.hkeys(key)}
        entries: Any = await stores.redis.xrange(mover.keys.ledger)
        moved = [
            each
            for _, fields in entries
            for name in ("r", "u", "o")
            for each in orjson.loads(fields.get(name, "[]"))
        ]

        assert unknown(wire.CLAIM, found["claim"]) == set()
        assert unknown(wire.ACCOUNTS, found["accounts"]) == set()
        assert unknown(wire.TOKENS, found["tokens"]) == set()
        assert {name for _, fields in entries for name in fields} <= set(wire.ENTRY)
        assert {name for each in moved for name in each} == set(wire.MOVED)
        assert {name for each in moved for name in each["row"]} == set(wire.ROW)
        assert moved

    ground.run(scenario)
