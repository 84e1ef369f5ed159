"""Made-up plans of claims, on three authorizations whose limits are quickly reached."""

from collections.abc import Mapping

from hypothesis import strategies as st

from service.accounting.books.plan import (
    Bounds,
    ClaimPlan,
    Debit,
    Draw,
    Drawable,
    LinePlan,
    Part,
    Way,
    base_of,
)
from service.accounting.books.scale import CENT, SCALE
from service.domain.claim import AuthorizationKind

DAYS = tuple(f"2026-03-{day:02}" for day in range(2, 7))
VISITS = tuple(f"{day}|1234567893" for day in DAYS)
BASES = ("H", "L1", "L2", "H~", "L1@")
AUTHORIZATIONS: Mapping[AuthorizationKind, tuple[str, ...]] = {
    "authorization": ("A", "B"),
    "referral": ("R",),
}
RATES = ((1, 1), (1, 1), (1, 4), (3, 1), (1, 3), (15, 60), (0, 1))
"""What a claim unit costs on an account: the same unit, quarters of an hour, a package, nothing."""

# One choice for each limit and each debit, so that a claim takes few choices and a life has many.
LIMITS = tuple(
    Bounds(units=units, amount=amount, days=days, unit="UN")
    for units in (None, None, None, *(each * SCALE // 4 for each in (0, 2, 7, 8, 12, 16, 24, 40)))
    for amount in (None, None, None, *(each * CENT for each in (0, 250, 333, 1200, 2500)))
    for days in (None, None, None, *(each * SCALE for each in (1, 2, 4)))
)
COUNTINGS = (
    *(Debit(account="", numerator=each[0], denominator=each[1]) for each in RATES),
    *(
        Debit(account="", unit_tokens=VISITS[first : first + count])
        for first in range(3)
        for count in range(1, 4)
    ),
)
CHARGES = (0, 1, 100, 240, 529, 1000, 1201)
KINDS: tuple[tuple[AuthorizationKind, ...], ...] = (
    ("authorization",),
    ("referral",),
    ("authorization", "referral"),
)
SHAPES = (((1, False),), ((1, False),), ((1, True),), ((2, False),), ((1, False), (2, True)))
"""The lines of a claim: how many parts each has, and whether it is drawn whole or not at all."""


def bounds() -> st.SearchStrategy[dict[str, Bounds]]:
    """Limits of every base, low ones and none at all."""
    one = st.integers(0, len(LIMITS) - 1).map(lambda number: LIMITS[number])
    return st.fixed_dictionaries(dict.fromkeys(BASES, one))


PRICES = (None, None, None, (100 * CENT, SCALE), (1, 3), (25 * CENT, SCALE * 2))
"""What a claim unit may cost at most: a dollar, a third, an eighth of a dollar, or anything."""
WEEKS = (("H~2026-03-01", DAYS[:2]), ("H~2026-03-08", DAYS[2:]))
"""Periods of one part: their accounts, and the days in each."""


@st.composite
def debits(draw: st.DrawFn, line: int, count: int) -> tuple[Debit, ...]:
    """Debits of the header and of the line, and sometimes of a rate and a renewal period."""
    accounts = ["H", f"L{line}"] if line else ["H"]
    more = draw(st.sampled_from(((), (), ("H~2026-03-01",), ("H~2026-03-01", "L1@2026-01-01"))))
    accounts += [each for each in more if line == 1 or each.startswith("H")]
    days, counts_amount = draw(
        st.sampled_from((((), True), (DAYS[:count], True), ((), False), (DAYS[1:][:count], True)))
    )
    return tuple(
        draw(st.sampled_from(COUNTINGS))._replace(
            account=account,
            day_tokens=days,
            counts_amount=counts_amount,
        )
        for account in accounts
    )


@st.composite
def ways(draw: st.DrawFn, kind: AuthorizationKind, count: int) -> Way:
    """One to three draws of one kind, none from the same line twice."""
    lines = [(name, line) for name in AUTHORIZATIONS[kind] for line in range(3)]
    places = st.lists(st.sampled_from(lines), min_size=1, max_size=3, unique=True)
    draws = [
        Draw(
            authorization_id=name,
            line=line,
            origin="automatic",
            debits=draw(debits(line, count)),
            price=draw(st.sampled_from(PRICES)),
        )
        for name, line in draw(places)
    ]
    if draw(st.integers(0, 4)) == 0:
        draws[:1] = _by_week(draws[0])
    return Way(kind=kind, draws=tuple(draws))


def _by_week(one: Draw) -> list[Draw]:
    """Draw on two weeks of one line, each with its own account and days."""
    return [
        one._replace(
            debits=(
                *(_in_week(each, days) for each in one.debits if "~" not in each.account),
                _in_week(one.debits[0], days)._replace(account=account),
            )
        )
        for account, days in WEEKS
    ]


def _in_week(debit: Debit, days: tuple[str, ...]) -> Debit:
    """Keep the tokens of these days alone."""
    return debit._replace(
        unit_tokens=tuple(f"{day}|1234567893" for day in days) if debit.unit_tokens else (),
        day_tokens=days if debit.day_tokens else (),
        unit_tokens_in_all=len(DAYS) if debit.unit_tokens else None,
        day_tokens_in_all=len(DAYS) if debit.day_tokens else None,
    )


@st.composite
def parts(draw: st.DrawFn, number: int) -> Part:
    """A part with one kind or both, in whole units or in fractions, with a charge or without."""
    count = draw(st.integers(1, 4))
    want, step = draw(
        st.sampled_from(((count * SCALE, SCALE), (count * SCALE, SCALE), (count * SCALE // 7, 3)))
    )
    charge, cent = draw(st.sampled_from([(each, CENT) for each in CHARGES] + [(1000, 3)]))
    kinds = draw(st.sampled_from(KINDS))
    return Part(
        number=number,
        want=want - want % step,
        step=step,
        charge=charge * cent,
        cent=cent,
        days=count,
        ways=tuple(draw(ways(kind, count)) for kind in kinds),
    )


@st.composite
def line_plans(draw: st.DrawFn) -> tuple[LinePlan, ...]:
    """The lines of a claim; now and then one that is drawn whole or not at all."""
    return tuple(
        LinePlan(
            line=line,
            whole_only=whole_only,
            parts=tuple(draw(parts(each + 1)) for each in range(count)),
        )
        for line, (count, whole_only) in enumerate(draw(st.sampled_from(SHAPES)), start=1)
    )


def with_limits(
    lines: tuple[LinePlan, ...],
    versions: Mapping[str, int],
    limits: Mapping[str, Mapping[str, Bounds]],
) -> ClaimPlan:
    """Name in a plan the authorizations that it draws on, as they stand."""
    used: dict[str, set[str]] = {}
    for draw in (
        each for line in lines for part in line.parts for way in part.ways for each in way.draws
    ):
        bases = {base_of(debit.account) for debit in draw.debits}
        used.setdefault(draw.authorization_id, set()).update(bases)
    return ClaimPlan(
        lines=lines,
        authorizations={
            name: Drawable(
                authorization_id=name,
                version=versions[name],
                bounds={base: limits[name][base] for base in sorted(bases)},
            )
            for name, bases in used.items()
        },
    )
