"""Judges live claims by other rules beside those in force, in a process of its own.

Nothing is searched for again: a claim comes with what was found for it. Where the other rules would
have looked further it cannot be compared. It reads lines of JSON from stdin (the rules, then a
claim each) and answers each by a line on stdout. A claim that takes longer than it may ends the
process.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from service.comparison.comparison import Clause
from service.domain.candidate import Found
from service.domain.claim import Claim
from service.domain.member_ids import use_member_id_form
from service.domain.person import Person
from service.flow.matching.counting import Counting
from service.flow.matching.match import LineSearch, Matched, match_claim
from service.querying.search import Search, finds_all
from service.requirement.faults import TableFault
from service.rules.book import RuleBook
from service.rules.rule_set import RuleSet
from service.rules.texts import book_of
from service.tuning.study import StudyClaim, read_record

NICENESS = 15
"""Live requests go first."""
CLAIM_S = 0.5
"""So much time of a processor one claim may take."""
LOADING_S = 10.0
"""So much time of a processor loading the rules may take."""

NOT_NEEDED = "not needed"
SAME = "same"
OTHER = "other authorization"

_FIELDS = frozenset(each.alias or name for name, each in Claim.model_fields.items())
"""An adjudication says more, which no match looks at."""

Json = dict[str, Any]
Outcome = tuple[str, tuple[str, ...]]
"""The class of a line, and the authorizations that are taken for it."""
Outcomes = Mapping[tuple[int, str], Outcome]
"""By claim line and kind, of what is needed."""


class NotComparable(Exception):
    """Other rules look at what was not looked for; the text says at what, in a few words."""


@dataclass(frozen=True, slots=True)
class Before:
    """What was found for a claim: the candidates, and by the filters of which searches."""

    claim: StudyClaim
    pools: Sequence[Sequence[Clause]]

    async def prepare(self, payer: str, member: str) -> Person:
        """Nothing to wait for."""
        return await self.claim.prepare(payer, member)

    async def search(self, payer: str, person: Person, search: Search) -> Found:
        """Give all candidates, if nothing else could be found; raises NotComparable."""
        if search.must_not or search.should or search.scored:
            raise NotComparable("raw clauses")
        if not any(finds_all(pool, search.filter) for pool in self.pools):
            raise NotComparable("wider search")
        return await self.claim.search(payer, person, search)


def outcomes_of(searches: Iterable[LineSearch]) -> dict[tuple[int, str], Outcome]:
    """What was decided of each line that needs something."""
    return {
        (each.line.line, each.kind): (
            each.ranked.match_class,
            tuple(one.candidate.authorization_id for one in each.resolution.chosen),
        )
        for each in searches
        if each.is_required
    }


def compare(before: Outcomes, after: Outcomes) -> list[tuple[int, str]]:
    """How each line comes out by other rules: the same, another authorization, or ``A > B``."""
    nothing: Outcome = (NOT_NEEDED, ())
    found = []
    for key in sorted({*before, *after}):
        (one, took), (other, takes) = before.get(key, nothing), after.get(key, nothing)
        what = f"{one} > {other}" if one != other else SAME if took == takes else OTHER
        found.append((key[0], what))
    return found


async def judge(before: Before, book: RuleBook) -> Outcomes:
    """Judge a claim by other rules; raises NotComparable, TableFault."""
    claim = before.claim.claim
    if Counting.of(claim, book).looks_back:
        raise NotComparable("counters")
    if before.claim.is_cut:
        raise NotComparable("too many candidates")
    matched = await match_claim(claim, "", rules=book, source=before)
    return outcomes_of(matched.searches)


def as_asked(claim: Claim, matched: Matched) -> bytes:
    """A claim that was just matched, as the process reads it."""
    finder = matched.finder
    pools = finder.pools
    candidates = {each.authorization_id: each for _, found in pools for each in found.candidates}
    study = StudyClaim(
        claim=claim,
        person=finder.person,
        candidates=tuple(candidates.values()),
        reach=("", ""),
        is_cut=any(put.scorer is None for search in matched.searches for put in search.passes),
    )
    record = study.as_record()
    record["claim"] = {name: each for name, each in record["claim"].items() if name in _FIELDS}
    asked = {
        "study": record,
        "pools": [search.filter for search, _ in pools],
        "before": [[*key, *outcome] for key, outcome in outcomes_of(matched.searches).items()],
    }
    return orjson.dumps(asked, option=orjson.OPT_APPEND_NEWLINE)


def answer_to(line: bytes, book: RuleBook) -> Json:
    """Judge a claim as it was asked: how its lines come out, or why they cannot be compared."""
    asked = orjson.loads(line)
    before = {
        (number, kind): (match_class, tuple(chosen))
        for number, kind, match_class, chosen in asked["before"]
    }
    try:
        known = Before(read_record(asked["study"]), asked["pools"])
        return {"lines": compare(before, asyncio.run(judge(known, book)))}
    except NotComparable as reason:
        return {"not_comparable": str(reason)}
    except TableFault:
        return {"not_comparable": "a decision table fails"}


def main(given: BinaryIO, told: BinaryIO) -> None:
    """Load the rules, then judge claims until there are no more."""
    os.nice(NICENESS)

    def tell(said: Json) -> None:
        told.write(orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE))
        told.flush()

    signal.setitimer(signal.ITIMER_PROF, LOADING_S)
    head = orjson.loads(given.readline())
    use_member_id_form(head["member_id_form"])
    book = book_of(RuleSet(head["texts"]))
    signal.setitimer(signal.ITIMER_PROF, 0)
    tell({"ready": True})
    while line := given.readline():
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, head["claim_s"])
        answer = answer_to(line, book)
        signal.setitimer(signal.ITIMER_PROF, 0)
        tell({**answer, "seconds": time.process_time() - began})


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
