"""What a grant is known by, whatever message brings it: its id, other names of it, its version.

A grant is known by its kind, its person and its certification number; without a number by the trace
that joins request and answer, with who requested. Nothing else of a message has a part in it, so
that answers of two formats, feeds or senders to one request are one grant.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from service.domain import codes
from service.domain.authorization import ALIASES_MAX, GRANTING_ACTIONS, VOID_ACTION
from service.domain.values import VERSION_MAX

CANCELLATION = "3"
"""UM02: asks for a cancellation."""
REPLACING = frozenset({"S", "1", "2", "N"})
"""UM02: a revision or an appeal; granted, it stands for the number that it names before."""
CHANGING = REPLACING | {"R", "4", CANCELLATION}
"""UM02: asks to change what stands already; what is not granted of it changes nothing."""

COUNT_MAX = 249
_STEPS_A_MILLISECOND, _STEPS_A_RANK = 1000, COUNT_MAX + 1
_RANKS = {None: 0, "A4": 1, "CT": 1, VOID_ACTION: 3}
_DECIDED = 2
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHANGE = "change"
_SHOWN_MAX = 24
_HASH_CHARACTERS = 16
_MADE = re.compile(r"(?:authorization|referral|notification)\.[0-9A-Za-z]+\.[0-9a-f]{16}(?:-\d+)?")

Name = tuple[str, ...]
"""What else than a number names a grant: what kind of name it is, who gave it, the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a message says of the grant that it speaks of.

    ``person`` is that of ``person_of``. ``previous`` is the number that it had before; ``names``
    are its others, the best first, and ``replaced`` names what an update replaces.
    """

    kind: str
    person: str
    actions: Collection[str | None]
    certification: str | None = None
    number: str | None = None
    previous: str | None = None
    names: Sequence[Name] = ()
    replaced: Name | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """The id of a grant, other ids under which it may have come, and what it stands for."""

    authorization_id: str
    aliases: tuple[str, ...] = ()
    supersedes: str | None = None
    is_by_number: bool = False


def person_of(
    member: str, *, is_shared: bool = False, birth_date: str | None = None, gender: str = ""
) -> str:
    """Who a grant is for; a member id that is ``is_shared`` by a family does not tell it alone."""
    person = codes.bare(member)
    return f"{person}.{birth_date or ''}{gender}" if is_shared else person


def grant_id(kind: str, person: str, number: str) -> str:
    """The id of what is known by a number: the number to read, a hash to tell persons apart."""
    bare = codes.authorization_number(number)
    return f"{kind}.{bare[:_SHOWN_MAX]}.{_hash(kind, person, 'number', bare)}"


def is_change(authorization_id: str) -> bool:
    """Whether an id is that of a request to change a grant which was not granted."""
    return authorization_id.split(".")[1:2] == [_CHANGE]


def is_made(authorization_id: str) -> bool:
    """Whether an id was made here of what a message says: then its person is part of it."""
    return _MADE.fullmatch(authorization_id) is not None


def is_name(authorization_id: str) -> bool:
    """Whether an id was made without a number; the number in others has no small letter."""
    return is_made(authorization_id) and authorization_id.split(".")[1].islower()


def named_id(kind: str, person: str, name: Name) -> str:
    """The id of what has no number; it shows nothing of the name."""
    return f"{kind}.{name[0]}.{_hash(kind, person, *map(codes.bare, name))}"


def identity_of(signs: Signs) -> Identity | None:
    """The identity of a grant; None where nothing tells it from others.

    What asks to change a grant and is not granted must not replace what stands: it has an id of its
    own, and a cancellation is of the number that it names.
    """
    names = [each for each in signs.names if codes.bare(each[-1])]
    replaced = signs.replaced if signs.replaced not in names else None
    number, previous = map(_usable, (signs.number, signs.previous))
    is_change = signs.certification in CHANGING or replaced is not None
    changes = [(_CHANGE, *each) for each in names] if is_change else []
    if set(signs.actions) == {VOID_ACTION}:
        is_asked = signs.certification == CANCELLATION
        number = (previous or number) if is_asked else (number or previous)
        replaced = previous = None
    elif GRANTING_ACTIONS.isdisjoint(signs.actions):
        number = None if is_change else number
        names, changes = (changes, []) if is_change else (names, [])
        replaced = previous = None
    ids = [named_id(signs.kind, signs.person, each) for each in (*names, *changes)]
    if number is not None:
        ids.insert(0, grant_id(signs.kind, signs.person, number))
    if not ids:
        return None
    own, *aliases = dict.fromkeys(ids)
    older = named_id(signs.kind, signs.person, replaced) if replaced else None
    if previous and (signs.certification in REPLACING or replaced):
        older = grant_id(signs.kind, signs.person, previous)
    return Identity(
        authorization_id=own,
        aliases=tuple(aliases[:ALIASES_MAX]),
        supersedes=None if older == own else older,
        is_by_number=number is not None,
    )


def version_at(made_at: datetime | None, actions: Collection[str | None], count: int) -> int | None:
    """The version of a message: milliseconds since 1970, times 1000, plus what is told of one time.

    That is 250 when pended, 500 when decided, 750 when cancelled, plus a count of the sender's of 0
    to 249. It rises with time, and stays under 2**53 until 2255. None where no time is known.
    """
    if made_at is None or made_at <= _EPOCH:
        return None
    passed = (made_at - _EPOCH) // _MILLISECOND
    rank = max((_RANKS.get(each, _DECIDED) for each in actions), default=0)
    made = passed * _STEPS_A_MILLISECOND + rank * _STEPS_A_RANK + min(count, COUNT_MAX)
    return min(made, VERSION_MAX)


def newest_version(now: datetime) -> int:
    """The highest version that can be told of a time up to tomorrow, which clocks apart allow.

    A higher one would keep out every later one for ever.
    """
    return version_at(now + timedelta(days=1), [VOID_ACTION], COUNT_MAX) or VERSION_MAX


def _usable(number: str | None) -> str | None:
    return number if number and codes.bare(number) else None


def _hash(*parts: str) -> str:
    return sha256("|".join(parts).encode()).hexdigest()[:_HASH_CHARACTERS]
