"""Claim values in raw clauses: one or several, each where Elasticsearch takes it."""

from typing import Any

import pytest

from service.comparison.plan import make_plan
from service.comparison.prepared import Preparation, render
from service.domain.claim_values import ClaimValues
from service.domain.template import Template
from service.querying._raw_clause import RawCheck
from service.querying.search import candidate_search
from tests.builders import references

VALUES: ClaimValues = {"drg": "470", "diagnoses": ("M16.11", "I25.10"), "line.from": "2026-03-12"}


@pytest.mark.parametrize(
    ("raw", "rendered"),
    [
        ({"terms": {"f": "${drg}"}}, {"terms": {"f": ["470"]}}),
        ({"terms": {"f": "${diagnoses}"}}, {"terms": {"f": ["M16.11", "I25.10"]}}),
        ({"terms": {"f": ["a", "${drg}"]}}, {"terms": {"f": ["a", "470"]}}),
        ({"term": {"f": "${drg}"}}, {"term": {"f": "470"}}),
        ({"term": {"f": "${diagnoses}"}}, {"terms": {"f": ["M16.11", "I25.10"]}}),
        ({"term": {"f": {"value": "${diagnoses}"}}}, {"terms": {"f": ["M16.11", "I25.10"]}}),
        ({"term": {"f": {"value": "${drg}"}}}, {"term": {"f": {"value": "470"}}}),
        ({"range": {"f": {"gte": "${line.from}"}}}, {"range": {"f": {"gte": "2026-03-12"}}}),
        ({"range": {"f": {"gte": "${diagnoses}"}}}, None),
        ({"prefix": {"f": "${diagnoses}"}}, None),
        ({"match": {"f": {"query": "${diagnoses}"}}}, None),
        ({"term": {"f": "${missing}"}}, None),
    ],
    ids=str,
)
def test_a_value_stands_as_elasticsearch_takes_it(
    raw: dict[str, Any], rendered: dict[str, Any] | None
) -> None:
    """One value where several may stand is a list; several where one must, no clause at all."""
    assert render(raw, VALUES) == rendered


@pytest.mark.parametrize("kind", ["range", "prefix", "match"])
def test_several_values_are_refused_where_one_is_wanted(kind: str) -> None:
    """A template that could never be asked is told so when it is read."""
    for value in ("${diagnoses}", {"query": "${claim.line.modifiers}"}):
        check = RawCheck(references().attached)
        (problem,) = check.check({kind: {"number": value}}, ("raw",))

        assert problem.code == "T005"
        assert "may hold several values" in problem.message


def template(criterion: dict[str, Any]) -> Template:
    """A template with one criterion."""
    return Template.model_validate(
        {
            "api": "authmatch/v1",
            "kind": "QueryTemplate",
            "id": "t",
            "version": 1,
            "title": "t",
            "require": [],
            "criteria": [criterion],
        }
    )


def test_a_raw_criterion_is_asked_for_the_lines_that_it_applies_to() -> None:
    """The first line need not be among them."""
    made = template(
        {
            "id": "raw",
            "applies_when": {"claim": "line.procedure", "groups": "per-tooth-codes"},
            "levels": [{"id": "l", "weight": 5, "raw": {"term": {"number": "A"}}}],
        }
    )
    preparation = Preparation(plan=make_plan(made, references()))
    lines = [
        preparation.line(number, {"line.procedure": code})
        for number, code in enumerate(("97110", "D2740"), 1)
    ]

    assert candidate_search(lines[:1], nearby=True).should == ()
    assert (
        candidate_search(lines, nearby=True).should
        == candidate_search(lines[1:], nearby=True).should
        != ()
    )


def test_a_procedure_is_absent_where_its_first_code_is() -> None:
    """A procedure lives in three fields; any of them says whether there is one."""
    level = {
        "id": "l",
        "weight": 5,
        "comparison": "equal",
        "claim": "drg",
        "authorization": "drg",
        "when_absent": ["procedure"],
    }
    plan = make_plan(template({"id": "c", "levels": [level]}), references())
    use = plan.criteria[0].uses[0]

    assert use.fits({"drg": "470"}, ("470",))
    assert not use.fits({"drg": "470", "procedure.from": "97110"}, ("470",))
    assert use.clause(("470",))["bool"]["must_not"] == [
        {"exists": {"field": "lines.procedure.from"}}
    ]
