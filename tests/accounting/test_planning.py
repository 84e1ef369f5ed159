"""From a claim and its chosen authorizations to a plan, or why a line cannot be drawn."""

from dataclasses import replace
from typing import Any

import pytest

from service.accounting.books.plan import (
    Bounds,
    ClaimPlan,
    Debit,
    Draw,
    Drawable,
    LinePlan,
    Part,
    Way,
)
from service.accounting.books.scale import CENT, SCALE
from service.accounting.limits.choice import Choice
from service.accounting.limits.lines import how_counted
from service.accounting.planning.planning import Planned, plan_claim
from service.domain.authorization import Authorization
from service.domain.reference import References
from tests.accounting.asking import (
    accounts,
    ask,
    choose,
    costs,
    draws,
    line_of,
    outcomes,
    plan,
    shipped,
    with_policy,
)
from tests.builders import build_authorization, build_claim

UNITS = {"units": "10", "unit": "UN"}
VISITS = {"units": "10", "unit": "VS"}
DAYS = {"units": "10", "unit": "DA"}
MONTHS = {"units": "10", "unit": "MN"}
FIRST_CLAIM = {"reference": "first_claim", "period": 1, "unit": "year"}
FROM_START = {"reference": "effective.from", "period": 1, "unit": "month"}
CERTIFIED = {"reference": "certification_date", "period": 1, "unit": "month"}
NOTHING = Planned(plan=ClaimPlan(), obstacles=())


def granted(name: str = "A1", **header: Any) -> Authorization:
    """An authorization that covers the claim, of ten units."""
    return build_authorization(authorization_id=name, **{"limits": UNITS, **header})


def selected(authorization: Authorization) -> Choice:
    """Line 1 of an authorization, taken by an examiner."""
    return choose(authorization, origin="selected")


def test_a_plan_in_full() -> None:
    """Four units from an authorization of ten hours, of which a line is limited in money."""
    authorization = build_authorization(
        version=7, limits={"units": "10", "unit": "HS"}, line={"limits": {"amount": "500"}}
    )
    claim = build_claim(line={"units": "4", "charge": "240.00"})
    debits = (Debit(account="H", denominator=4), Debit(account="L1"))
    draw = Draw(authorization_id="A1", line=1, origin="automatic", debits=debits)
    part = Part(
        number=1,
        want=4 * SCALE,
        step=SCALE,
        charge=240 * SCALE,
        cent=CENT,
        days=1,
        ways=(Way(kind="authorization", draws=(draw,)),),
    )
    bounds = {"H": Bounds(units=10 * SCALE, unit="HS"), "L1": Bounds(amount=500 * SCALE)}
    shape, lines, _ = how_counted(authorization)
    drawable = Drawable(authorization_id="A1", version=7, bounds=bounds, shape=shape, lines=lines)
    line = LinePlan(line=1, whole_only=False, parts=(part,))

    assert plan(claim, authorization) == Planned(
        plan=ClaimPlan(lines=(line,), authorizations={"A1": drawable}), obstacles=()
    )


def test_lines_are_planned_in_the_order_of_the_claim() -> None:
    """However they are asked; all the bases that any of them uses are named."""
    authorization = build_authorization(lines=[{}, {"limits": UNITS}])
    claim = build_claim(lines=[{}, {}, {}])
    choices = [choose(authorization, line) for line in (1, 2, 0)]
    asked = [ask(claim, each, line=line) for line, each in enumerate(choices, 1)]
    found = plan_claim(claim, asked[::-1], shipped()).plan

    assert [line.line for line in found.lines] == [1, 2, 3]
    assert list(found.authorizations["A1"].bounds) == ["H", "L1", "L2"]


def test_an_authorization_without_lines_is_its_header() -> None:
    """Line 0 is debited on the header alone."""
    assert accounts(plan(build_claim(), granted(lines=[]))) == ["H"]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({**UNITS, "renewal": FROM_START}, ["H", "L1@2026-03-05"]),
        ({**UNITS, "renewal": CERTIFIED}, ["H", "L1@2026-02-20"]),
        (
            {**UNITS, "renewal": FROM_START, "per": {"count": "2", "period": "week"}},
            ["H", "L1@2026-03-05", "L1~2026-03-08"],
        ),
    ],
)
def test_accounts_are_named_by_their_period(limits: Any, expected: list[str]) -> None:
    """Of the renewal from the line's own first day, and of the week of the service."""
    line = {"limits": limits, "effective": {"from": "2026-03-05"}}

    assert accounts(plan(build_claim(), build_authorization(line=line))) == expected


@pytest.mark.parametrize("changes", [{"units": "0"}, {"units": "0.00"}])
def test_a_line_that_bills_nothing_is_in_no_plan(changes: Any) -> None:
    """It was matched, and that is all, even where something would be in the way."""
    authorization = granted(limits={**UNITS, "renewal": FIRST_CLAIM})

    assert plan(build_claim(line=changes), authorization) == NOTHING


def test_a_kind_without_a_choice_keeps_the_line_out() -> None:
    """The match has said already what is missing; other kinds are looked at all the same."""
    claim = build_claim()
    referral = ask(claim, query="referral", kind="referral")
    barred = granted(limits={**UNITS, "renewal": FIRST_CLAIM})

    assert plan_claim(claim, [ask(claim, granted()), referral], shipped()) == NOTHING
    assert outcomes(plan_claim(claim, [ask(claim, barred), referral], shipped())) == [
        ("renewal_unknown", "A1")
    ]


def test_no_action_required_waives_the_kind() -> None:
    """The line is drawn on what else it needs, if anything."""
    claim = build_claim()
    waived = granted(decision={"action": "NA"})
    referral = build_authorization("referral", authorization_id="R1")
    asked = [
        ask(claim, waived, granted("A2")),
        ask(claim, referral, query="referral", kind="referral"),
    ]
    (way,) = line_of(plan_claim(claim, asked, shipped())).parts[0].ways

    assert plan(claim, waived) == NOTHING
    assert (way.kind, way.draws[0].authorization_id) == ("referral", "R1")


def test_an_obstacle_of_one_kind_keeps_the_line_out() -> None:
    """It is about that kind; the other lines are planned."""
    claim = build_claim(lines=[{}, {}])
    barred = build_authorization(
        "referral", authorization_id="R1", limits={**UNITS, "renewal": FIRST_CLAIM}
    )
    asked = [
        ask(claim, granted()),
        ask(claim, barred, query="referral", kind="referral"),
        ask(claim, granted(), line=2),
    ]
    planned = plan_claim(claim, asked, shipped())
    (obstacle,) = planned.obstacles

    assert (obstacle.line, obstacle.kind, obstacle.outcome) == (1, "referral", "renewal_unknown")
    assert [line.line for line in planned.plan.lines] == [2]


def test_what_an_examiner_selected_comes_first() -> None:
    """In the examiner's order, each authorization line once."""
    first, second = selected(granted("A3")), selected(granted("A1"))
    planned = plan(build_claim(), granted("A1"), granted("A2"), first, second)
    found = [(draw.authorization_id, draw.origin) for draw in draws(planned)]

    assert found == [("A3", "selected"), ("A1", "selected"), ("A2", "automatic")]


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ([UNITS, {"units": "5", "unit": "HS"}], None),
        ([UNITS, VISITS], None),
        ([DAYS], ("unit_kinds", "A1")),
        ([DAYS, DAYS], ("unit_kinds", "A1")),
        ([DAYS, MONTHS], ("multiple", None)),
        ([UNITS, DAYS], ("multiple", None)),
        ([DAYS, UNITS], ("multiple", None)),
    ],
)
def test_units_that_cannot_be_converted(limits: list[Any], outcome: Any) -> None:
    """Several in which they differ cannot be drawn on one after the other."""
    chosen = [granted(f"A{place}", limits=each) for place, each in enumerate(limits, 1)]

    assert outcomes(plan(build_claim(), *chosen)) == ([outcome] if outcome else [])


def test_an_examiner_is_told_which_units_cannot_be_converted() -> None:
    """The selection is clear, but not what it costs."""
    chosen = [selected(granted("A1")), selected(granted("A2", limits=DAYS))]

    assert outcomes(plan(build_claim(), *chosen)) == [("unit_kinds", "A2")]


def test_units_of_header_and_line_must_both_convert() -> None:
    """Both are debited."""
    authorization = granted(limits=VISITS, line={"limits": {"units": "5", "unit": "HS"}})
    barred = granted(limits=UNITS, line={"limits": DAYS})

    assert costs(plan(build_claim(), authorization)) == ["2026-03-12|1234567893", "1/4"]
    assert outcomes(plan(build_claim(), barred)) == [("unit_kinds", "A1")]


@pytest.mark.parametrize(
    ("chosen", "outcome"),
    [
        ([granted("A1"), granted("A2")], ("multiple", None)),
        ([granted("A1")], None),
        ([granted("A1", lines=[{}, {}]), choose(granted("A1", lines=[{}, {}]), 2)], None),
        ([selected(granted("A1")), selected(granted("A2"))], None),
        ([selected(granted("A1")), granted("A2")], None),
    ],
)
def test_a_payer_may_have_several_reviewed(chosen: list[Any], outcome: Any) -> None:
    """Several authorizations that matching took; an examiner has looked at a selection."""
    references = with_policy(review_multiple=True)

    assert outcomes(plan(build_claim(), *chosen)) == []
    assert outcomes(plan(build_claim(), *chosen, references=references)) == (
        [outcome] if outcome else []
    )


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ({"limits": {**UNITS, "renewal": FIRST_CLAIM}}, {}),
        ({}, {"limits": {**UNITS, "renewal": FIRST_CLAIM}}),
        ({"limits": {**UNITS, "renewal": CERTIFIED}, "certification_date": None}, {}),
        ({"limits": {**UNITS, "renewal": FROM_START}, "effective": {"to": "2026-05-31"}}, {}),
    ],
)
def test_a_renewal_from_a_day_that_is_not_known(header: Any, line: Any) -> None:
    """Nobody can tell what is left in the period."""
    planned = plan(build_claim(), granted("A2"), build_authorization(**header, line=line))

    assert outcomes(planned) == [("renewal_unknown", "A1")]


MONEY = {"amount": "500.00"}


@pytest.mark.parametrize(
    ("line", "header", "limits", "is_unknown"),
    [
        ({}, {}, MONEY, True),
        ({}, {"limits": MONEY}, {}, True),
        ({}, {}, {**MONEY, "units": "9", "unit": "UN"}, True),
        ({"units": None}, {}, MONEY, True),
        ({}, {}, {"units": "9", "unit": "UN"}, False),
        ({"charge": "0.00"}, {}, MONEY, False),
        ({"charge": "90.00"}, {}, MONEY, False),
        ({"units": "0"}, {}, MONEY, False),
        ({"modifiers": ["AS"]}, {}, MONEY, False),
    ],
)
def test_a_line_without_a_charge_is_not_counted_as_free(
    line: Any, header: Any, limits: Any, is_unknown: bool
) -> None:
    """Where money is limited, an examiner looks at it; also where it was selected."""
    authorization = build_authorization(**header, line={"limits": limits})
    expected = [("charge_unknown", "A1")] if is_unknown else []

    assert outcomes(plan(build_claim(line=line), authorization)) == expected
    assert outcomes(plan(build_claim(line=line), selected(authorization))) == expected


ASKED_FOR = {"units": "20", "unit": "UN"}


@pytest.mark.parametrize(
    ("header", "line", "is_unknown"),
    [
        ({"decision": {"action": "A6"}, "requested": ASKED_FOR}, {}, True),
        ({"decision": {"action": "A6"}}, {"requested": ASKED_FOR}, True),
        ({"requested": ASKED_FOR}, {"decision": {"action": "A6"}}, True),
        ({"decision": {"action": "A6"}, "requested": ASKED_FOR, "limits": {}}, {}, True),
        ({"decision": {"action": "A6"}, "requested": ASKED_FOR, "limits": UNITS}, {}, False),
        (
            {"decision": {"action": "A6"}, "requested": ASKED_FOR},
            {"limits": {"amount": "9"}},
            False,
        ),
        ({"decision": {"action": "A6"}}, {}, False),
        ({"decision": {"action": "A1"}, "requested": ASKED_FOR}, {}, False),
    ],
)
def test_a_changed_grant_must_say_how_much(header: Any, line: Any, is_unknown: bool) -> None:
    """What was requested is not what was granted."""
    claim = build_claim(line={"charge": "9"})
    planned = plan(claim, build_authorization(**header, line=line))

    assert outcomes(planned) == ([("granted_quantity_unknown", "A1")] if is_unknown else [])


@pytest.mark.parametrize(
    ("days_max", "certified", "drawn"),
    [
        (None, ["2026-12-31"], ["A1"]),
        (30, ["2026-04-11"], ["A1"]),
        (30, ["2026-04-12"], None),
        (30, [None], ["A1"]),
        (0, ["2026-03-12"], ["A1"]),
        (0, ["2026-03-13"], None),
        (30, ["2026-04-12", "2026-02-20"], ["A2"]),
        (30, ["2026-04-12", "2026-04-12"], None),
    ],
)
def test_a_certification_may_come_too_late(
    days_max: int | None, certified: list[str | None], drawn: list[str] | None
) -> None:
    """A late one is passed over where there is another."""
    chosen = [
        granted(f"A{place}", certification_date=day) for place, day in enumerate(certified, 1)
    ]
    planned = plan(build_claim(), *chosen, references=with_policy(retro_days_max=days_max))

    if drawn is None:
        assert outcomes(planned) == [("late_authorization", "A1")]
    else:
        assert [draw.authorization_id for draw in draws(planned)] == drawn


def test_an_examiner_may_take_a_late_one() -> None:
    """That is what the event asks for."""
    late = selected(granted(certification_date="2026-12-31"))
    planned = plan(build_claim(), late, references=with_policy(retro_days_max=0))

    assert outcomes(planned) == []


def test_a_line_of_more_than_a_year_is_not_drawn() -> None:
    """An examiner divides it."""
    claim = build_claim(line={"to": "2027-12-31"})

    assert outcomes(plan(claim, granted(effective={"from": "2026-01-01"}))) == [
        ("non_daily_span", None)
    ]


@pytest.mark.parametrize(
    ("references", "whole_only"),
    [
        (shipped(), False),
        (with_policy(when_short="refuse"), True),
        (with_policy(by_query_type={"referral": {"when_short": "refuse"}}), True),
        (with_policy(by_query_type={"dental": {"when_short": "refuse"}}), False),
    ],
)
def test_a_payer_may_refuse_what_is_short(references: References, whole_only: bool) -> None:
    """A line of several kinds, where any of them refuses."""
    claim = build_claim()
    referral = build_authorization("referral", authorization_id="R1")
    asked = [ask(claim, granted()), ask(claim, referral, query="referral", kind="referral")]

    assert line_of(plan_claim(claim, asked, references)).whole_only == whole_only


def test_a_line_of_which_nobody_knows_what_was_drawn_goes_to_an_examiner() -> None:
    """Its measure cannot say it: nothing more is drawn until it can."""
    authorization = build_authorization()
    counted = how_counted(authorization)._replace(untold=(1,))
    choice = replace(choose(authorization), counted=counted)
    (obstacle,) = plan(build_claim(), choice).obstacles

    assert (obstacle.outcome, obstacle.authorization_id) == ("unit_kinds", "A1")
