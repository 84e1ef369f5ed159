"""Practices and hospitals: made-up identifiers, with valid check digits."""

from dataclasses import dataclass
from functools import cache
from random import Random

ORGANIZATIONS = 600
_PARTS = 3
_IDENTIFIERS_EACH = 8
_SCATTER = 48_271
_SERIALS = 10**8
_PREFIX = "80840"


@dataclass(frozen=True, slots=True)
class Organization:
    """A practice with a hospital of its own: one taxpayer number, several NPIs."""

    tin: str
    billing: str
    clinicians: tuple[str, str, str, str]
    facility: str
    second_facility: str
    referrer: str
    group: str


def npi(serial: int) -> str:
    """A made-up NPI: ten digits, the last a Luhn check digit over the prefix 80840."""
    nine = f"1{serial * _SCATTER % _SERIALS:08d}"
    return nine + check_digit(_PREFIX + nine)


def check_digit(digits: str) -> str:
    """The Luhn check digit that follows these digits."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += value // 10 + value % 10
    return str(-total % 10)


@cache
def all_organizations() -> tuple[Organization, ...]:
    """All of them; made once a process."""
    return tuple(map(_organization, range(ORGANIZATIONS)))


def _organization(place: int) -> Organization:
    billing, first, second, third, fourth, facility, other, referrer = (
        npi(_IDENTIFIERS_EACH * place + each + 1) for each in range(_IDENTIFIERS_EACH)
    )
    return Organization(
        tin=f"{740_000_000 + 1_237 * place:09d}",
        billing=billing,
        clinicians=(first, second, third, fourth),
        facility=facility,
        second_facility=other,
        referrer=referrer,
        group=f"GROUP-{place:03d}",
    )


# Three parts that share no NPI and no taxpayer number, so that a match between them is impossible.


def of_a_story(rng: Random) -> Organization:
    """One that a story's authorization names."""
    return _any_of_part(rng, 0)


def of_the_background(rng: Random) -> Organization:
    """One that the other authorizations of a member name."""
    return _any_of_part(rng, 1)


def unauthorized(rng: Random) -> Organization:
    """One that no authorization ever names."""
    return _any_of_part(rng, 2)


def _any_of_part(rng: Random, part: int) -> Organization:
    return all_organizations()[int(rng.random() * (ORGANIZATIONS // _PARTS)) * _PARTS + part]
