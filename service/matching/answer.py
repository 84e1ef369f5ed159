"""Writes the answer for a claim line: every candidate with the evidence of every criterion."""

from collections.abc import Iterable
from typing import Any

from service.comparison.plan import Use
from service.comparison.prepared import AskedCriterion, AskedTest
from service.comparison.ranges import authorized_procedure
from service.domain.answers import CandidateAnswer, EvidenceAnswer, FoundAnswer
from service.domain.claim_values import ClaimValues
from service.domain.effective import LineValues
from service.domain.event import Event
from service.matching.numbers import Submitted
from service.matching.ranking import Ranked
from service.matching.resolution import Resolution
from service.matching.scorer import MISSED, NOT_EVALUATED, WILDCARD, Judged, points_of

_NOT_MET = {WILDCARD: "wildcard", NOT_EVALUATED: "not_evaluated", MISSED: "missed"}


def line_result(
    ranked: Ranked,
    resolution: Resolution,
    submitted: Iterable[Submitted],
    events: Iterable[Event],
) -> FoundAnswer:
    """What was found for one line and type, with all its events."""
    return {
        "class": ranked.match_class,
        "truncated": ranked.truncated,
        "relaxed": list(ranked.relaxed),
        "chosen": [each.candidate.authorization_id for each in resolution.chosen],
        "candidates": list(map(candidate_answer, ranked.shown)),
        "near_misses": list(map(candidate_answer, ranked.near_misses)),
        "submitted_numbers": [
            {
                "value": each.value,
                "level": each.level,
                "fits": each.fits,
                "fits_another_line": each.fits_another_line,
                "no_number": each.no_number,
            }
            for each in submitted
        ],
        "history": [
            {
                "authorization_id": each.candidate.authorization_id,
                "version": each.candidate.version,
                "action": each.action,
                "class": each.match_class,
            }
            for each in ranked.shown
        ],
        "events": [each.as_answer() for each in events],
    }


def candidate_answer(judged: Judged) -> CandidateAnswer:
    """One authorization, with the line that stands for it and its evidence."""
    candidate, days = judged.candidate, judged.line["effective"]
    return {
        "authorization_id": candidate.authorization_id,
        "number": candidate.shown_number,
        "kind": judged.line["kind"],
        "version": candidate.version,
        "line": judged.line["line"],
        "action": judged.action,
        "certification_date": candidate.certification_date,
        "effective": {"from": days.get("first"), "to": days.get("last")},
        "class": judged.match_class,
        "score": judged.score,
        "attainable": judged.attainable,
        "percent": judged.percent,
        "exact_blockers": list(judged.blockers),
        "tolerance": judged.tolerance,
        "relaxed": candidate.relaxed,
        "evidence": evidence(judged),
    }


def evidence(judged: Judged) -> list[EvidenceAnswer]:
    """For every criterion the level met, its points, both values, and why not more.

    Conditions of exactness are named where they are missed. The lines of a claim share most
    questions, so that most evidence was written before.
    """
    place, entries = judged.place, []
    for asked, answers in zip(judged.asked.criteria, judged.answers, strict=True):
        entry = answers.written.get(place)
        if entry is None:
            level = answers.levels[place]
            entry = criterion_evidence(asked, level, judged.line, judged.asked.values)
            answers.written[place] = entry
        entries.append(entry)
    entries += [missed_test(each, judged.line, judged.asked.values) for each in judged.unmet]
    return entries


def missed_test(asked: AskedTest, line: LineValues, values: ClaimValues) -> EvidenceAnswer:
    """A test that gives no points, and was missed: both values, and why."""
    use = asked.plan.use
    return {
        "criterion": asked.plan.id,
        "level": None,
        "points": 0,
        "of": 0,
        "claim": _given(use, values),
        "authorization": _held(use, line, asked.value),
        "grade": "missed",
        "why": use.why(line, asked.value),
    }


def criterion_evidence(
    asked: AskedCriterion, level: int, line: LineValues, values: ClaimValues
) -> EvidenceAnswer:
    """One criterion: level, points of what could be reached, both values and the grade."""
    criterion = asked.plan.criterion
    place = _place_to_show(asked, level)
    written: EvidenceAnswer = {
        "criterion": criterion.id,
        "level": _level_name(asked, level),
        "points": points_of(asked, level),
        "of": asked.of,
        "claim": _claimed(asked, place, values),
        "authorization": None if level == WILDCARD else _authorized(asked, place, line),
        "grade": _grade(asked, level),
    }
    why = _why(asked, level, line)
    if why is not None:
        written["why"] = why
    return written


def _place_to_show(asked: AskedCriterion, level: int) -> int | None:
    """The level whose values are shown: the one met, else the best that was tried."""
    if level >= 0:
        return level
    return asked.levels[0][0] if asked.levels else None


def _level_name(asked: AskedCriterion, level: int) -> str | None:
    if level == WILDCARD:
        return "wildcard"
    return asked.plan.criterion.levels[level].id if level >= 0 else None


def _grade(asked: AskedCriterion, level: int) -> str:
    if level < 0:
        return _NOT_MET[level]
    return "full" if asked.plan.criterion.levels[level].full else "partial"


def _why(asked: AskedCriterion, level: int, line: LineValues) -> str | None:
    """Why it is less than full: full agreement needs no words."""
    criterion = asked.plan.criterion
    if level == NOT_EVALUATED:
        return "nothing to compare on the claim"
    if level == WILDCARD or (level >= 0 and criterion.levels[level].full):
        return None
    if asked.plan.is_raw:
        return "judged by the search engine" if level >= 0 else "no raw clause holds"
    # What matters is why the best level was missed; the level met speaks for the authorization.
    place, _, value = asked.levels[0]
    if level >= 0 and asked.plan.uses[level].how.days_after:
        place = level
        value = next(each for at, _, each in asked.levels if at == level)
    return asked.plan.uses[place].why(line, value)


def _claimed(asked: AskedCriterion, place: int | None, values: ClaimValues) -> object:
    if place is None:
        return None
    if asked.plan.is_raw:
        return next(value for at, _, value in asked.levels if at == place)
    return _given(asked.plan.uses[place], values)


def _given(use: Use, values: ClaimValues) -> object:
    given = [values[name] for name in use.claims if name in values]
    if use.field == "effective":
        return "..".join(map(str, dict.fromkeys(given))) if given else None
    if use.field == "procedure":
        return given[0] if given else None
    return _numbers(given) if use.field == "numbers_all" else _flat(given)


def _flat(given: list[str | tuple[str, ...]]) -> object:
    """Show a single field as it is, several as one list."""
    if not given:
        return None
    if len(given) == 1:
        only = given[0]
        if isinstance(only, str):
            return only
        return list(only)
    flat = [each for value in given for each in ((value,) if isinstance(value, str) else value)]
    return list(dict.fromkeys(flat))


def _numbers(given: list[str | tuple[str, ...]]) -> object:
    """Show one submitted number as itself, several as a list."""
    numbers = _flat(given)
    return numbers[0] if isinstance(numbers, list) and len(numbers) == 1 else numbers


def _authorized(asked: AskedCriterion, place: int | None, line: LineValues) -> object:
    if place is None or asked.plan.is_raw:
        return None
    value = next(each for at, _, each in asked.levels if at == place)
    return _held(asked.plan.uses[place], line, value)


def _held(use: Use, line: LineValues, value: Any) -> object:
    name = use.field
    if name == "procedure":
        return authorized_procedure(line, name)
    if name == "numbers_all":
        common = [number for number in line.get(name, ()) if number in value]
        return common[0] if common else line.get(name)
    if name == "effective":
        window = line[name]
        return f"{window.get('first', '')}..{window.get('last', '')}"
    return line.get(name)
