"""Quantities as whole numbers, so that nothing is ever lost to a floating point.

A scaled quantity counts three-millionths: six decimals stay whole, and so does a minute as a part
of an hour. Redis computes with doubles, which are exact below 2^53, so that is the bound.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

SCALE = 3_000_000
SCALED_MAX = 2**53 - 1
CENT = SCALE // 100
_SIX_DECIMALS = Decimal("0.000001")
_WRITTEN_KEPT = 4_096

QUANTITY_MAX = Decimal(SCALED_MAX // SCALE)
"""About three thousand million units, or dollars."""


class TooMuch(ValueError):
    """A quantity that is too large to be counted exactly."""


def scaled(quantity: Decimal) -> int:
    """Give a quantity of at most six decimals as a whole number; raises TooMuch."""
    if quantity > QUANTITY_MAX:
        raise TooMuch(f"at most {QUANTITY_MAX} can be counted")
    return int(quantity * SCALE)


def quantity_of(number: int) -> Decimal:
    """Give a scaled number as a decimal of at most six decimals, without trailing zeros."""
    exact = (Decimal(number) / SCALE).quantize(_SIX_DECIMALS, rounding=ROUND_HALF_EVEN)
    whole = exact.to_integral_value()
    return whole + 0 if exact == whole else exact.normalize()  # no minus before a zero


@lru_cache(_WRITTEN_KEPT)
def written(number: int) -> str:
    """Write a scaled number as an answer shows it: "4", "2.5"."""
    whole, rest = divmod(number, SCALE)
    return format(quantity_of(number), "f") if rest else str(whole)


@lru_cache(_WRITTEN_KEPT)
def written_amount(number: int) -> str:
    """Write a scaled amount as an answer shows it, with two decimals at least: "240.00"."""
    cents, rest = divmod(number, CENT)
    if rest:
        return format(quantity_of(number), "f")
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a whole number by weights, the largest remainders first; the sum is the total."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    rest = sorted(range(len(weights)), key=lambda place: -(total * weights[place] % whole))
    for place in rest[: total - sum(shares)]:
        shares[place] += 1
    return shares
