"""Has drafts judge a share of live claims beside the rules in force, after the answer was given.

A process of its own judges, with lower priority, a claim after the other and within a budget of
time; what the budget has no room for is dropped, and counted. What comes out is counted, never
answered.
"""

import asyncio
import contextlib
import secrets
import sys
import time
from collections import Counter as Counts
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

import orjson
import structlog
from prometheus_client import Counter

from service.application._in_force import INSTALLATION, InForce
from service.application._stages import Stages
from service.background import Background
from service.domain.claim import Claim
from service.domain.engine_fault import EngineFault
from service.flow.matching.match import Matched
from service.rules.book import Rules, share_of
from service.rules.life import Shadow, Step
from service.stores.connection.clock import now
from service.stores.rules.kept import KeptRules, Tallied
from service.tuning.shadow import CLAIM_S, LOADING_S, SAME, as_asked

log = structlog.get_logger()

FAULTS = Counter("authmatch_shadow_faults_total", "Times that trying drafts beside failed.")
LINES = Counter(
    "authmatch_shadow_lines_total", "Lines judged by drafts beside, by how they come out.", ["what"]
)
DROPPED = Counter(
    "authmatch_shadow_dropped_total", "Claims to be judged beside that the budget had no room for."
)

WAITING_MAX = 50
"""So many claims wait to be judged; more are dropped."""
SOON_S = 0.05
"""Their answers are given first."""
BUDGET = 0.1
"""So much of one processor a worker may use for it, over time."""
SAVED_S_MAX = 2.0
"""So much of what was not used may be used later, in seconds."""
OVERRUNS_MAX = 3
"""So many claims in a row may take too long, then the draft is tried no more."""
WRITE_S = 1.0
EXAMPLES_MAX = 20
PATIENCE_S = 20.0
"""So long an answer may take on a machine that is busy with claims."""
_LINE_BYTES = 16 * 1024 * 1024

Json = dict[str, Any]


class Overrun(Exception):
    """The process ended, or was ended: it took longer than it may."""


class _Task(NamedTuple):
    """A claim that is to be judged beside, by which texts.

    For a draft of somebody, or for a set in stages (its number) by the set before.
    """

    hash: str
    claim: Claim
    matched: Matched
    draft: tuple[str, Shadow] | None = None
    stage: int = 0


class Judge:
    """A process that judges by one set of texts."""

    def __init__(self, texts: Mapping[str, str], member_id_form: str) -> None:
        """It starts with the first claim."""
        head = {"texts": dict(texts), "member_id_form": member_id_form, "claim_s": CLAIM_S}
        self._head = orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE)
        self._child: asyncio.subprocess.Process | None = None

    async def ask(self, line: bytes) -> Json:
        """How a claim comes out; raises Overrun, and then begins anew with the next one."""
        try:
            if self._child is None:
                self._child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "service.tuning.shadow",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    limit=_LINE_BYTES,
                )
                await self._told(self._head, LOADING_S + PATIENCE_S)
            return await self._told(line, PATIENCE_S)
        except (TimeoutError, OSError, ValueError) as error:
            await self.close()
            raise Overrun from error

    async def _told(self, line: bytes, patience_s: float) -> Json:
        child = cast(asyncio.subprocess.Process, self._child)
        given = cast(asyncio.StreamWriter, child.stdin)
        given.write(line)
        async with asyncio.timeout(patience_s):
            await given.drain()
            told: Json = orjson.loads(await cast(asyncio.StreamReader, child.stdout).readline())
        return told

    async def close(self) -> None:
        """End it."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


class Tally:
    """What one worker counted of a draft."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.counts: Counts[str] = Counts()
        self.lines: Counts[str] = Counts()
        self.not_comparable: Counts[str] = Counts()
        self.examples: dict[str, list[Json]] = {}
        self.is_written = True

    def count(self, what: str, number: int = 1) -> None:
        """Count claims, or milliseconds."""
        self.counts[what] += number
        self.is_written = False

    def add(self, claim_id: str, told: Json) -> None:
        """Count what a claim came to."""
        self.count("claims")
        self.count("ms", round(1000 * told["seconds"]))
        if "not_comparable" in told:
            self.not_comparable[told["not_comparable"]] += 1
            return
        for line, what in told["lines"]:
            self.lines[what] += 1
            LINES.labels(what).inc()
            known = self.examples.setdefault(what, [])
            if what != SAME and len(known) < EXAMPLES_MAX:
                known.append({"claim_id": claim_id, "line": line})

    def as_record(self) -> Json:
        """Write it as plain JSON."""
        return {
            "counts": dict(self.counts),
            "lines": dict(self.lines),
            "not_comparable": dict(self.not_comparable),
            "examples": {what: found for what, found in self.examples.items() if found},
        }


def together(records: Iterable[Json]) -> Json:
    """What all workers counted."""
    both = Tally()
    for each in records:
        both.counts.update(each["counts"])
        both.lines.update(each["lines"])
        both.not_comparable.update(each["not_comparable"])
        for what, found in each["examples"].items():
            known = both.examples.setdefault(what, [])
            known += found[: EXAMPLES_MAX - len(known)]
    return both.as_record()


class Shadows(Background):
    """Takes claims that were answered, and has drafts judge them; idle while none is tried."""

    def __init__(
        self,
        kept: KeptRules,
        rules: Rules,
        in_force: InForce | None,
        stages: Stages,
        member_id_form: str,
    ) -> None:
        super().__init__("shadows_failed", FAULTS, first_s=WRITE_S, most_s=WRITE_S * 30)
        self._kept = kept
        self._rules = rules
        self._in_force = in_force
        self._stages = stages
        self._form = member_id_form
        self._worker = secrets.token_hex(8)
        self._waiting: deque[_Task] = deque()
        self._judges: dict[str, Judge] = {}
        self._tallies: dict[str, tuple[str, Tally]] = {}
        self._overruns = 0
        self._saved_s = SAVED_S_MAX
        self._saved_at = time.monotonic()
        self._wake = asyncio.Event()

    def offer(self, payer: str, claim: Claim, matched: Matched) -> None:
        """Have a claim judged beside, perhaps; returns at once."""
        in_force = self._in_force
        if in_force is None or not (in_force.shadows or in_force.stages):
            return
        owner = payer if payer in in_force.shadows else self._rules.owner(payer)
        shadow = in_force.shadows.get(owner)
        if shadow and share_of(shadow.draft, payer, claim.claim_id) * 100 < shadow.share:
            self._add(_Task(shadow.hash, claim, matched, draft=(owner, shadow)))
        stage = in_force.stages.get(self._rules.owner(payer))
        staged = self._rules.staged(payer)
        if stage and staged and matched.answer["rules"]["set"] == staged.book.name:
            self._add(_Task(stage.over_hash, claim, matched, stage=stage.number))

    def _add(self, task: _Task) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self._drop(task)
        else:
            self._waiting.append(task)
            self._wake.set()

    def _drop(self, task: _Task) -> None:
        DROPPED.inc()
        if task.draft is not None:
            self._tally(*task.draft).count("dropped")

    def _tally(self, owner: str, shadow: Shadow) -> Tally:
        return self._tallies.setdefault(shadow.name, (owner, Tally()))[1]

    async def turn(self) -> None:
        """Judge what waits, and write down what was counted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WRITE_S):
                await self._wake.wait()
        await asyncio.sleep(SOON_S)
        await self.look()

    async def look(self) -> None:
        """The same at once; raises EngineFault."""
        self._wake.clear()
        while self._waiting:
            task = self._waiting.popleft()
            if self._save() <= 0:
                self._drop(task)
            else:
                await self._judge(task)
        await self._end_judges()
        for name, (owner, tally) in list(self._tallies.items()):
            if not tally.is_written:
                counted, tally.is_written = Tallied(owner, name, tally.as_record()), True
                try:
                    await self._kept.write_tally(self._worker, counted)
                except EngineFault:
                    tally.is_written = False
                    raise

    def _save(self) -> float:
        """What of the budget may be used now, in seconds."""
        at = time.monotonic()
        self._saved_s = min(SAVED_S_MAX, self._saved_s + (at - self._saved_at) * BUDGET)
        self._saved_at = at
        return self._saved_s

    async def _judge(self, task: _Task) -> None:
        judge = self._judges.get(task.hash)
        if judge is None:
            texts = (await self._kept.texts([task.hash]))[task.hash]
            judge = self._judges[task.hash] = Judge(texts, self._form)
        try:
            told = await judge.ask(as_asked(task.claim, task.matched))
        except Overrun:
            self._saved_s -= CLAIM_S
            if task.draft is not None:
                await self._overrun(*task.draft)
            return
        self._saved_s -= told["seconds"]
        if task.draft is not None:
            self._overruns = 0
            self._tally(*task.draft).add(task.claim.claim_id, told)
        elif "lines" in told:
            differing = sum(what != SAME for _, what in told["lines"])
            self._stages.compare(task.stage, len(told["lines"]), differing)

    async def _overrun(self, owner: str, shadow: Shadow) -> None:
        self._tally(owner, shadow).count("stopped")
        self._overruns += 1
        if self._overruns >= OVERRUNS_MAX:
            await self._stop(owner, shadow)

    async def _stop(self, owner: str, shadow: Shadow) -> None:
        """Try a draft no more, unless somebody did something meanwhile."""
        self._overruns = 0
        while self._waiting:
            self._drop(self._waiting.popleft())
        seen = await self._kept.pointer()
        if seen is None or seen.pointer.shadows.get(owner) != shadow:
            return
        await self._kept.complete(seen.pointer)
        reason = f"{OVERRUNS_MAX} claims in a row took over {CLAIM_S:g} s of a processor each"
        step = Step(
            action="unshadow", at=now(), who=INSTALLATION, reason=reason, draft=shadow.draft
        )
        pointer = seen.pointer.shadowed(owner, None, step)
        if await self._kept.point(pointer, seen.seen):
            log.warning("shadow_stopped", draft=shadow.draft, reason=reason)
            await self._kept.complete(pointer)
            if self._in_force is not None:
                await self._in_force.look()

    async def _end_judges(self) -> None:
        """End the processes of drafts that are tried no more, and forget their counts."""
        if self._in_force is None:
            return
        shadows, stages = self._in_force.shadows.values(), self._in_force.stages.values()
        used = {each.hash for each in shadows} | {each.over_hash for each in stages}
        for hash_ in self._judges.keys() - used:
            await self._judges.pop(hash_).close()
        for name in self._tallies.keys() - {each.name for each in shadows}:
            if self._tallies[name][1].is_written:
                del self._tallies[name]

    async def close(self) -> bool:
        """End the background, and the processes."""
        has_run = await super().close()
        for each in self._judges.values():
            await each.close()
        self._judges.clear()
        return has_run
