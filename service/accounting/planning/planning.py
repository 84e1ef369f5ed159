"""From a claim and the authorizations chosen for its lines to a plan of draws; no balance is known.

Lines are planned in the order of the claim, in which they are served.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import starmap
from typing import NamedTuple

from service.accounting.books.plan import Bounds, ClaimPlan, Drawable, LinePlan, Part
from service.accounting.books.scale import scaled
from service.accounting.limits.bounds import (
    Account,
    RenewalUnknown,
    accounts_of,
    limits_are_given,
)
from service.accounting.limits.choice import (
    HEADER,
    Asked,
    Choice,
    Obstacle,
    certified_on,
    scope_of,
    window_of,
)
from service.accounting.limits.lines import how_counted
from service.accounting.planning._parts import LineParts, Sought, Studies, Usable
from service.accounting.planning.counting import (
    Counting,
    counting_of,
    is_daily,
    service_days,
    units_by_day,
    units_of,
)
from service.domain.claim import Claim, ServiceLine
from service.domain.claim_values import days_of
from service.domain.event import Outcome
from service.domain.reference import References
from service.domain.values import DateSpan

WAIVING_ACTION = "NA"
_PARTLY_GRANTING = frozenset({"A2", "A6"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan of a claim, and why lines that asked for something are not in it.

    ``outside`` names claim line, authorization and its line, where days are drawn on which that is
    not valid.
    """

    plan: ClaimPlan
    obstacles: tuple[Obstacle, ...]
    outside: frozenset[tuple[int, str, int]] = frozenset()


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
    plan = ClaimPlan(lines=tuple(planner.lines), authorizations=planner.drawables)
    outside = frozenset(planner.outside)
    return Planned(plan=plan, obstacles=tuple(planner.obstacles), outside=outside)


class _Said(NamedTuple):
    """What an authorization line says, read once for all lines of a claim.

    ``is_vague``: it was granted in part, and nobody said how much. ``accounts`` are None where they
    cannot be told.
    """

    action: str | None
    is_vague: bool
    window: DateSpan | None
    accounts: tuple[Account, ...] | None


@dataclass(slots=True)
class _Planner:
    """Plans one line after the other; what authorizations say is read once."""

    claim: Claim
    references: References
    lines: list[LinePlan] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    outside: set[tuple[int, str, int]] = field(default_factory=set)
    drawables: dict[str, Drawable] = field(default_factory=dict)
    studies: Studies = field(default_factory=Counter)
    said: dict[tuple[str, int], _Said] = field(default_factory=dict)
    countings: dict[tuple[object, ...], Counting | None] = field(default_factory=dict)

    def add(self, line: ServiceLine, asked: Sequence[Asked]) -> None:
        """Plan one line, or say what is in its way."""
        first, _ = days_of(self.claim, line)
        cleared = [self._clear(each, first) for each in asked if each.choices]
        obstacles = [each for each in cleared if isinstance(each, Obstacle)]
        sought = [each for each in cleared if isinstance(each, Sought)]
        if not obstacles and sought and len(cleared) == len(asked):
            parts = self._parts(line, sought)
            if isinstance(parts, list):
                obstacles = parts
            else:
                self._keep(line, asked, parts, sought)
        self.obstacles += obstacles

    def _clear(self, asked: Asked, first_day: date) -> Sought | Obstacle | None:
        """The choices that may be drawn on, or why none may; None where none is needed.

        A choice that needs no action (HCR01 NA) waives its kind.
        """
        if all(choice.is_held for choice in asked.choices):
            return self._usable(asked, asked.choices)
        if any(self._said(choice).action == WAIVING_ACTION for choice in asked.choices):
            return None
        choices = _in_order(asked.choices)
        if any(choice.is_selected for choice in choices):
            choices = [each for each in choices if self._may_go_along(each, asked, first_day)]
        for choice in choices:
            if self._said(choice).is_vague:
                return _obstacle(asked, "granted_quantity_unknown", choice)
            if choice.counted and choice.line in choice.counted.untold:
                return _obstacle(asked, "unit_kinds", choice)
        in_time = [choice for choice in choices if not self._is_late(choice, first_day)]
        if not in_time:
            return _obstacle(asked, "late_authorization", choices[0])
        automatic = {choice.key[0] for choice in in_time if not choice.is_selected}
        if self.references.accounting.review_multiple and len(automatic) > 1:
            return _obstacle(asked, "multiple")
        return self._usable(asked, in_time)

    def _may_go_along(self, choice: Choice, asked: Asked, first_day: date) -> bool:
        """Whether a choice is drawn where an examiner selected: what was selected is.

        What matching found beside it goes along only where nothing stands in its own way.
        """
        if choice.is_selected or self.references.accounting.review_multiple:
            return choice.is_selected
        return isinstance(self._clear(replace(asked, choices=(choice,)), first_day), Sought)

    def _is_late(self, choice: Choice, first_day: date) -> bool:
        """Whether it was certified too long after the service; an examiner may take it still."""
        most = self.references.accounting.retro_days_max
        if most is None or choice.is_selected:
            return False
        certified = certified_on(choice.authorization, choice.line)
        return certified is not None and (certified - first_day).days > most

    def _usable(self, asked: Asked, choices: Sequence[Choice]) -> Sought | Obstacle:
        usable: list[Usable] = []
        barred: list[tuple[Choice, list[str | None]]] = []
        for choice in choices:
            said = self._said(choice)
            if said.accounts is None:
                return _obstacle(asked, "renewal_unknown", choice)
            counted, other_units = [], []
            for account in said.accounts:
                bounds = account.bounds
                counting = self._counting(asked, bounds)
                if counting is None:
                    other_units.append(bounds.unit)
                else:
                    counted.append((account, counting))
            if other_units:
                barred.append((choice, other_units))
            elif asked.line.charge is None and any(starmap(_counts_money, counted)):
                return _obstacle(asked, "charge_unknown", choice)
            else:
                usable.append(Usable(choice=choice, window=said.window, accounts=tuple(counted)))
        if not barred:
            return Sought(asked=asked, usable=tuple(usable))
        by_matching = not any(choice.is_selected for choice in choices)
        if by_matching and (usable or any(units != barred[0][1] for _, units in barred)):
            return _obstacle(asked, "multiple")
        return _obstacle(asked, "unit_kinds", barred[0][0])

    def _said(self, choice: Choice) -> _Said:
        found = self.said.get(choice.key)
        if found is None:
            accounts = None
            with suppress(RenewalUnknown):
                starts_on = self.references.accounting.week_starts_on
                accounts = accounts_of(choice.authorization, choice.line, starts_on)
            found = self.said[choice.key] = _Said(
                action=choice.action,
                is_vague=_has_unknown_quantity(choice),
                window=window_of(choice.authorization, choice.line),
                accounts=accounts,
            )
        return found

    def _counting(self, asked: Asked, bounds: Bounds) -> Counting | None:
        """How a line counts on a base; lines that bill the same count the same."""
        line = asked.line
        billed = line.procedure, line.revenue_code, line.modifiers, line.unit
        key = (*billed, asked.query_type, bounds.unit, bounds.units is None)
        if key not in self.countings:
            counting = counting_of(line, asked.query_type, bounds, self.references)
            self.countings[key] = counting
        return self.countings[key]

    def _parts(
        self, line: ServiceLine, sought: Sequence[Sought]
    ) -> tuple[Part, ...] | list[Obstacle]:
        """Cut a line into parts, or say why it cannot be drawn."""
        days = service_days(self.claim, line)
        if days is None:
            return [_obstacle(each.asked, "non_daily_span") for each in sought]
        counts_days = is_daily(line, self.references) or any(
            counting.is_daily
            for each in sought
            for usable in each.usable
            for _, counting in usable.accounts
        )
        units = units_by_day(line, days, is_daily=counts_days)
        self.outside |= {
            (line.line, *usable.choice.key)
            for each in sought
            for usable in each.usable
            if _is_drawn_outside(usable, days, is_by_day=units is not None)
        }
        cut = LineParts(self.claim, line, sought, self.references, self.studies)
        if units is not None:
            return cut.by_day(units)
        whole = cut.whole(days, scaled(units_of(line)))
        partly = [
            _obstacle(each.asked, "non_daily_span", choice)
            for each in sought
            for choice in _partly_covering(each, days)[:1]
        ]
        return partly or whole

    def _keep(
        self,
        line: ServiceLine,
        asked: Sequence[Asked],
        parts: tuple[Part, ...],
        sought: Sequence[Sought],
    ) -> None:
        """Keep the plan of a line, and name the authorizations in it with the limits in use."""
        policy = self.references.accounting
        whole_only = any(policy.short_of(each.query_type) == "refuse" for each in asked)
        self.lines.append(LinePlan(line=line.line, whole_only=whole_only, parts=parts))
        draws = (draw for part in parts for way in part.ways for draw in way.draws)
        drawn = {(draw.authorization_id, draw.line) for draw in draws}
        for usable in (
            usable for each in sought for usable in each.usable if usable.choice.key in drawn
        ):
            authorization = usable.choice.authorization
            name = authorization.authorization_id
            before = self.drawables[name].bounds if name in self.drawables else {}
            bounds = {account.base: account.bounds for account, _ in usable.accounts}
            counted = usable.choice.counted or how_counted(authorization)
            self.drawables[name] = Drawable(
                authorization_id=name,
                version=authorization.version,
                bounds={**before, **bounds},
                shape=counted.shape,
                lines=counted.lines,
            )


def _counts_money(account: Account, counting: Counting) -> bool:
    """Whether the charge of a line is held against a limit."""
    return account.bounds.amount is not None and counting.by != "nothing"


def _partly_covering(sought: Sought, days: Sequence[date]) -> list[Choice]:
    """The choices that cover some of these days, where all of them together do not cover each.

    Those of an examiner may be drawn all the same.
    """
    if all(any(usable.covers(day) for usable in sought.usable) for day in days):
        return []
    return [
        usable.choice
        for usable in sought.usable
        if not usable.choice.holds_anyway and len({usable.covers(day) for day in days}) > 1
    ]


def _is_drawn_outside(usable: Usable, days: Sequence[date], *, is_by_day: bool) -> bool:
    """Whether a choice is drawn for days on which it is not valid.

    Such is one for a date that is near; and a selected one, where units are not told by the day.
    """
    covered = [usable.covers(day) for day in days]
    if not any(covered):
        return True
    return usable.choice.is_selected and not is_by_day and not all(covered)


def _in_order(choices: Sequence[Choice]) -> list[Choice]:
    """Put what an examiner selected first, and every authorization line once."""
    kept: dict[tuple[str, int], Choice] = {}
    for choice in sorted(choices, key=lambda choice: not choice.is_selected):
        kept.setdefault(choice.key, choice)
    return list(kept.values())


def _has_unknown_quantity(choice: Choice) -> bool:
    """Whether it was granted partly or modified (A2, A6), but not how much."""
    if choice.action not in _PARTLY_GRANTING:
        return False
    scopes = [scope_of(choice.authorization, line) for line in {HEADER, choice.line}]
    is_granted = any(limits_are_given(scope.limits) for scope in scopes)
    return not is_granted and any(limits_are_given(scope.requested) for scope in scopes)


def _obstacle(asked: Asked, outcome: Outcome, choice: Choice | None = None) -> Obstacle:
    return Obstacle(
        line=asked.line.line,
        kind=asked.kind,
        outcome=outcome,
        authorization_id=choice.key[0] if choice else None,
    )
