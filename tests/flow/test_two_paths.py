"""Elasticsearch and the scorer are two paths to one property: total, candidates, whole answer.

Templates, authorizations and claims are drawn at random; a failure names the seed that drew them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from service.application.parts import Stores
from service.comparison.prepared import AskedLine
from service.comparison.registry import comparisons
from service.domain.answers import MatchedLine
from service.domain.candidate import Candidate, Found
from service.domain.claim import Claim
from service.domain.person import Person
from service.flow.matching.finding import CandidateSource
from service.flow.matching.match import ask, match_claim
from service.matching.scorer import Scorer
from service.querying.library import load_library
from service.querying.search import Search, candidate_search, scored_search
from service.requirement.decision import decide_requirement
from service.rules.book import RuleBook
from tests.flow.random_papers import Papers
from tests.flow.random_templates import Templates
from tests.ground import Ground, as_pushed, shipped_rules

LIGHT, HEAVY = "MLIGHT", "MHEAVY"
SIZES = {LIGHT: 40, HEAVY: 230}
ALL = 1_000
TEMPLATES, CLAIMS = 5, 3


@dataclass(frozen=True)
class AllAtOnce:
    """A source that gives all candidates of a claim in one search, however many there are."""

    inner: CandidateSource

    async def prepare(self, payer: str, member: str) -> Person:
        """As the real source does."""
        return await self.inner.prepare(payer, member)

    async def search(self, payer: str, person: Person, search: Search) -> Found:
        """Search with room for all."""
        if search.scored:
            return await self.inner.search(payer, person, search)
        found = await self.inner.search(payer, person, replace(search, size=ALL))
        return Found(candidates=found.candidates, total=min(found.total, 1))


@dataclass(frozen=True)
class LineByLine:
    """A source that always has too many candidates, so that every line is searched by score."""

    inner: CandidateSource

    async def prepare(self, payer: str, member: str) -> Person:
        """As the real source does."""
        return await self.inner.prepare(payer, member)

    async def search(self, payer: str, person: Person, search: Search) -> Found:
        """Search, and say that there are more."""
        found = await self.inner.search(payer, person, search)
        return found if search.scored else Found(candidates=(), total=ALL)


@dataclass
class Round:
    """What one seed drew, on the stores; and how much of it was compared."""

    seed: int
    payer: str
    stores: Stores
    rules: RuleBook
    template: dict[str, Any]
    seen: Counter[str]

    @property
    def where(self) -> str:
        """Name what was drawn, for the message of a failure."""
        return f"seed {self.seed}: {json.dumps(self.template)}"

    async def compare_scores(self, claim: Claim) -> None:
        """Every candidate of every line: found by both paths, with the same total."""
        for asked in asked_lines(claim, self.rules):
            member = claim.member.id
            everything = replace(candidate_search([asked], nearby=False), size=ALL)
            pool = (
                await self.stores.search.search(self.payer, Person.of(member), everything)
            ).candidates
            ours = best_scores(pool, asked)
            theirs = await self.engine_scores(member, asked)

            assert theirs == ours, f"{self.where}\n{claim.model_dump_json(by_alias=True)}"

            if not asked.plan.raws() and member == LIGHT:
                whole = Search(size=ALL)
                pool = (
                    await self.stores.search.search(self.payer, Person.of(member), whole)
                ).candidates
                assert best_scores(pool, asked) == ours, self.where
            self.seen["candidates"] += len(ours)
            self.seen["scores"] += len(set(ours.values()))

    async def engine_scores(self, member: str, asked: AskedLine) -> dict[str, float]:
        """Read the scored search of a line to its end."""
        scores: dict[str, float] = {}
        search = scored_search(asked)
        while True:
            page = await self.stores.search.search(self.payer, Person.of(member), search)
            for each in page.candidates:
                assert each.authorization_id not in scores, "a hit came on two pages"
                assert each.engine_score is not None
                scores[each.authorization_id] = each.engine_score
            if len(page.candidates) < search.size:
                return scores
            search = scored_search(asked, after=page.candidates[-1].sort)

    async def compare_answers(self, claim: Claim) -> None:
        """The answer is the same by one search, by one search a line, and as it comes."""
        source = self.stores.search
        by_line = await self.answer(claim, LineByLine(source))

        for other in (AllAtOnce(source), source):
            by_search = await self.answer(claim, other)
            assert alike(by_line, by_search), self.where

        for line in by_line:
            self.seen.update(result["class"] for result in line["results"])

    async def answer(self, claim: Claim, source: CandidateSource) -> list[MatchedLine]:
        """Match, and give the lines; of truncated ones no near misses are looked for.

        Those that are no candidates are found by one search alone, and left out.
        """
        required = {each["id"] for each in self.template["require"]}
        matched = await match_claim(claim, self.payer, rules=self.rules, source=source)
        lines = matched.answer["lines"]
        for result in (result for line in lines for result in line["results"]):
            if result["truncated"]:
                result["near_misses"] = []
            result["near_misses"] = [
                each
                for each in result["near_misses"]
                if not required.intersection(each["exact_blockers"])
            ]
        return lines


def alike(by_line: list[MatchedLine], by_search: list[MatchedLine]) -> bool:
    """Whether the answers agree; those that are no candidates took the place of near misses."""
    for line, other in zip(by_line, by_search, strict=True):
        for result, found in zip(line["results"], other["results"], strict=True):
            shown = len(found["near_misses"])
            if {**result, "near_misses": result["near_misses"][:shown]} != found:
                return False
        if line["requirement"] != other["requirement"]:
            return False
    return True


def asked_lines(claim: Claim, rules: RuleBook) -> Iterable[AskedLine]:
    """Every line of a claim, asked for each kind that it looks for."""
    needs = {line.line: decide_requirement(claim, line, rules.tables) for line in claim.lines}
    return (each.asked for each in ask(claim, needs, rules))


def best_scores(pool: Sequence[Candidate], asked: AskedLine) -> dict[str, float]:
    """The totals of the scorer."""
    judged = Scorer(pool).judge(asked)
    return {each.candidate.authorization_id: each.best_score for each in judged}


def rules_with(template: dict[str, Any]) -> RuleBook:
    """Rules in which a template, checked as any file is, stands for all five."""
    rules = shipped_rules()
    library = load_library({"drawn.yaml": json.dumps(template)}, rules.references)
    assert library.problems == ()
    plan = library.plans["professional"]
    return replace(rules, plans=dict.fromkeys(rules.plans, plan))


async def compare_both_paths(stores: Stores, payer: str, seed: int) -> Counter[str]:
    """Push what the seed draws, and compare all of it."""
    papers, templates = Papers(seed), Templates(seed)
    pushed = [
        as_pushed(papers.authorization(f"{member}-{number}", member))
        for member, count in SIZES.items()
        for number in range(count)
    ]
    await stores.authorizations.push(payer, pushed)
    seen: Counter[str] = Counter()
    for _ in range(TEMPLATES):
        template = templates.template()
        drawn = Round(seed, payer, stores, rules_with(template), template, seen)
        for number in range(CLAIMS):
            claim = papers.claim(f"C-{number}", HEAVY if number == 0 else LIGHT)
            await stores.search.prepare(payer, claim.member.id)
            await drawn.compare_scores(claim)
            await drawn.compare_answers(claim)
    return seen


def compare_seeds(ground: Ground, payer: str, seeds: range) -> None:
    """Compare what several seeds draw; it must have been worth comparing."""
    total: Counter[str] = Counter()
    for seed in seeds:

        async def compared(stores: Stores, seed: int = seed) -> Counter[str]:
            return await compare_both_paths(stores, f"{payer}-{seed}", seed)

        total += ground.run(compared)
    assert min(total[name] for name in ("exact", "non-exact", "none", "scores")) > len(seeds)


def test_both_paths_come_to_one_result(ground: Ground, payer: str) -> None:
    """Every total, candidate and answer of drawn cases is the same by both paths."""
    compare_seeds(ground, payer, range(1, 3))


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_both_paths_come_to_one_result_in_many_more_cases(ground: Ground, payer: str) -> None:
    """The same, for many more seeds."""
    compare_seeds(ground, payer, range(1_000, 1_060))


def test_the_drawn_templates_use_every_comparison() -> None:
    """A comparison that is never drawn would never be compared."""
    templates = Templates(0)
    drawn = json.dumps([templates.template() for _ in range(60)])

    assert [name for name in comparisons() if f'"comparison": "{name}"' not in drawn] == []
