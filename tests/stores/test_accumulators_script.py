"""What the scripts of the accumulators refuse, and that nothing is written then."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from service.accounting.books.scale import SCALE
from service.application.parts import Stores
from service.stores.connection.faults import EngineRefused
from service.stores.units import accumulators
from service.stores.units.movements import write_change
from tests.ground import Ground
from tests.movements import Mover, bounds, part
from tests.stores.drawing import draw, plan_of, refused
from tests.stores.drawing import payer as payer

Place = tuple[str | int, ...]
NOT_WHOLE = (-1, -SCALE, 1.5, "nan", "inf", "-1", "1.5", "1e400", "", "ten", 2**53, 1e300, None)
A_PART: Place = ("l", 0, "y", 0)
A_DRAW: Place = (*A_PART, "y", 0, "d", 0)
A_DEBIT: Place = (*A_DRAW, "d", 0)
MISSING = object()

# What is changed in the request of a draw, and into what.
BAD_DRAWS: list[tuple[Place, Sequence[Any]]] = [
    ((*A_PART, "w"), (*NOT_WHOLE, 0, MISSING)),
    ((*A_PART, "s"), (*NOT_WHOLE, 0, MISSING)),
    ((*A_PART, "c"), (*NOT_WHOLE, MISSING)),
    ((*A_PART, "cs"), (*NOT_WHOLE, 0, MISSING)),
    ((*A_PART, "y"), ([], {}, None, 7, MISSING)),
    ((*A_DRAW, "x"), (0, 2, -1, 1.5, "1", None, MISSING)),
    ((*A_DRAW, "d"), (None, 7, MISSING)),
    ((*A_DEBIT, "n"), ("", "L9", "H@2026-01-01", None, 7, MISSING)),
    ((*A_DEBIT, "num"), NOT_WHOLE),
    ((*A_DEBIT, "den"), (*NOT_WHOLE, 0)),
    (("l",), (None, 7, MISSING)),
    (("a",), (None, 7, [], MISSING)),
    (("a", 0, "id"), ("", None, 7, MISSING)),
    (("a", 0, "v"), NOT_WHOLE[:-1]),
    (("a", 0, "b"), (None, 7, {}, MISSING)),
    (("a", 0, "b", "H", "u"), NOT_WHOLE[:-1]),
    (("a", 0, "b", "H", "m"), NOT_WHOLE[:-1]),
    (("n",), (*NOT_WHOLE, MISSING)),
    (("v",), (*NOT_WHOLE, MISSING)),
    (("s",), ("", "paid", None, 7, MISSING)),
    *((((name,), ("", None, {}, MISSING))) for name in ("k", "c", "m", "at", "fp")),
    *((((name,), ({}, []))) for name in ("by", "obo", "why")),
]
# The same of a change of what a claim holds, and of an amendment.
BAD_CHANGES: list[tuple[Place, Sequence[Any]]] = [
    (("n",), (*NOT_WHOLE, MISSING)),
    (("s",), ("", "paid", "reversed", None, 7, MISSING)),
    (("a",), (None, 7, [], ["A9"], MISSING)),
    (("r",), ("", "{", "7", "[7]", '[{"a":"A1"}]', None, MISSING)),
    *((((name,), ("", None, {}, MISSING))) for name in ("k", "c", "m", "at")),
    *((((name,), ({}, []))) for name in ("by", "obo", "why")),
]
BAD_AMENDMENTS: list[tuple[Place, Sequence[Any]]] = [
    (("v",), (*NOT_WHOLE, MISSING)),
    (("b",), (None, 7, [["", "1", "", "", ""]], [[None]], MISSING)),
    (("b", 0, 1), tuple(each for each in NOT_WHOLE if each not in ("", None))),
    *((((name,), ("", None, {}, MISSING))) for name in ("id", "st", "at", "day")),
    *((((name,), ({}, []))) for name in ("by", "obo", "why")),
]
# Rows that take more than the claim holds, or of somebody else.
BAD_ROWS: list[tuple[Place, Any]] = [
    ((0, "a"), "A2"),
    ((0, "d", 0, 0), "L2"),
    ((0, "d", 0, 0), ""),
    ((0, "d", 0, 1), str(4 * SCALE + 1)),
    ((0, "d", 0, 1), "-1"),
    ((0, "d", 0, 1), "0.5"),
    ((0, "d", 0, 1), "nan"),
    ((0, "d", 0, 2), str(2**53)),
    ((0, "d", 0, 6), "2026-03-01|a,2026-03-02|a,2026-03-03|a,2026-03-04|a,2026-03-05|a"),
    ((0, "d", 0, 7), "2026-03-01"),
    ((0, "d"), None),
]


def cases(table: Sequence[tuple[Place, Sequence[Any]]]) -> list[Any]:
    """One case for each place and value."""
    return [
        pytest.param(place, value, id=f"{'.'.join(map(str, place))}={shown(value)}")
        for place, values in table
        for value in values
    ]


def shown(value: Any) -> str:
    """The value, as a test is named after it."""
    return "missing" if value is MISSING else repr(value)


def put(request: Any, place: Place, value: Any) -> None:
    """Change a request in one place."""
    for step in place[:-1]:
        request = request[step]
    if value is MISSING:
        del request[place[-1]]
    else:
        request[place[-1]] = value


def spoil(monkeypatch: pytest.MonkeyPatch, name: str, place: Place, value: Any) -> None:
    """Let what is sent to a script be wrong in one place."""
    write: Callable[..., bytes] = getattr(accumulators, name)

    def wrong(*given: Any, **named: Any) -> bytes:
        request = orjson.loads(write(*given, **named))
        put(request, place, value)
        return orjson.dumps(request)

    monkeypatch.setattr(accumulators, name, wrong)


def with_a_claim(ground: Ground, payer: str, then: Callable[[Mover], Any]) -> None:
    """Let claim C1 hold four units of A1, with more to spare, and go on from there."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 4, of={"A1": bounds(10, 900)})
        await then(mover)

    ground.run(scenario)


@pytest.mark.parametrize(("place", "value"), cases(BAD_DRAWS))
def test_a_bad_draw_is_refused_and_writes_nothing(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch, place: Place, value: Any
) -> None:
    """Whatever is wrong with it, and wherever."""
    spare = {"num": 1, "den": 1}

    async def then(mover: Mover) -> None:
        if place[-1] in spare:
            spoil(monkeypatch, "write_draw", (*A_DEBIT, "den"), 1)
        spoil(monkeypatch, "write_draw", place, value)
        await refused(mover, lambda: mover.draw("C2", 2, of={"A1": bounds(10, 900)}), EngineRefused)

    with_a_claim(ground, payer, then)


@pytest.mark.parametrize(("place", "value"), cases(BAD_CHANGES))
def test_a_bad_change_is_refused_and_writes_nothing(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch, place: Place, value: Any
) -> None:
    """Also one that would leave units with nobody."""

    async def then(mover: Mover) -> None:
        spoil(monkeypatch, "write_change", place, value)
        await refused(mover, lambda: mover.change("C1", "used", 3), EngineRefused)

    with_a_claim(ground, payer, then)


@pytest.mark.parametrize(("place", "value"), cases(BAD_AMENDMENTS))
def test_a_bad_amendment_is_refused_and_writes_nothing(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch, place: Place, value: Any
) -> None:
    """The limits that were in force stay so."""

    async def then(mover: Mover) -> None:
        spoil(monkeypatch, "write_amendment", place, value)
        await refused(mover, lambda: mover.amend("A1", 3), EngineRefused)

    with_a_claim(ground, payer, then)


@pytest.mark.parametrize(
    ("place", "value"), [pytest.param(*each, id=repr(each)) for each in BAD_ROWS]
)
def test_a_change_never_takes_more_than_the_claim_holds(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch, place: Place, value: Any
) -> None:
    """Not of another authorization, account, visit or day either."""

    async def then(mover: Mover) -> None:
        def wrong(*given: Any) -> bytes:
            request = orjson.loads(write_change(*given))
            rows = orjson.loads(request["r"])
            put(rows, place, value)
            return orjson.dumps({**request, "r": orjson.dumps(rows).decode()})

        monkeypatch.setattr(accumulators, "write_change", wrong)
        await refused(mover, lambda: mover.change("C1", "used"), EngineRefused)

    with_a_claim(ground, payer, then)


@pytest.mark.parametrize(
    ("which", "kind"),
    [
        (which, kind)
        for which, own in (
            ("accounts", "hash"), ("tokens", "hash"), ("claim", "hash"), ("ledger", "stream"),
        )
        for kind in ("string", "list", "stream", "hash")
        if kind != own
    ],
)  # fmt: skip
def test_a_key_of_another_kind_is_refused_and_left_alone(
    ground: Ground, payer: str, which: str, kind: str
) -> None:
    """Whoever wrote it there."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        names = {"accounts": "A1", "tokens": "A1", "claim": "C1"}
        keys = mover.keys
        key = keys.ledger if which == "ledger" else getattr(keys, which)(names[which])
        write: dict[str, Callable[[], Any]] = {
            "string": lambda: stores.redis.set(key, "x"),
            "list": lambda: stores.redis.rpush(key, "x"),
            "stream": lambda: stores.redis.xadd(key, {"x": "y"}),
            "hash": lambda: stores.redis.hset(key, "x", "y"),
        }
        await write[kind]()
        plan = plan_of(part(2, {"A1": bounds()}), bounds())
        await refused(mover, lambda: draw(mover, plan), EngineRefused)

    ground.run(scenario)


@pytest.mark.parametrize("value", ["-1", "0.5", "nan", "ten", "", str(2**53)])
def test_a_balance_that_cannot_be_counted_is_not_counted_on(
    ground: Ground, payer: str, value: str
) -> None:
    """It is left as it is, for somebody to look at."""

    async def then(mover: Mover) -> None:
        redis: Any = mover.stores.redis
        await redis.hset(mover.keys.accounts("A1"), "H.uu", value)
        for move in (lambda: mover.draw("C2"), lambda: mover.change("C1", "reversed")):
            await refused(mover, move, EngineRefused)

    with_a_claim(ground, payer, then)
