"""What claims hold is counted as another version counts: never more, never less."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.books.plan import Part, base_of
from service.accounting.books.rows import HeldDebit, HeldRow
from service.accounting.books.scale import CENT, SCALE
from service.accounting.limits.lines import Untold, lines_of
from service.accounting.planning.planning import plan_claim
from service.accounting.planning.recount import Holder, Recounted, Target, recount
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from tests.accounting.asking import ask, choose, shipped
from tests.builders import build_authorization, build_claim
from tests.stores.books_model import row_of

PT = {"procedure": {"from": "97110"}}
MANUAL = {"procedure": {"from": "97140"}}
MARCH = {"effective": {"from": "2026-03-01", "to": "2026-03-31"}}
APRIL = {"effective": {"from": "2026-04-01", "to": "2026-04-30"}}
WEEK = {"count": "9", "period": "week"}
RENEWAL = {"reference": "calendar", "period": 1, "unit": "month"}
YEAR = {"effective": {"from": "2026-01-01", "to": "2026-12-31"}}


def units(count: str, unit: str = "UN", **limits: Any) -> dict[str, Any]:
    """Limits of a line."""
    return {"limits": {"units": count, "unit": unit, **limits}}


def version(*lines: dict[str, Any], **header: Any) -> Authorization:
    """A version of A1 with these lines, numbered as they stand."""
    return build_authorization(lines=list(lines), **YEAR | header)


def drawn(authorization: Authorization, claim: Claim, *numbers: int) -> Holder:
    """A claim, each line of which was drawn from a line of the authorization, in full."""
    asked = [
        ask(claim, choose(authorization, number), line=line)
        for line, number in enumerate(numbers, start=1)
    ]
    rows: list[HeldRow] = []
    for line in plan_claim(claim, asked, shipped()).plan.lines:
        first = 0
        for part in line.parts:
            rows += _rows(line.line, part, first)
            first += part.want
    types = {(line, "authorization"): "professional" for line in range(1, len(numbers) + 1)}
    return Holder(claim=claim, rows=tuple(rows), query_types=types)


def _rows(line: int, part: Part, first: int) -> list[HeldRow]:
    (way,) = part.ways
    row = row_of(line, part, way, way.draws[0], 0, part.want, part.charge)
    return [replace(row, start=first)]


def counted(
    old: Authorization, new: Authorization, *holders: Holder, is_forced: bool = False
) -> Recounted:
    """Count what was drawn on one version as another one does."""
    target = Target(
        source=old.authorization_id,
        old=lines_of(old),
        authorization=new,
        references=shipped(),
        is_forced=is_forced,
    )
    return recount(holders, target)


def use(found: Recounted) -> dict[str, float]:
    """The units of each account, in whole units; a visit or study counts once."""
    sums: Counter[str] = Counter()
    tokens = set()
    for row in (row for rows in found.rows for row in rows):
        for each in row.debits:
            sums[each.account] += each.units
            tokens |= {(each.account, token) for token in each.unit_tokens}
    for account, _ in tokens:
        sums[account] += SCALE
    return {account: number / SCALE for account, number in sums.items() if account != "H"}


def claim(*lines: dict[str, Any]) -> Claim:
    """A claim of lines in March."""
    return build_claim(lines=[{"charge": "10.00", **each} for each in lines])


def on(day: str, count: str, last: str | None = None, procedure: str = "97110") -> dict[str, Any]:
    """A claim line."""
    return {"procedure": procedure, "from": day, "to": last or day, "units": count}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([PT | units("10"), MANUAL], [MANUAL, PT | units("10")], {"L2": 3.0}),
        ([PT | units("10")], [PT | units("5", "HS")], {"L1": 0.75}),
        ([PT | units("10")], [PT | units("5", "VS")], {"L1": 1.0}),
        ([PT | units("5", "VS")], [PT | units("10")], {"L1": 3.0}),
        (
            [PT | units("10")],
            [PT | units("9", per={"count": "3", "period": "week"})],
            {"L1": 3.0, "L1~2026-03-08": 3.0},
        ),
        (
            [PT | units("9", per={"count": "3", "period": "week"})],
            [PT | units("9", per={"count": "3", "period": "month"})],
            {"L1": 3.0, "L1~2026-03-01": 3.0},
        ),
        (
            [PT | units("10")],
            [PT | units("10", renewal={"reference": "calendar", "period": 1, "unit": "month"})],
            {"L1@2026-03-01": 3.0},
        ),
        ([PT | units("10")], [MANUAL], {"L2": 3.0}),
        ([PT | units("10")], [{"procedure": {"from": "97110", "to": "97140"}}], {"L1": 3.0}),
        ([PT | units("10")], [MANUAL, {"procedure": None}], {"L2": 3.0}),
        ([{"procedure": {"from": "97000", "to": "97999"}}], [MANUAL, PT], {"L2": 3.0}),
        ([PT | units("10")], [], {}),
    ],
)
def test_use_is_counted_as_the_version_says(
    old: list[Any], new: list[Any], expected: dict[str, float]
) -> None:
    """Three units on a day in March, of the first line."""
    before = version(*old)
    found = counted(before, version(*new), drawn(before, claim(on("2026-03-10", "3")), 1))

    assert use(found) == expected
    assert sum(row.units for rows in found.rows for row in rows) == 3 * SCALE
    assert found.untold == frozenset()


def test_what_is_limited_by_days_has_its_days() -> None:
    """Also those that were drawn while nothing was limited by days."""
    before, after = version(PT | units("10")), version(PT | units("10", service_days="5"))
    found = counted(before, after, drawn(before, claim(on("2026-03-10", "2", "2026-03-11")), 1))

    tokens = [
        each.day_tokens for row in found.rows[0] for each in row.debits if each.account == "L1"
    ]
    assert tokens == [("2026-03-10", "2026-03-11")]


@pytest.mark.parametrize(
    ("first", "last", "count", "expected"),
    [
        ("2026-03-10", "2026-03-10", "3", {"L1": 3.0}),
        ("2026-04-10", "2026-04-10", "3", {"L2": 3.0}),
        ("2026-03-31", "2026-04-02", "3", {"L1": 1.0, "L2": 2.0}),
        ("2026-02-10", "2026-02-10", "3", {"L1": 3.0}),
        ("2026-06-10", "2026-06-10", "3", {"L2": 3.0}),
    ],
)
def test_a_split_by_days_goes_by_the_days(
    first: str, last: str, count: str, expected: dict[str, float]
) -> None:
    """What lies outside of both goes to the nearest."""
    before, after = version(PT | units("10")), version(PT | MARCH, PT | APRIL)
    found = counted(before, after, drawn(before, claim(on(first, count, last)), 1))

    assert use(found) == expected
    assert sum(row.amount for row in found.rows[0]) == 10 * 100 * CENT


def test_units_that_do_not_divide_by_days_cannot_be_split() -> None:
    """Two units on three days, of which one is in March; forced, they wait for review."""
    before, after = version(PT | units("10")), version(PT | MARCH, PT | APRIL)
    holder = drawn(before, claim(on("2026-03-31", "2", "2026-04-02")), 1)

    with pytest.raises(Untold, match="does not divide"):
        counted(before, after, holder)
    assert use(counted(before, after, holder, is_forced=True)) == {"L3": 2.0}


def test_units_that_do_not_divide_by_days_stay_on_one_side() -> None:
    """Where all of the days lie there."""
    before, after = version(PT | units("10")), version(PT | MARCH, PT | APRIL)
    holder = drawn(before, claim(on("2026-03-10", "2", "2026-03-12")), 1)

    assert use(counted(before, after, holder)) == {"L1": 2.0}


def test_lines_of_the_same_days_cannot_be_told_apart() -> None:
    """Nor can identifiers that changed places; forced, the claim tells, or it waits for review."""
    before = version(PT | {"code": "X"}, MANUAL | {"code": "Y"})
    swapped = version(MANUAL | {"code": "X"}, PT | {"code": "Y"})
    twice = version(PT | units("6"), PT | units("4"))
    holder = drawn(before, claim(on("2026-03-10", "3")), 1)

    for after, number in ((swapped, "L2"), (twice, "L3")):
        with pytest.raises(Untold):
            counted(before, after, holder)
        assert use(counted(before, after, holder, is_forced=True)) == {number: 3.0}


@pytest.mark.parametrize(
    "limits",
    [
        units("5", "HS"),
        units("5", renewal={"reference": "first claim", "period": 1, "unit": "month"}),
    ],
)
def test_a_measure_that_cannot_say_it_is_told(limits: dict[str, Any]) -> None:
    """It stays as it was counted, on the line that has it by now, and somebody must look."""
    other = {"procedure": {"from": "97161"}}
    before, after = version(other | units("10"), MANUAL), version(MANUAL, other | limits)
    line = on("2026-03-10", "3", procedure="97161")
    found = counted(before, after, drawn(before, claim(line), 1))

    assert (use(found), found.untold) == ({"L2": 3.0}, frozenset({2}))


def test_a_span_over_two_new_periods_cannot_be_told() -> None:
    """Two units on three days, over the end of a week; in the same weeks as before they stay."""
    before = version(PT | units("10"))
    weekly = version(PT | units("10", per={"count": "3", "period": "week"}))
    moved = version(MANUAL, PT | units("10", per={"count": "3", "period": "week"}))
    line = claim(on("2026-03-06", "2", "2026-03-08"))

    found = counted(before, weekly, drawn(before, line, 1))
    assert (use(found), found.untold) == ({"L1": 2.0}, frozenset({1}))
    found = counted(weekly, moved, drawn(weekly, line, 1))
    assert found.untold == frozenset()
    assert use(found) == {"L2": 2.0, "L2~2026-03-01": 2.0}


def test_visits_of_a_span_stay_in_their_weeks() -> None:
    """Two visits on three days over the end of a week; the line has another number by now."""
    visits = units("10", "VS", per={"count": "3", "period": "week"}, service_days="9")
    before, after = version(PT | visits), version(MANUAL, PT | visits)
    holder = drawn(before, claim(on("2026-03-06", "2", "2026-03-08")), 1)
    found = counted(before, after, holder)

    ((row,),), ((was,),) = found.rows, (holder.rows,)
    assert found.untold == frozenset()
    assert [each.account for each in row.debits] == ["H", "L2", "L2~2026-03-01"]
    assert [each.unit_tokens for each in row.debits] == [each.unit_tokens for each in was.debits]
    assert [each.day_tokens for each in row.debits] == [each.day_tokens for each in was.debits]


def test_a_line_that_is_gone_keeps_a_balance_and_counts_for_the_header() -> None:
    """Under a number that no line has; its service may come back."""
    before = version(PT | units("10"), MANUAL)
    after = version(
        MANUAL, limits={"units": "9", "unit": "UN", "per": {"count": "9", "period": "week"}}
    )
    found = counted(before, after, drawn(before, claim(on("2026-03-10", "3")), 1))

    ((row,),) = found.rows
    assert {each.account: each.units for each in row.debits} == {
        "H": 3 * SCALE,
        "H~2026-03-08": 3 * SCALE,
        "L3": 3 * SCALE,
    }
    assert [each.number for each in found.gone] == [3]
    assert found.gone[0].service == lines_of(before)[0].service


def test_a_line_that_is_gone_keeps_its_number_if_it_is_free() -> None:
    """And what the header cannot count stays as it was."""
    before = version(MANUAL, PT | units("10"))
    after = version(MANUAL, limits={"units": "9", "unit": "DA"})
    lines = claim(on("2026-03-10", "2"), on("2026-03-11", "1"))
    found = counted(before, after, drawn(before, lines, 2, 2))

    assert use(found) == {"L2": 3.0}
    assert [each.number for each in found.gone] == [2]


def test_rows_of_others_stay_as_they_are() -> None:
    """A claim may hold units of several authorizations."""
    before = version(PT | units("10"), MANUAL)
    holder = drawn(before, claim(on("2026-03-10", "3")), 1)
    other = HeldRow(
        line=1,
        part=1,
        kind="referral",
        authorization_id="R1",
        authorization_line=1,
        origin="automatic",
        units=SCALE,
        amount=0,
        debits=(HeldDebit(account="L1", units=SCALE, amount=0, numerator=1, denominator=1),),
    )
    both = Holder(claim=holder.claim, rows=(*holder.rows, other), query_types=holder.query_types)
    found = counted(before, version(MANUAL, PT), both)

    assert found.rows[0][1] == other
    assert found.rows[0][0].authorization_line == 2


def test_use_goes_over_to_what_replaces_it() -> None:
    """What that does not have stays where it was drawn; identifiers of its lines are its own."""
    before = version(PT | units("10") | {"code": "1"}, MANUAL | {"code": "2"})
    after = version(MANUAL | {"code": "1"}, authorization_id="A2")
    lines = claim(on("2026-03-10", "3"), on("2026-03-10", "2", procedure="97140"))
    found = counted(before, after, drawn(before, lines, 1, 2))

    assert [(row.authorization_id, row.authorization_line) for row in found.rows[0]] == [
        ("A1", 1),
        ("A2", 1),
    ]


def test_lines_that_the_books_do_not_know_go_by_the_claim() -> None:
    """As where they were drawn before anything was kept of them."""
    before = version(PT | units("10"))
    holder = drawn(before, claim(on("2026-03-10", "3")), 1)
    target = Target(source="A1", old=(), authorization=version(MANUAL, PT), references=shipped())

    assert use(recount([holder], target)) == {"L2": 3.0}


SERVICES = ("97110", "97140", "97530")
MEASURES: tuple[dict[str, Any], ...] = (
    units("20"),
    units("20", "HS"),
    units("20", "VS"),
    units("20", per={"count": "3", "period": "week"}),
    units("20", per={"count": "9", "period": "month"}),
    units("20", renewal={"reference": "calendar", "period": 1, "unit": "month"}),
    units("20", service_days="9"),
    {},
)


SPLITS: tuple[list[dict[str, Any]], ...] = ([{}], [MARCH, APRIL], [APRIL, MARCH], [])


@st.composite
def versions(draw: st.DrawFn) -> Authorization:
    """Services in any order, each in any measure, some split by days, some gone."""
    lines = []
    for code in draw(st.permutations(SERVICES)):
        measure = draw(st.sampled_from(MEASURES))
        for days in draw(st.sampled_from(SPLITS)):
            lines.append({"procedure": {"from": code}, **measure, **days})
    return version(*lines)


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    """A few lines of days in March and April."""
    days = st.sampled_from(("2026-03-02", "2026-03-30", "2026-04-07"))
    lines = st.tuples(st.sampled_from(SERVICES), days, st.integers(1, 5), st.integers(0, 2))
    made = []
    for code, first, count, more in draw(st.lists(lines, min_size=1, max_size=3)):
        last = f"{first[:8]}{int(first[8:]) + more:02}" if first < "2026-03-30" else first
        made.append(on(first, str(count * (more + 1)), last, code))
    return claim(*made)


START = version(*({"procedure": {"from": code}} for code in SERVICES))


@given(made=st.lists(versions(), min_size=1, max_size=4), of=claims())
def test_no_version_loses_or_doubles_what_a_claim_holds(
    made: list[Authorization], of: Claim
) -> None:
    """Of every line, in units and money, whatever the versions; and as the last one counts it.

    By whatever way it came there: as if the last version had come at once.
    """
    numbers = [SERVICES.index(str(line.procedure)) + 1 for line in of.lines]
    holder = drawn(START, of, *numbers)
    held, old, lines = holder, START, lines_of(START)
    for each in made:
        target = Target(source="A1", old=lines, authorization=each, references=shipped())
        found = recount([held], target)
        held = Holder(claim=of, rows=found.rows[0], query_types=holder.query_types)
        old, lines = each, (*lines_of(each), *found.gone)
        for measure in ("units", "amount"):
            assert _sums(held, measure) == _sums(holder, measure)
    step_by_step = Recounted(rows=(held.rows,), gone=(), untold=frozenset())
    assert _of_lines(step_by_step, old) == _of_lines(counted(START, old, holder), old)


def _of_lines(found: Recounted, of: Authorization) -> dict[str, float]:
    """The use of the lines that there are."""
    bases = {f"L{line.line}" for line in of.lines}
    return {name: each for name, each in use(found).items() if base_of(name).rstrip("@~") in bases}


def _sums(holder: Holder, measure: str) -> Counter[int]:
    sums: Counter[int] = Counter()
    for row in holder.rows:
        sums[row.line] += getattr(row, measure)
    return sums
