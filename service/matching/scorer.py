"""Judges the lines of candidates against claim lines.

A claim's lines mostly ask for the same provider, dates and place, so every distinct question is put
to every authorization line once, and the points of a claim line are sums over those answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.comparison.comparison import How
from service.comparison.prepared import AskedCriterion, AskedLine, AskedTest
from service.domain.answers import EvidenceAnswer, MatchClass
from service.domain.authorization import GRANTING_ACTIONS
from service.domain.candidate import Candidate
from service.domain.effective import LineValues

NOT_EVALUATED = -3
WILDCARD = -2
MISSED = -1
PERSON = "person"
"""The condition of exactness that what was found under another member id does not meet."""
_NEVER_ENDS = "9999-99-99"

Places = dict[int, list[int]]
"""Lines by the place of their authorization."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One criterion put to every authorization line: level met, points, whether exact is kept.

    A level is its place in the template, or WILDCARD, MISSED or NOT_EVALUATED. ``written`` keeps
    the evidence of each line for the claim lines that ask the same.
    """

    levels: list[int]
    points: list[int]
    exact: list[bool]
    written: dict[int, EvidenceAnswer] = field(default_factory=dict)


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
        if self.match_class == "exact":
            return ()
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
    _tests: dict[AskedTest, list[bool]] = field(default_factory=dict)
    _conditions: dict[AskedTest, list[bool]] = field(default_factory=dict)
    _in_days: dict[AskedTest, list[bool]] = field(default_factory=dict)
    _met: dict[AskedCriterion, frozenset[int]] = field(default_factory=dict)
    _fitting: dict[tuple[tuple[AskedTest, ...], ...], Places] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the lines of all candidates side by side."""
        self._lines = [line for each in self.candidates for line in each.lines]
        self._owners = [place for place, each in enumerate(self.candidates) for _ in each.lines]

    def judge(self, asked: AskedLine) -> list[Judged]:
        """Judge every candidate that meets the requirements, by the line that stands for it."""
        eligible = self._eligible(asked)
        if not eligible:
            return []
        answers = tuple(map(self._answer, asked.criteria))
        totals = list(map(sum, zip(*[each.points for each in answers], strict=True)))
        on_time = _together([self._on_time(each) for each in asked.require if _has_days(each)])
        conditions = [(each, self._condition(each)) for each in _conditions(asked)]
        exact = _together(
            [
                *[each.exact for each in answers],
                *[meeting for _, meeting in conditions],
                *([on_time] if on_time else ()),
            ]
        )
        attainable = asked.attainable
        found = []
        for owner, places in eligible.items():
            highest = max([totals[place] for place in places])
            fully = [place for place in places if exact[place]]
            is_exact = bool(fully) and attainable > 0 and self._may_be_exact(owner)
            fitting = fully if is_exact else [each for each in places if totals[each] == highest]
            place = fitting[0]
            more: tuple[int, ...] = ()
            if len(fitting) > 1:
                place, more = self._in_order(asked, fitting, answers, totals, is_exact=is_exact)
            match_class: MatchClass = "exact"
            if not is_exact:
                match_class = _class_of(asked, answers, place, totals[place], attainable)
            found.append(
                Judged(
                    asked=asked,
                    candidate=self.candidates[owner],
                    line=self._lines[place],
                    score=totals[place],
                    best_score=highest,
                    attainable=attainable,
                    tolerance=bool(on_time) and not on_time[place],
                    match_class=match_class,
                    answers=answers,
                    unmet=tuple([each for each, meeting in conditions if not meeting[place]]),
                    place=place,
                    more=more if match_class != "none" else (),
                )
            )
        return found

    def _may_be_exact(self, owner: int) -> bool:
        candidate = self.candidates[owner]
        return candidate.relaxed is None and not candidate.of_mother

    def nearby(self, asked: AskedLine) -> list[Judged]:
        """Judge those that are no candidates, and yet agree in number, or in service and days.

        They miss a requirement, such as the kind, the setting or the window: near misses, which
        name it. Of each the line stands that misses the fewest, then has the most points.
        """
        if not self._lines:
            return []
        owners = self._eligible(asked)
        agreeing = {place for place in self._agreeing(asked) if self._owners[place] not in owners}
        if not agreeing:
            return []
        barred = [self._test(each) for each in asked.exclude]
        answers = tuple(map(self._answer, asked.criteria))
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
                on_time = self._on_time(test)
                services = {each for each in services if on_time[each]}
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

    def _in_order(
        self,
        asked: AskedLine,
        places: Sequence[int],
        answers: Sequence[Answers],
        totals: Sequence[int],
        *,
        is_exact: bool,
    ) -> tuple[int, tuple[int, ...]]:
        """Give the line that stands for its authorization, and those that fit as well as it does.

        All are exact, or all have as many points. Of exact ones the one that names more stands: it
        says more of the service; then one that grants. Of others it is the one that ends first, and
        those fit as well that give the same answers.
        """

        levels = [each.levels for each in answers]

        def unnamed(place: int) -> int:
            return sum([each[place] == WILDCARD for each in levels])

        def order(place: int) -> tuple[object, ...]:
            line = self._lines[place]
            ends = line["effective"].get("last", _NEVER_ENDS), line["line"]
            if not is_exact:
                return ends
            return -totals[place], unnamed(place), not self._grants(place), *ends

        first = min(places, key=order)
        if not self._grants(first):
            return first, ()
        others = [place for place in places if place != first and self._grants(place)]
        if is_exact:
            others.sort(key=order)
        else:
            meeting = [self._condition(each) for each in _conditions(asked)]
            columns: list[Sequence[int]] = [*levels, *meeting]
            met = [each[first] for each in columns]
            others = [place for place in others if [each[place] for each in columns] == met]
        return first, tuple([self._lines[place]["line"] for place in others])

    def _grants(self, place: int) -> bool:
        return self._lines[place].get("action") in GRANTING_ACTIONS

    def _eligible(self, asked: AskedLine) -> Places:
        """The lines that meet all requirements and no exclusion."""
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
        found: Places = {}
        for place in places:
            found.setdefault(self._owners[place], []).append(place)
        self._fitting[asked.require, asked.exclude] = found
        return found

    def _test(self, asked: AskedTest) -> list[bool]:
        found = self._tests.get(asked)
        if found is None:
            found = self._tests[asked] = asked.fits_each(self._lines)
        return found

    def _condition(self, asked: AskedTest) -> list[bool]:
        """Judge a condition of exactness: an authorization that says nothing of it meets it."""
        found = self._conditions.get(asked)
        if found is None:
            use, value = asked.plan.use, asked.value
            fits = use.fits_each(self._lines, value)
            found = self._conditions[asked] = [
                fit or use.field not in line for fit, line in zip(fits, self._lines, strict=True)
            ]
        return found

    def _on_time(self, asked: AskedTest) -> list[bool]:
        """Judge a window again without its days: what then fails was found by tolerance only."""
        found = self._in_days.get(asked)
        if found is None:
            use, fits, value = asked.plan.use, asked.plan.use.comparison.fits, asked.value
            strict = How(length=use.how.length, groups=use.how.groups)
            found = self._in_days[asked] = [
                fits(line, use.field, value, strict) for line in self._lines
            ]
        return found

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
        if asked.plan.is_raw:
            return [
                raw_level_met(asked, line, self.candidates[owner].raw_matched)
                for line, owner in zip(self._lines, self._owners, strict=True)
            ]
        return levels_met(asked, self._lines)


def levels_met(asked: AskedCriterion, lines: Sequence[LineValues]) -> list[int]:
    """The best level that each line meets; a line empty in the whole scope is unscoped."""
    if not asked.levels:
        return [NOT_EVALUATED] * len(lines)
    scope, uses = asked.plan.scope, asked.plan.uses
    met = [
        MISSED if not scope or any(map(line.__contains__, scope)) else WILDCARD for line in lines
    ]
    for place, _, value in asked.levels:
        left = [at for at, level in enumerate(met) if level == MISSED]
        if not left:
            break
        fits = uses[place].fits_each([lines[at] for at in left], value)
        for at, does in zip(left, fits, strict=True):
            if does:
                met[at] = place
    return met


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
    asked: AskedLine, answers: Sequence[Answers], place: int, score: int, attainable: int
) -> MatchClass:
    """The class of what is not exact; in whole numbers, and nothing to compare is no match."""
    rule = asked.plan.template.non_exact
    if attainable == 0 or 100 * score < rule.min * attainable:
        return "none"
    if not rule.needs:
        return "non-exact"
    for each, answer in zip(asked.criteria, answers, strict=True):
        if answer.points[place] > 0 and each.plan.criterion.id in rule.needs:
            return "non-exact"
    return "none"


def _conditions(asked: AskedLine) -> tuple[AskedTest, ...]:
    """What must hold for an exact match: conditions, and requirements without their alternative."""
    return (*asked.exact, *(each for each in asked.require if each.wider))


def _together(columns: list[list[bool]]) -> list[bool]:
    """For every line whether all columns hold."""
    return list(map(all, zip(*columns, strict=True)))


def _has_days(asked: AskedTest) -> bool:
    how = asked.plan.use.how
    return bool(how.days_before or how.days_after)
