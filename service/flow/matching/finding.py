"""Finds and judges the candidates of claim lines: one search for all, or one for each.

Where Elasticsearch scores, its total and ours are two paths to one number: they are compared and
counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog
from prometheus_client import Counter

from service.background import in_turns
from service.comparison.prepared import AskedLine, AskedTest
from service.domain.candidate import Candidate, Found
from service.domain.effective import LineValues
from service.domain.person import Person
from service.matching.ranking import NEAR_MISSES_MAX
from service.matching.scorer import Judged, Scorer
from service.querying.search import CANDIDATES_MAX, Search, candidate_search, scored_search
from service.telemetry import stage

log = structlog.get_logger()

COMPARED = Counter(
    "authmatch_scores_compared_total", "Scores of Elasticsearch set against ours.", ["template"]
)
DISAGREED = Counter(
    "authmatch_scores_disagreed_total",
    "Scores of Elasticsearch that are not ours: a wrong template or index, look at once.",
    ["template"],
)

LINE_CANDIDATES_MAX = 2_000
"""Of one line's scored search; a member with more of them than that is answered as truncated."""


class CandidateSource(Protocol):
    """Where candidates come from. Any fault is an exception, never an empty result."""

    async def prepare(self, payer: str, member: str) -> Person:
        """Make sure that what was pushed for the member can be found; say who it is now."""
        ...

    async def search(self, payer: str, person: Person, search: Search) -> Found:
        """Run one search within a payer and a member."""
        ...


@dataclass(slots=True, kw_only=True)
class Pass:
    """One way in which a claim line was put to a pool of candidates.

    ``scorer`` is None where the line was searched for itself: then judging again searches again.
    ``aside`` has what is a candidate of no line. ``known`` are authorizations that an earlier pass
    found already, ``nearby`` near misses that are no candidates.
    """

    asked: AskedLine
    scorer: Scorer | None
    aside: Scorer
    relaxed: str | None = None
    known: frozenset[str] = frozenset()
    judged: list[Judged] = field(default_factory=list)
    nearby: list[Judged] = field(default_factory=list)
    truncated: bool = False


@dataclass(slots=True, kw_only=True)
class Finder:
    """Searches within one payer and member, and measures how long that takes."""

    source: CandidateSource
    payer: str
    person: Person
    mother: Person | None = None
    candidates_max: int = CANDIDATES_MAX
    pools: list[tuple[Search, Found]] = field(default_factory=list)
    """The searches for all that is nearby, and what each found."""

    @property
    def everybody(self) -> Person:
        """The person, with all ids under which anything is looked for: a newborn's mother's too."""
        if self.mother is None:
            return self.person
        former = (*self.person.former, *self.mother.ids)
        return replace(self.person, former=former)

    async def passes(
        self,
        asked: Sequence[AskedLine],
        *,
        relaxed: str | None = None,
        known: Sequence[frozenset[str]] = (),
    ) -> list[Pass]:
        """Put lines of one template to its candidates, leaving out those ``known`` for each."""
        scorer, aside = None, Scorer(())
        if not asked[0].plan.is_searched_by_line:
            nearby = candidate_search(asked, nearby=True)
            found = await self._search(nearby, len(asked))
            if found.total > self.candidates_max:
                found = await self._search(candidate_search(asked, nearby=False), len(asked))
            else:
                self.pools.append((nearby, found))
            if found.total <= self.candidates_max:
                possible, others = _parted(_marked(found.candidates, relaxed), asked)
                scorer, aside = Scorer(possible), Scorer(others)
        known = known or [frozenset()] * len(asked)
        passes = [
            Pass(asked=each, scorer=scorer, aside=aside, relaxed=relaxed, known=already)
            for each, already in zip(asked, known, strict=True)
        ]
        with stage("score", len(passes)):
            async for each in in_turns(passes):
                await self.judge(each)
        return passes

    async def judge(self, put: Pass) -> None:
        """Judge the candidates of a pass, anew where it was judged before."""
        if put.scorer is not None:
            judged, put.truncated = put.scorer.judge(put.asked), False
            if not any(each.match_class == "exact" for each in judged):
                put.nearby = [*put.scorer.nearby(put.asked), *put.aside.nearby(put.asked)]
        else:
            judged, put.truncated = await self._search_line(put.asked, put.relaxed)
        put.judged = [each for each in judged if each.candidate.authorization_id not in put.known]

    async def _search_line(
        self, asked: AskedLine, relaxed: str | None
    ) -> tuple[list[Judged], bool]:
        """Search one line by score, as far down as an answer may need; tells if it had to stop.

        Every score is compared with ours on the way.
        """
        judged: list[Judged] = []
        after: tuple[object, ...] = ()
        seen = 0
        while seen < LINE_CANDIDATES_MAX:
            search = scored_search(asked, after=after)
            found = await self._search(search)
            page = Scorer(_marked(found.candidates, relaxed)).judge(asked)
            compare_scores(page)
            judged += page
            seen += len(found.candidates)
            if len(found.candidates) < search.size:
                return judged, False
            last = found.candidates[-1]
            after = last.sort
            if _is_enough(judged, asked, last.engine_score or 0.0):
                return judged, False
        return judged, True

    async def scored(self, asked: AskedLine) -> list[Judged]:
        """Run the first page of the scored search alone, for comparing scores."""
        found = await self._search(scored_search(asked))
        return Scorer(found.candidates).judge(asked)

    async def _search(self, search: Search, lines: int = 1) -> Found:
        with stage("search", lines):
            found = await self.source.search(self.payer, self.everybody, search)
        if self.mother is None:
            return found
        candidates = tuple(
            replace(each, of_mother=self._is_hers(each)) for each in found.candidates
        )
        return replace(found, candidates=candidates)

    def _is_hers(self, candidate: Candidate) -> bool:
        """Whether it is not known to stand under an id of the person."""
        member = ((candidate.terms or {}).get("member") or {}).get("id")
        return member not in self.person.ids


def _parted(
    candidates: Sequence[Candidate], asked: Sequence[AskedLine]
) -> tuple[list[Candidate], list[Candidate]]:
    """Part those that may be a candidate from those that miss what all lines require."""
    common = [test for test in asked[0].require if all(test in each.require for each in asked)]
    parted: tuple[list[Candidate], list[Candidate]] = [], []
    for each in candidates:
        parted[not _may_be_one(each, common)].append(each)
    return parted


def _may_be_one(candidate: Candidate, tests: Sequence[AskedTest]) -> bool:
    lines: Sequence[LineValues] = candidate.lines
    for test in tests:
        lines = [line for line in lines if test.fits(line)]
    return bool(lines)


def _marked(candidates: Sequence[Candidate], relaxed: str | None) -> Sequence[Candidate]:
    """Mark candidates with the relax step that found them."""
    if relaxed is None:
        return candidates
    return [replace(each, relaxed=relaxed) for each in candidates]


def _is_enough(judged: Sequence[Judged], asked: AskedLine, last_score: float) -> bool:
    """Whether nothing below the last score can still change the answer.

    Exact ones are ranked by date, so all of them must be seen; of the non-exact ones as many as may
    be shown, and one more that tells that there are more.
    """
    template = asked.plan.template
    shown = [each for each in judged if each.match_class != "none"]
    floor = exact_floor(asked)
    if len(shown) > template.settings.max_results and last_score < floor:
        return True
    if 100 * last_score >= template.non_exact.min * asked.attainable or last_score >= floor:
        return False
    return len(judged) - len(shown) >= NEAR_MISSES_MAX


def exact_floor(asked: AskedLine) -> int:
    """The lowest score that an exact match can have."""
    floor = 0
    for each in asked.criteria:
        if each.levels and not each.plan.criterion.never_bars_exact:
            full = [level.weight for _, level, _ in each.levels if level.full]
            floor += min([*full, each.of]) if full or each.plan.scope else 0
    return floor


def compare_scores(judged: Iterable[Judged]) -> int:
    """Compare the totals of a scored search with ours, and count those that differ."""
    differing = 0
    for each in judged:
        engine_score = each.candidate.engine_score
        if engine_score is None:
            continue
        template = each.asked.plan.template
        COMPARED.labels(template.id).inc()
        if engine_score != each.best_score:
            differing += 1
            DISAGREED.labels(template.id).inc()
            log.error(
                "scores_disagree",
                template=f"{template.id}@{template.version}",
                authorization_id=each.candidate.authorization_id,
                version=each.candidate.version,
                ours=each.best_score,
                elasticsearch=engine_score,
            )
    return differing


def count_missing(template: str, missing: int) -> None:
    """Note candidates that only one of the two paths found."""
    if missing:
        DISAGREED.labels(template).inc(missing)
        log.error("candidates_disagree", template=template, missing=missing)
