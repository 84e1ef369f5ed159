"""The answer for a claim line: evidence of every criterion, both values, and why not more."""

from typing import Any

import pytest

from service.domain.event import Events
from service.matching.answer import evidence, line_result
from service.matching.numbers import Submitted
from service.matching.ranking import rank
from service.matching.resolution import resolve
from service.matching.scorer import Judged, Scorer
from tests.builders import (
    ask,
    build_authorization,
    build_candidate,
    build_claim,
    changed,
    event_codes,
    judge,
)

Fields = dict[str, Any]


def of_criterion(criterion: str, judged: Judged) -> Fields:
    """Give the evidence of one criterion, without its name."""
    (found,) = [each for each in evidence(judged) if each["criterion"] == criterion]
    return {name: value for name, value in found.items() if name != "criterion"}


def entry(query: str, criterion: str, claim: Fields, authorization: Fields) -> Fields:
    """Give the evidence of one criterion, without its name."""
    asked = ask(build_claim(query, **claim), query)
    (found,) = judge(asked, build_authorization(query, **authorization))
    return of_criterion(criterion, found)


def written(
    level: str | None, points: str, claim: object, authorization: object, **why: str
) -> Fields:
    """Write evidence: level, points of what could be reached, both values; grade and why."""
    scored, of = points.split("/")
    grade = why.pop("grade", "full")
    return {
        "level": level,
        "points": int(scored),
        "of": int(of),
        "claim": claim,
        "authorization": authorization,
        "grade": grade,
        **why,
    }


VALIDITY = "2026-03-01..2026-05-31"


@pytest.mark.parametrize(
    ("criterion", "claim", "authorization", "expected"),
    [
        ("procedure", {}, {}, written("in_range", "30/30", "97112", "97110-97140")),
        (
            "procedure",
            {},
            {"line": {"procedure": {"group": "therapy"}}},
            written(
                "group",
                "24/30",
                "97112",
                "therapy",
                grade="partial",
                why="97112 billed, therapy authorized",
            ),
        ),
        (
            "procedure",
            {},
            {"line": {"procedure": None}},
            written("wildcard", "30/30", "97112", None, grade="wildcard"),
        ),
        (
            "procedure",
            {"line": {"procedure": None}},
            {},
            written(
                None,
                "0/0",
                None,
                None,
                grade="not_evaluated",
                why="nothing to compare on the claim",
            ),
        ),
        (
            "procedure",
            {"line": {"procedure": "70551"}},
            {},
            written(
                None,
                "0/30",
                "70551",
                "97110-97140",
                grade="missed",
                why="70551 billed, 97110-97140 authorized",
            ),
        ),
        ("dates", {}, {}, written("inside", "20/20", "2026-03-12", VALIDITY)),
        (
            "dates",
            {"line": {"from": "2026-06-03"}},
            {},
            written(
                "tolerance",
                "8/20",
                "2026-06-03",
                VALIDITY,
                grade="partial",
                why="3 days after the end",
            ),
        ),
        (
            "dates",
            {"line": {"from": "2026-05-30", "to": "2026-06-01"}},
            {"effective": {"to": "2026-05-31"}},
            written(
                "overlaps",
                "10/20",
                "2026-05-30..2026-06-01",
                "..2026-05-31",
                grade="partial",
                why="ends 1 day after the end",
            ),
        ),
        ("number", {}, {"previous_numbers": ["OLD"]}, written("same", "10/10", "AU1", "AU1")),
        (
            "number",
            {"authorization_numbers": [{"value": "X1"}, {"value": "X2"}]},
            {},
            written(
                None,
                "0/10",
                ["X1", "X2"],
                ["AU1"],
                grade="missed",
                why="X1, X2 billed, AU1 authorized",
            ),
        ),
        (
            "number",
            {},
            {"number": None},
            written(
                None, "0/10", "AU1", None, grade="missed", why="AU1 billed, nothing authorized"
            ),
        ),
        ("modifiers", {}, {}, written("subset", "8/8", ["GP"], ["GP"])),
        (
            "modifiers",
            {"line": {"modifiers": []}},
            {},
            written(None, "0/8", None, ["GP"], grade="missed", why="none billed"),
        ),
        (
            "provider",
            {},
            {"servicing_provider": {"tin": "741234567"}},
            written(
                "tin",
                "14/20",
                ["741234567"],
                "741234567",
                grade="partial",
                why="1234567893 billed, nothing authorized",
            ),
        ),
        (
            "provider",
            {
                "rendering_provider": {"taxonomy": ["225100000X"]},
                "billing_provider": {"taxonomy": ["225100000X", "225200000X"]},
            },
            {},
            written(
                "taxonomy",
                "8/8",
                ["225100000X", "225200000X"],
                ["225100000X"],
                grade="partial",
                why="225100000X, 225200000X billed, 225100000X authorized",
            ),
        ),
    ],
)
def test_the_evidence_of_a_professional_criterion(
    criterion: str, claim: Fields, authorization: Fields, expected: Fields
) -> None:
    """Level, points of what could be reached, both values, grade; why, where it is not full."""
    assert expected == entry("professional", criterion, claim, authorization)


@pytest.mark.parametrize(
    ("criterion", "claim", "authorization", "why"),
    [
        (
            "procedure",
            {"line": {"revenue_code": "0612", "procedure": None}},
            {},
            "the authorization has procedure.from",
        ),
        ("bill_type", {"bill_type": "0141"}, {}, "14 billed, 13 authorized"),
    ],
)
def test_why_an_outpatient_criterion_was_missed(
    criterion: str, claim: Fields, authorization: Fields, why: str
) -> None:
    """A level that stands only in the absence of another field says so."""
    assert why == entry("outpatient", criterion, claim, authorization)["why"]


RAW = """
criteria:
  - id: managed
    levels:
      - {id: here, full: true, raw: {term: {attached.region: "TX"}}, weight: 6}
      - {id: case, raw: {term: {attached.case_manager: "on"}}, weight: 2}
"""


@pytest.mark.parametrize(
    ("matched", "expected"),
    [
        ("managed.here", written("here", "6/6", {"term": {"attached.region": "TX"}}, None)),
        (
            "managed.case",
            written(
                "case",
                "2/6",
                {"term": {"attached.case_manager": "on"}},
                None,
                grade="partial",
                why="judged by the search engine",
            ),
        ),
        (
            "",
            written(
                None,
                "0/6",
                {"term": {"attached.region": "TX"}},
                None,
                grade="missed",
                why="no raw clause holds",
            ),
        ),
    ],
)
def test_the_evidence_of_a_raw_criterion(matched: str, expected: Fields) -> None:
    """The clause stands for the claim's side; the authorization's is not known."""
    asked = ask(library=changed("professional", RAW))
    (found,) = judge(asked, build_candidate(raw_matched=frozenset({matched})))

    assert expected == of_criterion("managed", found)


def test_evidence_is_written_once() -> None:
    """The lines of a claim share most questions, and what was said of them."""
    asked = ask()
    (found,) = judge(asked, build_authorization())
    first, second = evidence(found), evidence(found)

    assert len(asked.criteria) == len(first)
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_the_evidence_of_what_is_nearby_names_the_condition_that_it_misses() -> None:
    """It gives no points, and says both values and why."""
    granted = build_candidate(build_authorization(setting="outpatient"))
    (found,) = Scorer([granted]).nearby(ask())

    assert of_criterion("setting", found) == written(
        None,
        "0/0",
        None,
        "outpatient",
        grade="missed",
        why="professional billed, outpatient authorized",
    )


def test_the_result_of_a_line() -> None:
    """Candidates, near misses, numbers, history and events of one line and type."""
    asked = ask(build_claim(place_of_service="02"))
    granted = build_authorization()
    missed = build_authorization(authorization_id="A2", line={"procedure": {"from": "70551"}})
    ranked = rank(judge(asked, granted, missed), asked.plan.template)
    late = Events(event_codes(), "professional").make("units_exceeded")
    resolution = resolve(ranked, Events(event_codes(), "professional"))
    numbers = [Submitted(value="au 1", level="claim", fits="A1")]
    result = line_result(ranked, resolution, numbers, [*resolution.events, late])
    (candidate,), (near,) = result["candidates"], result["near_misses"]

    assert {
        "class": "non-exact",
        "truncated": False,
        "relaxed": [],
        "chosen": [],
        "candidates": [candidate],
        "near_misses": [near],
        "submitted_numbers": [
            {"value": "au 1", "level": "claim", "fits": "A1"}
            | {"fits_another_line": False, "no_number": None}
        ],
        "history": [{"authorization_id": "A1", "version": 1, "action": "A1", "class": "non-exact"}],
        "events": result["events"],
    } == result
    assert [each["code"] for each in result["events"]] == ["SPA-0016", "SPA-0044"]
    assert len(candidate["evidence"]) == 7
    assert candidate == {
        "evidence": candidate["evidence"],
        "authorization_id": "A1",
        "number": "AU-1",
        "kind": "authorization",
        "version": 1,
        "line": 1,
        "action": "A1",
        "certification_date": "2026-02-20",
        "effective": {"from": "2026-03-01", "to": "2026-05-31"},
        "class": "non-exact",
        "score": 98,
        "attainable": 100,
        "percent": 98,
        "exact_blockers": ["place_of_service"],
        "tolerance": False,
        "relaxed": None,
    }
    assert (near["authorization_id"], near["class"], near["score"]) == ("A2", "none", 68)
