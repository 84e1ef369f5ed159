"""What the criteria of a template do for the lines of a study: hit, missed, decisive."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.domain.answers import MatchClass
from service.matching.ranking import Ranked
from service.matching.scorer import MISSED, NOT_EVALUATED, WILDCARD, Judged, points_of

GRADES = ("full", "wildcard", "partial", "missed", "not_evaluated")
_NOT_MET = {WILDCARD: "wildcard", NOT_EVALUATED: "not_evaluated", MISSED: "missed"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the best candidate of a line met each criterion of its template.

    ``decisive`` are the criteria without which it would be of another class: one that alone keeps
    it from being exact, or whose points alone lift it over the threshold.
    """

    match_class: MatchClass
    percent: int
    grades: tuple[tuple[str, str], ...]
    decisive: tuple[str, ...]


def standing_of(ranked: Ranked) -> Standing | None:
    """How the best candidate stands, or the nearest miss; None where there is none."""
    found = (*ranked.shown[:1], *(each for each in ranked.near_misses if each.is_candidate))
    if not found:
        return None
    best = found[0]
    return Standing(
        match_class=best.match_class,
        percent=best.percent,
        grades=tuple(
            (asked.plan.criterion.id, _grade(best, place))
            for place, asked in enumerate(best.asked.criteria)
        ),
        decisive=tuple(_decisive(best)),
    )


def _grade(judged: Judged, place: int) -> str:
    level = judged.levels[place]
    if level < 0:
        return _NOT_MET[level]
    return "full" if judged.asked.criteria[place].plan.criterion.levels[level].full else "partial"


def _decisive(judged: Judged) -> Iterable[str]:
    """Name the criteria that decide alone on the class of a candidate."""
    blockers = judged.blockers
    least = judged.asked.plan.template.non_exact.min
    for asked, level in zip(judged.asked.criteria, judged.levels, strict=True):
        name = asked.plan.criterion.id
        if blockers == (name,):
            yield name
        elif judged.match_class == "non-exact":
            without = judged.score - points_of(asked, level)
            if 100 * without < least * judged.attainable:
                yield name


def criteria_counted(standings: Iterable[tuple[str, Standing, int]]) -> list[dict[str, Any]]:
    """Count by template and criterion, of standings each with its template and so many lines."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for template, standing, lines in standings:
        for name, grade in standing.grades:
            counts.setdefault((template, name), Counter())[grade] += lines
        for name in standing.decisive:
            counts[template, name]["decides"] += lines
    return [
        {
            "template": template,
            "criterion": name,
            **{grade: found[grade] for grade in GRADES},
            "decides": found["decides"],
        }
        for (template, name), found in sorted(counts.items())
    ]
