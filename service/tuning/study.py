"""A study: claim lines with all that could cover them, frozen at one point in time.

It is written as one record for each claim, whose bytes are the same whenever it is read back.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson

from service.accounting.planning.tallies import Held
from service.domain.candidate import Candidate, Found
from service.domain.claim import Claim
from service.domain.claim_values import days_of, submitted_numbers
from service.domain.codes import authorization_number
from service.domain.person import Person
from service.querying.search import CANDIDATES_MAX, Search

Record = dict[str, Any]

_MADE_OF = (
    "authorization_id",
    "version",
    "number",
    "shown_number",
    "certification_date",
    "starts_on",
    "lines",
    "numbers",
)
"""What is kept of a candidate: all that a match looks at, beside the id of its member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How a line came out when it was decided, for one kind; ``disposition`` of an adjudication."""

    line: int
    kind: str
    match_class: str
    chosen: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    disposition: str | None = None

    def as_record(self) -> Record:
        """Write it as plain JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyClaim:
    """A claim as it was sent, and what could cover it.

    ``person`` is who the member was then, ``reach`` the first and last day within which candidates
    were looked for, ``held`` what other claims of the member count. ``is_cut``: there are more
    candidates than one search takes, so that the claim can only be judged by the engine.
    """

    claim: Claim
    person: Person
    candidates: tuple[Candidate, ...]
    reach: tuple[str, str]
    held: Held = field(default_factory=Held)
    decided: tuple[Decided, ...] = ()
    is_cut: bool = False

    async def prepare(self, payer: str, member: str) -> Person:
        """Nothing to wait for: all that is known of the member is here."""
        return self.person if member == self.claim.member.id else Person.of(member)

    async def search(self, payer: str, person: Person, search: Search) -> Found:
        """Give all candidates: the scorer knows what is required of one."""
        return Found(candidates=self.candidates, total=len(self.candidates))

    def as_record(self) -> Record:
        """Write it as plain JSON."""
        return {
            "claim": claim_record(self.claim),
            "person": {
                "given": self.person.given,
                "member": self.person.member,
                "former": self.person.former,
            },
            "candidates": [
                {name: getattr(each, name) for name in _MADE_OF} | {"member": member_of(each)}
                for each in self.candidates
            ],
            "reach": self.reach,
            "held": {"sums": self.held.sums, "tokens": sorted(_tokens(self.held))},
            "decided": [each.as_record() for each in self.decided],
            "is_cut": self.is_cut,
        }


def claim_record(claim: Claim) -> Record:
    """Write a claim as plain JSON, without what goes without saying."""
    return claim.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def member_of(candidate: Candidate) -> str | None:
    """The member id under which an authorization stands, where that is known."""
    member: str | None = ((candidate.terms or {}).get("member") or {}).get("id")
    return member


def _candidate(kept: Mapping[str, Any]) -> Candidate:
    made_of = {name: kept[name] for name in _MADE_OF}
    lines, numbers = tuple(kept["lines"]), tuple(kept["numbers"])
    terms = {"member": {"id": kept["member"]}}
    return Candidate(**{**made_of, "lines": lines, "numbers": numbers}, terms=terms)


def decided_in(kept: Mapping[str, Any]) -> Decided:
    """Read back how a line was decided."""
    chosen, events = tuple(kept["chosen"]), tuple(kept["events"])
    return Decided(**{**kept, "chosen": chosen, "events": events})


def _tokens(held: Held) -> Iterable[str]:
    return held.tokens if isinstance(held.tokens, frozenset | set) else ()


def read_record(record: Mapping[str, Any]) -> StudyClaim:
    """Read a claim of a study back; raises ValueError for a record that is none."""
    try:
        held, person = record["held"], record["person"]
        first, last = record["reach"]
        return StudyClaim(
            claim=Claim.model_validate(record["claim"]),
            person=Person(**{**person, "former": tuple(person["former"])}),
            candidates=tuple(map(_candidate, record["candidates"])),
            reach=(first, last),
            held=Held(sums=held["sums"], tokens=frozenset(held["tokens"])),
            decided=tuple(map(decided_in, record["decided"])),
            is_cut=record["is_cut"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("this is no claim of a study") from error


def write_line(claim: StudyClaim) -> bytes:
    """Write a claim of a study as one line of JSON, keys in order."""
    return orjson.dumps(claim.as_record(), option=orjson.OPT_SORT_KEYS)


def read_line(line: bytes) -> StudyClaim:
    """Read one line back; raises ValueError."""
    return read_record(orjson.loads(line))


PARTS = ("claims", "authorizations", "decisions")
"""What goes into a study; each has a hash of its own."""


class Hashing:
    """Hashes the parts of a study as its claims go by, in their order."""

    def __init__(self) -> None:
        self._parts = {name: hashlib.sha256() for name in PARTS}
        self._whole = hashlib.sha256()

    def add(self, line: bytes) -> None:
        """Take in the next claim, as it is written."""
        self._whole.update(line + b"\n")
        record = orjson.loads(line)
        split = {
            "claims": record["claim"],
            "authorizations": record["candidates"],
            "decisions": record["decided"],
        }
        for name, part in split.items():
            self._parts[name].update(orjson.dumps(part, option=orjson.OPT_SORT_KEYS) + b"\n")

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each part, and of the whole."""
        return {
            "study": self._whole.hexdigest(),
            **{name: part.hexdigest() for name, part in self._parts.items()},
        }


def reach_of(claim: Claim, days: int) -> tuple[str, str]:
    """The days on which anything that may cover a claim is valid, widened by so many.

    All days that a template may name are within: those of the lines, the stay, the statement.
    """
    known = [day for line in claim.lines for day in days_of(claim, line)]
    admitted = claim.admission.date if claim.admission else None
    also = (admitted, claim.discharge_date, claim.statement.from_, claim.statement.to)
    known += [day for day in also if day is not None]
    return _shifted(min(known), -days), _shifted(max(known), days)


def _shifted(day: date, days: int) -> str:
    """The day so many later; the calendar ends where dates do."""
    try:
        return (day + timedelta(days=days)).isoformat()
    except OverflowError:
        return (date.max if days > 0 else date.min).isoformat()


def widest_search(claim: Claim, reach: tuple[str, str], *, timeout_ms: int) -> Search:
    """Search for all that a claim could be matched with under any rules within its reach.

    Of any kind, setting and status; and what carries a number of the claim, as a near miss may.
    """
    numbers = {
        authorization_number(number.value)
        for line in claim.lines
        for number, _ in submitted_numbers(claim, line)
    }
    first, last = reach
    days = {"range": {"windows": {"gte": first, "lte": last, "relation": "intersects"}}}
    should = [days, {"terms": {"numbers_all": sorted(numbers)}}] if numbers else [days]
    return Search(
        filter=({"bool": {"should": should}},),
        sort=({"authorization_id": "asc"},),
        size=CANDIDATES_MAX,
        timeout_ms=timeout_ms,
    )


def lines_in(claims: Sequence[StudyClaim]) -> int:
    """How many claim lines they have."""
    return sum(len(each.claim.lines) for each in claims)
