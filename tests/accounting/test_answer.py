"""The answer of an adjudication: what becomes of a line, from its record and what was drawn."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.answers.answer import bounds_in, complete, summary
from service.accounting.books.books import Moved
from service.accounting.books.grant import Row
from service.accounting.books.plan import Bounds
from service.accounting.books.record import unpack
from service.accounting.books.scale import quantity_of
from service.domain.answers import AdjustmentReason, EventAnswer
from tests.accounting.answering import (
    answered,
    drawn,
    event,
    kind_of,
    line_draft,
    recorded,
    told,
)

NONE, SUSPEND = event("SPA-0014"), event("SPA-0012", "suspend")
NOT_FOUND, INVALID = event("SPA-0009", "deny"), event("SPA-0014", "deny")
REFERRAL: AdjustmentReason = {"group": "CO", "carc": "287", "remarks": []}
BOTH = [kind_of("authorization", "A1"), kind_of("referral", "R1", adjustment=REFERRAL)]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], ["pay", "approved 4 240.00"]),
        ([NONE], ["pay", "approved 4 240.00"]),
        ([SUSPEND], ["suspend", "suspended 4 240.00"]),
        ([NOT_FOUND], ["deny", "denied 4 240.00", "CO 197 4 240.00"]),
        # A person comes before what denies by itself; else the first reason is given once.
        ([NOT_FOUND, SUSPEND], ["suspend", "suspended 4 240.00"]),
        ([NONE, INVALID, NOT_FOUND], ["deny", "denied 4 240.00", "CO 284 N54 4 240.00"]),
    ],
)
def test_a_line_that_asks_for_nothing_goes_by_its_events(
    events: list[EventAnswer], expected: list[str]
) -> None:
    """It needs no authorization, or an event stands in the way."""
    assert told(answered(line_draft(asks=False, kinds=[], events=events))) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([drawn("4", "240")], ["pay", "approved 4 240.00"]),
        ([drawn("1", "60"), drawn("3", "180", "A2")], ["pay", "approved 4 240.00"]),
        (
            [drawn("3", "180")],
            ["cut_back", "approved 3 180.00", "denied 1 60.00", "CO 198 1 60.00"],
        ),
        (
            [drawn("0.5", "30")],
            ["cut_back", "approved 0.5 30.00", "denied 3.5 210.00", "CO 198 3.5 210.00"],
        ),
        # The money ran out, not the units.
        (
            [drawn("4", "200")],
            ["cut_back", "approved 4 200.00", "denied 0 40.00", "CO 198 0 40.00"],
        ),
        # What both kinds granted, with the adjustment of the first.
        (
            [drawn("3", "180"), drawn("3", "180", "R1", kind="referral")],
            ["cut_back", "approved 3 180.00", "denied 1 60.00", "CO 198 1 60.00"],
        ),
        (
            [drawn("4", "240"), drawn("3", "170", "R1", kind="referral")],
            ["cut_back", "approved 3 170.00", "denied 1 70.00", "CO 198 1 70.00"],
        ),
    ],
)
def test_what_was_drawn_is_approved(rows: list[Row], expected: list[str]) -> None:
    """And the rest is cut back with the payer's adjustment; of two kinds the least counts."""
    kinds = BOTH if len({row.kind for row in rows}) > 1 else BOTH[:1]

    assert told(answered(line_draft(kinds=kinds), *rows)) == expected


@pytest.mark.parametrize(
    ("kind", "short", "expected"),
    [
        ({}, False, ["suspend", "suspended 4 240.00"]),
        ({"exhausted": "deny"}, False, ["deny", "denied 4 240.00", "CO 198 4 240.00"]),
        # Some was left, but not all, and less is refused.
        ({"exhausted": "deny"}, True, ["suspend", "suspended 4 240.00"]),
        ({"exceeded": "suspend"}, True, ["suspend", "suspended 4 240.00"]),
        ({"exceeded": "deny"}, True, ["deny", "denied 4 240.00", "CO 198 4 240.00"]),
        # A line that got nothing is never paid, whatever its event does by itself.
        ({"exhausted": "none"}, False, ["suspend", "suspended 4 240.00"]),
    ],
)
def test_a_line_that_got_nothing(kind: Any, short: bool, expected: list[str]) -> None:
    """Its event says whether it is denied; else an examiner decides."""
    draft = line_draft(kinds=[kind_of("authorization", "A1", **kind)])

    assert told(answered(draft, short=short)) == expected


@pytest.mark.parametrize(("action", "disposition"), [("suspend", "suspend"), ("deny", "deny")])
def test_what_is_short_is_not_paid_where_its_event_forbids_it(
    action: str, disposition: str
) -> None:
    """Such lines are only drawn whole; a record that says otherwise pays nothing."""
    draft = line_draft(kinds=[kind_of("authorization", "A1", exceeded=action)])
    answer = answered(draft, drawn("3", "180"))

    assert (answer["disposition"], answer["approved"]["units"]) == (disposition, "0")


@pytest.mark.parametrize(
    ("events", "expected"),
    [([], ["void"]), ([SUSPEND], ["suspend", "suspended 4 240.00"])],
)
def test_a_void_bills_nothing_any_more(events: list[EventAnswer], expected: list[str]) -> None:
    """Unless the claim that it voids is not known."""
    draft = line_draft(asks=False, void=True, kinds=[], events=events)

    assert told(answered(draft)) == expected


@pytest.mark.parametrize(
    ("kinds", "rows", "short", "expected"),
    [
        ([("authorization", "A1", "A2")], [drawn("3", "180")], False, [("SPA-0044", "A1")]),
        (
            [("authorization", "A1", "A2")],
            [drawn("2", "120"), drawn("1", "60", "A2")],
            False,
            [("SPA-0044", "A2")],
        ),
        ([("authorization", "A1", "A2")], [], False, [("SPA-0011", "A1")]),
        ([("authorization", "A1", "A2")], [], True, [("SPA-0044", "A1")]),
        ([("authorization",)], [], False, [("SPA-0011", None)]),
        ([("authorization", "A1"), ("referral", "R1")], [], False, [("SPA-0011", "A1")]),
        (
            [("authorization", "A1"), ("referral", "R1")],
            [drawn("3", "180"), drawn("3", "180", "R1", kind="referral")],
            False,
            [("SPA-0044", "A1")],
        ),
    ],
)
def test_the_event_of_what_ran_short(
    kinds: list[tuple[str, ...]], rows: list[Row], short: bool, expected: list[Any]
) -> None:
    """It names the last that was drawn, else the first that was tried."""
    draft = line_draft(kinds=[kind_of(*each) for each in kinds])
    events = answered(draft, *rows, short=short)["events"]

    assert [(each["code"], each.get("authorization_id")) for each in events] == expected


@pytest.mark.parametrize(
    ("rows", "lean", "expected"),
    [
        ((), ["referral"], [("SPA-0011", "R1")]),
        ((), ["referral", "authorization"], [("SPA-0011", "A1"), ("SPA-0011", "R1")]),
        (("3",), ["referral"], [("SPA-0044", "R1")]),
        (("3",), ["referral", "authorization"], [("SPA-0044", "A1"), ("SPA-0044", "R1")]),
    ],
)
def test_of_two_kinds_those_that_ran_short_are_named(
    rows: tuple[str, ...], lean: list[str], expected: list[Any]
) -> None:
    """The other one had enough."""
    draft = line_draft(kinds=[kind_of("authorization", "A1"), kind_of("referral", "R1")])
    got = [
        row
        for units in rows
        for row in (drawn(units, "180"), drawn(units, "180", "R1", kind="referral"))
    ]
    events = answered(draft, *got, lean=lean)["events"]

    assert [(each["code"], each.get("authorization_id")) for each in events] == expected


def test_an_event_is_shown_as_it_was_raised() -> None:
    """The adjustment of its denial stands beside it, with the record and with the answer."""
    raised = event("SPA-0009", "deny", number="AU-1")
    answer = answered(line_draft(asks=False, events=[raised], resolved=[raised]))

    assert answer["events"] == [{"code": "SPA-0009", "action": "deny", "number": "AU-1"}]
    assert answer["resolved_events"] == answer["events"]


@pytest.mark.parametrize(
    ("rows", "may", "override", "actions"),
    [
        (["A1"], {}, True, ["BENAU"]),
        (["A1", "A2"], {"A2": False}, False, []),
        (["A1"], {"A2": False}, True, ["BENAU"]),
        ([], {}, False, []),
    ],
)
def test_benefit_limits_are_taken_off_where_the_authorization_pays(
    rows: list[str], may: Any, override: bool, actions: list[str]
) -> None:
    """Unless one of those that were drawn says that it does not go before them."""
    limits = [{"carc": "119"}]
    benefit = {"action": "BENAU", "limit_adjustments": limits, "may_override": may}
    answer = answered(line_draft(benefit=benefit), *(drawn("2", "120", each) for each in rows))
    kept, removed = ([], limits) if override else (limits, [])

    assert answer["actions"] == actions
    assert answer["benefit"] == {
        "override": override,
        "limit_adjustments": kept,
        "removed_limit_adjustments": removed,
    }


def test_nothing_is_told_of_a_benefit_that_gave_no_limit() -> None:
    """Though the authorization would go before one: whoever has limits later asks then."""
    answer = answered(line_draft(), drawn())

    assert (answer["actions"], answer["benefit"]) == ([], None)


def test_every_line_takes_its_own_rows() -> None:
    """And only a line that is named as short was refused; rules stand at the end."""
    draft = recorded(*(line_draft(number) for number in (1, 2, 3)))
    answer = complete(draft, Moved(drawn=(drawn(line=2),), short=(3,)))
    events = [[each["code"] for each in line["events"]] for line in answer["lines"]]

    assert [line["disposition"] for line in answer["lines"]] == ["suspend", "pay", "suspend"]
    assert events == [["SPA-0011"], [], ["SPA-0044"]]
    assert list(answer) == ["claim_id", "version", "lines", "rules"]


def test_what_was_given_back_is_said() -> None:
    """By the claim's version before, or by the claim that it replaces."""
    gone = Moved(undone=(drawn("2", "120"),), given_back=(drawn("3", "180", "A2", line=2),))
    returned = complete(recorded(line_draft()), gone)["returned"]

    assert [" ".join(map(str, each.values())) for each in returned] == [
        "own 1 A1 1 2 120.00",
        "original 2 A2 1 3 180.00",
    ]


def test_what_is_other_than_before_is_said() -> None:
    """Rules and lines, those that are new or gone too; what stayed is not repeated."""
    before = recorded(line_draft(1), line_draft(2), line_draft(3))
    was = Moved(drawn=(drawn(line=1), drawn(line=2)))
    previous = summary(before, complete(before, was)["lines"])
    previous["version"] = 1
    previous["rules"] = {"accounting": "2025.4", "event codes": "2"}
    now = recorded(
        line_draft(1),
        line_draft(2),
        line_draft(4),
        previous=previous,
        rules={"accounting": "2026.1", "event codes": "2", "unit conversions": "1"},
    )
    moved = Moved(drawn=(drawn(line=1), drawn("3", "180", "A2", line=2)))
    changed = complete(now, moved)["changed"]

    def shown(line: Any) -> str | None:
        return line and " ".join(map(str, line.values()))

    assert changed["since_version"] == 1
    assert changed["rules"] == {
        "accounting": {"before": "2025.4", "after": "2026.1"},
        "unit conversions": {"before": None, "after": "1"},
    }
    assert [
        (each["line"], shown(each["before"]), shown(each["after"])) for each in changed["lines"]
    ] == [
        (2, "pay 4 240.00 ['A1']", "cut_back 3 180.00 ['A2']"),
        (4, None, "suspend 0 0.00 []"),
        (3, "suspend 0 0.00 []", None),
    ]


def test_the_limits_of_a_record() -> None:
    """Those that were in force; a record of a change has none."""
    draft = recorded(bounds={"A1": {"H": [10, None, None, "UN"], "L1@": [None, 5, 3, None]}})

    assert bounds_in(unpack("")) == {}
    assert bounds_in(draft) == {
        "A1": {"H": Bounds(units=10, unit="UN"), "L1@": Bounds(amount=5, days=3)}
    }


ACTIONS = st.sampled_from(["none", "suspend", "deny"])


@given(
    actions=st.lists(ACTIONS, max_size=2),
    asks=st.booleans(),
    exceeded=ACTIONS,
    exhausted=ACTIONS,
    short=st.booleans(),
    shares=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 60)), max_size=3),
)
def test_approved_denied_and_suspended_are_what_was_billed(
    actions: list[str], asks: bool, exceeded: str, exhausted: str, short: bool, shares: Any
) -> None:
    """Whatever the events do; adjustments say why, of all that is denied and of nothing else."""
    draft = line_draft(
        units="12",
        amount="180",
        asks=asks,
        events=[event("SPA-0009", action) for action in actions],
        kinds=[kind_of("authorization", "A1", exceeded=exceeded, exhausted=exhausted)],
    )
    rows = [drawn(str(units), str(amount)) for units, amount in shares] if asks else []
    answer: Any = answered(draft, *rows, short=short)

    for measure, billed in (("units", 12), ("amount", 180)):
        parts = [Decimal(answer[each][measure]) for each in ("approved", "denied", "suspended")]
        adjusted = sum(Decimal(each[measure]) for each in answer["adjustments"])
        assert sum(parts) == billed
        assert adjusted == parts[1]
        granted = sum(getattr(row, measure) for row in rows)
        assert not asks or parts[0] in (0, quantity_of(granted))
    assert bool(answer["adjustments"]) == (answer["disposition"] in ("deny", "cut_back"))
