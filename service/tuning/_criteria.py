"""What the criteria of a template do for the lines of a study: hit, missed, decisive."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.comparison.plan import Plan
from service.domain.answers import MatchClass
from service.matching.ranking import Ranked
from service.matching.scorer import MISSED, NOT_EVALUATED, WILDCARD, Judged, points_of

GRADES = ("full", "wildcard", "partial", "missed", "not_evaluated")
WARNED_MIN = 50
"""Of a template that judges fewer lines of a study nothing is warned of."""

Counted = Iterable[tuple[str, "Standing", int]]
"""Standings, each with its template and how many lines have it."""

_NOT_MET = {WILDCARD: "wildcard", NOT_EVALUATED: "not_evaluated", MISSED: "missed"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the best candidate of a line met each criterion of its template.

    ``met`` names the level of each that is met. ``decisive`` are those without which it would be of
    another class: one that alone keeps it from being exact, or whose points alone lift it over the
    threshold.
    """

    match_class: MatchClass
    percent: int
    grades: tuple[tuple[str, str], ...]
    decisive: tuple[str, ...]
    met: tuple[tuple[str, str], ...] = ()


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
        met=tuple(_met(best)),
    )


def _grade(judged: Judged, place: int) -> str:
    level = judged.levels[place]
    if level < 0:
        return _NOT_MET[level]
    return "full" if judged.asked.criteria[place].plan.criterion.levels[level].full else "partial"


def _met(judged: Judged) -> Iterator[tuple[str, str]]:
    for asked, level in zip(judged.asked.criteria, judged.levels, strict=True):
        if level >= 0:
            criterion = asked.plan.criterion
            yield criterion.id, criterion.levels[level].id


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


def criteria_counted(standings: Counted) -> list[dict[str, Any]]:
    """Count by template and criterion how it is met, and where it decides."""
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


def warnings_of(plans: Mapping[str, Plan], standings: Counted) -> list[dict[str, Any]]:
    """What of the templates does nothing for the lines of a study: it may be a mistake.

    W101: a criterion that is met always, or never; W102: one whose points decide nowhere; W103: a
    level that no line reaches.
    """
    standings = list(standings)
    lines: Counter[str] = Counter()
    met: Counter[tuple[str, ...]] = Counter()
    for template, standing, count in standings:
        lines[template] += count
        for each in standing.met:
            met[template, each[0]] += count
            met[template, *each] += count
    decides = {
        (each["template"], each["criterion"]): each["decides"]
        for each in criteria_counted(standings)
    }
    found = []
    for template in sorted(name for name, of in lines.items() if of >= WARNED_MIN):
        of = lines[template]
        for criterion in plans[template].template.criteria:
            name, hits = criterion.id, met[template, criterion.id]
            if hits in (0, of):
                often = "never" if hits == 0 else "always"
                found.append(("W101", template, name, f"{often} met, on {of} lines"))
            if hits and not decides.get((template, name)):
                found.append(("W102", template, name, f"decides on none of {of} lines"))
            found += [
                ("W103", template, f"{name}.{level.id}", f"reached by none of {of} lines")
                for level in criterion.levels
                if hits and not met[template, name, level.id]
            ]
    return [
        {"code": code, "template": template, "of": of_what, "message": message}
        for code, template, of_what, message in found
    ]
