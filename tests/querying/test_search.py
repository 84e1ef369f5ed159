"""A claim line and a template compiled to a search: whole queries, compared whole."""

from typing import Any

import pytest

from service.comparison.prepared import AskedLine
from service.querying.search import CANDIDATES_MAX, candidate_search, scored_search
from tests.builders import ask, build_claim, changed, references

Clause = dict[str, Any]


PROVIDER_FIELDS = tuple(
    f"servicing_provider.{name}"
    for name in (
        "npi", "organization_npi", "organization_tin", "tin", "provider_group", "taxonomy",
        "specialty",
    )
)  # fmt: skip


def term(field: str, value: str) -> Clause:
    """Hold one value."""
    return {"term": {f"lines.{field}": value}}


def terms(field: str, *values: str) -> Clause:
    """Hold one of several values."""
    return {"terms": {f"lines.{field}": list(values)}}


def days(relation: str, first: str, last: str) -> Clause:
    """Have a validity that stands in a relation to some days."""
    return {"range": {"lines.effective": {"gte": first, "lte": last, "relation": relation}}}


def best(*levels: tuple[int, Clause], scope: tuple[str, ...] = ()) -> Clause:
    """Give the points of the best level, or all of them without a scope."""
    absent = [{"exists": {"field": f"lines.{name}"}} for name in scope]
    given = [(levels[0][0], {"bool": {"must_not": absent}})] if scope else []
    queries = [
        {"constant_score": {"boost": weight, "filter": clause}}
        for weight, clause in (*given, *levels)
    ]
    return {"dis_max": {"tie_breaker": 0.0, "queries": queries}}


def box_of(asked: AskedLine) -> Clause:
    """Give the bool query that a line must answer."""
    (box,) = scored_search(asked).must
    assert {"path", "score_mode", "query"} == set(box["nested"])
    assert (box["nested"]["path"], box["nested"]["score_mode"]) == ("lines", "max")
    found: Clause = box["nested"]["query"]["bool"]
    return found


def test_the_candidate_search_is_the_filter_alone() -> None:
    """Kind, setting and the hull of the lines' days, at the root; payer and member are added."""
    claim = build_claim(lines=[{}, {"from": "2026-04-01", "to": "2026-04-03"}])
    search = candidate_search([ask(claim, line=1), ask(claim, line=2)], nearby=False)

    assert search.query() == {
        "bool": {
            "filter": [
                {"term": {"kind": "authorization"}},
                {
                    "range": {
                        "windows": {
                            "gte": "2026-03-05",
                            "lte": "2026-04-10",
                            "relation": "intersects",
                        }
                    }
                },
                {"term": {"setting": "professional"}},
            ]
        }
    }
    assert (
        search.size,
        search.timeout_ms,
        search.scored,
        search.sort,
    ) == (CANDIDATES_MAX, 800, False, ())


def test_the_search_finds_what_is_nearby_as_well() -> None:
    """What is valid on the days or has a submitted number, of any kind and setting."""
    numbered = build_claim(authorization_numbers=[{"value": "au 7"}, {"value": "9"}])
    bare = build_claim(authorization_numbers=[])
    window = {"gte": "2026-03-05", "lte": "2026-03-19", "relation": "intersects"}
    valid = {"range": {"windows": window}}

    assert candidate_search([ask(bare)], nearby=True).filter == (valid,)
    either = [{"bool": {"filter": [valid]}}, {"terms": {"numbers_all": ["9", "AU7"]}}]
    assert candidate_search([ask(numbered)], nearby=True).filter == ({"bool": {"should": either}},)


PART_OF_A_STAY = {
    "bool": {
        "should": [{"term": {"setting": "professional"}}, {"terms": {"setting": ["inpatient"]}}]
    }
}


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (["11", "11"], {"term": {"setting": "professional"}}),
        (["21", "21"], PART_OF_A_STAY),
        (["11", "21"], None),
    ],
)
def test_what_a_line_may_be_part_of_is_searched_for(
    places: list[str], expected: Clause | None
) -> None:
    """At the root where all lines ask the same."""
    claim = build_claim(lines=[{"place_of_service": each} for each in places])
    asked = [ask(claim, line=each) for each in (1, 2)]
    found = candidate_search(asked, nearby=False).filter

    assert len(found) == (3 if expected else 2)
    assert expected is None or expected in found


def test_the_scored_search_of_a_professional_line() -> None:
    """The line's box repeats the filter, and holds the best level of each criterion."""
    claim = build_claim(line={"modifiers": ["50"]}, place_of_service="19")

    assert {
        "filter": [
            term("kind", "authorization"),
            days("intersects", "2026-03-05", "2026-03-19"),
            {"bool": {"should": [term("setting", "professional"), terms("setting", "outpatient")]}},
        ],
        "should": [
            best((10, term("numbers_all", "AU1"))),
            best(
                (30, in_range("97112", "HCPCS:99999")),
                (24, terms("procedure.group", *groups("procedure-groups", "97112"))),
                (10, terms("service_type", *groups("service-types", "97112"))),
                scope=("procedure.from", "procedure.group"),
            ),
            best(
                (20, days("contains", "2026-03-12", "2026-03-12")),
                (10, days("intersects", "2026-03-12", "2026-03-12")),
                (8, days("intersects", "2026-03-05", "2026-03-19")),
            ),
            best(
                (20, term("servicing_provider.npi", "1234567893")),
                (20, term("servicing_provider.organization_npi", "1122334455")),
                (20, term("servicing_provider.organization_tin", "741234567")),
                (16, term("servicing_provider.npi", "1122334455")),
                (14, term("servicing_provider.tin", "741234567")),
                scope=PROVIDER_FIELDS,
            ),
            best(
                (8, subset("50")), (4, subset("50", "RT", "LT")), scope=("modifiers_significant",)
            ),
            best(
                (7, term("place_of_service", "19")),
                (5, {"bool": {"should": [terms("place_of_service", "19", "22")]}}),
                scope=("place_of_service",),
            ),
            best(
                (5, term("diagnoses", "M54.50")),
                (3, {"prefix": {"lines.diagnoses": "M54"}}),
                scope=("diagnoses",),
            ),
        ],
    } == box_of(ask(claim))


def in_range(code: str, shape: str) -> Clause:
    """Hold a code in a range of one shape."""
    return {
        "bool": {
            "filter": [
                {"term": {"lines.procedure.shape": shape}},
                {"range": {"lines.procedure.from": {"lte": code}}},
                {"range": {"lines.procedure.to": {"gte": code}}},
            ]
        }
    }


def subset(*codes: str) -> Clause:
    """Name nothing but these modifiers."""
    return {
        "terms_set": {
            "lines.modifiers_significant": {
                "terms": list(codes),
                "minimum_should_match_field": "lines.modifiers_significant_count",
            }
        }
    }


def test_the_scored_search_of_an_outpatient_line() -> None:
    """A revenue code stands for the procedure only where no procedure is authorized."""
    procedure = box_of(ask(query="outpatient"))["should"][1]
    absent = [{"exists": {"field": f"lines.procedure.{name}"}} for name in ("from", "group")]
    by_revenue = {"bool": {"filter": [term("revenue_code", "0611")], "must_not": absent}}

    assert (
        best(
            (28, in_range("70551", "HCPCS:99999")),
            (28, by_revenue),
            (22, terms("procedure.group", *groups("procedure-groups", "70551"))),
            (10, terms("service_type", *groups("service-types", "70551"))),
            scope=("procedure.from", "procedure.group", "revenue_code"),
        )
        == procedure
    )


def groups(table: str, code: str) -> tuple[str, ...]:
    """Name the groups of a shipped table that hold a code."""
    return references().groups[table].groups_of(code)


def test_the_scored_search_of_an_inpatient_line() -> None:
    """The days near the admission; levels of care below and above the billed one by name."""
    admission, level = box_of(ask(query="inpatient"))["should"][2:4]
    near = [
        {"range": {"lines.admission.date": {"gte": first, "lte": last}}}
        for first, last in (
            ("2026-03-12", "2026-03-12"),
            ("2026-03-11", "2026-03-13"),
            ("2026-03-09", "2026-03-15"),
        )
    ]

    assert (
        best(
            (25, near[0]),
            (20, near[1]),
            (12, near[2]),
            (8, days("intersects", "2026-03-12", "2026-03-16")),
        )
        == admission
    )
    assert [each["constant_score"]["boost"] for each in level["dis_max"]["queries"]] == [
        15,
        15,
        12,
        5,
    ]


def test_the_scored_search_of_a_dental_line() -> None:
    """A tooth is expanded to what contains it; a quadrant is not asked for a tooth's code."""
    asked = ask(query="dental")
    box = box_of(asked)

    assert len(asked.criteria) - 1 == len(box["should"])
    assert (
        best(
            (16, term("tooth", "14")),
            (10, terms("oral_cavity", "14", "20", "01", "00")),
            (10, term("tooth", "14")),
            scope=("tooth", "oral_cavity"),
        )
        == box["should"][2]
    )
    assert (
        best(
            (8, {"bool": {"filter": [term("surfaces", "M"), term("surfaces", "O")]}}),
            (4, terms("surfaces", "M", "O")),
            scope=("surfaces",),
        )
        == box["should"][3]
    )


def test_the_scored_search_of_a_referred_line() -> None:
    """No setting is required, and the number is that of the referral."""
    box = box_of(ask(query="referral"))

    assert [term("kind", "referral"), days("intersects", "2026-03-05", "2026-03-19")] == box[
        "filter"
    ]
    assert best((10, term("numbers_all", "AU1"))) == box["should"][0]


def test_a_scored_search_asks_for_one_more_than_may_be_shown() -> None:
    """So that a cut result is known; it is sorted as the scorer ranks, and can be continued."""
    search = scored_search(ask(), after=(90.0, "A1"))

    assert (search.size, search.scored, search.after) == (51, True, (90.0, "A1"))
    assert [
        {"_score": {"order": "desc"}},
        *(
            {name: {"order": "asc", "missing": "_last"}}
            for name in ("certification_date", "starts_on", "number", "authorization_id")
        ),
    ] == list(search.sort)


EXTRA = """
require:
  - {id: place, comparison: any-of, claim: line.place_of_service, authorization: kind}
  - {id: early, comparison: inside, claim: [line.from, line.to], authorization: effective}
  - {id: plain, comparison: equal, value: dental, authorization: setting, when_absent: tooth}
exclude:
  - {id: urgent, comparison: equal, value: U, authorization: urgency}
"""


def test_what_only_some_lines_require_is_left_to_the_scorer() -> None:
    """A line without the value does not require it, so the claim's search cannot."""
    claim = build_claim(place_of_service=None, lines=[{"place_of_service": "11"}, {}])
    library = changed("professional", EXTRA)
    with_place, without = (ask(claim, line=line, library=library) for line in (1, 2))
    roots = [
        candidate_search(lines, nearby=False).filter for lines in ([with_place, without], [without])
    ]

    assert roots[0] == roots[1]
    assert len(roots[0]) == 3
    assert {"term": {"kind": "11"}} in candidate_search([with_place], nearby=False).filter


def test_what_the_lines_require_differently_is_left_to_the_scorer() -> None:
    """One value for all lines is asked at the root; two are not."""
    claim = build_claim(lines=[{"place_of_service": "11"}, {"place_of_service": "12"}])
    library = changed("professional", EXTRA)
    asked = [ask(claim, line=line, library=library) for line in (1, 2)]

    assert len(candidate_search(asked, nearby=False).filter) == 3


def test_an_exclusion_stands_in_the_box() -> None:
    """A line that is excluded lends no points, the others of its authorization do."""
    box = box_of(ask(library=changed("professional", EXTRA)))

    assert [term("urgency", "U")] == box["must_not"]
    assert {
        "bool": {
            "filter": [term("setting", "dental")],
            "must_not": [{"exists": {"field": "lines.tooth"}}],
        }
    } in box["filter"]


RAW = """
require:
  - {id: managed, raw: {term: {attached.case_manager: "${attached.case_manager}"}}}
exclude:
  - {id: old, raw: {range: {certification_date: {lt: "${line.from}"}}}}
  - {id: unknown, raw: {term: {status: "${attached.program}"}}}
criteria:
  - id: numbers
    levels:
      - {id: typed, full: true, raw: {terms: {numbers_all: "${numbers.authorization}"}}, weight: 6}
      - {id: area, raw: {term: {attached.region: "${attached.region}"}}, weight: 2}
"""


def test_raw_clauses_stand_at_the_root() -> None:
    """With values of the claim in them; one without its value is left out, levels are named."""
    claim = build_claim(attached={"case_manager": "on"})
    asked = ask(claim, library=changed("professional", RAW))
    search = scored_search(asked)
    named = {
        "boost": 6,
        "filter": {"terms": {"numbers_all": ["AU1"]}},
        "_name": "numbers.typed",
    }

    assert search.filter[-1] == {"term": {"attached.case_manager": "on"}}
    assert search.must_not == ({"range": {"certification_date": {"lt": "2026-03-12"}}},)
    assert (
        {"dis_max": {"tie_breaker": 0.0, "queries": [{"constant_score": named}]}},
    ) == search.should
    assert search.must_not == candidate_search([asked], nearby=False).must_not
    assert search.should == candidate_search([asked], nearby=False).should
    assert list(search.query()) == ["bool"]
    assert len(asked.criteria) - 1 == len(box_of(asked)["should"])


@pytest.mark.parametrize(
    ("raw", "by_line"),
    [
        ("{term: {number: a}}", False),
        ('{term: {attached.region: "${attached.region}"}}', False),
        ('{term: {number: "${line.procedure}"}}', True),
        ('{term: {number: "${claim.line.procedure}"}}', True),
        ('{term: {number: "${rendering_provider.npi}"}}', True),
        ('{terms: {numbers_all: "${numbers.referral}"}}', True),
    ],
)
def test_a_raw_clause_about_the_line_is_searched_by_line(raw: str, by_line: bool) -> None:
    """Its verdict is the hit itself, so the lines of a claim cannot share one search."""
    library = changed("professional", f"exclude: [{{id: raw, raw: {raw}}}]\n")

    assert by_line == library.plans["professional"].is_searched_by_line
