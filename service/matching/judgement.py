"""What the scorer found for one authorization: its best line, the points, what bars exactness."""

from dataclasses import dataclass
from typing import NamedTuple

from service.comparison.prepared import AskedLine
from service.domain.answers import MatchClass
from service.domain.candidate import Candidate
from service.domain.effective import LineValues

NOT_EVALUATED = -3
WILDCARD = -2
MISSED = -1


@dataclass(frozen=True, slots=True)
class Answers:
    """One criterion put to every authorization line: level met, points, whether exact is kept.

    A level is its place in the template, or WILDCARD, MISSED or NOT_EVALUATED.
    """

    levels: list[int]
    points: list[int]
    exact: list[bool]


class Judged(NamedTuple):
    """An authorization judged against a claim line; made by the hundred, so a plain tuple.

    ``best_score`` is the highest of all its lines that are candidates, which Elasticsearch must
    find as well; ``score`` is that of ``line``, the one that stands for it. ``place`` is where the
    answers to the line's criteria are found.
    """

    asked: AskedLine
    candidate: Candidate
    line: LineValues
    score: int
    best_score: int
    attainable: int
    tolerance: bool
    match_class: MatchClass
    answers: tuple[Answers, ...]
    unmet: tuple[str, ...]
    place: int

    @property
    def percent(self) -> int:
        """Score of attainable in whole percent, rounded down."""
        return 100 * self.score // self.attainable if self.attainable else 0

    @property
    def action(self) -> str | None:
        """The decision in force for the line (HCR01)."""
        return self.line.get("action")

    @property
    def levels(self) -> tuple[int, ...]:
        """The level met of each criterion."""
        return tuple(each.levels[self.place] for each in self.answers)

    @property
    def blockers(self) -> tuple[str, ...]:
        """The criteria and conditions that bar exactness."""
        criteria = (
            asked.plan.criterion.id
            for asked, answer in zip(self.asked.criteria, self.answers, strict=True)
            if not answer.exact[self.place]
        )
        return (*criteria, *self.unmet)
