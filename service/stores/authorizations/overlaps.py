"""Which authorizations of a person grant the same service under different numbers.

Nothing is stored of that: it is looked up when it is told. What is pushed at one moment may not see
each other in its results; who reads an authorization sees them all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from elasticsearch import AsyncElasticsearch
from prometheus_client import Counter

from service.domain.authorization import GRANTING_ACTIONS, Authorization
from service.domain.candidate import Candidate
from service.domain.effective import LineValues, effective_lines
from service.domain.grant_overlap import claimed_numbers, do_overlap_by_provider
from service.domain.reference import StoredReferences
from service.stores.authorizations.document import read_candidate
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames, routes
from service.stores.members.marks import Visibility

OVERLAPS = Counter(
    "authmatch_overlapping_pushes_total",
    "Pushed versions that grant what another authorization of the person grants as well.",
)
FOUND_MAX = 1_000
"""So many authorizations of all persons of a batch are looked at, the latest ones first."""
SEEN_AT_ONCE_MAX = 20
"""For more persons at once the index is not refreshed: they see what was pushed some time ago."""

_ORDER = [{"pushed_at": {"order": "desc", "missing": "_last", "unmapped_type": "date"}}]


@dataclass(frozen=True, slots=True)
class Granted:
    """What an authorization grants to a member, and the numbers that it is known by.

    ``codes`` are the procedures where every line is for one alone, else none.
    """

    authorization_id: str
    member: str
    numbers: frozenset[str]
    lines: tuple[LineValues, ...]
    codes: frozenset[str]

    def may_be_as(self, other: "Granted") -> bool:
        """Whether it is worth to compare lines: most authorizations of a person have other codes.

        All lines of an authorization are of its kind.
        """
        return (
            self.lines[0]["kind"] == other.lines[0]["kind"]
            and self.numbers.isdisjoint(other.numbers)
            and not (self.codes and other.codes and self.codes.isdisjoint(other.codes))
        )


class Asked(NamedTuple):
    """An authorization of which others are asked for, the ids of its person, and its lines.

    They are the effective ones, where they were made already.
    """

    authorization: Authorization
    members: Sequence[str]
    lines: Sequence[LineValues] | None = None


@dataclass(eq=False, repr=False)
class Overlaps:
    """Looks them up."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _references: StoredReferences
    _visibility: Visibility

    async def of(self, payer: str, asked: Sequence[Asked]) -> dict[str, tuple[str, ...]]:
        """Give the ids of those that overlap each of these, by id.

        Raises EngineFault.
        """
        granting = [
            (each.authorization, granted, each.members)
            for each in asked
            if (granted := self._granted(each)).lines
        ]
        if not granting:
            return {}
        every = sorted({member for _, _, members in granting for member in members})
        if len(every) <= SEEN_AT_ONCE_MAX:
            await self._visibility.catch_up(payer, every)
        by_member: dict[str, dict[str, Granted]] = {}
        # What is pushed beside each other may not be found yet.
        for each in (*await self._there(payer, every), *(granted for _, granted, _ in granting)):
            by_member.setdefault(each.member, {})[each.authorization_id] = each
        told = {
            granted.authorization_id: _overlapping(
                authorization, granted, [by_member.get(each, {}) for each in members]
            )
            for authorization, granted, members in granting
        }
        return {name: names for name, names in told.items() if names}

    def _granted(self, asked: Asked) -> Granted:
        authorization, _, lines = asked
        if authorization.is_void:
            lines = ()
        elif lines is None:
            lines = effective_lines(authorization, self._references)
        name, member = authorization.authorization_id, authorization.member.id
        return _granted(name, member, claimed_numbers(authorization), lines)

    async def _there(self, payer: str, members: Sequence[str]) -> list[Granted]:
        """Find what stands of these members."""
        wanted = [
            {"term": {"payer": payer}},
            {"terms": {"member_id": members}},
            {"term": {"current": True}},
            {"term": {"void": False}},
        ]
        with translated_errors():
            response = await self._elasticsearch.search(
                index=self._indices.authorizations,
                routing=routes(payer, members),
                query={"bool": {"filter": wanted}},
                size=FOUND_MAX,
                source_excludes=["source", "terms"],
                sort=_ORDER,
                track_total_hits=False,
                allow_partial_search_results=False,
            )
        found = (hit["_source"] for hit in response["hits"]["hits"])
        return [_found(each["member_id"], read_candidate(each)) for each in found]


def _found(member: str, candidate: Candidate) -> Granted:
    numbers = [candidate.number] if candidate.number else ()
    return _granted(candidate.authorization_id, member, numbers, candidate.lines)


def _granted(
    name: str, member: str, numbers: Iterable[str], lines: Iterable[LineValues]
) -> Granted:
    granting = tuple(each for each in lines if each.get("action") in GRANTING_ACTIONS)
    first = [each.get("procedure.from") for each in granting]
    is_of_one = None not in first and first == [each.get("procedure.to") for each in granting]
    codes = frozenset(each for each in first if each is not None) if is_of_one else frozenset()
    return Granted(name, member, frozenset(numbers), granting, codes)


def _overlapping(
    authorization: Authorization, granted: Granted, of_person: Iterable[Mapping[str, Granted]]
) -> tuple[str, ...]:
    """Give the ids of others of the person that grant the same as an authorization."""
    itself = {authorization.authorization_id, authorization.supersedes, *authorization.aliases}
    found = {
        name
        for others in of_person
        for name, other in others.items()
        if name not in itself
        and other.lines
        and granted.may_be_as(other)
        and do_overlap_by_provider(granted.lines, other.lines)
    }
    return tuple(sorted(found))
