"""What criteria do, and what of a template does nothing for the lines of a study."""

from typing import Any

import pytest

from service.domain.answers import MatchClass
from service.tuning._criteria import WARNED_MIN, Standing, criteria_counted, warnings_of
from service.tuning.columns import Columns
from service.tuning.judging import Judge
from tests.tuning.building import book_of, known_study, report_of, shipped_texts

PLANS = book_of().plans


def standing(*met: tuple[str, str], decisive: tuple[str, ...] = ()) -> Standing:
    """How the best candidate of a line meets the criteria of a template."""
    match_class: MatchClass = "non-exact"
    grades = tuple((name, "full") for name, _ in met)
    return Standing(match_class, 80, grades, decisive, met)


BOTH = (("tooth", "same"), ("procedure", "in_range"))


@pytest.mark.parametrize(
    ("standings", "code", "of", "words"),
    [
        ([(standing(*BOTH), 50)], "W101", "tooth", "always met, on 50 lines"),
        ([(standing(BOTH[1]), 50)], "W101", "tooth", "never met, on 50 lines"),
        ([(standing(*BOTH), 50)], "W102", "tooth", "decides on none of 50 lines"),
        (
            [(standing(BOTH[0]), 40), (standing(BOTH[1]), 20)],
            "W103",
            "procedure.group",
            "reached by none of 60 lines",
        ),
    ],
)
def test_what_does_nothing_is_warned_of(
    standings: list[tuple[Standing, int]], code: str, of: str, words: str
) -> None:
    """With its template, and on how many lines."""
    found = warnings_of(PLANS, [("dental", each, lines) for each, lines in standings])
    assert {"code": code, "template": "dental", "of": of, "message": words} in found


@pytest.mark.parametrize(
    ("standings", "not_there"),
    [
        ([(standing(*BOTH), WARNED_MIN - 1)], ("W101", "W102", "W103")),
        ([], ("W101", "W102", "W103")),
        ([(standing(*BOTH, decisive=("tooth",)), 30), (standing(), 30)], ("W101 tooth",)),
        ([(standing(*BOTH, decisive=("tooth",)), 60)], ("W102 tooth",)),
        ([(standing(BOTH[1]), 60)], ("W102 tooth", "W103 tooth.same")),
        ([(standing(*BOTH), 60)], ("W103 tooth.same",)),
    ],
)
def test_what_does_something_is_not(
    standings: list[tuple[Standing, int]], not_there: tuple[str, ...]
) -> None:
    """Nor anything of few lines; of a criterion that is never met only that."""
    found = warnings_of(PLANS, [("dental", each, lines) for each, lines in standings])
    said = [f"{each['code']} {each['of']}" for each in found]
    assert not [each for each in said if each.startswith(not_there)]


def test_a_report_warns_by_the_levels_that_lines_reach() -> None:
    """Of the shipped rules on many lines: what no case of the study reaches."""
    many: Any = known_study() * 2
    report = report_of(many, shipped_texts())
    said = {(each["code"], each["template"], each["of"]) for each in report["warnings"]}

    assert ("W103", "professional", "provider.specialty") in said
    assert ("W103", "professional", "provider.tin") not in said
    assert not [each for each in said if each[1] == "dental"]
    judging = Judge(Columns.of(known_study()), book_of()).judge()
    standings = [
        (each.template, each.standing, 1) for each in judging.verdicts.values() if each.standing
    ]
    counted = {(e["template"], e["criterion"]): e for e in criteria_counted(standings)}
    assert counted["dental", "tooth"]["decides"] == 2
