"""Watches sets that are on their way in stages: counts what claims come to, and takes a set back.

Each worker counts for itself and writes that down; whoever sees that a rate of all left its band
takes the set back.
"""

import asyncio
import secrets
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Literal

import structlog
from prometheus_client import Counter

from service.application._in_force import INSTALLATION, InForce
from service.background import Background
from service.matching.outcomes import Outcomes, set_number
from service.rules.book import Rules
from service.rules.life import Stage, Step
from service.stores.connection.clock import now, today
from service.stores.rules.kept import KeptRules, Tallied
from service.stores.studies.kept import KeptClaims
from service.tuning.bands import Tally, band_words, judge_bands

log = structlog.get_logger()

LOOK_S = 1.0
PAST_DAYS = 7
"""So many days before a stage began say what its one payer is used to, where no claims do."""

FAULTS = Counter("authmatch_stages_faults_total", "Looks at sets in stages that failed.")
RETURNED = Counter(
    "authmatch_stages_returned_total",
    "Sets in stages taken back as a rate left its band.",
)

Arm = Literal["staged", "before"]
Json = dict[str, Any]


class Stages(Background):
    """Counts claims while a set is in stages, which costs nothing while none is."""

    def __init__(
        self, kept: KeptRules, claims: KeptClaims, rules: Rules, in_force: InForce | None
    ) -> None:
        super().__init__("stages_failed", FAULTS, first_s=LOOK_S, most_s=LOOK_S * 10)
        self._kept = kept
        self._claims = claims
        self._rules = rules
        self._in_force = in_force
        self._worker = secrets.token_hex(8)
        self._own: dict[int, dict[Arm, Tally]] = {}
        self._written: dict[int, dict[Arm, Tally]] = {}
        self._past: dict[int, Tally] = {}

    def count(self, payer: str, set_name: str, outcomes: Iterable[Outcomes]) -> None:
        """Count a claim that was judged by a set in stages, or by the one in whose place it is."""
        staged = self._rules.staged(payer)
        if staged is None or staged.only not in (None, payer):
            return
        if set_name not in (staged.book.name, staged.over):
            return
        arm: Arm = "staged" if set_name == staged.book.name else "before"
        counts = [(each["lines"], each["counts"]) for each in outcomes]
        self._add(
            int(set_number(staged.book.name)),
            arm,
            Tally(
                claims=1,
                lines=sum(lines for lines, _ in counts),
                none=sum(rates.get("none", 0) for _, rates in counts),
                overturned=sum(rates.get("overturned", 0) for _, rates in counts),
            ),
        )

    def _add(self, number: int, arm: Arm, tally: Tally) -> None:
        own = self._own.setdefault(number, {})
        own[arm] = own.get(arm, Tally()) + tally

    def compare(self, number: int, compared: int, differing: int) -> None:
        """Count lines of a set in stages that the set before judged as well."""
        self._add(number, "staged", Tally(compared=compared, differing=differing))

    async def turn(self) -> None:
        """Look, and look again."""
        await asyncio.sleep(LOOK_S)
        await self.look()

    async def look(self) -> None:
        """Write down what was counted here, and take back what left a band; raises EngineFault."""
        stages = {} if self._in_force is None else dict(self._in_force.stages)
        numbers = {each.number for each in stages.values()}
        for known in (self._own, self._written, self._past):
            for number in known.keys() - numbers:
                del known[number]
        for payer, stage in stages.items():
            await self._write(payer, stage.number)
            judged = await self.judged(payer, stage)
            left = [each for each in judged["bands"] if each["outcome"] == "leaves"]
            if left:
                words = "; ".join(map(band_words, left))
                await self._take_back(payer, stage, f"{words}, after {judged['claims']} claims")

    async def _write(self, payer: str, number: int) -> None:
        own = dict(self._own.get(number, {}))
        if own and own != self._written.get(number):
            counts: Json = {arm: tally.as_record() for arm, tally in own.items()}
            await self._kept.write_tally(self._worker, Tallied(payer, str(number), counts))
            self._written[number] = own

    async def judged(self, payer: str, stage: Stage) -> Json:
        """What a stage came to so far over all workers, and how that lies in its bands."""
        found = await self._kept.tallies(payer, str(stage.number))
        staged, before = (
            sum((Tally(**each[arm]) for each in found if arm in each), Tally())
            for arm in ("staged", "before")
        )
        if stage.only is not None and stage.share == 100:
            before = await self._past_of(stage.only, stage)
        table = self._rules.of(payer, today()).references.bands
        return {
            "claims": staged.claims,
            "lines": staged.lines,
            "claims_before": before.claims,
            "claims_min": table.claims_min,
            "bands": judge_bands(table, staged, before),
        }

    async def _past_of(self, payer: str, stage: Stage) -> Tally:
        """What lines of a payer came to by the set before, in the days before a stage began."""
        known = self._past.get(stage.number)
        if known is None:
            last = date.fromisoformat(stage.began[:10])
            first = last - timedelta(days=PAST_DAYS)
            known = Tally()
            for adjudicated in (True, False):
                found = await self._claims.outcomes(payer, first, last, adjudicated=adjudicated)
                known = sum(
                    (_tally(each) for number, each in found if number == str(stage.over)), known
                )
            self._past[stage.number] = known
        return known

    async def _take_back(self, payer: str, stage: Stage, reason: str) -> None:
        """Have the set before judge all claims again, unless somebody did something meanwhile."""
        seen = await self._kept.pointer()
        if seen is None or seen.pointer.stages.get(payer) != stage:
            return
        await self._kept.complete(seen.pointer)
        step = Step(action="return", at=now(), who=INSTALLATION, reason=reason)
        pointer = seen.pointer.stepped(payer, None, step)
        if await self._kept.point(pointer, seen.seen):
            RETURNED.inc()
            log.warning("stage_returned", set=stage.number, reason=reason)
            await self._kept.complete(pointer)
            if self._in_force is not None:
                await self._in_force.look()


def _tally(outcomes: Outcomes) -> Tally:
    """Of the past lines are known, and stand for claims."""
    lines, counts = outcomes["lines"], outcomes["counts"]
    return Tally(lines, lines, counts.get("none", 0), counts.get("overturned", 0))
