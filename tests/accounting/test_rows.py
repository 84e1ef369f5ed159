"""What a claim holds, row by row: stored, read back, and given back in part."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.books.rows import (
    COUNTED,
    HeldDebit,
    HeldRow,
    MoreThanHeld,
    amounts_of,
    counter_book,
    is_counter_book,
    read_row,
    shrink,
    units_of,
    write_row,
)
from service.accounting.books.scale import CENT, SCALE
from service.domain.claim import AuthorizationKind
from tests.accounting.answering import whole

VISITS = ("2026-03-10|P", "2026-03-11|P", "2026-03-12|P")
DAYS = ("2026-03-10", "2026-03-11", "2026-03-12")


def held(
    units: str = "3",
    amount: str = "100",
    *debits: HeldDebit,
    line: int = 1,
    part: int = 1,
    kind: AuthorizationKind = "authorization",
) -> HeldRow:
    """A row of an authorization."""
    return HeldRow(
        line=line,
        part=part,
        kind=kind,
        authorization_id="A1",
        authorization_line=1,
        origin="automatic",
        units=whole(units),
        amount=whole(amount),
        debits=debits,
    )


def debit(account: str = "H", **changes: Any) -> HeldDebit:
    """What a row of three units and 100 dollars holds on an account."""
    usual = {"units": whole("3"), "amount": whole("100"), "numerator": 1, "denominator": 1}
    return HeldDebit(**{"account": account, **usual, **changes})


def test_a_row_comes_back() -> None:
    """As it was stored: numbers as text, which no double can change."""
    row = held(
        "3",
        "100",
        debit("H", units=0, unit_tokens=VISITS, day_tokens=DAYS),
        debit("L1~2026-03-08", units=whole("0.75"), amount=0, denominator=4),
    )
    written = write_row(row)

    assert read_row(written) == row
    assert written["d"][1] == ["L1~2026-03-08", "2250000", "0", "0", "1", "4", "", ""]
    assert (written["u"], written["m"]) == ("9000000", "300000000")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], {}),
        ([held("3"), held("2", part=2), held("4", line=2)], {1: "5", 2: "4"}),
        ([held("3"), held("3", kind="referral")], {1: "3"}),
        ([held("1"), held("2", part=2), held("3", kind="referral")], {1: "3"}),
    ],
)
def test_the_units_of_lines(rows: list[HeldRow], expected: dict[int, str]) -> None:
    """Two kinds hold the same units, so that they count once."""
    assert units_of(rows) == {line: whole(units) for line, units in expected.items()}


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ({}, ["1 2 20", "1 3 30", "2 4 40"]),
        ({1: "9"}, ["1 2 20", "1 3 30", "2 4 40"]),
        ({1: "5"}, ["1 2 20", "1 3 30", "2 4 40"]),
        ({1: "4"}, ["1 2 20", "1 2 20", "2 4 40"]),
        ({1: "2"}, ["1 2 20", "2 4 40"]),
        ({1: "1"}, ["1 1 10", "2 4 40"]),
        ({1: "0"}, ["2 4 40"]),
        ({1: "0", 2: "0.5"}, ["2 0.5 5"]),
    ],
)
def test_lines_keep_what_was_drawn_first(keep: dict[int, str], expected: list[str]) -> None:
    """Those that are not named keep all; charges go with the units."""
    rows = [held("2", "20"), held("3", "30", part=2), held("4", "40", line=2)]
    kept = shrink(rows, {line: whole(units) for line, units in keep.items()})

    assert [f"{row.line} {row.units / SCALE:g} {row.amount / SCALE:g}" for row in kept] == expected


def test_every_kind_of_a_line_keeps_as_much() -> None:
    """They are drawn together and given back together."""
    rows = [held("2"), held("3", kind="referral"), held("1", part=2)]
    kept = shrink(rows, {1: whole("2.5")})

    assert [(row.kind, row.units / SCALE) for row in kept] == [
        ("authorization", 2),
        ("referral", 2.5),
        ("authorization", 0.5),
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"units": whole("1"), "amount": whole("33.33")}),
        ({"amount": 0}, {"units": whole("1"), "amount": 0}),
        ({"denominator": 7, "units": 0}, {"units": -(-SCALE // 7), "amount": whole("33.33")}),
        ({"numerator": 0, "units": 0}, {"units": 0, "amount": whole("33.33")}),
        (
            {"units": 0, "unit_tokens": VISITS},
            {"units": 0, "amount": whole("33.33"), "unit_tokens": VISITS[:1]},
        ),
        (
            {"day_tokens": DAYS[:2]},
            {"units": whole("1"), "amount": whole("33.33"), "day_tokens": DAYS[:1]},
        ),
        (
            {"day_tokens": (*DAYS, "2026-03-13")},
            {"units": whole("1"), "amount": whole("33.33"), "day_tokens": DAYS[:2]},
        ),
    ],
)
def test_an_account_keeps_what_the_units_reach(changes: Any, expected: Any) -> None:
    """One unit of three: its cost rounded up, its charge down to cents, its first visits."""
    (row,) = shrink([held("3", "100", debit(**changes))], {1: whole("1")})

    assert row.debits == (replace(debit(**changes), **expected),)


def test_a_visit_that_two_authorizations_share_is_kept_by_both() -> None:
    """The second row begins in the middle of the second visit, which its first units still need."""
    first = held("3", "100", debit(unit_tokens=VISITS[:2]))
    second = held("3", "100", debit(unit_tokens=VISITS[1:]))

    _, kept = shrink([first, second], {1: whole("4")})

    assert kept.units == whole("1")
    assert kept.debits[0].unit_tokens == VISITS[1:]


@pytest.mark.parametrize(("amount", "kept"), [("0.01", "0"), ("0.001", "0.000333"), ("1", "0.33")])
def test_a_charge_is_cut_as_finely_as_it_was_billed(amount: str, kept: str) -> None:
    """In cents, or in millionths."""
    (row,) = shrink([held("3", amount, debit(amount=whole(amount)))], {1: whole("1")})

    assert (row.amount, row.debits[0].amount) == (whole(kept), whole(kept))


@pytest.mark.parametrize(
    ("keep", "amounts", "expected"),
    [
        ({}, {1: "25"}, ["1 2 10", "1 3 15", "2 4 40"]),
        ({}, {1: "50"}, ["1 2 20", "1 3 30", "2 4 40"]),
        ({}, {1: "0"}, ["1 2 0", "1 3 0", "2 4 40"]),
        ({}, {1: "0.01"}, ["1 2 0", "1 3 0.01", "2 4 40"]),
        ({1: "2"}, {1: "20"}, ["1 2 20", "2 4 40"]),
        ({1: "1"}, {1: "20"}, ["1 1 20", "2 4 40"]),
        ({1: "4"}, {1: "50", 2: "1"}, ["1 2 20", "1 2 30", "2 4 1"]),
        ({1: "0"}, {1: "0"}, ["2 4 40"]),
    ],
)
def test_lines_keep_what_is_paid_for_them(
    keep: dict[int, str], amounts: dict[int, str], expected: list[str]
) -> None:
    """What was drawn at 50.00 is paid at less, spread over what was drawn, to the last cent."""
    rows = [held("2", "20"), held("3", "30", part=2), held("4", "40", line=2)]
    units = {line: whole(each) for line, each in keep.items()}
    paid = {line: whole(each) for line, each in amounts.items()}
    kept = shrink(rows, units, paid)

    assert [f"{row.line} {row.units / SCALE:g} {row.amount / SCALE:g}" for row in kept] == expected
    assert shrink(kept, units, paid) == kept


@pytest.mark.parametrize(
    ("keep", "amounts", "most"),
    [({}, {1: "50.01"}, "50.00"), ({1: "2"}, {1: "20.01"}, "20.00"), ({1: "0"}, {1: "1"}, "0.00"),
     ({}, {3: "1"}, "0.00")],
)  # fmt: skip
def test_no_line_keeps_more_than_its_units_were_drawn_at(
    keep: dict[int, str], amounts: dict[int, str], most: str
) -> None:
    """Else an account would hold more than it was asked for."""
    rows = [held("2", "20"), held("3", "30", part=2)]
    units, paid = ({line: whole(n) for line, n in each.items()} for each in (keep, amounts))
    with pytest.raises(MoreThanHeld, match=f"may keep {most} at most"):
        shrink(rows, units, paid)


@pytest.mark.parametrize(("units", "amount"), [("1", None), ("2", None), ("3", "70"), ("1", "10")])
def test_the_kinds_of_a_line_stay_at_one_charge(units: str, amount: str | None) -> None:
    """However each of them was drawn."""
    rows = [
        held("1", "33.33"),
        held("2", "66.67", part=1),
        held("3", "100", kind="referral"),
    ]
    kept = shrink(rows, {1: whole(units)}, {1: whole(amount)} if amount else None)
    sums = {
        kind: sum(row.amount for row in kept if row.kind == kind)
        for kind in ("authorization", "referral")
    }

    assert len(set(sums.values())) == 1
    assert amounts_of(kept) == {1: sums["referral"]}


@pytest.mark.parametrize("amount", ["0.001", "0.004"])
def test_a_charge_of_parts_of_a_cent_is_lowered_to_cents(amount: str) -> None:
    """Where what is paid is known in cents."""
    rows = [held("1", amount, debit(amount=whole(amount)))]
    (row,) = shrink(rows, {}, {1: 0})

    assert (row.amount, row.debits[0].amount) == (0, 0)


QUANTITIES = st.integers(1, 40).map(lambda halves: halves * SCALE // 2)
RATES = st.sampled_from([(1, 1), (1, 4), (4, 1), (0, 1), (1, 7), (15, 1)])
TOKENS = st.integers(0, 9).map(lambda count: tuple(map(str, range(count))))


@st.composite
def rows_of_claims(draw: st.DrawFn) -> list[HeldRow]:
    """Rows of up to two lines, as a draw would leave them."""
    rows = []
    for part in range(draw(st.integers(1, 5))):
        units, cents = draw(QUANTITIES), draw(st.integers(0, 50_000))
        unit = draw(st.sampled_from([CENT, 3]))
        debits = []
        for account in ("H", "L1")[: draw(st.integers(1, 2))]:
            (numerator, denominator), tokens = draw(RATES), draw(TOKENS)
            debits.append(
                HeldDebit(
                    account=account,
                    units=0 if tokens else -(-units * numerator // denominator),
                    amount=draw(st.sampled_from([0, cents * unit])),
                    numerator=numerator,
                    denominator=denominator,
                    unit_tokens=tokens,
                    day_tokens=draw(TOKENS),
                )
            )
        row = held("1", "0", *debits, line=draw(st.integers(1, 2)), part=part)
        rows.append(replace(row, units=units, amount=cents * unit))
    return rows


@given(rows=rows_of_claims(), keep=st.dictionaries(st.integers(1, 3), st.integers(0, 50 * SCALE)))
def test_what_is_kept_is_what_was_asked(rows: list[HeldRow], keep: dict[int, int]) -> None:
    """Exactly, and on no account more than before; tokens are the first of those that were held."""
    kept = shrink(rows, keep)
    before = units_of(rows)
    wanted = {line: min(units, keep.get(line, units)) for line, units in before.items()}
    by_part = {row.part: row for row in rows}

    assert units_of(kept) == {line: units for line, units in wanted.items() if units}
    assert shrink(kept, wanted) == kept
    for row in kept:
        was = by_part[row.part]
        assert row == was or 0 < row.units < was.units
        assert row.amount * was.units <= was.amount * row.units
        for now, then in zip(row.debits, was.debits, strict=True):
            assert now.account == then.account
            assert now.units <= then.units
            assert now.amount <= then.amount
            assert now.units * then.denominator >= row.units * then.numerator * (
                not now.unit_tokens
            )
            for mine, all_ in (
                (now.unit_tokens, then.unit_tokens),
                (now.day_tokens, then.day_tokens),
            ):
                assert mine == all_[: len(mine)]
                assert bool(mine) == bool(all_)


@given(rows=rows_of_claims(), first=st.integers(0, 50 * SCALE), second=st.integers(0, 50 * SCALE))
def test_giving_back_twice_never_gives_back_less(
    rows: list[HeldRow], first: int, second: int
) -> None:
    """The units are those asked last; the charge is no more than in one step."""
    more, less = max(first, second), min(first, second)
    twice, once = shrink(shrink(rows, {1: more}), {1: less}), shrink(rows, {1: less})

    assert units_of(twice) == units_of(once)
    for mine, its in zip(twice, once, strict=True):
        assert mine.amount <= its.amount


def test_a_book_of_counters_is_told_from_that_of_an_authorization() -> None:
    """No id of an authorization has a slash."""
    assert is_counter_book(counter_book("hash"))
    assert not is_counter_book("UM-55012")
    assert not is_counter_book("counted")


def test_what_was_counted_is_no_charge_to_be_lowered() -> None:
    """A row for the tables keeps what was billed."""
    counted = replace(held(amount="100"), kind=COUNTED)
    paid, told = shrink([held(amount="100"), counted], {}, {1: whole("60")})

    assert (paid.amount, told.amount) == (whole("60"), whole("100"))
