"""What is asked of the accounting: claim lines, and the authorizations chosen for them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from service.accounting.books.plan import Origin
from service.domain.authorization import Authorization, AuthorizationLine, Limits, Scope
from service.domain.claim import AuthorizationKind, ServiceLine
from service.domain.effective import effective_action, effective_days
from service.domain.event import Outcome
from service.domain.terms import HowCounted
from service.domain.values import DateSpan

HEADER = 0
_UNLIMITED = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An authorization that was chosen for a line, with its authorization line (0: header only).

    ``selected`` is by an examiner, ``automatic`` by matching. ``is_held``: it was drawn before, and
    is only counted anew, so that nothing speaks against it. ``counted`` is how the lines of the
    authorization are, where that came with it.
    """

    authorization: Authorization
    line: int
    origin: Origin
    is_held: bool = False
    counted: HowCounted | None = None

    @property
    def key(self) -> tuple[str, int]:
        """The authorization line that it draws on."""
        return self.authorization.authorization_id, self.line

    @property
    def is_selected(self) -> bool:
        """Whether an examiner took it, in spite of what speaks against it."""
        return self.origin == "selected"

    @property
    def holds_anyway(self) -> bool:
        """Whether it is drawn on, or was, also for days that it does not cover."""
        return self.is_selected or self.is_held

    @property
    def action(self) -> str | None:
        """The decision in force (HCR01)."""
        return effective_action(scope_of(self.authorization, self.line), self.authorization)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One claim line and one required kind, with what was chosen, in the order of its use."""

    line: ServiceLine
    kind: AuthorizationKind
    query_type: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why a line cannot be drawn: an outcome of ``service.domain.event``.

    ``authorization_id`` is the one that it is about; None where it is about several.
    """

    line: int
    kind: AuthorizationKind
    outcome: Outcome
    authorization_id: str | None


def scope_of(authorization: Authorization, line: int) -> Scope:
    """A line of an authorization, or its header for 0; raises ValueError for no such line."""
    if line == HEADER:
        return authorization
    return line_of(authorization, line)


def line_of(authorization: Authorization, line: int) -> AuthorizationLine:
    """A line of an authorization; raises ValueError where it has no such line."""
    for found in authorization.lines:
        if found.line == line:
            return found
    raise ValueError(f"authorization {authorization.authorization_id} has no line {line}")


def granted_limits(authorization: Authorization, line: int) -> Limits:
    """What was granted to a header or line itself; without limits all of it."""
    return scope_of(authorization, line).limits or _UNLIMITED


def unit_price_of(authorization: Authorization, line: int) -> Decimal | None:
    """The price of a unit that was authorized with a line; a header has none."""
    return line_of(authorization, line).unit_price if line else None


def certified_on(authorization: Authorization, line: int) -> date | None:
    """The day of certification (DTP*102) that holds for a line."""
    own = scope_of(authorization, line).certification_date
    return own or authorization.certification_date


def window_of(authorization: Authorization, line: int) -> DateSpan | None:
    """The days on which a line (or a header alone) is valid; None where it never is.

    They are those by which it is matched: own dates else the header's, a stay, requested dates;
    until it was removed. An end that is not known is open.
    """
    return effective_days(scope_of(authorization, line), authorization)


def flags_of(authorization: Authorization, line: int, service_day: date) -> tuple[str, ...]:
    """What is out of the ordinary in the dates of an authorization line.

    ``retro``: it was certified after the service; ``expired``: it had ended before;
    ``not_yet_effective``: it begins after.
    """
    window = window_of(authorization, line) or DateSpan()
    certified = certified_on(authorization, line)
    flags = {
        "retro": certified is not None and certified > service_day,
        "expired": window.to is not None and window.to < service_day,
        "not_yet_effective": window.from_ is not None and window.from_ > service_day,
    }
    return tuple(name for name, is_raised in flags.items() if is_raised)
