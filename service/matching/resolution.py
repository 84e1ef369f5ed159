"""Chooses among the candidates of a claim line, and validates their decisions (A1, A3, A4 ...).

Units are not judged here: `match` does not know balances.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from service.domain.authorization import GRANTING_ACTIONS
from service.domain.event import Event, Events, Outcome
from service.domain.template import AutoResolve
from service.matching.ranking import Ranked
from service.matching.scorer import Judged

MIN_ADJOINING = 2
NOT_REQUIRED_ACTION = "NA"
DENIED_ACTION = "A3"
_DAY = timedelta(days=1)
_DAYS, _NUMBERS = "effective", "numbers_all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The authorizations that are taken, in the order in which they are drawn, and the events."""

    chosen: tuple[Judged, ...] = ()
    events: tuple[Event, ...] = ()


def is_active(action: str | None) -> bool:
    """Whether a decision lets services be paid: granted (A1, A2, A6), or none needed (NA)."""
    return action in GRANTING_ACTIONS or action == NOT_REQUIRED_ACTION


def is_denied(action: str | None) -> bool:
    """Whether the services were refused (A3)."""
    return action == DENIED_ACTION


def is_pending(action: str | None) -> bool:
    """Whether a decision is still awaited: pended, contact payer, or not known."""
    return not is_active(action) and not is_denied(action)


def resolve(ranked: Ranked, events: Events) -> Resolution:
    """Take what can be taken without an examiner, and say in events what stands in the way.

    An active exact match is used even beside a denied one, which is then named for information. A
    denied exact match with active non-exact ones offers those, and never takes them by itself.
    """

    if not ranked.shown:
        return Resolution(events=(events.make("not_found"),))
    denied = [each for each in ranked.exact if is_denied(each.action)]
    active = tuple(each for each in ranked.exact if is_active(each.action))
    is_covered = bool(active) and not ranked.truncated
    raised = [_about("denied", each, events, informational=is_covered) for each in denied[:1]]
    if ranked.truncated:
        raised.append(events.make("truncated"))
        raised += [events.make("multiple")] if len(ranked.exact) > 1 else []
        return Resolution(events=tuple(raised))
    if active:
        return Resolution(chosen=active, events=tuple(raised))
    pending = [each for each in ranked.exact if is_pending(each.action)]
    raised += [_about("pending", each, events) for each in pending[:1]]
    if ranked.exact:
        return Resolution(events=tuple(raised))
    auto_resolve = ranked.non_exact[0].asked.plan.template.auto_resolve
    taken = adjoining(ranked.non_exact) or take_automatically(ranked.non_exact, auto_resolve)
    return Resolution(chosen=taken, events=() if taken else _why_none_taken(ranked, events))


def _about(
    outcome: Outcome, judged: Judged, events: Events, *, informational: bool = False
) -> Event:
    about = judged.candidate.authorization_id
    return events.make(outcome, authorization_id=about, informational=informational)


def _why_none_taken(ranked: Ranked, events: Events) -> tuple[Event, ...]:
    """The non-exact match as an event, then the best decision where none of them is active."""
    best = ranked.non_exact[0]
    non_exact = _about("non_exact", best, events)
    if any(is_active(each.action) for each in ranked.non_exact):
        return (non_exact,)
    return non_exact, _about("denied" if is_denied(best.action) else "pending", best, events)


def adjoining(non_exact: Sequence[Judged]) -> tuple[Judged, ...]:
    """Take active matches that fit in all but the days, where together they cover each of these.

    So does a grant that was renewed: first the one that begins first. Of two numbers a claim mostly
    has one: that of one of them must agree. Empty where a day is left.
    """
    fitting = fitting_but_days(non_exact)
    if len(fitting) < MIN_ADJOINING:
        return ()
    asked = fitting[0].asked.values
    first, last = str(asked["line.from"]), str(asked["line.to"])
    taken: list[Judged] = []
    reached = date.fromisoformat(first) - _DAY
    for each in sorted(fitting, key=lambda judged: judged.line["effective"].get("first", "")):
        window = each.line["effective"]
        begins, ends = window.get("first", ""), window.get("last", last)
        if begins <= (reached + _DAY).isoformat() and ends > reached.isoformat():
            taken.append(each)
            reached = date.fromisoformat(min(ends, last))
    is_named = any(_NUMBERS not in _missed(each) for each in taken)
    return tuple(taken) if reached.isoformat() == last and is_named else ()


def fitting_but_days(non_exact: Sequence[Judged]) -> list[Judged]:
    """Active matches that fit in all but the days, and perhaps the number."""
    return [
        each
        for each in non_exact
        if is_active(each.action) and {_DAYS} <= _missed(each) <= {_DAYS, _NUMBERS}
    ]


def _missed(judged: Judged) -> frozenset[str]:
    """The fields that keep it from being exact, where criteria alone do; else all of them."""
    candidate = judged.candidate
    if judged.tolerance or judged.unmet or candidate.of_mother or candidate.relaxed is not None:
        return frozenset({"*"})
    return frozenset(
        use.field
        for asked in judged.asked.criteria
        if asked.plan.criterion.id in judged.blockers
        for use in asked.plan.uses
    )


def take_automatically(non_exact: Sequence[Judged], rule: AutoResolve) -> tuple[Judged, ...]:
    """Take active non-exact matches in order, down to the first gap of ``lead`` percent.

    One that misses a condition of exactness, or is of a newborn's mother, is for an examiner.
    Nothing is taken when the next one left out is nearer than that: the choice would be by chance.
    Without a lead all are taken that reach the minimum.
    """
    if not rule.enabled:
        return ()
    active = [
        each
        for each in non_exact
        if is_active(each.action) and not (each.unmet or each.candidate.of_mother)
    ]
    taken: list[Judged] = []
    for each in active:
        if rule.lead and taken and _gap(taken[-1], each) >= rule.lead:
            return tuple(taken)
        if 100 * each.score < rule.min * each.attainable:
            return () if rule.lead else tuple(taken)
        taken.append(each)
    return tuple(taken)


def _gap(higher: Judged, lower: Judged) -> Fraction:
    """The distance in percent, without rounding."""
    return Fraction(100 * higher.score, higher.attainable) - Fraction(
        100 * lower.score, lower.attainable
    )
