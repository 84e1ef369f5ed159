"""Claims that are kept as they were sent, with their answers: a past to try rules on.

Of what was adjudicated the ledger keeps both. Of what was only matched a share is kept here, by
month, and dropped when it is old.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from elasticsearch import AsyncElasticsearch
from prometheus_client import Counter

from service.accounting.answers.answer import complete
from service.accounting.books.record import pack, selections_in, unpack
from service.background import Background
from service.domain.answers import MatchAnswer
from service.domain.claim import Claim
from service.matching.outcomes import RATES, Outcomes, outcomes_of, set_number
from service.rules.book import share_of
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Found, read_all, read_many
from service.stores.connection.sealing import Seal
from service.stores.ledger.entry import read_entry
from service.stores.ledger.records import read_record

KEPT = Counter("authmatch_kept_matches_total", "Matched claims that were kept.")
DROPPED = Counter(
    "authmatch_kept_matches_dropped_total", "Matched claims to be kept that found no room."
)
FAULTS = Counter("authmatch_kept_faults_total", "Times that keeping or dropping claims failed.")

WAITING_MAX = 500
"""So many wait to be written; more are not kept."""
SOON_S = 1.0
BACKOFF_S_MAX = 30.0
DROP_EVERY_S = 3600.0
LAST_S = 2.0

_PAGE = 1_000
_GROUPS_MAX = 1_000
"""Sets of rules, and templates of one, that are told apart."""
_HEAD = ["claim_id", "claim_version", "at", "ms", "by", "on_behalf_of", "why"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which kept claims: by the day they were answered, type, class of a line, event code."""

    first: date
    last: date
    claim_type: str | None = None
    match_class: str | None = None
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a claim is kept, and who had it adjudicated, for whom and why."""

    claim_id: str
    version: int
    at: str
    index: str
    id: str
    by: str = ""
    on_behalf_of: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptClaim:
    """A claim as it was sent, and its answer: lines with results, perhaps with a disposition."""

    sent: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]


class KeptClaims(Background):
    """Writes what is offered a moment later, off the way of a match; what is not written is lost.

    A claim is kept by its id: again and again, or never.
    """

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        indices: IndexNames,
        seal: Seal,
        *,
        share: float,
        days: int,
    ) -> None:
        super().__init__("keeping_claims_failed", FAULTS, first_s=SOON_S, most_s=BACKOFF_S_MAX)
        self._elasticsearch = elasticsearch
        self._indices = indices
        self._seal = seal
        self._share = share
        self.days = days
        """So many days claims and studies are kept."""
        self._waiting: deque[tuple[str, Claim, MatchAnswer]] = deque()
        self._wake = asyncio.Event()
        self._next_drop = time.monotonic()

    def offer(self, payer: str, claim: Claim, answer: MatchAnswer) -> None:
        """Keep this claim if it is one of the share; returns at once."""
        if not self._share or share_of(payer, claim.claim_id) >= self._share:
            return
        if len(self._waiting) >= WAITING_MAX:
            DROPPED.inc()
            return
        self._waiting.append((payer, claim, answer))
        self._wake.set()

    async def turn(self) -> None:
        """Write what waits, and drop what is old when it is time."""
        try:
            async with asyncio.timeout(max(0.0, self._next_drop - time.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            self._next_drop = time.monotonic() + DROP_EVERY_S
            await self.drop()
        await asyncio.sleep(SOON_S)
        await self.flush()

    async def flush(self) -> int:
        """Write all that waits; says how many, raises EngineFault."""
        self._wake.clear()
        waiting = list(self._waiting)
        await run_bulk(self._elasticsearch, [self._operation(*each) for each in waiting])
        for _ in waiting:
            self._waiting.popleft()
        KEPT.inc(len(waiting))
        return len(waiting)

    def _operation(self, payer: str, claim: Claim, answer: MatchAnswer) -> Operation:
        at, id_ = now(), f"{payer}|{claim.claim_id}"
        lines = answer["lines"]
        sent = claim.model_dump(mode="json", by_alias=True, exclude_unset=True)
        numbered = [(line["line"], result) for line in lines for result in line["results"]]
        results = [result for _, result in numbered]
        return Operation(
            action="index",
            index=self._indices.kept_claims(month_of(at)),
            id=id_,
            document={
                "payer": payer,
                "claim_id": claim.claim_id,
                "claim_version": claim.version,
                "at": at,
                "claim_type": claim.type,
                "classes": sorted({result["class"] for result in results}),
                "events": sorted({e["code"] for result in results for e in result["events"]}),
                "rules_set": set_number(answer["rules"]["set"]),
                "outcomes": outcomes_of(numbered, {}),
                "content": self._seal.close(pack({"sent": sent, "lines": lines}), id_),
            },
        )

    async def close(self) -> bool:
        """End the background, and write what waits, if that is quick."""
        has_run = await super().close()
        if has_run and self._waiting:
            try:
                async with asyncio.timeout(LAST_S):
                    await self.flush()
            except (TimeoutError, EngineUnavailable):
                DROPPED.inc(len(self._waiting))
        return has_run

    async def drop(self) -> list[str]:
        """Drop the months that are over for longer than claims are kept; names their indices."""
        oldest = datetime.now(UTC).date() - timedelta(days=self.days)
        with translated_errors():
            found = await self._elasticsearch.indices.get(
                index=f"{self._indices.all_kept_claims},{self._indices.all_studies}",
                features=["aliases"],
            )
        old = [name for name in sorted(found) if is_over(name, oldest)]
        for name in old:
            with translated_errors():
                await self._elasticsearch.options(ignore_status=404).indices.delete(index=name)
        return old

    async def find(self, payer: str, wanted: Wanted) -> AsyncIterator[Kept]:
        """Where the claims are kept that are wanted, also those in the ledger; in no order."""
        oldest = datetime.now(UTC).date() - timedelta(days=self.days)
        last = wanted.last + timedelta(days=1)
        clauses: list[dict[str, Any]] = [
            {"term": {"payer": payer}},
            {"exists": {"field": "claim_type"}},
            {"range": {"at": {"gte": str(max(wanted.first, oldest)), "lt": str(last)}}},
        ]
        asked = (wanted.claim_type, wanted.match_class, wanted.event)
        clauses += (
            {"term": {name: value}}
            for name, value in zip(("claim_type", "classes", "events"), asked, strict=True)
            if value is not None
        )
        index = f"{self._indices.ledgers},{self._indices.all_kept_claims}"
        query = {"bool": {"filter": clauses}}
        parts = read_all(self._elasticsearch, index, query, size=_PAGE, source_includes=_HEAD)
        async for hits, _ in parts:
            for hit in hits:
                head = hit["_source"]
                yield Kept(
                    head["claim_id"],
                    int(head["claim_version"]),
                    head["at"],
                    hit["_index"],
                    hit["_id"],
                    *(head.get(name) or "" for name in ("by", "on_behalf_of", "why")),
                )

    async def outcomes(
        self, payer: str, first: date, last: date, *, adjudicated: bool
    ) -> list[tuple[str, Outcomes]]:
        """What claims came to that were answered on these days, by the number of the set.

        Those that were adjudicated, of which each run counts, or the share of those that were
        matched. Raises EngineFault.
        """
        index = self._indices.ledgers if adjudicated else self._indices.all_kept_claims
        sums = ("lines", *(f"counts.{rate}" for rate in RATES))
        summed = {name: {"sum": {"field": f"outcomes.{name}"}} for name in sums}
        by_template = _by("outcomes.template", summed)
        nested = {"nested": {"path": "outcomes"}, "aggs": {"templates": by_template}}
        days = {"gte": str(first), "lte": f"{last}||/d"}
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=index)
            found = await self._elasticsearch.search(
                index=index,
                size=0,
                query={"bool": {"filter": [{"term": {"payer": payer}}, {"range": {"at": days}}]}},
                aggs={"sets": _by("rules_set", {"outcomes": nested})},
                allow_partial_search_results=False,
            )
        if "aggregations" not in found:
            return []  # there is no index yet
        return [
            (of_set["key"], _outcomes(of_template))
            for of_set in found["aggregations"]["sets"]["buckets"]
            for of_template in of_set["outcomes"]["templates"]["buckets"]
        ]

    async def read(self, kept: Iterable[Kept]) -> list[KeptClaim | None]:
        """Read claims; None for one that was dropped since."""
        docs = [{"_index": each.index, "_id": each.id} for each in kept]
        found = await read_many(self._elasticsearch, self._indices.ledgers, "a claim", docs=docs)
        return [None if each is None else self._read(each) for each in found]

    def _read(self, found: Found) -> KeptClaim:
        document = found["_source"]
        if "content" in document:
            content: Any = unpack(self._seal.open(document["content"], found["_id"]))
            return KeptClaim(sent=content["sent"], lines=content["lines"])
        draft, moved = read_record(read_entry(document))
        sent = orjson.loads(draft.get("sent") or "{}")
        if selections := selections_in(draft):
            sent["selections"] = selections
        return KeptClaim(sent=sent, lines=complete(draft, moved)["lines"])


def _by(name: str, aggs: Mapping[str, Any]) -> dict[str, Any]:
    return {"terms": {"field": name, "size": _GROUPS_MAX, "order": {"_key": "asc"}}, "aggs": aggs}


def _outcomes(bucket: Mapping[str, Any]) -> Outcomes:
    return {
        "template": bucket["key"],
        "lines": int(bucket["lines"]["value"]),
        "counts": {rate: int(bucket[f"counts.{rate}"]["value"]) for rate in RATES},
    }


def month_of(at: str) -> str:
    """The month of a time, as indices are named."""
    return f"{at[:4]}.{at[5:7]}"


def is_over(index: str, oldest: date) -> bool:
    """Whether the month of an index ended before a day."""
    year, month = map(int, index[-7:].split("."))
    return date(year + month // 12, month % 12 + 1, 1) <= oldest
