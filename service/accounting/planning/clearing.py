"""Whether the chosen authorizations of a claim line can be drawn on, and if not, why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from service.accounting.limits.accounts import Account, RenewalUnknown, accounts_of
from service.accounting.limits.bounds import limits_are_given
from service.accounting.limits.choice import (
    HEADER,
    Asked,
    Choice,
    Obstacle,
    certified_on,
    scope_of,
    window_of,
)
from service.accounting.planning.consumption import Counting, counting_of
from service.accounting.planning.parts import Held, Sought
from service.domain.event import Outcome
from service.domain.reference import References
from service.domain.values import DateSpan

WAIVING_ACTION = "NA"
_PARTLY_GRANTING = frozenset({"A2", "A6"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What an authorization line says, whoever asks; None for accounts that cannot be told."""

    window: DateSpan | None
    accounts: tuple[Account, ...] | None


class Clearing:
    """Clears the choices of claim lines; what authorizations say is read once."""

    def __init__(self, references: References) -> None:
        """Take the payer's policy and unit table."""
        self._references = references
        self._policy = references.accounting
        self._known: dict[tuple[str, int], _Terms] = {}

    def clear(self, asked: Asked, first_day: date) -> Sought | Obstacle | None:
        """Give the choices that may be drawn on, or why none may; None where none is needed.

        A choice that needs no action (HCR01 NA) waives its kind.
        """
        if any(each.action == WAIVING_ACTION for each in asked.choices):
            return None
        choices = _in_order(asked.choices)
        if any(each.is_selected for each in choices):
            choices = [each for each in choices if self._may_go_along(each, asked, first_day)]
        for each in choices:
            if _has_unknown_quantity(each):
                return _obstacle(asked, "granted_quantity_unknown", each)
        in_time = [each for each in choices if not self._is_late(each, first_day)]
        if not in_time:
            return _obstacle(asked, "late_authorization", choices[0])
        automatic = {each.key[0] for each in in_time if not each.is_selected}
        if self._policy.review_multiple and len(automatic) > 1:
            return _obstacle(asked, "multiple")
        return self._held(asked, in_time)

    def _may_go_along(self, choice: Choice, asked: Asked, first_day: date) -> bool:
        """Whether a choice is drawn where an examiner selected: what was selected is.

        What matching found beside it goes along only where nothing stands in its own way.
        """
        if choice.is_selected or self._policy.review_multiple:
            return choice.is_selected
        return isinstance(self.clear(replace(asked, choices=(choice,)), first_day), Sought)

    def _held(self, asked: Asked, choices: Sequence[Choice]) -> Sought | Obstacle:
        held, barred = [], []
        known: dict[tuple[str | None, bool], Counting | None] = {}
        for each in choices:
            terms = self._terms(each)
            if terms.accounts is None:
                return _obstacle(asked, "renewal_unknown", each)
            accounts, units = [], []
            for account in terms.accounts:
                bounds = account.bounds
                kind = bounds.unit, bounds.units is None
                if kind not in known:  # header and line mostly count the same
                    known[kind] = counting_of(
                        asked.line, asked.query_type, bounds, self._references
                    )
                counting = known[kind]
                if counting is None:
                    units.append(account.bounds.unit)
                else:
                    accounts.append((account, counting))
            if units:
                barred.append((each, tuple(units)))
            else:
                held.append(Held(choice=each, window=terms.window, accounts=tuple(accounts)))
        if not barred:
            return Sought(kind=asked.kind, held=tuple(held))
        by_matching = not any(each.is_selected for each in choices)
        if by_matching and (held or len({units for _, units in barred}) > 1):
            return _obstacle(asked, "multiple")
        return _obstacle(asked, "unit_kinds", barred[0][0])

    def _terms(self, choice: Choice) -> _Terms:
        """Read an authorization line, unless that was done for another claim line."""
        if choice.key not in self._known:
            try:
                accounts = accounts_of(
                    choice.authorization, choice.line, self._policy.week_starts_on
                )
            except RenewalUnknown:
                accounts = None
            window = window_of(choice.authorization, choice.line)
            self._known[choice.key] = _Terms(window=window, accounts=accounts)
        return self._known[choice.key]

    def _is_late(self, choice: Choice, first_day: date) -> bool:
        """Whether it was certified too long after the service; an examiner may take it still."""
        certified = certified_on(choice.authorization, choice.line)
        if self._policy.retro_days_max is None or certified is None or choice.is_selected:
            return False
        return (certified - first_day).days > self._policy.retro_days_max


def partly_covering(sought: Sought, days: Sequence[date]) -> Iterator[Choice]:
    """Give the choices that cover some of these days but not all, without those of an examiner."""
    for held in sought.held:
        covered = set(map(held.covers, days))
        if len(covered) > 1 and not held.choice.is_selected:
            yield held.choice


def _in_order(choices: Sequence[Choice]) -> list[Choice]:
    """Put what an examiner selected first, and every authorization line once."""
    kept: dict[tuple[str, int], Choice] = {}
    for each in sorted(choices, key=lambda each: not each.is_selected):
        kept.setdefault(each.key, each)
    return list(kept.values())


def _has_unknown_quantity(choice: Choice) -> bool:
    """Whether it was granted partly or modified (A2, A6), but not how much."""
    if choice.action not in _PARTLY_GRANTING:
        return False
    scopes = [scope_of(choice.authorization, each) for each in {HEADER, choice.line}]
    is_granted = any(limits_are_given(each.limits) for each in scopes)
    return not is_granted and any(limits_are_given(each.requested) for each in scopes)


def _obstacle(asked: Asked, outcome: Outcome, choice: Choice | None = None) -> Obstacle:
    return Obstacle(
        line=asked.line.line,
        kind=asked.kind,
        outcome=outcome,
        authorization_id=choice.key[0] if choice else None,
    )
