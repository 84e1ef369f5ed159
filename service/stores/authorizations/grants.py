"""Which authorizations a person has by one number, so that no grant is stored twice.

What is known of a number stands in one small document of the locator. A push enters itself before
its place is written, over exactly what it read there: of two that name one number at one moment the
second one sees the first. What stands there may be out of date, as of one that was withdrawn since:
before a push is held, the other one is looked at. One that entered and is not there is on its way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.authorization import Authorization
from service.domain.effective import effective_lines
from service.domain.grant_identity import grant_id, is_made, person_of
from service.domain.grant_overlap import claimed_numbers, compared_lines, do_overlap
from service.domain.person import Person
from service.domain.submission import Code, PushResult
from service.stores.authorizations.arrival import Arrival, Placed, by_name
from service.stores.authorizations.document import Document
from service.stores.authorizations.documents import read_places
from service.stores.authorizations.locator import Locator, Place
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.names import IndexNames, number_id
from service.stores.connection.reading import read_many
from service.stores.members.who import Records, person_in

_WITHDRAWN = "withdrawn-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An authorization as it was entered under a number."""

    authorization_id: str
    version: int
    supersedes: str | None
    is_distinct: bool
    lines: Sequence[Mapping[str, Any]]

    def says_as(self, other: "Entry | None") -> bool:
        """Whether another one says the same of another version."""
        return other is not None and replace(other, version=self.version) == self


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """All that a person has by one number, by id; ``seen`` tells which write of it was read."""

    member: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    seen: tuple[int, int] | None = None


Rolls = Mapping[str, Roll]
"""By the name of their document; one that is not there is empty."""


@dataclass(slots=True)
class Admitted:
    """What may be stored, and what becomes of the rest.

    ``elsewhere`` are versions of others, by the id under which they came; ``lost`` must look again.
    """

    open: list[Placed] = field(default_factory=list)
    held: dict[str, PushResult] = field(default_factory=dict)
    elsewhere: list[tuple[str, Arrival]] = field(default_factory=list)
    lost: list[Arrival] = field(default_factory=list)


@dataclass(eq=False, repr=False)
class Grants:
    """Reads and writes the rolls."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _locator: Locator

    async def read(self, payer: str, arrivals: Iterable[Arrival]) -> Rolls:
        """Read what is entered under the numbers that arrive, of the members that are named."""
        return await self._read(
            payer, {name: each.member for each in arrivals for name in _names(payer, each)}
        )

    async def admit(
        self, payer: str, looked: Sequence[Placed], records: Records, rolls: Rolls
    ) -> Admitted:
        """Enter those that are no second grant of a number, nor another person's authorization.

        ``rolls`` are what ``read`` gave of them.
        """
        persons = {each.arrival.member: person_in(records, each.arrival.member) for each in looked}
        wanted = {
            name: member
            for each in looked
            for member in persons[each.arrival.member].ids
            for name in _names(payer, each.arrival, member)
            if name not in rolls
        }
        entry = _Entering({**rolls, **await self._read(payer, wanted)})
        admitted = Admitted()
        for each in looked:
            await self._admit(payer, each, persons[each.arrival.member], entry, admitted)
        lost = await self._write(payer, entry)
        admitted.lost = [
            each.arrival for each in admitted.open if lost & entry.by_id.get(each.arrival.id, set())
        ]
        admitted.open = [each for each in admitted.open if each.arrival not in admitted.lost]
        return admitted

    async def _admit(
        self, payer: str, placed: Placed, person: Person, rolls: "_Entering", admitted: Admitted
    ) -> None:
        arrival = placed.arrival
        if _is_of_another(placed, person):
            reason = "it is on file for another person"
            admitted.held[arrival.id] = _held(placed, "other-person", reason, arrival.id)
            return
        names = [name for each in person.ids for name in _names(payer, arrival, each)]
        if arrival.void or not names:
            admitted.open.append(placed)
            return
        own, others = rolls.found(names, arrival.id)
        entry = self._entry(placed, own)
        made = _made_ids(arrival, person)
        is_shared = arrival.id in made and own is not None and _is_another_birth(own, entry)
        if is_shared and arrival.pushed.ruling.into != arrival.id:
            reason = "it is on file for somebody of another birth date"
            admitted.held[arrival.id] = _held(placed, "other-person", reason, arrival.id)
            return
        on_file = await self._on_file(payer, placed, person, entry, others)
        into = _into(arrival, made, others, on_file)
        if into is not None:
            admitted.elsewhere.append((arrival.id, into))
        elif on_file:
            first = next(iter(on_file))
            reason = f"the person has this grant already, by the same number: {first}"
            admitted.held[arrival.id] = _held(placed, "duplicate-grant", reason, first)
        else:
            rolls.enter(_names(payer, arrival, person.member), person.member, entry)
            admitted.open.append(placed)

    def _entry(self, placed: Placed, own: Entry | None) -> Entry:
        """Make the entry of what a version leaves: a late part leaves what there was as well."""
        arrival, authorization = placed.arrival, placed.leaves
        lines = compared_lines(placed.lines)
        before = own.lines if own is not None and placed.is_part else ()
        was_distinct = own is not None and own.is_distinct
        return Entry(
            authorization_id=arrival.id,
            version=max(arrival.version, placed.before.version),
            supersedes=authorization.supersedes,
            is_distinct=authorization.distinct or arrival.pushed.ruling.is_distinct or was_distinct,
            lines=[*before, *(each for each in lines if each not in before)],
        )

    async def _on_file(
        self,
        payer: str,
        placed: Placed,
        person: Person,
        entry: Entry,
        others: Mapping[str, Entry],
    ) -> dict[str, Place]:
        """Give the places of those that grant the same by the same number, as they stand now."""
        successor = placed.successor.newer if placed.successor else None
        alike = {
            name: other
            for name, other in others.items()
            if not (entry.is_distinct or other.is_distinct)
            and name not in (entry.supersedes, successor)
            and other.supersedes != entry.authorization_id
            and do_overlap(entry.lines, other.lines)
        }
        if not alike:
            return {}
        places = await self._locator.read(payer, alike)
        found = await read_places(self._elasticsearch, self._indices, list(places.values()))
        documents = dict(zip(places, found, strict=True))
        nowhere = Place(payer=payer, authorization_id="")
        return {
            name: places.get(name, nowhere)
            for name, other in alike.items()
            if self._still_stands(placed.arrival, person, entry, other, documents.get(name))
        }

    def _still_stands(
        self,
        arrival: Arrival,
        person: Person,
        entry: Entry,
        other: Entry,
        document: Document | None,
    ) -> bool:
        if document is None or document["version"] < other.version:
            return True  # it is on its way
        if document["void"] or not document["current"] or document["member_id"] not in person.ids:
            return False
        if document["version"] == other.version:
            return True
        now = Authorization.model_validate(document["source"])
        shared = set(claimed_numbers(now)) & set(arrival.numbers)
        lines = effective_lines(now, arrival.references)
        return bool(shared) and do_overlap(entry.lines, compared_lines(lines))

    async def _read(self, payer: str, wanted: Mapping[str, str]) -> dict[str, Roll]:
        found = await read_many(
            self._elasticsearch, self._indices.locator, "what has a number", ids=list(wanted)
        )
        rolls = {name: Roll(member=member) for name, member in wanted.items()}
        for doc in filter(None, found):
            entries = [Entry(**each) for each in doc["_source"]["grants"]]
            rolls[doc["_id"]] = Roll(
                member=doc["_source"]["member_id"],
                entries={each.authorization_id: each for each in entries},
                seen=(doc["_seq_no"], doc["_primary_term"]),
            )
        return rolls

    async def _write(self, payer: str, rolls: "_Entering") -> set[str]:
        """Write what was entered, each over what was read; gives the names of those that lost."""
        operations = [
            Operation(
                action="create" if roll.seen is None else "index",
                index=self._indices.locator,
                id=name,
                seen=roll.seen,
                document={
                    "payer": payer,
                    "member_id": roll.member,
                    "grants": [_written(each) for each in roll.entries.values()],
                },
            )
            for name, roll in rolls.changed.items()
        ]
        written = await run_bulk(self._elasticsearch, operations)
        return {each.id for each, was in zip(operations, written, strict=True) if not was.ok}


class _Entering:
    """The rolls while a batch is looked at: what is entered is seen by those after it."""

    def __init__(self, rolls: Rolls) -> None:
        self._rolls = dict(rolls)
        self.changed: dict[str, Roll] = {}
        self.by_id: dict[str, set[str]] = {}

    def found(self, names: Iterable[str], own: str) -> tuple[Entry | None, dict[str, Entry]]:
        """Give the entry of one itself, and those of all others under these names."""
        entries: dict[str, Entry] = {}
        for name in names:
            entries |= self._rolls[name].entries if name in self._rolls else {}
        return entries.pop(own, None), entries

    def enter(self, names: Iterable[str], member: str, entry: Entry) -> None:
        """Enter one under names, where it does not stand there already and says the same."""
        for name in names:
            roll = self._rolls.get(name) or Roll(member=member)
            if entry.says_as(roll.entries.get(entry.authorization_id)):
                continue
            entries = {**roll.entries, entry.authorization_id: entry}
            self._rolls[name] = self.changed[name] = replace(roll, entries=entries)
            self.by_id.setdefault(entry.authorization_id, set()).add(name)


def _names(payer: str, arrival: Arrival, member: str | None = None) -> list[str]:
    authorization = arrival.pushed.authorization
    return [
        number_id(payer, member or arrival.member, authorization.kind, each)
        for each in arrival.numbers
    ]


def _is_of_another(placed: Placed, person: Person) -> bool:
    """Whether a message is of another person's authorization; who sends an id corrects its member.

    One that was withdrawn is nobody's any more.
    """
    stands, pushed = placed.before, placed.arrival.pushed
    if stands.member_id is None or stands.member_id in person.ids:
        return False
    if (stands.content_hash or "").startswith(_WITHDRAWN):
        return False
    return pushed.keeps_person or is_made(placed.arrival.id)


def _is_another_birth(entry: Entry, other: Entry) -> bool:
    """Whether those of one id have two birth dates: a family shares member id and number then."""
    born = [
        {line.get("member.birth_date") for line in one.lines} - {None} for one in (entry, other)
    ]
    return all(born) and born[0] != born[1]


def _made_ids(arrival: Arrival, person: Person) -> set[str]:
    """Give the ids that are made of its numbers, of each member id of the person."""
    kind = arrival.pushed.authorization.kind
    return {
        grant_id(kind, person_of(member), number)
        for member in person.ids
        for number in arrival.numbers
    }


def _into(
    arrival: Arrival, made: set[str], others: Mapping[str, Entry], on_file: Mapping[str, Place]
) -> Arrival | None:
    """Give it as a version of another one: of that which somebody named, or of its own grant.

    A person with several member ids may have a grant on file whose id was made of another of them.
    """
    pushed = arrival.pushed
    into = pushed.ruling.into
    if into is not None and into in on_file and on_file[into].version:
        return by_name(pushed.source, into, arrival, version=on_file[into].version + 1)
    same = next((each for each in others if each in made), None)
    return by_name(pushed.source, same, arrival) if same and arrival.id in made else None


def _held(placed: Placed, code: Code, reason: str, on_file: str) -> PushResult:
    told = placed.arrival.result("conflict", placed.before.version, reason)
    return replace(told, code=code, on_file=on_file)


def _written(entry: Entry) -> dict[str, Any]:
    return {
        "authorization_id": entry.authorization_id,
        "version": entry.version,
        "supersedes": entry.supersedes,
        "is_distinct": entry.is_distinct,
        "lines": list(entry.lines),
    }
