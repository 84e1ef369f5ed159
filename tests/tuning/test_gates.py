"""Gates: what a report comes to, judged by bounds that are data."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.gates import DEFAULTS, GateTable
from service.querying.problem import TemplatesRefused
from service.rules.texts import load_texts
from service.tuning.gates import FIGURES, gate_words, judge_gates
from service.tuning.measures import wilson
from tests.tuning.building import edited, known_study, report_of, shipped_texts

Json = dict[str, Any]


def report(
    *,
    harm: Json | None = None,
    exact: int = 100,
    precision: tuple[tuple[int, int], tuple[int, int]] = ((99, 100), (99, 100)),
    recall: tuple[tuple[int, int], tuple[int, int]] = ((90, 100), (90, 100)),
    review: tuple[int, int] = (50, 50),
    lines: tuple[int, int] = (1000, 0),
) -> Json:
    """A report as far as gates look at it."""
    judged, left = lines
    return {
        "harm": [{"harm": name, "lines": count} for name, count in (harm or {}).items()],
        "matrix": [{"before": "exact", "after": "exact", "lines": exact}],
        "automatic": {
            side: {"precision": wilson(*precision[at]), "recall": wilson(*recall[at])}
            for at, side in enumerate(("before", "after"))
        },
        "review": {side: {"lines": review[at]} for at, side in enumerate(("before", "after"))},
        "lines": {"judged": judged, "left": left, "all": judged + left},
    }


@pytest.mark.parametrize(
    ("changes", "gate", "outcome"),
    [
        ({}, "other_authorization", "holds"),
        ({"harm": {"other_authorization": 1}}, "other_authorization", "denies"),
        ({"harm": {"exact_lost": 2}}, "exact_lost", "warns"),
        ({"harm": {"exact_lost": 3}}, "exact_lost", "denies"),
        ({"harm": {"exact_lost": 3}, "exact": 150}, "exact_lost", "warns"),
        ({"harm": {"newly_automatic": 1}}, "newly_automatic", "warns"),
        ({"precision": ((99, 100), (95, 100))}, "precision_fall", "holds"),
        ({"precision": ((99, 100), (94, 100))}, "precision_fall", "denies"),
        ({"precision": ((99, 100), (100, 100))}, "precision_fall", "holds"),
        ({"precision": ((0, 0), (99, 100))}, "precision_fall", "unknown"),
        ({"precision": ((99, 100), (0, 0))}, "precision_fall", "unknown"),
        ({"recall": ((90, 100), (80, 100))}, "recall_fall", "warns"),
        ({"recall": ((90, 100), (85, 100))}, "recall_fall", "holds"),
        ({"review": (50, 51)}, "review_growth", "holds"),
        ({"review": (50, 54)}, "review_growth", "warns"),
        ({"review": (50, 56)}, "review_growth", "denies"),
        ({"review": (50, 10)}, "review_growth", "holds"),
        ({"review": (0, 1)}, "review_growth", "denies"),
        ({"review": (0, 0)}, "review_growth", "holds"),
        ({"lines": (950, 50)}, "left_out", "warns"),
        ({"lines": (949, 51)}, "left_out", "denies"),
        ({"lines": (0, 0)}, "left_out", "holds"),
        ({"lines": (100, 0)}, "few_lines", "holds"),
        ({"lines": (99, 0)}, "few_lines", "warns"),
    ],
)
def test_a_report_is_judged_by_the_bounds_of_each_gate(
    changes: Json, gate: str, outcome: str
) -> None:
    """By default; a bound may be reached and not passed."""
    judged = judge_gates(report(**changes), GateTable())
    found = {each["gate"]: each["outcome"] for each in judged["gates"]}

    assert list(found) == list(DEFAULTS) == list(FIGURES)
    assert found[gate] == outcome
    assert judged["hold"] is (outcome != "denies")


@pytest.mark.parametrize(
    ("gates", "hold", "asked"),
    [
        ({"other_authorization": {"deny": 3}}, True, 8),
        ({"other_authorization": {"warn": 0}}, True, 8),
        ({"other_authorization": {}}, True, 7),
        ({"few_lines": {"deny": 2000, "warn": 3000}}, False, 8),
    ],
)
def test_gates_are_data(gates: Json, hold: bool, asked: int) -> None:
    """A gate without bounds is not asked; those that are not named are as by default."""
    table = GateTable.model_validate({"version": "1", "gates": gates})
    judged = judge_gates(report(harm={"other_authorization": 3}), table)

    assert len(judged["gates"]) == asked
    assert judged["hold"] is (hold and "other_authorization" in gates)


@pytest.mark.parametrize(
    ("gates", "path"),
    [
        ("{speed: {deny: 1}}", "gates/speed"),
        ("{exact_lost: {deny: -1}}", "gates/exact_lost/deny"),
        ("{exact_lost: {deny: 1.5}}", "gates/exact_lost/deny"),
        ("{exact_lost: {stop: 1}}", "gates/exact_lost/stop"),
        ("{exact_lost: {deny: 1, warn: 2}}", "gates/exact_lost/warn"),
        ("{few_lines: {deny: 10, warn: 5}}", "gates/few_lines/warn"),
        ("[exact_lost]", "gates"),
    ],
)
def test_gates_that_cannot_be_meant_refuse_the_set(gates: str, path: str) -> None:
    """A name that there is not, a bound that is none, a warning that comes after the denial."""
    text = f'kind: gates\nversion: "1"\ngates: {gates}\n'
    with pytest.raises(TemplatesRefused) as refused:
        load_texts({**shipped_texts(), "reference/gates.yaml": text}).book  # noqa: B018

    (problem,) = refused.value.problems
    assert problem.file == "reference/gates.yaml"
    assert path in f"{problem.path.lstrip('/')} {problem.message}"


def test_a_draft_is_judged_by_the_gates_in_force() -> None:
    """It cannot loosen those that judge it."""
    loose = 'kind: gates\nversion: "1"\ngates: {exact_lost: {}}\n'
    exact = "{id: rendering_npi, full: true,"
    stricter = edited(("professional.yaml", exact, "{id: rendering_npi,"))
    drafts = [stricter, {**stricter, "reference/gates.yaml": loose}]
    found = [report_of(known_study(), each)["gates"] for each in drafts]

    assert found[0] == found[1]
    assert not found[0]["hold"]


def test_a_gate_is_said_in_words() -> None:
    """With its figure and its bounds."""
    judged = judge_gates(report(harm={"exact_lost": 3}, precision=((0, 0), (0, 0))), GateTable())
    words = {each["gate"]: gate_words(each) for each in judged["gates"]}

    lost = "3% of the exact lines are exact no more (denied over 2%, warns over 0%)"
    assert words["exact_lost"] == lost
    assert words["few_lines"] == "1000 lines are judged (warns under 100)"
    assert words["precision_fall"] == "not known: there are too few labels"


def test_the_default_table_names_no_gate() -> None:
    """So that a file says only what is otherwise."""
    assert GateTable().gates == {}
    with pytest.raises(ValidationError):
        GateTable.model_validate({"gates": {"exact_lost": 3}})
