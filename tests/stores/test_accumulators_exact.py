"""The scripts of the accumulators count exactly, and stand what happens to Redis between calls."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import redis as plain_redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.accounting.books.books import AuthorizationChanged, ClaimMoved, Occasion
from service.accounting.books.plan import Bounds, Debit, Draw, Part, Way
from service.accounting.books.scale import CENT, SCALE, SCALED_MAX
from service.application.parts import Stores
from service.domain.claim import AuthorizationKind
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.scripts import SCRIPTS
from tests.ground import Ground
from tests.movements import AT, Mover, bounds, part
from tests.redis_process import RedisProcess
from tests.stores.books_bed import Bed, laid
from tests.stores.books_model import Tally, Trial
from tests.stores.drawing import draw, dump, plan_of, refused
from tests.stores.drawing import payer as payer

BIG = st.integers(1, SCALED_MAX) | st.integers(SCALED_MAX - 1000, SCALED_MAX)
OPTIONS = settings(max_examples=300)


@pytest.fixture(scope="module")
def bed(ground: Ground) -> Iterator[Bed]:
    """Stores for many examples."""
    with laid(ground) as made:
        yield made


# Arithmetic -----------------------------------------------------------------------------------

PORTION = """
local result, rest = portion(tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
return {text(result), text(rest)}
"""


@OPTIONS
@example(a=SCALED_MAX, b=SCALED_MAX, c=SCALED_MAX)
@example(a=SCALED_MAX, b=SCALED_MAX - 1, c=SCALED_MAX)
@example(a=SCALED_MAX - 1, b=3, c=3)
@given(a=BIG | st.just(0), b=BIG | st.just(0), c=BIG)
def test_a_share_is_exact_however_long_the_product(bed: Bed, a: int, b: int, c: int) -> None:
    """What cannot be counted is refused, never rounded."""
    script = (SCRIPTS / "books.lua").read_text(encoding="utf-8") + PORTION
    redis: Any = bed.stores.redis
    if a * b // c > SCALED_MAX:
        with pytest.raises(plain_redis.ResponseError, match="cannot be counted"):
            bed.run(redis.eval(script, 0, str(a), str(b), str(c)))
        return
    found = bed.run(redis.eval(script, 0, str(a), str(b), str(c)))
    assert list(map(int, found)) == list(divmod(a * b, c))


@st.composite
def large_parts(draw: st.DrawFn) -> Part:
    """A part with large numbers, of one draw or three."""
    step = draw(st.sampled_from((SCALE, 3)))
    cent = draw(st.sampled_from((CENT, 3)))
    rates = [(1, 1), (1, 4), (4, 1), (1, 60), (1, 3), (15, 60), (3, 7), (999_999, 1_000_000)]
    draws = tuple(
        Draw(
            authorization_id=name,
            line=1,
            origin="automatic",
            debits=(Debit(account="H", numerator=rate[0], denominator=rate[1]),),
        )
        for name, rate in zip(
            "ABC"[: draw(st.integers(1, 3))],
            draw(st.lists(st.sampled_from(rates), min_size=3, max_size=3)),
            strict=False,
        )
    )
    return Part(
        number=1,
        want=draw(st.integers(1, SCALED_MAX // 8 // step)) * step,
        step=step,
        charge=draw(st.integers(0, SCALED_MAX // 8 // cent)) * cent,
        cent=cent,
        days=1,
        ways=(Way(kind="authorization", draws=draws),),
    )


@OPTIONS
@given(data=st.data(), large=large_parts())
def test_large_numbers_are_granted_as_the_model_grants_them(
    bed: Bed, data: st.DataObject, large: Part
) -> None:
    """To the last millionth of a unit, and to the last cent."""
    limit = st.none() | st.integers(0, large.want * 4)
    money = st.none() | st.integers(0, large.charge)
    limits = {
        name: {"H": Bounds(units=data.draw(limit), amount=data.draw(money))} for name in "ABC"
    }
    plan = plan_of(large, Bounds())
    drawable = plan.authorizations["A1"]
    used = {each.authorization_id for way in large.ways for each in way.draws}
    plan = replace(
        plan,
        authorizations={
            name: replace(drawable, authorization_id=name, bounds=limits[name]) for name in used
        },
    )
    moved = bed.run(draw(Mover(bed.stores, "p-large"), plan, dry=True))
    rows = Trial(Tally(), limits, "used").grant(plan).rows
    assert [(each.authorization_id, each.units, each.amount) for each in moved.drawn] == [
        (each.authorization_id, each.units, each.amount) for each in rows
    ]
    assert [each.movements[0].units for each in moved.drawn] == [
        each.debits[0].units for each in rows
    ]


@pytest.mark.parametrize(
    ("charge", "limits", "expected"),
    [
        # A third of 100.00 is 33.33, and so is the next; the last has what is left.
        ("100.00", (1, 1, 1), ["33.33", "33.33", "33.34"]),
        ("0.01", (1, 1, 1), ["0", "0", "0.01"]),
        ("99.99", (1, 1, 1), ["33.33", "33.33", "33.33"]),
        ("100.00", (2, 1, 0), ["66.66", "33.34"]),
        ("1000000000.00", (1, 1, 1), ["333333333.33", "333333333.33", "333333333.34"]),
    ],
)
def test_apportioned_charges_sum_to_what_was_billed(
    bed: Bed, payer: str, charge: str, limits: tuple[int, ...], expected: list[str]
) -> None:
    """Three units, drawn from one authorization after the other."""
    names = {f"A{each}": bounds(limit) for each, limit in enumerate(limits, start=1)}
    wanted = part(3, names)._replace(charge=int(Fraction(charge) * SCALE))
    plan = plan_of(wanted, Bounds())
    plan = replace(
        plan,
        authorizations={
            name: replace(
                plan.authorizations["A1"],
                authorization_id=name,
                bounds={"H": each, "L1": Bounds()},
            )
            for name, each in names.items()
        },
    )
    moved = bed.run(draw(Mover(bed.stores, payer), plan))
    amounts = [Fraction(each.amount, SCALE) for each in moved.drawn]
    assert amounts == [Fraction(each) for each in expected]
    assert sum(amounts) == Fraction(charge)


@pytest.mark.parametrize(
    ("rate", "limit", "granted", "spent"),
    [
        # Quarters of an hour on hours: four a piece.
        ((1, 4), "1", "4", "1"),
        ((1, 4), "1.5", "6", "1.5"),
        ((1, 4), "0.9", "3", "0.75"),
        # Twenty minutes are a third of an hour, and three of them are one hour.
        ((1, 3), "1", "3", "1"),
        ((20, 60), "2", "6", "2"),
        # A package of three.
        ((3, 1), "10", "3", "9"),
        # A limit that stands for "any" is worth more claim units than can be counted.
        ((1, 4), "2999999999", "8", "2"),
        # What is not counted on the account is not limited by it.
        ((0, 1), "0", "8", "0"),
    ],
)
def test_units_are_converted_without_loss(
    bed: Bed, payer: str, rate: tuple[int, int], limit: str, granted: str, spent: str
) -> None:
    """Eight units are billed; what the account has decides how many are granted."""
    wanted = part(8, {"A1": bounds()}, numerator=rate[0], denominator=rate[1])
    plan = plan_of(wanted, Bounds(units=int(Fraction(limit) * SCALE)))
    moved = bed.run(draw(Mover(bed.stores, payer), plan))
    assert sum(each.units for each in moved.drawn) == Fraction(granted) * SCALE
    assert sum(each.movements[0].units for each in moved.drawn) == Fraction(spent) * SCALE


@pytest.mark.parametrize(
    ("authorized", "referred", "expected"),
    [
        # Units and amounts that each kind has left; what both can grant.
        ((3, None), (2, None), (2, "120")),
        ((4, 200), (4, None), (4, "200")),
        ((4, None), (4, 200), (4, "200")),
        ((4, 200), (4, 190), (4, "190")),
        ((3, 200), (4, 170), (3, "170")),
        ((3, 170), (2, None), (2, "120")),
        ((4, 0), (4, None), (0, "0")),
        ((0, None), (4, None), (0, "0")),
    ],
)
def test_both_kinds_grant_the_same(
    bed: Bed,
    payer: str,
    authorized: tuple[int, int | None],
    referred: tuple[int, int | None],
    expected: tuple[int, str],
) -> None:
    """Four units for 240.00, which need an authorization and a referral: the least of both."""
    first = part(4, {"A1": bounds()})
    ways = (*first.ways, *part(4, {"R1": bounds()}).ways)
    kinds: tuple[AuthorizationKind, ...] = ("authorization", "referral")
    wanted = first._replace(
        ways=tuple(way._replace(kind=kind) for way, kind in zip(ways, kinds, strict=True))
    )
    plan = plan_of(wanted, bounds(*authorized))
    other = replace(
        plan.authorizations["A1"],
        authorization_id="R1",
        bounds={"H": bounds(*referred), "L1": Bounds()},
    )
    plan = replace(plan, authorizations={**plan.authorizations, "R1": other})
    moved = bed.run(draw(Mover(bed.stores, payer), plan))
    for name in kinds:
        rows = [each for each in moved.drawn if each.kind == name]
        assert sum(each.units for each in rows) == expected[0] * SCALE
        assert Fraction(sum(each.amount for each in rows), SCALE) == Fraction(expected[1])


# What happens in between ----------------------------------------------------------------------


def test_scripts_that_redis_has_forgotten_are_sent_again(bed: Bed, payer: str) -> None:
    """As after a restart, or when somebody flushed them."""

    async def scenario() -> None:
        mover, redis = Mover(bed.stores, payer), bed.stores.redis
        await mover.draw("C1", 4)
        await redis.script_flush()
        await mover.change("C1", "used", 3)
        await redis.script_flush()
        await mover.amend("A1", 4)
        await redis.script_flush()
        moved = await mover.draw("C2", 4, of={"A1": bounds(4)})
        assert [each.units for each in moved.drawn] == [SCALE]

    bed.run(scenario())


def test_a_version_that_is_no_longer_in_force_is_not_drawn_on(bed: Bed, payer: str) -> None:
    """Nor the one in force after it was made void; the next one is drawn on again."""

    async def scenario() -> None:
        mover = Mover(bed.stores, payer)
        await mover.draw("C2", 4)
        await mover.amend("A1", 20)
        older, void, newer = (
            plan_of(part(2, {"A1": bounds()}), bounds(), version=each) for each in (1, 3, 4)
        )
        await refused(mover, lambda: draw(mover, older), AuthorizationChanged)
        await mover.amend("A1", 20, is_void=True)
        await refused(mover, lambda: draw(mover, void), AuthorizationChanged)
        assert (await draw(mover, newer)).drawn

    bed.run(scenario())


def test_a_claim_that_was_changed_since_it_was_read_is_not_moved(bed: Bed, payer: str) -> None:
    """Neither drawn nor given back; nor does a claim take the place of such a one."""

    async def scenario() -> None:
        mover, books = Mover(bed.stores, payer), bed.stores.accumulators
        await mover.draw("C1", 4)
        read = await books.read_claim(payer, "C1")
        await mover.change("C1", "used", 3)
        plan = plan_of(part(2, {"A1": bounds()}), bounds())
        await refused(mover, lambda: draw(mover, plan, read), ClaimMoved)
        why = Occasion(kind="reverse", at=AT)
        await refused(mover, lambda: books.change(payer, read, (), "reversed", why), ClaimMoved)

    bed.run(scenario())


def test_a_redis_without_memory_moves_nothing_and_goes_on_when_it_has_some(
    ground: Ground, payer: str, tmp_path: Path
) -> None:
    """Drawing, giving back and amending alike: refused whole, never written in part."""

    async def scenario(stores: Stores) -> None:
        mover, redis = Mover(stores, payer), stores.redis
        plan = plan_of(part(4, {"A1": bounds()}), bounds())
        await draw(mover, plan)
        claim = await stores.accumulators.read_claim(payer, "C1")
        why = Occasion(kind="reverse", at=AT)
        moves = (
            lambda: draw(mover, plan, claim),
            lambda: stores.accumulators.change(payer, claim, (), "reversed", why),
            lambda: mover.amend("A1", 3),
        )
        await redis.config_set("maxmemory", "1")
        before = await dump(redis, mover.keys)
        for move in moves:
            with pytest.raises(EngineUnavailable, match="redis"):
                await move()
            assert await dump(redis, mover.keys) == before
        await redis.config_set("maxmemory", "0")
        for move in moves[1:]:
            await move()
        assert await dump(redis, mover.keys) != before

    with RedisProcess(tmp_path) as redis:
        changed = {"redis_url": redis.url}
        small = Ground(settings=ground.settings.model_copy(update=changed), rules=ground.rules)
        small.run(scenario)
