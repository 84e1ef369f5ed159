"""Scores a share of live matches a second time, off the hot path: do both paths agree?"""

import asyncio
import random

import structlog
from prometheus_client import Counter

from service.comparison.prepared import AskedLine
from service.flow.matching.finding import Finder, compare_scores, count_missing
from service.flow.matching.match import Matched
from service.matching.scorer import Judged

log = structlog.get_logger()

CHECKS = Counter("authmatch_live_checks_total", "Live matches scored a second time.", ["outcome"])


class LiveCheck:
    """At most one check at a time, so that it can never crowd out matches."""

    def __init__(self, share: float) -> None:
        """Check a share of the claims, from 0 to 1."""
        self._share = share
        self._task: asyncio.Task[None] | None = None

    def offer(self, matched: Matched) -> None:
        """Check one line of this claim, perhaps; returns at once."""
        busy = self._task is not None and not self._task.done()
        if busy or not matched.searches or random.random() >= self._share:  # noqa: S311 - a sample
            return
        one = random.choice(matched.searches).passes[0]  # noqa: S311 - a sample
        self._task = asyncio.create_task(self._run(matched.finder, list(one.judged), one.asked))

    async def _run(self, finder: Finder, ours: list[Judged], asked: AskedLine) -> None:
        try:
            outcome = await check_scores(finder, ours, asked)
        except Exception as error:  # noqa: BLE001 - a check must never end the worker; it is counted
            CHECKS.labels("failed").inc()
            log.warning("live_check_failed", reason=type(error).__name__)
        else:
            CHECKS.labels("agreed" if outcome == 0 else "disagreed").inc()

    async def close(self) -> None:
        """Wait for a check that runs."""
        if self._task is not None:
            await asyncio.wait([self._task])


async def check_scores(finder: Finder, ours: list[Judged], asked: AskedLine) -> int:
    """How many totals or candidates of a line differ from ours when Elasticsearch scores it.

    An authorization that was pushed anew in between is left out.
    """
    theirs = await finder.scored(asked)
    mine = {each.candidate.authorization_id: each for each in ours}
    differing = compare_scores(theirs)
    for each in theirs:
        known = mine.get(each.candidate.authorization_id)
        if known is not None and known.candidate.version == each.candidate.version:
            differing += known.best_score != each.candidate.engine_score
    if len(theirs) < len(ours) and len(theirs) <= asked.plan.template.settings.max_results:
        count_missing(asked.plan.template.id, len(ours) - len(theirs))
        differing += len(ours) - len(theirs)
    return differing
