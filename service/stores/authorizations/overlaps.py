"""Which authorizations of a person grant the same service under different numbers.

Nothing is stored of that: it is looked up when it is told. What is pushed at one moment may not see
each other in its results; who reads an authorization sees them all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    """What an authorization grants, and to whom: all ids of the person."""

    authorization: Authorization
    members: tuple[str, ...]
    lines: tuple[LineValues, ...]


@dataclass(eq=False, repr=False)
class Overlaps:
    """Looks them up."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _references: StoredReferences
    _visibility: Visibility

    async def of(
        self, payer: str, asked: Sequence[tuple[Authorization, Sequence[str]]]
    ) -> dict[str, tuple[str, ...]]:
        """Give the ids of those that overlap each of these, by id; each comes with its person.

        Raises EngineFault.
        """
        granted = [one for each in asked if (one := self._granted(*each)).lines]
        if not granted:
            return {}
        members = sorted({member for each in granted for member in each.members})
        if len(members) <= SEEN_AT_ONCE_MAX:
            await self._visibility.catch_up(payer, members)
        there = await self._there(payer, members)
        told = {
            each.authorization.authorization_id: _overlapping(each, there, granted)
            for each in granted
        }
        return {name: names for name, names in told.items() if names}

    def _granted(self, authorization: Authorization, members: Sequence[str]) -> Granted:
        is_void = authorization.is_void
        lines = () if is_void else _granting(effective_lines(authorization, self._references))
        return Granted(authorization, tuple(members), lines)

    async def _there(self, payer: str, members: Sequence[str]) -> list[tuple[str, Candidate]]:
        """Find what stands of these members, each with its member."""
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
        return [(each["member_id"], read_candidate(each)) for each in found]


def _overlapping(
    one: Granted, there: Iterable[tuple[str, Candidate]], beside: Iterable[Granted]
) -> tuple[str, ...]:
    """Give the ids of others that grant the same; what is pushed ``beside`` it may not be there."""
    numbers = set(claimed_numbers(one.authorization))
    others: dict[str, tuple[set[str], tuple[LineValues, ...]]] = {
        candidate.authorization_id: (_numbers_of(candidate), _granting(candidate.lines))
        for member, candidate in there
        if member in one.members
    }
    for each in beside:
        if each.authorization.member.id in one.members:
            named = set(claimed_numbers(each.authorization))
            others[each.authorization.authorization_id] = named, each.lines
    known = one.authorization
    for name in (known.authorization_id, known.supersedes, *known.aliases):
        others.pop(name or "", None)
    return tuple(
        sorted(
            name
            for name, (named, lines) in others.items()
            if numbers.isdisjoint(named)
            and any(line["kind"] == known.kind for line in lines)
            and do_overlap_by_provider(one.lines, lines)
        )
    )


def _numbers_of(candidate: Candidate) -> set[str]:
    return {candidate.number} if candidate.number else set()


def _granting(lines: Iterable[Mapping[str, Any]]) -> tuple[LineValues, ...]:
    return tuple(dict(each) for each in lines if each.get("action") in GRANTING_ACTIONS)
