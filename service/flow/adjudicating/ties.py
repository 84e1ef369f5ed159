"""Authorizations that rank alike are drawn by what they have left, the most first."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby

from service.accounting.limits.bounds import bounds_of
from service.accounting.limits.choice import Choice
from service.flow.adjudicating.selection import Chosen
from service.matching.judgement import Judged

_UNLIMITED = 2**63


def tied_ids(chosen: Chosen) -> list[str]:
    """Name the authorizations that rank alike: the same class, certification date and start."""
    return [
        choice.authorization.authorization_id
        for group in _groups(chosen)
        if len(group) > 1
        for choice in group
    ]


def by_remaining(chosen: Chosen, committed: Mapping[str, Mapping[str, int]]) -> Chosen:
    """Order those that rank alike by what remains; ``committed`` is what is used or reserved."""
    ordered = [
        choice
        for group in _groups(chosen)
        for choice in sorted(group, key=lambda each: -_remaining(each, committed))
    ]
    return replace(chosen, choices=tuple(ordered))


def _groups(chosen: Chosen) -> list[list[Choice]]:
    """Give the choices in their order, those that rank alike together."""
    judged = {each.candidate.authorization_id: each for each in chosen.search.resolution.chosen}

    def key(numbered: tuple[int, Choice]) -> tuple[object, ...]:
        place, choice = numbered
        known = judged.get(choice.authorization.authorization_id)
        if choice.is_selected or known is None:
            return ("selected", place)
        return _rank(known)

    return [[choice for _, choice in group] for _, group in groupby(enumerate(chosen.choices), key)]


def _rank(judged: Judged) -> tuple[object, ...]:
    candidate = judged.candidate
    score = judged.score if judged.match_class == "non-exact" else None
    return judged.match_class, score, candidate.certification_date, candidate.starts_on


def _remaining(choice: Choice, committed: Mapping[str, Mapping[str, int]]) -> int:
    """Give the units left of header and line, the lesser; a period's limits are not looked at."""
    used = committed.get(choice.authorization.authorization_id, {})
    left = [
        bounds.units - used.get(base, 0)
        for base, bounds in bounds_of(choice.authorization).items()
        if base in ("H", f"L{choice.line}") and bounds.units is not None
    ]
    return min(left, default=_UNLIMITED)
