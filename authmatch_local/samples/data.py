"""Samples of any size: authorizations and claims that belong together, the same for the same seed.

The whole is cut into blocks of a thousand authorizations; a block holds whole members and is made
from the seed and its own number alone. So memory does not grow with the size, and slices of blocks
can be made by several processes.
"""

from collections.abc import Iterator
from datetime import date
from random import Random

from authmatch_local.samples.bench import bench_claim
from authmatch_local.samples.days import Days
from authmatch_local.samples.expected import Expected
from authmatch_local.samples.member import MemberPlan, live
from authmatch_local.samples.papers import Json
from authmatch_local.samples.scene import Scene

BLOCK_AUTHORIZATIONS = 1_000
AUTHORIZATIONS_MAX = 100_000_000
MEMBER_AUTHORIZATIONS = (10, 20)
HEAVY_AUTHORIZATIONS = (150, 400)
_MEMBERS_A_BLOCK = 66
_SEED_STEP = 1_000_003
_DEFAULT_FIRST_DAY = date(2026, 1, 1)


class SampleData:
    """Authorizations and claims, made on demand.

    One member in ``heavy_every`` has 150 to 400 authorizations instead of 10 to 20; at most one in
    a block has. ``first_day`` is the first day of the year in which the claims' services are.
    """

    def __init__(
        self,
        seed: int,
        authorizations: int,
        first_day: date = _DEFAULT_FIRST_DAY,
        *,
        heavy_every: int = 2_000,
    ) -> None:
        if not 1 <= authorizations <= AUTHORIZATIONS_MAX:
            raise ValueError(f"from 1 to {AUTHORIZATIONS_MAX} authorizations")
        if heavy_every < 1:
            raise ValueError("one member in how many is heavy: at least 1")
        self.seed = seed
        self.total = authorizations
        self.first_day = first_day
        self.heavy_every = heavy_every
        self._days = Days(first_day)

    @property
    def blocks(self) -> int:
        """How many blocks of members there are; slices count in them."""
        return -(-self.total // BLOCK_AUTHORIZATIONS)

    def authorizations(self) -> Iterator[Json]:
        """All authorizations, ready for JSON, in the order of their ids."""
        return self.slice(0, self.blocks)

    def slice(self, start: int, stop: int) -> Iterator[Json]:
        """The authorizations of the blocks from ``start`` up to, not including, ``stop``."""
        for scene in self._scenes(start, stop):
            yield from scene.authorizations

    def claims(self) -> Iterator[tuple[Json, tuple[Expected, ...]]]:
        """All claims, each with what must come out for its lines."""
        return self.slice_claims(0, self.blocks)

    def slice_claims(self, start: int, stop: int) -> Iterator[tuple[Json, tuple[Expected, ...]]]:
        """The claims of the members of the blocks from ``start`` up to ``stop``."""
        for scene in self._scenes(start, stop):
            for claim, expected in scene.claims:
                yield claim, tuple(expected)

    def bench_claims(self, *, lines: int = 10, count: int) -> Iterator[Json]:
        """Professional claims of ordinary members, for benchmarks, spread over all blocks.

        A line matches or does not; nothing is expected of it.
        """
        for turn in range(count):
            block = turn * _SEED_STEP % self.blocks
            ordinary = [plan for plan in self._plans(block) if not plan.heavy]
            plan = ordinary[turn // self.blocks % len(ordinary)] if ordinary else None
            if plan:
                scene = live(plan, self._days, self._rng(plan))
                yield bench_claim(scene, turn, lines)

    def _scenes(self, start: int, stop: int) -> Iterator[Scene]:
        for block in range(start, min(stop, self.blocks)):
            for plan in self._plans(block):
                yield live(plan, self._days, self._rng(plan))

    def _rng(self, plan: MemberPlan) -> Random:
        return Random(self.seed * AUTHORIZATIONS_MAX * 10 + plan.first_ordinal * 2)  # noqa: S311

    def _plans(self, block: int) -> list[MemberPlan]:
        """Share the authorizations of a block among its members."""
        rng = Random((self.seed * AUTHORIZATIONS_MAX + block) * 20 + 1)  # noqa: S311 - made-up data
        first = block * BLOCK_AUTHORIZATIONS
        end = min(first + BLOCK_AUTHORIZATIONS, self.total)
        plans: list[MemberPlan] = []
        if self._is_heavy(block):
            count = min(rng.randint(*HEAVY_AUTHORIZATIONS), end - first)
            plans.append(MemberPlan(f"H{first:09d}", first, count, block, heavy=True))
            first += count
        while first < end:
            count = rng.randint(*MEMBER_AUTHORIZATIONS)
            if end - first - count < MEMBER_AUTHORIZATIONS[0]:
                count = end - first
            place = block * _MEMBERS_A_BLOCK + len(plans)
            plans.append(MemberPlan(f"M{first:09d}", first, count, place))
            first += count
        return plans

    def _is_heavy(self, block: int) -> bool:
        """Whether the block has a heavy member: one block in so many, the second one first."""
        period = max(1, round(self.heavy_every / _MEMBERS_A_BLOCK))
        return block % period == min(1, period - 1)
