"""How a line of an authorization is judged, and which line stands for its authorization."""

from typing import Any

import pytest

from service.comparison.prepared import Preparation
from service.domain.reference import References
from service.matching.ranking import rank
from service.matching.scorer import Scorer
from service.querying.library import Library, load_library
from tests.builders import (
    ask,
    build_authorization,
    build_candidate,
    build_claim,
    changed,
    judge,
    references,
    told,
    values_of,
)

Fields = dict[str, Any]

SMALL = """
api: authmatch/v1
kind: QueryTemplate
id: small
version: 1
title: A small template
require:
  - {id: window, comparison: window, claim: [line.from, line.to], authorization: effective}
"""


def small(rest: str, tables: References | None = None) -> Library:
    """Make a template of a window, and what is given."""
    library = load_library({"small.yaml": SMALL + rest}, tables or references())
    assert library.problems == ()
    return library


def test_all_criteria_are_judged_on_one_line() -> None:
    """The procedure of one line and the modifier of another make no exact match."""
    authorization = build_authorization(
        lines=[
            {"procedure": {"from": "97112"}, "modifiers": ["RT"]},
            {"procedure": {"from": "70551"}, "modifiers": ["GP"]},
        ]
    )
    (found,) = judge(ask(), authorization)

    assert (found.match_class, found.line["line"], found.score) == ("non-exact", 1, 92)


@pytest.mark.parametrize(
    ("why", "lines", "stands"),
    [
        (
            "the highest",
            [{"modifiers": ["TC"], "place_of_service": "02"}, {"modifiers": ["TC"]}],
            2,
        ),
        (
            "the earliest end",
            [
                {"effective": {"from": "2026-03-01", "to": "2026-05-31"}},
                {"effective": {"from": "2026-03-01", "to": "2026-04-30"}},
            ],
            2,
        ),
        (
            "an end before none",
            [
                {"effective": {"from": "2026-03-01", "to": None}},
                {"effective": {"from": "2026-03-01", "to": "2026-04-30"}},
            ],
            2,
        ),
        ("the first number", [{}, {}], 1),
        ("only one in time", [{"effective": {"from": "2027-03-01", "to": None}}, {}], 2),
    ],
)
def test_which_line_stands_for_an_authorization(why: str, lines: list[Fields], stands: int) -> None:
    """An exact one, else the highest; then the earliest end, then the line number."""
    (found,) = judge(ask(), build_authorization(lines=lines))

    assert stands == found.line["line"], why


def test_an_exact_line_stands_before_a_higher_one() -> None:
    """The highest total stays known: Elasticsearch must find the same."""
    library = changed("professional", "criteria: [{id: diagnosis, never_bars_exact: true}]\n")
    authorization = build_authorization(
        lines=[{"diagnoses": [{"code": "Z01.1"}]}, {"place_of_service": "02"}]
    )
    (found,) = judge(ask(library=library), authorization)

    assert (
        found.match_class,
        found.line["line"],
        found.score,
        found.best_score,
    ) == ("exact", 1, 95, 98)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((599, 401), "none"),
        ((600, 400), "non-exact"),
        ((601, 399), "non-exact"),
    ],
)
def test_percent_is_compared_in_whole_numbers(weights: tuple[int, int], expected: str) -> None:
    """59.9 percent is not 60, and is not rounded up."""
    library = small(f"""
criteria:
  - id: procedure
    levels:
      - {{id: same, full: true, comparison: equal, claim: line.procedure,
          authorization: procedure.from, weight: {weights[0]}}}
  - id: place
    levels:
      - {{id: same, full: true, comparison: equal, claim: line.place_of_service,
          authorization: place_of_service, weight: {weights[1]}}}
""")
    claim = build_claim(line={"procedure": "97110"}, place_of_service="21")
    (found,) = judge(ask(claim, "small", library=library), build_authorization())

    assert (expected, weights[0] // 10) == (found.match_class, found.percent)


def test_nothing_to_compare_is_no_match() -> None:
    """With nothing attainable there is no percent, and no exact match either."""
    library = small("""
criteria:
  - id: tooth
    levels:
      - {id: same, comparison: equal, claim: line.tooth, authorization: tooth, weight: 5}
""")
    (found,) = judge(
        ask(query="small", claim=build_claim(), library=library), build_authorization()
    )

    assert (found.match_class, found.score, found.attainable, found.percent) == ("none", 0, 0, 0)


@pytest.mark.parametrize(
    ("needs", "expected"), [("[procedure]", "none"), ("[place, procedure]", "non-exact")]
)
def test_a_non_exact_match_needs_points_where_it_matters(needs: str, expected: str) -> None:
    """Many points elsewhere do not make up for another service; one of several is enough."""
    library = changed(
        "professional", f"non_exact: {{needs: {needs.replace('place', 'place_of_service')}}}\n"
    )
    authorization = build_authorization(line={"procedure": {"from": "70551"}})
    (found,) = judge(ask(library=library), authorization)

    assert (expected, 70) == (found.match_class, found.percent)


def test_an_excluded_line_lends_no_points() -> None:
    """Only the other line of the authorization is a candidate."""
    library = changed(
        "professional",
        "exclude: [{id: urgent, comparison: equal, value: U, authorization: urgency}]\n",
    )
    authorization = build_authorization(lines=[{"urgency": "U"}, {"modifiers": ["TC"]}])
    (found,) = judge(ask(library=library), authorization)

    assert (found.line["line"], found.score, found.best_score) == (2, 92, 92)
    assert judge(ask(library=library), build_authorization(urgency="U")) == []


def test_what_a_relax_step_found_is_never_exact() -> None:
    """Full agreement of a candidate that a wider search found stays non-exact."""
    (found,) = judge(ask(), build_candidate(relaxed="wider"))

    assert (found.match_class, found.score, found.blockers) == ("non-exact", 100, ())


def test_tolerance_bars_exact_even_where_dates_are_not_compared() -> None:
    """A window that holds by its days only is a match by tolerance."""
    library = changed("professional", "criteria: [{id: dates, remove: true}]\n")
    claim = build_claim(line={"from": "2026-06-05"})
    (found,) = judge(ask(claim, library=library), build_authorization())

    assert (
        found.match_class,
        found.score,
        found.attainable,
        found.tolerance,
    ) == ("non-exact", 80, 80, True)


def test_a_condition_of_exactness_gives_no_points() -> None:
    """It is named among what bars exactness, after the criteria."""
    claim = build_claim(network="in", place_of_service="02")
    provider = {"npi": "1234567893", "group_scope": "out"}
    (found,) = judge(ask(claim), build_authorization(servicing_provider=provider))

    assert (
        found.score,
        found.attainable,
        found.blockers,
    ) == (98, 100, ("place_of_service", "network"))


RAW = """
criteria:
  - id: managed
    levels:
      - {id: here, full: true, raw: {term: {attached.region: "${attached.region}"}}, weight: 6}
      - {id: case, raw: {term: {attached.case_manager: "on"}}, weight: 2}
"""


@pytest.mark.parametrize(
    ("region", "matched", "expected"),
    [
        ("TX", {"managed.here"}, "full here 6/6"),
        ("TX", {"managed.case", "managed.here"}, "full here 6/6"),
        ("TX", {"managed.case"}, "partial case 2/6"),
        ("TX", set(), "missed 0/6"),
        (None, {"managed.case"}, "partial case 2/2"),
        (None, {"managed.here"}, "missed 0/2"),
    ],
)
def test_a_raw_criterion_is_judged_by_elasticsearch(
    region: str | None, matched: set[str], expected: str
) -> None:
    """The names of the clauses that held are the evidence; one without its value is left out."""
    claim = build_claim(attached={"region": region})
    candidate = build_candidate(raw_matched=frozenset(matched))
    (found,) = judge(ask(claim, library=changed("professional", RAW)), candidate)

    assert expected == told(found, "managed")


def test_a_raw_criterion_without_any_value_is_not_evaluated() -> None:
    """Its weight is not attainable then."""
    level = "{id: y, raw: {term: {number: '${attached.region}'}}, weight: 9}"
    library = changed("professional", f"criteria: [{{id: x, levels: [{level}]}}]\n")
    (found,) = judge(ask(library=library), build_candidate())

    assert (told(found, "x"), found.match_class) == ("not_evaluated 0/0", "exact")


def test_lines_of_a_claim_share_what_they_ask() -> None:
    """Equal questions are one object, judged once for all lines of the claim."""
    library = changed(
        "professional",
        "exclude: [{id: urgent, comparison: equal, value: U, authorization: urgency}]\n",
    )
    preparation = Preparation(library.plans["professional"])
    claim = build_claim(network="in", lines=[{}, {"procedure": "97116"}, {}])
    asked = [preparation.line(line, values_of(claim, line=line)) for line in (1, 2, 3)]
    scorer = Scorer([build_candidate(), build_candidate(build_authorization(urgency="U"))])

    assert [[(each.match_class, each.score) for each in scorer.judge(line)] for line in asked] == [
        [("exact", 100)]
    ] * 3
    assert Scorer([]).judge(asked[0]) == []


def test_the_levels_met_are_kept_by_criterion() -> None:
    """Place of each level in the template; negative where none was met."""
    claim = build_claim(authorization_numbers=[], place_of_service="02")
    (found,) = judge(ask(claim), build_authorization(diagnoses=[]))

    assert found.levels == (-3, 0, 0, 0, 0, 1, -2)
    assert found.action == "A1"


EXCLUDING = """
  - {id: kind, comparison: equal, claim: requested_type, authorization: kind}
exclude:
  - {id: urgent, comparison: equal, value: U, authorization: urgency}
criteria:
  - id: place
    levels:
      - {id: same, comparison: equal, claim: line.place_of_service,
         authorization: place_of_service, weight: 5}
"""
NO_NUMBER: Fields = {"authorization_numbers": []}
VISIT: Fields = {"procedure": {"from": "97112"}}


@pytest.mark.parametrize(
    ("claim", "papers", "found"),
    [
        ({}, {"setting": "outpatient"}, ("setting",)),
        ({}, {"setting": "outpatient", "kind": "referral"}, ("kind", "setting")),
        ({}, {"effective": {"from": "2026-09-01"}}, ("window",)),
        (NO_NUMBER, {"setting": "outpatient"}, ("setting",)),
        (NO_NUMBER, {"setting": "outpatient", "lines": []}, None),
        (NO_NUMBER, {"setting": "outpatient", "line": {"procedure": {"from": "70551"}}}, None),
        (NO_NUMBER, {"setting": "outpatient", "effective": {"from": "2026-03-16"}}, None),
        (NO_NUMBER, {"effective": {"from": "2026-09-01"}}, None),
        ({}, {"number": "X1", "setting": "outpatient", "lines": []}, None),
        ({}, {}, None),
    ],
)
def test_what_agrees_and_is_no_candidate_is_nearby(
    claim: Fields, papers: Fields, found: tuple[str, ...] | None
) -> None:
    """In number, or in a service that it names and the very days; with what it misses."""
    nearby = Scorer([build_candidate(build_authorization(**papers))]).nearby(
        ask(build_claim(**claim))
    )

    assert [[test.plan.id for test in each.unmet] for each in nearby] == (
        [[*found]] if found else []
    )
    assert all(each.match_class == "none" and not each.is_candidate for each in nearby)


def test_of_what_is_nearby_the_line_stands_that_misses_the_fewest() -> None:
    """Then the one with the most points; one with a candidate among its lines is not nearby."""
    outside = build_authorization(
        setting="outpatient",
        lines=[
            {**VISIT, "effective": {"from": "2026-09-01"}},
            {"procedure": {"from": "97110"}},
            {**VISIT, "modifiers": ["GP"]},
            VISIT,
        ],
    )
    inside = build_authorization(lines=[{**VISIT, "effective": {"from": "2026-09-01"}}, VISIT])
    (found,) = Scorer([build_candidate(outside), build_candidate(inside)]).nearby(ask())

    assert (found.candidate.authorization_id, found.line["line"]) == ("A1", 3)
    assert found.candidate.lines == build_candidate(outside).lines


def test_nothing_is_nearby_where_nothing_was_found() -> None:
    """Neither a candidate nor a near miss."""
    scorer = Scorer(())

    assert (scorer.judge(ask()), scorer.nearby(ask())) == ([], [])


def test_what_is_nearby_is_told_the_same_when_asked_again() -> None:
    """What was found for one line of a claim is remembered for the next."""
    scorer, asked = Scorer([build_candidate(build_authorization(setting="outpatient"))]), ask()

    assert scorer.nearby(asked) == scorer.nearby(asked) != []


def test_what_is_excluded_is_not_nearby() -> None:
    """Where a template names no service that is needed, whatever agrees is one."""
    asked, late = (
        ask(build_claim(line={"from": day}), library=small(EXCLUDING), query="small")
        for day in ("2026-03-12", "2026-06-03")
    )
    plain, urgent = (
        build_candidate(build_authorization(urgency=each, kind="referral")) for each in (None, "U")
    )

    assert [each.plan.id for each in Scorer([plain]).nearby(asked)[0].unmet] == ["kind"]
    assert Scorer([plain]).nearby(late) == []
    assert Scorer([urgent]).nearby(asked) == []


def test_a_near_miss_with_a_submitted_number_comes_first() -> None:
    """Then candidates, then those that are none."""
    papers: list[Fields] = [
        {"number": "X1", "setting": "outpatient"},
        {"number": "X2", "line": {"procedure": {"from": "70551"}}},
        {"number": "AU-1", "setting": "dental", "line": {"procedure": {"from": "70551"}}},
    ]
    candidates = [
        build_candidate(build_authorization(authorization_id=f"A{at}", **each))
        for at, each in enumerate(papers)
    ]
    asked = ask()
    scorer = Scorer(candidates)
    ranked = rank([*scorer.judge(asked), *scorer.nearby(asked)], asked.plan.template)

    assert [each.candidate.authorization_id for each in ranked.near_misses] == ["A2", "A1", "A0"]
