"""A claim line set against a template: which levels are asked, and what can be reached."""

# ruff: noqa: E501 - a row of a table is one line

import json
from typing import Any

import pytest

from service.comparison.plan import UnknownTable, find_table, make_plan
from service.comparison.prepared import Preparation, placeholder, render
from service.domain.claim_values import ClaimValues
from service.domain.fields import ROOT_TWINS
from service.querying.library import Library
from tests.builders import ask, build_claim, changed, references, shipped, values_of


@pytest.mark.parametrize(
    ("query", "criterion", "claim", "levels"),
    [
        ("professional", "provider", {"rendering_provider": None, "billing_provider": {"npi": "1234567893"}}, ["rendering_npi", "organization", "billing_npi"]),
        ("professional", "provider", {"rendering_provider": {}, "billing_provider": {}}, []),
        ("professional", "modifiers", {"line": {"modifiers": []}}, ["subset", "sides"]),
        ("inpatient", "diagnosis", {"diagnoses": []}, ["drg", "mdc"]),
        ("dental", "tooth", {"line": {"procedure": "D0120"}}, []),
        ("dental", "tooth", {"line": {"procedure": None}}, []),
        ("dental", "tooth", {"line": {"teeth": [{"tooth": "1"}, {"tooth": "2"}]}}, ["in_quadrant", "one_of"]),
    ],
)  # fmt: skip
def test_a_level_without_its_claim_value_is_left_out(
    query: str, criterion: str, claim: dict[str, Any], levels: list[str]
) -> None:
    """Only when all levels are left out is the criterion not evaluated."""
    asked = ask(build_claim(query, **claim), query)
    (found,) = [each for each in asked.criteria if each.plan.criterion.id == criterion]

    assert levels == [level.id for _, level, _ in found.levels]


def test_lines_with_equal_values_share_what_they_ask() -> None:
    """So that each question is put once."""
    claim = build_claim(lines=[{}, {"procedure": "97116"}, {}])
    preparation = Preparation(shipped().plans["professional"])
    first, second, third = (
        preparation.line(line, values_of(claim, line=line)) for line in (1, 2, 3)
    )
    shared = [one is two for one, two in zip(first.criteria, second.criteria, strict=True)]

    assert shared == [True, False, True, True, True, True, True]
    assert first.criteria == third.criteria
    assert first.require == second.require
    assert second.attainable == 100


def raw_library(raw: str) -> Library:
    """Give the professional template with a raw criterion."""
    criterion = f"{{id: raw, levels: [{{id: it, raw: {raw}, weight: 2}}]}}"
    return changed("professional", f"criteria: [{criterion}]\n")


def test_raw_criteria_are_shared_by_what_is_said_not_by_its_words() -> None:
    """The same word in another field is another question."""
    plan = raw_library('{term: {number: "${line.tooth}"}}').plans["professional"]
    preparation = Preparation(plan)
    tooth, area = (
        preparation.line(line, {"line.from": "2026-03-12", field: "10"})
        for line, field in ((1, "line.tooth"), (2, "line.oral_cavity"))
    )

    assert [value for _, _, value in tooth.criteria[-1].levels] == [{"term": {"number": "10"}}]
    assert area.criteria[-1].levels == ()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"term": {"a": "${line.procedure}"}}, {"term": {"a": "97112"}}),
        ({"term": {"a": "${claim.line.procedure}"}}, {"term": {"a": "97112"}}),
        ({"terms": {"a": "${line.modifiers}"}}, {"terms": {"a": ["GP", "59"]}}),
        ({"terms": {"a": ["x", "${line.procedure}"]}}, {"terms": {"a": ["x", "97112"]}}),
        ({"terms": {"a": "${line.procedure}"}}, {"terms": {"a": ["97112"]}}),
        ({"term": {"a": "${line.modifiers}"}}, {"terms": {"a": ["GP", "59"]}}),
        ({"term": {"a": {"value": "${line.modifiers}"}}}, {"terms": {"a": ["GP", "59"]}}),
        ({"term": {"a": {"value": "x"}}}, {"term": {"a": {"value": "x"}}}),
        ({"exists": {"field": "a"}}, {"exists": {"field": "a"}}),
        ({"term": {"a": 3, "b": None}}, {"term": {"a": 3, "b": None}}),
        ({"term": {"a": "${line.tooth}"}}, None),
        ({"terms": {"a": ["${line.tooth}"]}}, None),
        (None, None),
    ],
)
def test_placeholders_become_values(raw: Any, expected: Any) -> None:
    """A value is put in as it is, never joined into a text; one that is missing leaves it out."""
    values: ClaimValues = {"line.procedure": "97112", "line.modifiers": ("GP", "59")}

    assert expected == render(raw, values)


def test_a_value_cannot_break_out_of_its_place() -> None:
    """What a claim holds stays one value, whatever it looks like."""
    evil = '"}}, {"match_all": {}'

    assert {"term": {"a": evil}} == render(
        {"term": {"a": "${line.procedure}"}}, {"line.procedure": evil}
    )
    assert render({"term": {"a": "${line.procedure}"}}, {"line.procedure": "${drg}"}) == {
        "term": {"a": "${drg}"}
    }


@pytest.mark.parametrize(
    ("node", "name"),
    [("${drg}", "drg"), ("${claim.drg}", "drg"), ("drg", None), ("a ${drg}", None), (7, None)],
)
def test_what_is_a_placeholder(node: Any, name: str | None) -> None:
    """A whole text, with a dollar and braces."""
    assert name == placeholder(node)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("wards", "wards: no such group table"), ("mdc@1", "mdc@1: no such version, mdc is at")],
)
def test_a_table_that_is_not_there(name: str, reason: str) -> None:
    """Neither the table, nor the version that is asked for."""
    with pytest.raises(UnknownTable, match=reason):
        find_table(name, references())


@pytest.mark.parametrize(
    ("query", "criterion", "scope"),
    [
        ("professional", "procedure", ("procedure.from", "procedure.group")),
        ("professional", "dates", ()),
        ("professional", "number", ()),
        ("professional", "place_of_service", ("place_of_service",)),
        ("inpatient", "admission", ()),
        ("inpatient", "diagnosis", ("principal_diagnosis", "drg")),
        ("outpatient", "procedure", ("procedure.from", "procedure.group", "revenue_code")),
    ],
)
def test_which_fields_make_a_line_unscoped(
    query: str, criterion: str, scope: tuple[str, ...]
) -> None:
    """What the template says, else the fields of all levels; dates are never without scope."""
    plan = shipped().plans[query]
    (found,) = [each for each in plan.criteria if each.criterion.id == criterion]

    assert scope == found.scope


def test_a_procedure_without_a_code_is_unscoped() -> None:
    """The triple of codes is empty where its first code is."""
    library = changed(
        "professional",
        "criteria: [{id: procedure, replace: true, levels: [{id: a, comparison: in-range, claim: line.procedure, authorization: procedure, weight: 3}]}]\n",
    )
    (found,) = [
        each for each in library.plans["professional"].criteria if each.criterion.id == "procedure"
    ]

    assert found.scope == ("procedure.from",)


@pytest.mark.parametrize(("absent", "levels"), [("value", 1), ("missing", 0)])
def test_a_template_may_say_what_absence_means(absent: str, levels: int) -> None:
    """No place given may be a value, or nothing to compare."""
    criterion = f"{{id: place_of_service, claim_absent_is: {absent}, levels: [{{id: class, remove: true}}]}}"
    asked = ask(
        build_claim(place_of_service=None),
        library=changed("professional", f"criteria: [{criterion}]\n"),
    )
    (found,) = [each for each in asked.criteria if each.plan.criterion.id == "place_of_service"]

    assert levels == len(found.levels)
    assert all(value == () for _, _, value in found.levels)


def test_absence_that_is_a_value_fits_nothing() -> None:
    """In words, in the clause, and for the scorer alike."""
    asked = ask(build_claim(line={"modifiers": []}))
    (modifiers,) = [each for each in asked.criteria if each.plan.criterion.id == "modifiers"]
    use = modifiers.plan.uses[0]

    assert use.clause(()) == {"match_none": {}}
    assert (
        use.why({"modifiers_significant": ["RT"]}, ()),
        use.fits({"modifiers_significant": ["RT"]}, ()),
    ) == ("none billed", False)


def test_a_level_says_which_field_stands_in_its_way() -> None:
    """A revenue code stands for the procedure only where no procedure is authorized."""
    asked = ask(query="outpatient")
    use = asked.criteria[1].plan.uses[1]
    lines = [{"procedure.from": "1"}, {"procedure.group": "g"}, {"revenue_code": "0612"}]

    assert [use.why(line, ("0611",)) for line in lines] == [
        "the authorization has procedure.from",
        "the authorization has procedure.group",
        "0611 billed, 0612 authorized",
    ]


def test_a_plan_is_made_of_a_template_alone() -> None:
    """The hash is of the caller."""
    template = shipped().plans["dental"].template
    plan = make_plan(template, references(), content_hash="x")

    assert ("x", template, ()) == (plan.hash, plan.template, plan.raws())
    assert not plan.is_searched_by_line


@pytest.mark.parametrize(
    ("place", "setting", "fits"),
    [
        ("21", "professional", True),
        ("21", "inpatient", True),
        ("21", ["dental", "inpatient"], True),
        ("21", "outpatient", False),
        ("22", "outpatient", True),
        ("11", "inpatient", False),
        (None, "inpatient", False),
    ],
)
def test_an_alternative_fulfils_a_requirement_as_well(
    place: str | None, setting: object, fits: bool
) -> None:
    """By the place of service, where the claim names one; both faces say the same of it."""
    asked = ask(build_claim(place_of_service=place))
    (test,) = [each for each in asked.require if each.plan.id == "setting"]

    assert test.fits({"setting": setting}) is fits
    assert ("bool" in test.clause()) is bool(test.wider)
    assert test.clause(ROOT_TWINS) == json.loads(
        json.dumps(test.clause()).replace("lines.setting", "setting")
    )
