"""Judges the lines of candidates against claim lines.

A claim's lines mostly ask for the same provider, dates and place, so every distinct question is put
to every authorization line once, and the points of a claim line are sums over those answers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.comparison.comparison import How
from service.comparison.prepared import AskedCriterion, AskedLine, AskedTest
from service.domain.answers import MatchClass
from service.domain.authorization import GRANTING_ACTIONS
from service.domain.candidate import Candidate
from service.domain.effective import LineValues

NOT_EVALUATED = -3
WILDCARD = -2
MISSED = -1
PERSON = "person"
"""The condition of exactness that what was found under another member id does not meet."""
_NEVER_ENDS = "9999-99-99"

Precedence = tuple[bool, int, str, int]


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
    find as well; ``score`` is that of ``line``, the one that stands for it. ``unmet`` are the
    conditions of exactness that the line misses, or the requirements of one that ``is_candidate``
    says to be none; ``place`` is where the answers to the line's
    criteria are found. ``more`` are its other lines that grant and fit as well, in the order in
    which they are drawn after that one.
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
    unmet: tuple[AskedTest, ...]
    place: int
    more: tuple[int, ...] = ()
    is_candidate: bool = True

    @property
    def percent(self) -> int:
        """Score of attainable in whole percent, rounded down."""
        return 100 * self.score // self.attainable if self.attainable else 0

    @property
    def is_by_alternative(self) -> bool:
        """Whether it meets a requirement only by its alternative."""
        return any(each.wider for each in self.unmet)

    @property
    def carries_number(self) -> bool:
        """Whether it carries a number that was submitted."""
        return any(
            each.plan.reads_numbers_only and answer.levels[self.place] >= 0
            for each, answer in zip(self.asked.criteria, self.answers, strict=True)
        )

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
        mother = (PERSON,) if self.candidate.of_mother else ()
        return tuple(dict.fromkeys((*criteria, *(each.plan.id for each in self.unmet), *mother)))


@dataclass(slots=True)
class Scorer:
    """Scores any number of claim lines against one set of candidates."""

    candidates: Sequence[Candidate]
    _lines: list[LineValues] = field(init=False)
    _owners: list[int] = field(init=False)
    _answers: dict[AskedCriterion, Answers] = field(default_factory=dict)
    _tests: dict[tuple[str, AskedTest], list[bool]] = field(default_factory=dict)
    _met: dict[AskedCriterion, frozenset[int]] = field(default_factory=dict)
    _fitting: dict[tuple[tuple[AskedTest, ...], ...], list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the lines of all candidates side by side."""
        self._lines = [line for each in self.candidates for line in each.lines]
        self._owners = [place for place, each in enumerate(self.candidates) for _ in each.lines]

    def judge(self, asked: AskedLine) -> list[Judged]:
        """Judge every candidate that meets the requirements, by the line that stands for it."""
        eligible = self._eligible(asked)
        if not eligible:
            return []
        answers = tuple(self._answer(criterion) for criterion in asked.criteria)
        totals = list(map(sum, zip(*(each.points for each in answers), strict=True)))
        on_time = _together([self._on_time(each) for each in asked.require if _has_days(each)])
        conditions = _conditions(asked)
        exact = _together(
            [
                *(each.exact for each in answers),
                *(self._condition(each) for each in conditions),
                *([on_time] if on_time else ()),
            ]
        )
        attainable = asked.attainable
        standing = self._standing(asked, eligible, answers, totals, exact if attainable > 0 else ())
        return [
            Judged(
                asked=asked,
                candidate=self.candidates[owner],
                line=self._lines[place],
                score=totals[place],
                best_score=highest,
                attainable=attainable,
                tolerance=bool(on_time) and not on_time[place],
                match_class=(
                    found := _class_of(asked, answers, place, totals[place], is_exact=is_exact)
                ),
                answers=answers,
                unmet=tuple(each for each in conditions if not self._condition(each)[place]),
                place=place,
                more=more if found != "none" else (),
            )
            for owner, place, is_exact, highest, more in standing
        ]

    def nearby(self, asked: AskedLine) -> list[Judged]:
        """Judge those that are no candidates, and yet agree in number, or in service and days.

        They miss a requirement, such as the kind, the setting or the window: near misses, which
        name it. Of each the line stands that misses the fewest, then has the most points.
        """
        agreeing = self._agreeing(asked).difference(self._eligible(asked))
        owners = {self._owners[place] for place in self._eligible(asked)} if agreeing else set()
        agreeing = {place for place in agreeing if self._owners[place] not in owners}
        if not agreeing:
            return []
        barred = [self._test(each) for each in asked.exclude]
        answers = tuple(self._answer(criterion) for criterion in asked.criteria)
        best: dict[int, tuple[int, int, int]] = {}
        for place in agreeing:
            if not any(fits[place] for fits in barred):
                owner = self._owners[place]
                score = sum(each.points[place] for each in answers)
                key = len(self._missed(asked, place)), -score, place
                best[owner] = min(key, best.get(owner, key))
        return [
            Judged(
                asked=asked,
                candidate=self.candidates[owner],
                line=self._lines[place],
                score=-score,
                best_score=-score,
                attainable=asked.attainable,
                tolerance=False,
                match_class="none",
                answers=answers,
                unmet=self._missed(asked, place),
                place=place,
                is_candidate=False,
            )
            for owner, (_, score, place) in best.items()
        ]

    def _agreeing(self, asked: AskedLine) -> set[int]:
        """The lines that carry a submitted number, or name a needed service on the very days."""
        needs = asked.plan.template.non_exact.needs
        numbers: set[int] = set()
        services: set[int] = set()
        for each in asked.criteria:
            if each.plan.reads_numbers_only:
                numbers |= self._meeting(each)
            elif not needs or each.plan.criterion.id in needs:
                services |= self._meeting(each)
        for test in asked.require if services else ():
            if "date_range" in test.plan.use.comparison.types:
                services = {each for each in services if self._on_time(test)[each]}
        return numbers | services

    def _meeting(self, asked: AskedCriterion) -> frozenset[int]:
        """The lines that meet a level of a criterion, and are not just without restriction."""
        found = self._met.get(asked)
        if found is None:
            known = self._answers.get(asked)
            levels = known.levels if known else self._levels(asked)
            found = self._met[asked] = frozenset(at for at, each in enumerate(levels) if each >= 0)
        return found

    def _missed(self, asked: AskedLine, place: int) -> tuple[AskedTest, ...]:
        """The requirements that a line misses."""
        return tuple(each for each in asked.require if not self._test(each)[place])

    def _standing(
        self,
        asked: AskedLine,
        eligible: Iterable[int],
        answers: Sequence[Answers],
        totals: Sequence[int],
        exact: Sequence[bool],
    ) -> Iterator[tuple[int, int, bool, int, tuple[int, ...]]]:
        """The line that stands for each candidate, if it is exact, the most points, and more.

        Without ``exact`` none is.
        """
        best: dict[int, tuple[Precedence, int]] = {}
        highest: dict[int, int] = {}
        alike: dict[int, list[int]] = {}
        fully: dict[int, list[int]] = {}
        for place in eligible:
            owner, total = self._owners[place], totals[place]
            found = self.candidates[owner]
            may_be_exact = found.relaxed is None and not found.of_mother
            is_exact = bool(exact) and exact[place] and may_be_exact
            key = _precedence(self._lines[place], total, is_exact=is_exact)
            if owner not in best or key < best[owner][0]:
                best[owner] = key, place
            if is_exact:
                fully.setdefault(owner, []).append(place)
            if total > highest.get(owner, -1):
                highest[owner], alike[owner] = total, [place]
            elif total == highest[owner]:
                alike[owner].append(place)
        for owner, (_, place) in best.items():
            places, is_exact = fully.get(owner) or alike[owner], owner in fully
            more: tuple[int, ...] = ()
            if len(places) > 1:
                place, more = self._in_order(asked, places, place, answers, is_exact=is_exact)
            yield owner, place, is_exact, highest[owner], more

    def _in_order(
        self,
        asked: AskedLine,
        places: Iterable[int],
        best: int,
        answers: Sequence[Answers],
        *,
        is_exact: bool,
    ) -> tuple[int, tuple[int, ...]]:
        """Give the line that stands for its authorization, and those that fit as well as it does.

        All are exact, or all have as many points. Of exact ones the one that names more stands: it
        says more of the service; then one that grants. Others fit as well by the same answers.
        """
        conditions = [self._condition(each) for each in _conditions(asked)]

        def unnamed(place: int) -> int:
            return sum(each.levels[place] == WILDCARD for each in answers)

        def met(place: int) -> tuple[list[int], list[bool]]:
            return [each.levels[place] for each in answers], [each[place] for each in conditions]

        def order(place: int) -> tuple[object, ...]:
            if not is_exact:
                return (place != best,)
            points = sum(each.points[place] for each in answers)
            ends = _precedence(self._lines[place], points, is_exact=True)
            return -points, unnamed(place), not self._grants(place), *ends

        first, *others = sorted(places, key=order)
        if not self._grants(first):
            return first, ()
        return first, tuple(
            self._lines[place]["line"]
            for place in others
            if self._grants(place) and (is_exact or met(place) == met(first))
        )

    def _grants(self, place: int) -> bool:
        return self._lines[place].get("action") in GRANTING_ACTIONS

    def _eligible(self, asked: AskedLine) -> list[int]:
        """The places of the lines that meet all requirements and no exclusion."""
        known = self._fitting.get((asked.require, asked.exclude))
        if known is not None:
            return known
        places = list(range(len(self._lines)))
        for each in asked.require:
            fits = self._test(each)
            places = [place for place in places if fits[place]]
        for each in asked.exclude:
            fits = self._test(each)
            places = [place for place in places if not fits[place]]
        self._fitting[asked.require, asked.exclude] = places
        return places

    def _once(self, kind: str, asked: AskedTest, judge: Callable[[LineValues], bool]) -> list[bool]:
        """The judgement of every line, made once for all claim lines that ask the same."""
        found = self._tests.get((kind, asked))
        if found is None:
            found = self._tests[kind, asked] = list(map(judge, self._lines))
        return found

    def _test(self, asked: AskedTest) -> list[bool]:
        return self._once("test", asked, asked.fits)

    def _condition(self, asked: AskedTest) -> list[bool]:
        """Judge a condition of exactness: an authorization that says nothing of it meets it."""
        use, value = asked.plan.use, asked.value
        return self._once(
            "condition", asked, lambda line: use.field not in line or use.fits(line, value)
        )

    def _on_time(self, asked: AskedTest) -> list[bool]:
        """Judge a window again without its days: what then fails was found by tolerance only."""
        use, fits, value = asked.plan.use, asked.plan.use.comparison.fits, asked.value
        strict = How(length=use.how.length, groups=use.how.groups)
        return self._once("on time", asked, lambda line: fits(line, use.field, value, strict))

    def _answer(self, asked: AskedCriterion) -> Answers:
        found = self._answers.get(asked)
        if found is None:
            levels = self._levels(asked)
            found = self._answers[asked] = Answers(
                levels,
                [points_of(asked, level) for level in levels],
                [keeps_exact(asked, level) for level in levels],
            )
        return found

    def _levels(self, asked: AskedCriterion) -> list[int]:
        if asked.plan.criterion.is_raw:
            return [
                raw_level_met(asked, line, self.candidates[owner].raw_matched)
                for line, owner in zip(self._lines, self._owners, strict=True)
            ]
        return [level_met(asked, line) for line in self._lines]


def level_met(asked: AskedCriterion, line: LineValues) -> int:
    """The best level that a line meets; a line empty in the whole scope is unscoped."""
    if not asked.levels:
        return NOT_EVALUATED
    scope = asked.plan.scope
    if scope and not any(name in line for name in scope):
        return WILDCARD
    uses = asked.plan.uses
    for place, _, value in asked.levels:
        if uses[place].fits(line, value):
            return place
    return MISSED


def raw_level_met(asked: AskedCriterion, line: LineValues, matched: frozenset[str]) -> int:
    """The best raw level that Elasticsearch named for the authorization of a line."""
    if not asked.levels:
        return NOT_EVALUATED
    for place, level, _ in asked.levels:
        if f"{asked.plan.criterion.id}.{level.id}" in matched:
            return place
    return MISSED


def points_of(asked: AskedCriterion, level: int) -> int:
    """The points of a level met; unscoped gives what can be reached."""
    if level == WILDCARD:
        return asked.of
    return asked.plan.criterion.levels[level].weight if level >= 0 else 0


def keeps_exact(asked: AskedCriterion, level: int) -> bool:
    """Whether a match can still be exact with this level of this criterion."""
    criterion = asked.plan.criterion
    if criterion.never_bars_exact:
        return True
    if level == NOT_EVALUATED:
        return not asked.bars_exact
    return level == WILDCARD or (level >= 0 and criterion.levels[level].full)


def _class_of(
    asked: AskedLine, answers: Sequence[Answers], place: int, score: int, *, is_exact: bool
) -> MatchClass:
    """The class; percent is compared in whole numbers, nothing to compare is no match."""
    if is_exact:
        return "exact"
    rule, attainable = asked.plan.template.non_exact, asked.attainable
    if attainable == 0 or 100 * score < rule.min * attainable:
        return "none"
    if not rule.needs:
        return "non-exact"
    has_needed = any(
        answer.points[place] > 0
        for each, answer in zip(asked.criteria, answers, strict=True)
        if each.plan.criterion.id in rule.needs
    )
    return "non-exact" if has_needed else "none"


def _conditions(asked: AskedLine) -> tuple[AskedTest, ...]:
    """What must hold for an exact match: conditions, and requirements without their alternative."""
    return (*asked.exact, *(each for each in asked.require if each.wider))


def _together(columns: list[list[bool]]) -> list[bool]:
    """For every line whether all columns hold."""
    return list(map(all, zip(*columns, strict=True)))


def _has_days(asked: AskedTest) -> bool:
    how = asked.plan.use.how
    return bool(how.days_before or how.days_after)


def _precedence(line: LineValues, total: int, *, is_exact: bool) -> Precedence:
    """Order the lines of one authorization: exact, highest, earliest end, line number."""
    end: str = line["effective"].get("last", _NEVER_ENDS)
    return not is_exact, -total, end, line["line"]
