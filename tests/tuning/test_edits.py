"""An edit of every kind on a study of which all is known: what moves, how, and why."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from service.tuning.columns import Columns
from service.tuning.judging import Judge
from tests.tuning.building import CASES, book_of, edited, known_study, live_outcomes, report_of

EDITS: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).parent / "edits.yaml")


def side(verdict: dict[str, Any]) -> str:
    """A class, and how many authorizations are taken."""
    taken = len(verdict["chosen"])
    return f"{verdict['class']} +{taken}" if taken else str(verdict["class"])


def case_of(claim_id: str) -> str:
    """The case that a claim of the study is of."""
    return claim_id.rpartition(".")[0].replace("-", " ")


def test_there_are_forty_of_them() -> None:
    """Of templates, tables, reference data and events, and such as move nothing."""
    assert len(EDITS) >= 40
    assert sum(not edit["moves"] for edit in EDITS) >= 5


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit["edit"])
def test_the_report_says_exactly_what_moves_and_why(edit: dict[str, Any]) -> None:
    """Every line of the cases, no other line, each with its cause."""
    texts = edited(*((each["file"], each["old"], each["new"]) for each in edit["texts"]))
    report = report_of(known_study(), texts)
    found = Counter(
        (
            case_of(row["claim_id"]),
            row["kind"],
            row["harm"],
            side(row["before"]),
            side(row["after"]),
            tuple(report["changes"][each]["words"] for each in row["cause"]),
        )
        for row in report["rows"]
    )
    expected = {
        (
            case,
            move.get("kind", "authorization"),
            move["harm"],
            move["from"],
            move["to"],
            tuple(move["because"]),
        ): CASES[case][0]
        for move in edit["moves"]
        for case in move["cases"]
    }
    assert found == expected
    moved = sum(expected.values())
    assert sum(each["lines"] for each in report["harm"]) == moved
    off = (each for each in report["matrix"] if each["before"] != each["after"])
    others = sum(count for key, count in expected.items() if key[3].split()[0] != key[4].split()[0])
    assert sum(each["lines"] for each in off) == others


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit["edit"])
def test_every_edit_is_judged_as_a_match_would(edit: dict[str, Any]) -> None:
    """Line by line, by the flow of a match that asks the study."""
    book = book_of(*((each["file"], each["old"], each["new"]) for each in edit["texts"]))
    judged = Judge(Columns.of(known_study()), book).judge()

    assert judged.left == frozenset()
    found = {place: verdict.outcome for place, verdict in judged.verdicts.items()}
    assert found == live_outcomes(known_study(), book)
