"""Each kind of mistake in a template is refused by its code, at its place, with its reason."""

# ruff: noqa: E501 - a row of a table is one line

from textwrap import dedent

import pytest

from service.querying.library import load_library
from service.querying.problem import Problem
from tests.builders import references, shipped

RIGHT = """\
api: authmatch/v1
kind: QueryTemplate
id: small
version: 1
title: A small template
settings:
  match_days: {before: 7, after: 7, max: 30}
require:
  - {id: window, comparison: window, claim: [line.from, line.to], authorization: effective, days: match_days}
criteria:
  - id: procedure
    levels:
      - {id: same, full: true, comparison: equal, claim: line.procedure, authorization: procedure.from, weight: 30}
      - {id: group, comparison: in-group, claim: line.procedure, authorization: procedure.group, groups: procedure-groups, weight: 24}
"""


def problems_of(text: str) -> list[Problem]:
    """Give what is wrong with a template."""
    return list(load_library({"small.yaml": text}, references()).problems)


def with_line(replaced: str, by: str) -> str:
    """Write the right template with one thing changed."""
    assert RIGHT.count(replaced) == 1
    return RIGHT.replace(replaced, by)


def test_a_right_template_has_no_problem() -> None:
    """Else what follows would prove nothing."""
    assert problems_of(RIGHT) == []


def test_the_shipped_templates_are_right_and_sum_to_100() -> None:
    """Five of them; the base is abstract and never run."""
    library = shipped()
    sums = {
        name: sum(max(level.weight for level in each.levels) for each in plan.template.criteria)
        for name, plan in library.plans.items()
    }

    assert ((), {"inpatient", "outpatient", "professional", "dental", "referral"}) == (
        library.problems,
        set(sums),
    )
    assert {100} == set(sums.values())


CHANGES: list[tuple[str, str, str, str, int, str]] = [
    # What is replaced, by what; code, JSON pointer, line; part of the message, or of the hint.
    ("weight: 30", "weigth: 30", "T001", "/criteria/0/levels/0/weigth", 13, "did you mean weight?"),
    ("days: match_days}", "days: match_days, dayz: 1}", "T001", "/require/0/dayz", 9, "did you mean days?"),
    ("max: 30}", "max: 30, colour: red}", "T001", "/settings/match_days/colour", 7, "unknown key"),
    ("title: A small", "titel: A small", "T001", "/titel", 5, "did you mean title?"),
    ("version: 1", "version: 1\nextends: nothing", "T002", "/extends", 5, "no template nothing"),
    ("version: 1", "version: 1\nextends: small", "T002", "/extends", 5, "in a circle"),
    ("version: 1", "version: 1\nextends: [small]", "T002", "/extends", 5, "no template"),
    ("authorization: procedure.from", "authorization: procedure.form", "T003", "/criteria/0/levels/0/authorization", 13, "closest: procedure.from"),
    ("authorization: procedure.from", "authorization: attached.regiom", "T003", "/criteria/0/levels/0/authorization", 13, "closest: attached.region"),
    ("  - id: procedure\n", "  - id: procedure\n    scope: [zzz]\n", "T003", "/criteria/0/scope", 12, "zzz is not in the"),
    ("days: match_days}", "days: match_days, when_absent: tuth}", "T003", "/require/0/when_absent", 9, "closest: tooth"),
    ("[line.from, line.to]", "[line.from, line.too]", "T004", "/require/0/claim", 9, "closest: line.to"),
    ("  - id: procedure\n", "  - id: procedure\n    applies_when: {claim: line.tuth, groups: per-tooth-codes}\n", "T004", "/criteria/0/applies_when/claim", 12, "closest: line.to"),
    ("comparison: equal, claim: line.procedure", "comparison: equal, claim: attached.regio", "T004", "/criteria/0/levels/0/claim", 13, "not a field of the claim"),
    ("comparison: window", "comparison: windw", "T005", "/require/0/comparison", 9, "did you mean window?"),
    ("authorization: effective", "authorization: tooth", "T005", "/require/0/comparison", 9, "window cannot compare tooth, a keyword"),
    ("comparison: equal", "comparison: subset", "T005", "/criteria/0/levels/0/authorization", 13, "stored with its size"),
    ("comparison: equal", "comparison: any-of-prefix", "T005", "/criteria/0/levels/0", 13, "needs length"),
    ("comparison: equal", "comparison: equal, days: 3", "T005", "/criteria/0/levels/0/days", 13, "equal has no days"),
    ("groups: procedure-groups, ", "", "T005", "/criteria/0/levels/1", 14, "in-group needs groups"),
    ("comparison: equal, claim: line.procedure", "comparison: equal, claim: [line.procedure, line.tooth]", "T005", "/criteria/0/levels/0/claim", 13, "takes 1 to 1 claim fields"),
    ("comparison: equal", "comparison: equal, expand: procedure-groups", "T005", "/criteria/0/levels/0/expand", 13, "cannot be expanded"),
    ("claim: [line.from, line.to]", "value: '2026-01-01'", "T005", "/require/0/value", 9, "takes fields of the claim"),
    ("days: match_days}", "days: match_days, expand: modifier-sides}", "T005", "/require/0/expand", 9, "takes fields of the claim"),
    ("claim: [line.from, line.to]", "claim: line.procedure", "T005", "/require/0/claim", 9, "line.procedure is a keyword, effective a date_range"),
    ("comparison: equal, claim: line.procedure", "comparison: equal, value: [a, b]", "T005", "/criteria/0/levels/0/value", 13, "takes one value"),
    ("claim: [line.from, line.to]", "claim: line.from, value: x", "T005", "/require/0", 9, "either 'claim' or 'value'"),
    ("claim: [line.from, line.to], ", "", "T005", "/require/0", 9, "either 'claim' or 'value'"),
    ("comparison: window, ", "", "T005", "/require/0", 9, "or 'raw'"),
    ("days: match_days}", "days: match_days, raw: {term: {number: a}}}", "T005", "/require/0", 9, "stands alone"),
    ("{id: window, comparison: window, claim: [line.from, line.to], authorization: effective, days: match_days}", "window", "T005", "/require/0", 9, "valid dictionary"),
    ("kind: QueryTemplate", "kind: Other", "T005", "/kind", 2, "Input should be"),
    ("title: A small template\n", "", "T005", "/title", 1, "Field required"),
    ("weight: 24", "weight: 31", "T006", "/criteria/0/levels/1/weight", 14, "procedure.group (31) must not be above procedure.same (30)"),
    ("weight: 30", "weight: 0", "T006", "/criteria/0/levels/0/weight", 13, "greater than or equal to 1"),
    ("weight: 30", "weight: 30.5", "T006", "/criteria/0/levels/0/weight", 13, "integer"),
    ("weight: 30", "weight: 1000001", "T006", "/criteria/0/levels/0/weight", 13, "less than or equal"),
    ("id: group", "id: same", "T007", "/criteria/0/levels", 12, "the id same is used twice"),
    ("days: match_days}", "days: match_days}\nexclude:\n  - {id: window, comparison: equal, value: x, authorization: setting}", "T007", "/require", 8, "the id window is used twice"),
    ("version: 1", "version: 1\nnon_exact: {min: 90}", "T010", "/non_exact/min", 5, "90 is above auto_resolve.min 80"),
    ("version: 1", "version: 1\nnon_exact: {min: 101}", "T010", "/non_exact/min", 5, "less than or equal to 100"),
    ("settings:", "settings:\n  max_results: 101", "T010", "/settings/max_results", 7, "at most 100 results"),
    ("settings:", "settings:\n  min_results: 51", "T010", "/settings/min_results", 7, "never reached"),
    ("before: 7", "before: 45", "T011", "/settings/match_days/before", 7, "before 45 exceeds the limit 30"),
    ("after: 7", "after: -1", "T011", "/settings/match_days/after", 7, "greater than or equal to 0"),
    ("max: 30", "max: 366", "T011", "/settings/match_days/max", 7, "at most 365 days"),
    ("days: match_days}", "days: often}", "T011", "/require/0/days", 9, "integer"),
    ("version: 1", "version: 1\nrelax: [{id: far, match_days: 31}]", "T011", "/relax/0/match_days", 5, "31 exceeds the limit 30"),
    ("comparison: window, claim: [line.from, line.to], authorization: effective, days: match_days", "comparison: equal, value: x, authorization: setting", "T012", "/require", 8, "no requirement sets the claim's dates"),
    ("version: 1", "version: 1\nrelax: [{id: all, drop: [window]}]", "T012", "/require", 9, "no requirement sets the claim's dates"),
    ("authorization: procedure.from", "authorization: member.id", "T012", "/criteria/0/levels/0/authorization", 13, "filtered by the store alone"),
    ("authorization: procedure.from", "authorization: payer", "T012", "/criteria/0/levels/0/authorization", 13, "filtered by the store alone"),
    ("comparison: in-group, claim: line.procedure, authorization: procedure.group, groups: procedure-groups", "raw: {term: {number: a}}", "T013", "/criteria/0/levels", 12, "cannot be mixed"),
    ("comparison: window, ", "or: {raw: {term: {number: a}}}, comparison: window, ", "T013", "/require/0/or", 9, "raw clauses have no alternative"),
    ("comparison: window, ", "or: {comparison: equal, value: a, authorization: colour}, comparison: window, ", "T003", "/require/0/or/authorization", 9, "colour is not in"),
    ("version: 1", "version: 1\nexact: [{id: raw, raw: {term: {number: a}}}]", "T013", "/exact/0/raw", 5, "raw clauses cannot stand here"),
    ("groups: procedure-groups", "groups: procedure-grups", "T014", "/criteria/0/levels/1/groups", 14, "procedure-grups: no such group table"),
    ("groups: procedure-groups", "groups: procedure-groups@1999", "T014", "/criteria/0/levels/1/groups", 14, "no such version, procedure-groups is at"),
    ("comparison: equal", "comparison: equal, expand: nowhere", "T014", "/criteria/0/levels/0/expand", 13, "nowhere: no such group table"),
    ("  - id: procedure\n", "  - id: procedure\n    applies_when: {claim: line.procedure, groups: nowhere}\n", "T014", "/criteria/0/applies_when/groups", 12, "no such group table"),
    ("version: 1", "version: 1\nrank: [certification_date]", "T016", "/rank", 5, "end rank with number"),
    ("version: 1", "version: 1\nrank: []", "T016", "/rank", 5, "does not tell all apart"),
    ("version: 1", "version: 1\nrank: [colour]", "T016", "/rank/0", 5, "Input should be"),
    ("version: 1", "version: 1\nnon_exact: {needs: [procedur]}", "T001", "/non_exact/needs/0", 5, "did you mean procedure?"),
    ("version: 1", "version: 1\nrelax: [{id: far, drop: [zzz]}]", "T001", "/relax/0/drop/0", 5, "there is no requirement zzz"),
]  # fmt: skip


@pytest.mark.parametrize(("replaced", "by", "code", "path", "line", "words"), CHANGES)
def test_a_mistake_is_refused_at_its_place(
    replaced: str, by: str, code: str, path: str, line: int, words: str
) -> None:
    """Code, JSON pointer and line say where; message and hint say what and how to mend it."""
    problems = problems_of(with_line(replaced, by))
    found = {(each.code, each.path, each.file, each.line) for each in problems}

    assert (code, path, "small.yaml", line) in found, problems
    assert any(words in f"{each.message}; {each.hint}" for each in problems if each.path == path)


def test_a_template_with_a_problem_has_no_plan() -> None:
    """It can never be run by mistake; its resolved text is still shown."""
    library = load_library({"small.yaml": with_line("weight: 24", "weight: 31")}, references())

    assert (library.plans, list(library.resolved)) == ({}, ["small"])


@pytest.mark.parametrize(
    ("comparison", "operand", "field", "fault"),
    [
        ("any-of", "value: ['3', '4']", "attached.risk_level", None),
        ("any-of", "value: high", "attached.risk_level", "high is not a long"),
        ("equal", "value: 'true'", "attached.pilot", None),
        ("equal", "value: 'yes'", "attached.pilot", "yes is not a boolean"),
        ("equal", "value: 2026-02-28", "attached.review_due", None),
        ("equal", "value: '2026-02-30'", "attached.review_due", "2026-02-30 is not a date"),
        ("equal", "claim: attached.pilot", "attached.pilot", None),
        ("equal", "claim: line.attached.risk_level", "attached.risk_level", None),
        ("equal", "claim: line.procedure", "attached.risk_level", "is a keyword"),
        ("equal", "claim: line.from", "certification_date", None),
        ("near", "days: 3, claim: line.from", "certification_date", None),
        ("near", "days: 3, claim: line.tooth", "certification_date", "is a keyword"),
        ("any-of", "expand: modifier-sides, claim: line.modifiers", "modifiers", None),
        ("in-range", "value: '97110'", "procedure", "takes fields of the claim"),
    ],
)
def test_both_sides_of_a_comparison_have_one_type(
    comparison: str, operand: str, field: str, fault: str | None
) -> None:
    """What could never be equal, or would make Elasticsearch refuse every search, is refused."""
    test = f"{{id: t, comparison: {comparison}, {operand}, authorization: {field}}}"
    problems = problems_of(f"{RIGHT}exclude:\n  - {test}\n")

    assert [each for each in problems if fault is None or fault not in each.message] == []
    assert (fault is not None) == bool(problems)


def test_all_weights_together_stay_exact_numbers() -> None:
    """A sum over a million could not be told apart in a score any more."""
    levels = "levels: [{id: a, comparison: equal, claim: line.tooth, authorization: tooth, weight: 900000}]"
    text = f"{RIGHT}  - {{id: tooth, {levels}}}\n  - {{id: teeth, {levels}}}\n"

    assert [(each.code, each.path, each.message) for each in problems_of(text)] == [
        ("T006", "/criteria", "weights sum to 1800030, at most 1000000")
    ]


def test_two_templates_cannot_have_one_id() -> None:
    """Nor can a template have none."""
    library = load_library({"a.yaml": RIGHT, "b.yaml": RIGHT, "c.yaml": "title: x"}, references())

    assert [(each.code, each.file, each.path, each.line) for each in library.problems] == [
        ("T007", "b.yaml", "/id", 3),
        ("T001", "c.yaml", "/id", 1),
    ]


def test_a_problem_is_written_in_one_line() -> None:
    """As the command line shows it, and as plain values."""
    problem = Problem(
        code="T001", path="/x", message="x: unknown key", file="a.yaml", line=3, hint="mend it"
    )

    assert str(problem) == "a.yaml:3: T001 /x: x: unknown key; mend it"
    assert (
        str(Problem(code="T001", path="/x", message="bad", file="a.yaml")) == "a.yaml: T001 /x: bad"
    )
    assert {"code", "path", "message", "file", "line", "hint"} == set(problem.as_dict())


def test_a_template_may_read_attached_fields_and_tables_by_version() -> None:
    """What is declared may be named; a table may be named with its version."""
    version = references().groups["procedure-groups"].version
    text = with_line("groups: procedure-groups", f"groups: procedure-groups@{version}")
    more = dedent("""\
          - id: region
            levels:
              - {id: same, comparison: equal, claim: line.attached.region, authorization: attached.region, weight: 4}
        """)

    assert problems_of(text + "".join(f"  {each}\n" for each in more.splitlines())) == []
