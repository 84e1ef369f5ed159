"""A claim line in parts: which days may be drawn from which authorizations."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.accounting.books.scale import CENT, SCALE, apportioned
from service.accounting.planning.planning import Planned, plan_claim
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from tests.accounting.asking import (
    accounts,
    ask,
    choose,
    draws,
    outcomes,
    parts,
    plan,
    shipped,
    wants,
)
from tests.builders import build_authorization, build_claim

DAYS = {"units": "10", "unit": "DA"}
MONTHLY = {"reference": "calendar", "period": 1, "unit": "month"}


def valid(first: str | None, last: str | None, name: str = "A1", **header: Any) -> Authorization:
    """An authorization of days in March 2026."""
    effective = {
        "from": first and f"2026-03-{first}",
        "to": last and f"2026-03-{last}",
    }
    return build_authorization(
        authorization_id=name, effective=effective, **{"limits": DAYS, **header}
    )


def billed(units: str, unit: str, first: str, last: str, **line: Any) -> Claim:
    """A line of days in March 2026."""
    span = {"from": f"2026-03-{first}", "to": f"2026-03-{last}"}
    return build_claim(line={"units": units, "unit": unit, **span, **line})


def drawn(planned: Planned) -> list[str]:
    """Days, units and authorizations of every part: "2d 2u A1 A2"."""
    return [
        " ".join(
            [
                f"{part.days}d",
                f"{part.want / SCALE:g}u",
                *(draw.authorization_id for draw in part.ways[0].draws),
            ]
        )
        for part in parts(planned)
    ]


@pytest.mark.parametrize(
    ("claim", "authorizations", "expected"),
    [
        # The authorization covers all days, some, or a few in the middle.
        (("5", "DA", "10", "14"), [("01", "31")], ["5d 5u A1"]),
        (("5", "DA", "10", "14"), [("12", "31")], ["2d 2u", "3d 3u A1"]),
        (("5", "DA", "10", "14"), [("11", "12")], ["1d 1u", "2d 2u A1", "2d 2u"]),
        (("4", "DA", "10", "14"), [("01", "13")], ["4d 4u A1"]),
        (("10", "DA", "10", "14"), [("01", "12")], ["3d 6u A1", "2d 4u"]),
        (("7", "DA", "10", "14"), [("01", "31")], ["2d 4u A1", "3d 3u A1"]),
        (("5", "DA", "10", "14"), [(None, "12")], ["3d 3u A1", "2d 2u"]),
        # Two that adjoin, and two that overlap: the order is that of the choices.
        (("5", "DA", "10", "14"), [("01", "11"), ("12", "31")], ["2d 2u A1", "3d 3u A2"]),
        (
            ("5", "DA", "10", "14"),
            [("12", "31"), ("01", "13")],
            ["2d 2u A2", "2d 2u A1 A2", "1d 1u A1"],
        ),
        # Nothing covers any day: found by a date that is near.
        (("5", "DA", "10", "14"), [("15", "31")], ["5d 5u A1"]),
        (("5", "DA", "10", "14"), [("15", "31"), ("01", "08")], ["5d 5u A1 A2"]),
        (("5", "DA", "10", "14"), [("15", "31"), ("14", "20")], ["4d 4u", "1d 1u A2"]),
        (("1", "DA", "10", "10"), [("11", "31")], ["1d 1u A1"]),
        (("1", "DA", "10", "10"), [("11", "31"), ("10", "10")], ["1d 1u A2"]),
    ],
)
def test_days_are_drawn_from_what_covers_them(
    claim: tuple[str, str, str, str],
    authorizations: list[tuple[str | None, str | None]],
    expected: list[str],
) -> None:
    """Days that nothing covers have a part without draws, and are cut back."""
    chosen = [valid(*days, f"A{number}") for number, days in enumerate(authorizations, 1)]

    assert drawn(plan(billed(*claim), *chosen)) == expected


@pytest.mark.parametrize(
    ("units", "last", "effective", "expected"),
    [
        ("10", "14", ("01", "12"), ["3d 6u A1", "2d 4u"]),
        ("1", "10", ("01", "12"), ["1d 1u A1"]),
        ("1", "10", ("12", "31"), ["1d 1u A1"]),
        ("7", "14", ("01", "31"), ["5d 7u A1"]),
        ("7", "14", ("15", "31"), ["5d 7u A1"]),
        ("7", "14", ("01", "12"), None),
    ],
)
def test_other_units_are_drawn_by_day_where_they_divide_evenly(
    units: str, last: str, effective: tuple[str, str], expected: list[str] | None
) -> None:
    """Else the line is one part, which an authorization must cover whole."""
    claim = billed(units, "UN", "10", last)
    planned = plan(claim, valid(*effective, limits={"units": "10", "unit": "UN"}))

    if expected is None:
        assert outcomes(planned) == [("non_daily_span", "A1")]
    else:
        assert drawn(planned) == expected


def test_what_covers_no_day_of_a_whole_line_is_not_drawn() -> None:
    """Where another one covers it."""
    claim = billed("7", "UN", "10", "14")
    units = {"units": "10", "unit": "UN"}
    near, whole = (valid(first, "31", f"A{first}", limits=units) for first in ("15", "01"))
    planned = plan(claim, near, whole)

    assert drawn(planned) == ["5d 7u A01"]
    assert list(planned.plan.authorizations) == ["A01"]


@pytest.mark.parametrize(
    ("unit", "units", "days", "expected"),
    [
        ("UN", "7", ("01", "12"), ["5d 7u A1 A2"]),
        ("UN", "7", ("20", "31"), ["5d 7u A1 A2"]),
        ("DA", "5", ("01", "12"), ["3d 3u A1 A2", "2d 2u A2"]),
        ("DA", "5", ("20", "31"), ["5d 5u A1 A2"]),
    ],
)
def test_an_examiner_may_take_what_does_not_cover_the_line(
    unit: str, units: str, days: tuple[str, str], expected: list[str]
) -> None:
    """A whole line in part, or any line on other days than its own; before what matching took."""
    limits = {"units": "10", "unit": unit}
    selected = choose(valid(*days, "A1", limits=limits), origin="selected")
    planned = plan(
        billed(units, unit, "10", "14"), valid("01", "31", "A2", limits=limits), selected
    )

    assert drawn(planned) == expected
    assert [draw.origin for draw in draws(planned)] == ["selected", "automatic"]


def test_parts_end_where_a_period_ends() -> None:
    """Each is drawn in the periods of its own days, of all accounts."""
    authorization = build_authorization(
        limits={**DAYS, "renewal": MONTHLY},
        line={"limits": {**DAYS, "per": {"count": "3", "period": "week"}}},
    )
    claim = build_claim(line={"units": "4", "unit": "DA", "from": "2026-04-30", "to": "2026-05-03"})
    planned = plan(claim, authorization)

    assert wants(planned) == [1, 2, 1]
    assert [accounts(planned, part) for part in (1, 2, 3)] == [
        ["H@2026-04-01", "L1", "L1~2026-04-26"],
        ["H@2026-05-01", "L1", "L1~2026-04-26"],
        ["H@2026-05-01", "L1", "L1~2026-05-03"],
    ]


def test_a_whole_line_counts_in_the_period_of_its_first_day() -> None:
    """It cannot be told which units were given later."""
    authorization = build_authorization(
        limits={"units": "9", "unit": "UN", "renewal": MONTHLY}, line={}
    )
    claim = build_claim(line={"units": "5", "from": "2026-03-30", "to": "2026-04-02"})

    assert accounts(plan(claim, authorization)) == ["H@2026-03-01", "L1"]


@pytest.mark.parametrize(
    ("units", "unit", "last", "visits"),
    [
        ("8", "UN", "10", ["10"]),
        ("8", "UN", "11", ["10", "11"]),
        ("8", "UN", "12", ["10", "11", "12"]),
        # No more visits than units.
        ("2", "UN", "14", ["10", "11"]),
        ("3", "VS", "12", ["10", "11", "12"]),
        ("4", "VS", "12", ["10", "10|2", "11", "12"]),
        ("4", "VS", "11", ["10", "10|2", "11", "11|2"]),
        ("2", "VS", "14", ["10", "11"]),
    ],
)
def test_a_visit_is_a_day_with_one_provider(
    units: str, unit: str, last: str, visits: list[str]
) -> None:
    """Whatever is billed of it; a line that is billed in visits may have several a day."""
    authorization = valid("01", "31", limits={"units": "10", "unit": "VS"})
    (draw,) = draws(plan(billed(units, unit, "10", last), authorization))
    tokens = [f"2026-03-{day}|1234567893{more}" for day, more in map(split, visits)]

    assert list(draw.debits[0].unit_tokens) == tokens
    assert "," not in "".join(draw.debits[0].unit_tokens)


def split(visit: str) -> tuple[str, str]:
    """The day of a visit, and which of the day it is."""
    return visit[:2], visit[2:]


@pytest.mark.parametrize(
    ("line", "header_days", "line_days"),
    [
        ({}, 3, 0),
        ({"limits": {"service_days": "5"}}, 3, 3),
        ({"limits": {"units": "5", "unit": "DA"}}, 3, 0),
    ],
)
def test_days_are_named_where_they_are_limited(line: Any, header_days: int, line_days: int) -> None:
    """Each day of a part, first to last."""
    authorization = valid("01", "31", limits={"service_days": "5"}, line=line)
    (draw,) = draws(plan(billed("3", "DA", "10", "12"), authorization))
    header, own = (debit.day_tokens for debit in draw.debits)

    assert header == ("2026-03-10", "2026-03-11", "2026-03-12")
    assert (len(header), len(own)) == (header_days, line_days)


def test_what_counts_nothing_uses_no_day() -> None:
    """Of the assistant of the operation."""
    authorization = valid("01", "31", limits={"service_days": "5"})
    (draw,) = draws(plan(billed("1", "UN", "10", "10", modifiers=["AS"]), authorization))

    assert [debit.day_tokens for debit in draw.debits] == [(), ()]


def test_kinds_are_ways_of_the_same_parts() -> None:
    """A line that needs an authorization and a referral is cut by the days of both."""
    claim = billed("5", "DA", "10", "14")
    referral = build_authorization(
        "referral", authorization_id="R1", effective={"from": "2026-03-12"}, limits=DAYS
    )
    planned = plan_claim(
        claim,
        [
            ask(claim, valid("01", "13")),
            ask(claim, referral, query="referral", kind="referral"),
        ],
        shipped(),
    )

    assert [
        [(way.kind, [draw.authorization_id for draw in way.draws]) for way in part.ways]
        for part in parts(planned)
    ] == [
        [("authorization", ["A1"]), ("referral", [])],
        [("authorization", ["A1"]), ("referral", ["R1"])],
        [("authorization", []), ("referral", ["R1"])],
    ]


@pytest.mark.parametrize(
    ("charge", "expected", "cent"),
    [
        ("100", [3333, 6667], CENT),
        ("0.01", [0, 1], CENT),
        ("0.001", [333, 667], 3),
        (None, [0, 0], CENT),
    ],
)
def test_the_charge_goes_with_the_units(charge: str | None, expected: list[int], cent: int) -> None:
    """In cents, or in millionths where it was not billed in cents."""
    claim = billed("3", "DA", "10", "12", charge=charge)
    found = parts(plan(claim, valid("11", "31")))

    assert [part.cent for part in found] == [cent, cent]
    assert [part.charge for part in found] == [cent * each for each in expected]


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(1, 10**9), min_size=1, max_size=9))
def test_shares_sum_to_the_whole(total: int, weights: list[int]) -> None:
    """And none is a whole one away from its weight."""
    found = apportioned(total, weights)

    assert sum(found) == total
    for share, weight in zip(found, weights, strict=True):
        assert abs(share * sum(weights) - total * weight) < sum(weights)


@st.composite
def lines(draw: st.DrawFn) -> Claim:
    """A line of up to three weeks, of whatever units."""
    first = date(2026, 3, draw(st.integers(1, 20)))
    last = first + timedelta(days=draw(st.integers(0, 20)))
    return build_claim(
        line={
            "units": draw(st.integers(1, 60).map(str) | st.sampled_from(["0.5", "7.25"])),
            "unit": draw(st.sampled_from(["DA", "UN"])),
            "charge": draw(st.decimals(0, 5000, places=3).map(str)),
            "from": first.isoformat(),
            "to": last.isoformat(),
        }
    )


@settings(max_examples=60)
@given(
    claim=lines(),
    windows=st.lists(st.tuples(st.integers(1, 31), st.integers(0, 20)), min_size=1, max_size=3),
    rates=st.sampled_from([None, {"count": "3", "period": "week"}]),
)
def test_parts_are_the_line(claim: Claim, windows: list[tuple[int, int]], rates: Any) -> None:
    """Units and charges sum to those of the line, and every day stands in one part."""
    chosen = [
        build_authorization(
            authorization_id=f"A{number}",
            effective={
                "from": date(2026, 3, first).isoformat(),
                "to": (date(2026, 3, first) + timedelta(days=length)).isoformat(),
            },
            limits={"service_days": "9", "per": rates},
        )
        for number, (first, length) in enumerate(windows)
    ]
    planned = plan(claim, *chosen)
    line = claim.lines[0]

    if planned.obstacles:
        assert {outcome for outcome, _ in outcomes(planned)} == {"non_daily_span"}
        assert line.unit == "UN"
        return
    found = parts(planned)
    assert line.units is not None and line.charge is not None
    assert line.from_ is not None and line.to is not None
    assert sum(part.want for part in found) == line.units * SCALE
    assert sum(part.charge for part in found) == line.charge * SCALE
    assert all(part.charge % part.cent == 0 and part.want % part.step == 0 for part in found)
    assert sum(part.days for part in found) <= (line.to - line.from_).days + 1
    for draw in (draw for part in found for draw in part.ways[0].draws):
        tokens = [debit.day_tokens for debit in draw.debits if debit.day_tokens]
        assert all(list(each) == sorted(set(each)) for each in tokens)
    first_days = [
        token
        for part in found
        for draw in part.ways[0].draws[:1]
        for token in draw.debits[0].day_tokens
    ]
    assert len(first_days) == len(set(first_days))
