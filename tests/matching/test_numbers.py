"""Numbers that a provider submitted: which hold for a line, which fit, what follows where not."""

from typing import Any

import pytest

from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.domain.event import Events
from service.matching.numbers import (
    Submitted,
    invalid_number_events,
    numbers_for,
    numbers_that_fit,
    settle,
    without_numbers,
)
from service.matching.ranking import Ranked, rank
from tests.builders import (
    ask,
    build_authorization,
    build_claim,
    event_codes,
    judge,
    references,
)

Fields = dict[str, Any]

KNEE = {"procedure": {"from": "27447"}}


def ranked_for(claim: Claim, line: int, *authorizations: Authorization) -> Ranked:
    """Rank authorizations for one line of a professional claim."""
    asked = ask(claim, line=line)
    return rank(judge(asked, *authorizations), asked.plan.template)


def settled(claim: Claim, *authorizations: Authorization) -> list[list[Submitted]]:
    """Settle the numbers of every line, each knowing of the others."""
    places = range(1, len(claim.lines) + 1)
    ranked = {place: ranked_for(claim, place, *authorizations) for place in places}
    return [
        list(
            settle(
                numbers_for(
                    claim,
                    claim.lines[place - 1],
                    ask(claim, line=place).plan,
                    references().numbers,
                ),
                ranked[place],
                numbers_that_fit(ranked.values()),
            )
        )
        for place in places
    ]


@pytest.mark.parametrize(
    ("case", "on_claim", "on_line", "expected"),
    [
        (21, ["AU-1"], ["AU-2"], [("AU-2", "line")]),
        (21, ["AU-1"], ["au 1"], [("au 1", "line")]),
        (22, ["AU-1", "AU-2"], [], [("AU-1", "claim"), ("AU-2", "claim")]),
        (23, [" au 1", "AU-1"], [], [("au 1", "claim")]),
        (20, [], [], []),
    ],
)
def test_cases_20_to_23_the_numbers_of_a_line(
    case: int, on_claim: list[str], on_line: list[str], expected: list[tuple[str, str]]
) -> None:
    """Case 21: the line wins. Case 22: all are tried. Case 23: one number once, as typed."""
    claim = build_claim(
        authorization_numbers=[{"value": each} for each in on_claim],
        line={"authorization_numbers": [{"value": each} for each in on_line]},
    )
    numbers = numbers_for(claim, claim.lines[0], ask(claim).plan, references().numbers)

    assert expected == [(each.value, each.level) for each in numbers], f"case {case}"


@pytest.mark.parametrize(
    ("query", "kind", "counts"),
    [
        ("professional", "authorization", True),
        ("professional", "referral", False),
        ("professional", "predetermination", False),
        ("referral", "referral", True),
        ("referral", "authorization", False),
        ("dental", "predetermination", True),
        ("dental", "authorization", True),
    ],
)
def test_a_number_counts_for_the_queries_of_its_kind(query: str, kind: str, counts: bool) -> None:
    """A referral number says nothing of an authorization, and the other way round."""
    claim = build_claim(query, authorization_numbers=[{"kind": kind, "value": "AU-1"}])
    numbers = numbers_for(claim, claim.lines[0], ask(claim, query).plan, references().numbers)

    assert counts == bool(numbers)


def test_case_21_a_number_of_the_line_leaves_the_other_kinds_of_the_claim() -> None:
    """Case 21: only a number of the same kind is replaced by that of the line."""
    claim = build_claim(
        "dental",
        authorization_numbers=[{"value": "AU-1"}, {"kind": "predetermination", "value": "P-1"}],
        line={"authorization_numbers": [{"value": "AU-2"}]},
    )
    numbers = numbers_for(claim, claim.lines[0], ask(claim, "dental").plan, references().numbers)

    assert [(each.value, each.level) for each in numbers] == [("AU-2", "line"), ("P-1", "claim")]


def test_case_22_each_of_two_numbers_finds_its_own_line() -> None:
    """Case 22: a number that fits another line is no fault, and is not evaluated for this one."""
    claim = build_claim(
        authorization_numbers=[{"value": "AU-1"}, {"value": "AU-2"}],
        lines=[{}, {"procedure": "27447"}],
    )
    therapy, knee = (
        build_authorization(),
        build_authorization(authorization_id="A2", number="AU-2", line=KNEE),
    )
    first, second = settled(claim, therapy, knee)

    assert [(each.fits, each.fits_another_line) for each in first] == [("A1", False), (None, True)]
    assert [(each.fits, each.fits_another_line) for each in second] == [(None, True), ("A2", False)]


def test_a_number_that_fits_another_line_leaves_what_can_be_reached() -> None:
    """Without its weight the line is exact: 837I has one number for all lines."""
    claim = build_claim(lines=[{}, {"procedure": "27447"}])
    knee = build_authorization(authorization_id="A2", number="AU-2", line=KNEE)
    asked = ask(claim, line=2)
    _, second = settled(claim, build_authorization(), knee)
    again = without_numbers(asked, second)
    assert again is not None
    (before,), (after,) = judge(asked, knee), judge(again, knee)

    assert (before.match_class, before.score, before.attainable) == ("non-exact", 90, 100)
    assert (after.match_class, after.score, after.attainable) == ("exact", 90, 90)


def test_the_numbers_that_fit_stay() -> None:
    """Of two numbers only the one of another line is left out."""
    asked = ask(build_claim(authorization_numbers=[{"value": "AU-1"}, {"value": "AU-2"}]))
    again = without_numbers(asked, [Submitted(value="AU-2", level="claim", fits_another_line=True)])

    assert again is not None
    assert again.values["numbers.authorization"] == ("AU1",)


def test_where_no_number_fits_another_line_nothing_is_asked_anew() -> None:
    """The usual claim is scored once."""
    assert without_numbers(ask(), [Submitted(value="AU-1", level="claim", fits="A1")]) is None


def test_a_number_of_the_line_is_not_excused_by_another_line() -> None:
    """What was put on this line was meant for this line."""
    claim = build_claim(
        lines=[{}, {"procedure": "27447", "authorization_numbers": [{"value": "AU-1"}]}]
    )
    _, second = settled(claim, build_authorization())

    assert [(each.fits, each.fits_another_line) for each in second] == [(None, False)]


@pytest.mark.parametrize(
    ("case", "authorization", "fits"),
    [
        (17, {"number": "NEW", "previous_numbers": ["AU-1"]}, "A1"),
        (18, {"number": "AU-9"}, None),
        (19, {"line": {"procedure": {"from": "70551"}}}, None),
        (20, {}, "A1"),
    ],
)
def test_a_number_fits_an_exact_or_non_exact_candidate(
    case: int, authorization: Fields, fits: str | None
) -> None:
    """Case 19: that of a near miss does not fit, although it is valid."""
    ((only,),) = settled(build_claim(), build_authorization(**authorization))

    assert fits == only.fits, f"case {case}"


def test_what_is_no_number_fits_nothing() -> None:
    """Even where an authorization is called by that word."""
    claim = build_claim(authorization_numbers=[{"value": "NONE"}])
    ((only,),) = settled(claim, build_authorization(number="NONE"))

    assert only.no_number is not None
    assert only.fits is None


@pytest.mark.parametrize(
    ("query", "level", "code"),
    [
        ("inpatient", "claim", "SPA-0006"),
        ("outpatient", "claim", "SPA-0024"),
        ("professional", "claim", "SPA-0014"),
        ("professional", "line", "SPA-0015"),
        ("dental", "claim", "SPA-0017"),
        ("dental", "line", "SPA-0018"),
        ("referral", "claim", "SPA-0037"),
        ("referral", "line", "SPA-0038"),
        ("inpatient", "line", "AUM-0002"),
    ],
)
def test_case_18_an_invalid_number_is_named_by_type_and_level(
    query: str, level: str, code: str
) -> None:
    """Case 18: whether it does not exist or belongs to another member, the answer is the same."""
    (event,) = invalid_number_events(
        [Submitted(value="au 9", level=level)], Events(event_codes(), query)
    )

    assert (code, "au 9", None) == (event.code, event.number, event.authorization_id)


@pytest.mark.parametrize(
    "fine",
    [
        Submitted(value="AU-1", level="claim", fits="A1"),
        Submitted(value="AU-1", level="claim", fits_another_line=True),
    ],
)
def test_a_number_that_fits_somewhere_raises_nothing(fine: Submitted) -> None:
    """Neither for this line nor for another one of the claim."""
    assert invalid_number_events([fine], Events(event_codes(), "professional")) == ()
