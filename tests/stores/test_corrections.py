"""What is used is corrected by hand: once, never beyond what is left, and kept by the ledger."""

import random
from dataclasses import replace
from typing import Any

import pytest

from service.accounting.books.books import Correction, CorrectionRefused, Occasion
from service.accounting.books.grant import Balance
from service.accounting.books.plan import Bounds, Drawable
from service.accounting.books.scale import SCALE
from service.application.parts import Stores
from tests.ground import Ground
from tests.movements import AT, MEMBER, Mover, bounds, forget

WHY = Occasion(kind="correct", at=AT, by="jo", why="used before")
TEN = bounds(10, 600)


def correction(name: str = "K1", units: int = 0, amount: int = 0, **changes: Any) -> Correction:
    """A correction of the header of A1, in whole units."""
    usual = Correction(
        drawable=Drawable(authorization_id="A1", version=1, bounds={"H": TEN}),
        kind="authorization",
        line=0,
        correction_id=name,
        account="H",
        units=units * SCALE,
        amount=amount * SCALE,
        days=0,
        owner=MEMBER,
    )
    return replace(usual, **changes)


async def header(mover: Mover, measure: str = "units") -> Balance:
    """The balance of the header of A1."""
    state = await mover.stores.accumulators.accounts(mover.payer, "A1")
    found: Balance = next(
        account.balances[measure]  # type: ignore[index]
        for account in state.accounts
        if account.name == "H"
    )
    limit = None if found.limit is None else found.limit // SCALE
    return Balance(limit, found.used // SCALE, found.reserved // SCALE)


def test_an_opening_balance_leaves_less(ground: Ground, payer: str) -> None:
    """Of what nobody drew on yet, too; a claim gets what is left then."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        assert await stores.accumulators.correct(payer, correction(units=7, amount=420), WHY)
        assert await header(mover) == Balance(limit=10, used=7, reserved=0)
        assert await header(mover, "amount") == Balance(limit=600, used=420, reserved=0)

        moved = await mover.draw("C1", 4, of={"A1": TEN})
        assert [each.units // SCALE for each in moved.drawn] == [3]
        assert [each.movements[0].before["units"].used // SCALE for each in moved.drawn] == [7]
        await mover.change("C1", "reversed")
        assert await header(mover) == Balance(limit=10, used=7, reserved=0)

    ground.run(scenario)


def test_the_same_correction_again_is_none(ground: Ground, payer: str) -> None:
    """Another one under its id is refused, and nothing is written."""

    async def scenario(stores: Stores) -> None:
        mover, books = Mover(stores, payer), stores.accumulators
        done = [await books.correct(payer, correction(units=2), WHY) for _ in range(3)]
        assert done == [True, False, False]
        with pytest.raises(CorrectionRefused) as refused:
            await books.correct(payer, correction(units=3), WHY)
        assert refused.value.measure is None
        assert await books.correct(payer, correction("K2", units=3), WHY)
        assert (await header(mover)).used == 5

    ground.run(scenario)


@pytest.mark.parametrize(
    ("changes", "measure"),
    [({"units": -5}, "units"), ({"amount": -241}, "amount"), ({"days": -SCALE}, "days")],
)
def test_no_less_than_nothing_is_used(
    ground: Ground, payer: str, changes: dict[str, Any], measure: str
) -> None:
    """Four units for 240.00 were drawn."""

    async def scenario(stores: Stores) -> None:
        await Mover(stores, payer).draw("C1", 4, of={"A1": TEN})
        with pytest.raises(CorrectionRefused) as refused:
            await stores.accumulators.correct(payer, correction(**changes), WHY)
        assert refused.value.measure == measure

    ground.run(scenario)


def test_what_was_taken_off_lapses_with_the_use(ground: Ground, payer: str) -> None:
    """Else the units of a claim that is reversed later would be granted twice."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 10, of={"A1": TEN})
        await stores.accumulators.correct(payer, correction(units=-3, amount=-180), WHY)
        await mover.draw("C1", 10, of={"A1": TEN})  # anew: the correction stands
        assert (await header(mover)).remaining == 3

        await mover.change("C1", "reversed")
        assert await header(mover) == Balance(limit=10, used=0, reserved=0)
        await mover.draw("C2", 12, of={"A1": TEN})
        assert await header(mover) == Balance(limit=10, used=10, reserved=0)

    ground.run(scenario)


async def in_any_order(mover: Mover, chance: random.Random) -> None:
    """Draw claims, give back and correct; what is used is never below nothing."""
    payer, books = mover.payer, mover.stores.accumulators
    for step in range(25):
        claim = f"C{chance.randint(1, 4)}"
        what = chance.choice(("draw", "draw", "give", "correct", "correct"))
        if what == "draw":
            await mover.draw(claim, chance.randint(1, 6), of={"A1": TEN})
        elif what == "give" and (await books.read_claim(payer, claim)).is_held:
            await mover.change(claim, chance.choice(("used", "reversed")), keep=1)
        elif what == "correct":
            units = chance.randint(-4, 4)
            try:
                await books.correct(payer, correction(f"K{step}", units), WHY)
            except CorrectionRefused as refused:
                assert units < 0, refused
        assert (await header_or_none(mover)).used >= 0


def test_the_ledger_makes_the_same_of_any_order(own: Ground, payer: str) -> None:
    """Claims and corrections mixed; reconciled, and rebuilt from nothing."""

    async def scenario(stores: Stores) -> None:
        payers = [f"{payer}-{seed}" for seed in range(6)]
        for seed, each in enumerate(payers):
            await in_any_order(Mover(stores, each), random.Random(seed))
        found = await stores.reconciliation.run(payers)
        assert found.differences == []
        for each in payers:
            await forget(stores, each)
        made = await stores.rebuilding.run(payers)
        assert (made.differences, made.digest) == ([], found.digest)

    own.run(scenario)


async def header_or_none(mover: Mover) -> Balance:
    """The balance of the header, or one of nothing where nobody moved it yet."""
    state = await mover.stores.accumulators.accounts(mover.payer, "A1")
    return await header(mover) if state.accounts else Balance(None, 0, 0)


def test_an_account_of_other_limits_takes_those_of_its_version(ground: Ground, payer: str) -> None:
    """As the first claim of a version does."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        limits = {"H": Bounds(units=20 * SCALE)}
        drawable = Drawable(authorization_id="A1", version=2, bounds=limits)
        more = correction(units=1, drawable=drawable)
        await stores.accumulators.correct(payer, more, WHY)
        assert await header(mover) == Balance(limit=20, used=1, reserved=0)

    ground.run(scenario)
