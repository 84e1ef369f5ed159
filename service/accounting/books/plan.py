"""What a claim asks of the accumulators: lines, their parts, and where each part may be drawn.

A plan is made without knowing any balance; the store fills it in one step, all or nothing. All
quantities are scaled (see ``scale``).

An **account** is one boundary of an authorization: its header ``H`` or a line ``L3``, as a total;
for a renewal period ``H@2026-01-01`` (the period that starts on that day), or for a rate
``L3~2026-03-01`` (so many a week, month ...). What stands before the sign and with it, ``H@``, is
the **base**: its limits hold for every period.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from service.domain.claim import AuthorizationKind

Origin = Literal["selected", "automatic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of one base, scaled; None is no limit. ``unit`` is that of ``units``."""

    units: int | None = None
    amount: int | None = None
    days: int | None = None
    unit: str | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return (self.units, self.amount, self.days) != (None, None, None)


class Debit(NamedTuple):
    """How a part counts on one account.

    Units: one claim unit costs ``numerator / denominator`` of the account's unit, rounded up to the
    next scaled number; ``unit_tokens`` count instead where a visit (or study) is shared: each
    distinct one costs one unit, once, whoever uses it; 0 / 1 costs nothing.
    ``day_tokens`` are the days of service, first to last, each counted once in ``days``; empty
    where the base has no limit of days. ``counts_amount``: the charge is debited, too.

    A draw for some days of a part has the tokens of these days, and fills them from the first;
    ``unit_tokens_in_all`` and ``day_tokens_in_all`` are then how many the whole part has.
    """

    account: str
    numerator: int = 1
    denominator: int = 1
    unit_tokens: tuple[str, ...] = ()
    day_tokens: tuple[str, ...] = ()
    counts_amount: bool = True
    unit_tokens_in_all: int | None = None
    day_tokens_in_all: int | None = None


class Draw(NamedTuple):
    """One authorization line that a part may be drawn from: all its accounts together or none.

    ``price`` is the most that is paid for a claim unit, as numerator and denominator.
    """

    authorization_id: str
    line: int
    origin: Origin
    debits: tuple[Debit, ...]
    price: tuple[int, int] | None = None


class Way(NamedTuple):
    """The draws of one kind (authorization, referral), in the order in which they are used."""

    kind: AuthorizationKind
    draws: tuple[Draw, ...]


class Part(NamedTuple):
    """A claim line, or the days of it that the same authorizations and periods cover.

    ``want`` is in claim units, granted in whole ``step``s; ``charge`` is what the part was billed
    at, granted in whole ``cent``s. ``days`` is how many days it spans. Every way must grant it:
    the least of them counts. Tokens are spread evenly over what is wanted. A line may be drawn on
    several times in one way, once for each period.
    """

    number: int
    want: int
    step: int
    charge: int
    cent: int
    days: int
    ways: tuple[Way, ...]


class LinePlan(NamedTuple):
    """A claim line to be drawn. ``whole_only``: less than asked is refused, not cut back.

    ``waits_when``: what of getting nothing (exhausted, or exceeded) leaves it to an examiner.
    """

    line: int
    whole_only: bool
    parts: tuple[Part, ...]
    waits_when: tuple[Literal["exhausted", "exceeded"], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawable:
    """An authorization as it stands: its version, and the limits of the bases that are used.

    ``shape`` tells how its ``lines`` count (see ``service.accounting.limits.lines``).
    """

    authorization_id: str
    version: int
    bounds: Mapping[str, Bounds]
    shape: str = "-"
    lines: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPlan:
    """All that a claim asks for, lines in the order in which they are served."""

    lines: tuple[LinePlan, ...] = ()
    authorizations: Mapping[str, Drawable] = field(default_factory=dict)


def base_of(account: str) -> str:
    """The base of an account: ``H@2026-01-01`` is of ``H@``."""
    for sign in "@~":
        head, found, _ = account.partition(sign)
        if found:
            return head + sign
    return account
