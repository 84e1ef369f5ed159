"""Orders the judged candidates of a claim line, and keeps as many as may be shown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from service.domain.answers import MatchClass
from service.domain.candidate import Candidate
from service.domain.template import RankKey, Template
from service.matching.scorer import Judged

NEAR_MISSES_MAX = 5
_LAST = "\U0010ffff"
_READ: Mapping[RankKey, Callable[[Candidate], str | None]] = {
    "certification_date": attrgetter("certification_date"),
    "effective.from": attrgetter("starts_on"),
    "number": attrgetter("number"),
    "authorization_id": attrgetter("authorization_id"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Exact and non-exact candidates in order, near misses, and whether some did not fit."""

    exact: tuple[Judged, ...] = ()
    non_exact: tuple[Judged, ...] = ()
    near_misses: tuple[Judged, ...] = ()
    truncated: bool = False
    relaxed: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[Judged, ...]:
        """Exact candidates first, then the non-exact ones."""
        return self.exact + self.non_exact

    @property
    def match_class(self) -> MatchClass:
        """The class of the line is that of its best candidate."""
        if self.exact:
            return "exact"
        return "non-exact" if self.non_exact else "none"


def rank(
    judged: Iterable[Judged],
    template: Template,
    *,
    truncated: bool = False,
    relaxed: tuple[str, ...] = (),
) -> Ranked:
    """Sort by class: exact by certification date, oldest first; the others by score first.

    What meets a requirement by its alternative alone comes last. Of near misses first those that
    carry a submitted number, then candidates.
    """
    by_class: dict[MatchClass, list[Judged]] = {"exact": [], "non-exact": [], "none": []}
    for each in judged:
        by_class[each.match_class].append(each)
    keys = template.rank
    exact = _sorted(by_class["exact"], lambda each: _rank_key(each, keys))
    non_exact = _sorted(
        by_class["non-exact"],
        lambda each: (each.is_by_alternative, -each.score, *_rank_key(each, keys)),
    )
    none = _sorted(
        by_class["none"],
        lambda each: (
            not each.carries_number,
            not each.is_candidate,
            -each.score,
            *_rank_key(each, keys),
        ),
    )
    most = template.settings.max_results
    return Ranked(
        exact=tuple(exact[:most]),
        non_exact=tuple(non_exact[: max(0, most - len(exact))]),
        near_misses=tuple(none[:NEAR_MISSES_MAX]),
        truncated=truncated or len(exact) + len(non_exact) > most,
        relaxed=relaxed,
    )


def _sorted(judged: list[Judged], key: Callable[[Judged], tuple[Any, ...]]) -> list[Judged]:
    return sorted(judged, key=key) if len(judged) > 1 else judged


def _rank_key(judged: Judged, keys: tuple[RankKey, ...]) -> tuple[str, ...]:
    candidate = judged.candidate
    # The id closes every order: two authorizations may carry one number.
    return (*[_READ[key](candidate) or _LAST for key in keys], candidate.authorization_id)
