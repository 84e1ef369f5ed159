"""From a claim and the authorizations chosen for its lines to a plan of draws; no balance is known.

Lines are planned in the order of the claim, in which they are served.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from service.accounting.books.plan import ClaimPlan, Drawable, LinePlan, Part
from service.accounting.limits.choice import Asked, Choice, Obstacle, flags_of
from service.accounting.planning.clearing import Clearing, partly_covering
from service.accounting.planning.consumption import is_daily
from service.accounting.planning.days import scaled_units, service_days, units_by_day, units_of
from service.accounting.planning.parts import Held, LineParts, Sought, Studies
from service.domain.claim import Claim, ServiceLine
from service.domain.claim_values import days_of
from service.domain.reference import References

__all__ = ["Asked", "Choice", "Obstacle", "Planned", "flags_of", "plan_claim"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan of a claim, and why lines that asked for something are not in it."""

    plan: ClaimPlan
    obstacles: tuple[Obstacle, ...]


def plan_claim(claim: Claim, asked: Sequence[Asked], references: References) -> Planned:
    """Plan what the lines of a claim are drawn from.

    A line is left out, without an obstacle, that bills nothing (zero units), for which a kind has
    no choice, or for which every kind is waived.
    """
    planner = _Planner(claim, references)
    by_line: dict[int, list[Asked]] = {}
    for each in asked:
        by_line.setdefault(each.line.line, []).append(each)
    for line in claim.lines:
        if line.line in by_line and units_of(line) > 0:
            planner.add(line, by_line[line.line])
    return planner.planned()


@dataclass(slots=True)
class _Planner:
    claim: Claim
    references: References
    clearing: Clearing = field(init=False)
    lines: list[LinePlan] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    drawables: dict[str, Drawable] = field(default_factory=dict)
    studies: Studies = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.clearing = Clearing(self.references)

    def add(self, line: ServiceLine, asked: Sequence[Asked]) -> None:
        """Plan one line, or say what is in its way."""
        first, _ = days_of(self.claim, line)
        cleared = [self.clearing.clear(each, first) for each in asked if each.choices]
        obstacles = [each for each in cleared if isinstance(each, Obstacle)]
        sought = [each for each in cleared if isinstance(each, Sought)]
        if not obstacles and sought and len(cleared) == len(asked):
            parts = self._parts(line, sought, obstacles)
            if not obstacles:
                self._keep(line, asked, parts, sought)
        self.obstacles += obstacles

    def _parts(
        self, line: ServiceLine, sought: Sequence[Sought], obstacles: list[Obstacle]
    ) -> tuple[Part, ...]:
        days = service_days(self.claim, line)
        if days is None:
            obstacles += [_non_daily(line, each, None) for each in sought]
            return ()
        units = units_by_day(line, days, is_daily=self._is_daily(line, sought))
        cut = LineParts(self.claim, line, sought, self.references, self.studies)
        if units is not None:
            return cut.by_day(units)
        obstacles += _partly_covered(line, sought, days)
        return cut.whole(days, scaled_units(line))

    def _is_daily(self, line: ServiceLine, sought: Sequence[Sought]) -> bool:
        countings = (
            counting for each in sought for held in each.held for _, counting in held.accounts
        )
        return is_daily(line, self.references) or any(each.is_daily for each in countings)

    def _keep(
        self,
        line: ServiceLine,
        asked: Sequence[Asked],
        parts: tuple[Part, ...],
        sought: Sequence[Sought],
    ) -> None:
        policy = self.references.accounting
        whole_only = any(policy.short_of(each.query_type) == "refuse" for each in asked)
        self.lines.append(LinePlan(line=line.line, whole_only=whole_only, parts=parts))
        drawn = {
            (draw.authorization_id, draw.line)
            for part in parts
            for way in part.ways
            for draw in way.draws
        }
        for held in (held for each in sought for held in each.held):
            if held.choice.key in drawn:
                self._name(held)

    def _name(self, held: Held) -> None:
        """Name an authorization in the plan, with the limits of the bases that are used."""
        authorization = held.choice.authorization
        before = self.drawables.get(authorization.authorization_id)
        bounds = {account.base: account.bounds for account, _ in held.accounts}
        self.drawables[authorization.authorization_id] = Drawable(
            authorization_id=authorization.authorization_id,
            version=authorization.version,
            bounds={**(before.bounds if before else {}), **bounds},
        )

    def planned(self) -> Planned:
        """Give the plan, with the limits of all that it may draw on."""
        plan = ClaimPlan(lines=tuple(self.lines), authorizations=self.drawables)
        return Planned(plan=plan, obstacles=tuple(self.obstacles))


def _partly_covered(
    line: ServiceLine, sought: Sequence[Sought], days: Sequence[date]
) -> list[Obstacle]:
    """Say of each kind whether a choice covers only a part of a line that cannot be divided."""
    found = []
    for each in sought:
        partly = next(partly_covering(each, days), None)
        if partly is not None:
            found.append(_non_daily(line, each, partly))
    return found


def _non_daily(line: ServiceLine, sought: Sought, choice: Choice | None) -> Obstacle:
    return Obstacle(
        line=line.line,
        kind=sought.kind,
        outcome="non_daily_span",
        authorization_id=choice.key[0] if choice else None,
    )
