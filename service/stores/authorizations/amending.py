"""Brings the books in step with a pushed version: limits and, if it counts otherwise, all use.

What was drawn stays what it is; which line holds it, in which units and periods, follows the
version (see ``service.accounting.planning.recount``).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import product

from service.accounting.books.books import (
    Amendment,
    ClaimMoved,
    Occasion,
    RecountedBook,
    RecountRequest,
    occasion_of,
)
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.plan import Bounds
from service.accounting.limits.bounds import bounds_of
from service.accounting.limits.choice import window_of
from service.accounting.limits.lines import how_counted, read_lines, write_lines
from service.accounting.planning.recount import Holder, Recounted, Target, line_in, recount
from service.accounting.replay.ledger_check import holds_all
from service.domain.actor import Actor
from service.domain.adjudication import Adjudication
from service.domain.authorization import Authorization
from service.domain.reference import References
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable
from service.stores.ledger.entry import claims_in
from service.stores.ledger.reading import MOVED, LedgerReading
from service.stores.ledger.records import Records
from service.stores.units.accumulators import Accumulators

ATTEMPTS_MAX = 10
PAUSE_S = 0.02
_PAGE = 500
_RENEWED = "R"

_CORRECTED = (".uc", ".mc", ".dc")
_LIMITS = (".ul", ".ml", ".dl")

Fields = Mapping[str, str]
Corrections = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What was drawn on an authorization: its accounts, and the claims that hold it."""

    source: str
    fields: Fields
    claims: tuple[ClaimState, ...]
    holders: tuple[Holder, ...]

    @property
    def sequence(self) -> int:
        return int(self.fields["n"])

    @property
    def corrections(self) -> dict[str, tuple[int, ...]]:
        """What was corrected by hand, by account: units, amount, days."""
        names = {name[: -len(".uc")] for name in self.fields if name.endswith(_CORRECTED)}
        found = {
            name: tuple(int(self.fields.get(name + each, "0")) for each in _CORRECTED)
            for name in sorted(names)
        }
        return {name: each for name, each in found.items() if any(each)}

    def counted_by(
        self, authorization: Authorization, references: References, *, is_forced: bool = False
    ) -> Recounted:
        """Count it as a version does; raises Untold."""
        old = read_lines(self.fields.get("ln", "")) + read_lines(self.fields.get("gh", ""))
        target = Target(
            source=self.source,
            old=old,
            authorization=authorization,
            references=references,
            untold=frozenset(map(int, filter(None, self.fields.get("ut", "").split(",")))),
            is_forced=is_forced,
            corrections=self.corrections,
            units={name[:-2]: each for name, each in self.fields.items() if name.endswith(".k")},
            limited=frozenset(
                line_in(name[: -len(".ul")])
                for name in self.fields
                if name.endswith(_LIMITS) and f"{name[:-3].rstrip('@~')}.end" not in self.fields
            ),
        )
        return recount(self.holders, target)


@dataclass(eq=False, repr=False)
class Amending:
    """Everything may be repeated; raises EngineFault, and then the same push again completes it."""

    _accumulators: Accumulators
    _ledger: LedgerReading
    _records: Records
    _references: Callable[[str], References]

    async def untold(self, payer: str, authorization: Authorization) -> tuple[int, ...]:
        """Say for which lines of a version nobody can tell what was drawn before.

        Raises Untold where lines cannot be told apart: then the version must not be taken.
        """
        name, found = authorization.authorization_id, set[int]()
        fields = await self._accumulators.fields(payer, name)
        is_older = bool(fields) and int(fields["v"]) > authorization.version
        if fields and not is_older and _counts_otherwise(fields, authorization):
            held = await self._held(payer, name)
            found |= held.counted_by(authorization, self._references(payer)).untold
        for older in replaced_by(authorization):
            if await self._accumulators.fields(payer, older):
                held = await self._held(payer, older)
                found |= held.counted_by(authorization, self._references(payer)).untold
        return tuple(sorted(found))

    async def amend(
        self, payer: str, authorization: Authorization, *, is_void: bool, actor: Actor
    ) -> None:
        """Take limits and lines of a version of what was drawn on; older ones do nothing."""
        name = authorization.authorization_id
        amendment = _amendment(authorization, is_void=is_void)
        for attempt in range(ATTEMPTS_MAX):
            if await self._accumulators.amend(payer, amendment, _occasion("amend", actor)):
                return
            held = await self._held(payer, name)
            counted = self._counted(payer, held, authorization)
            kinds = {base: Bounds(unit=unit) for base, unit in counted.kinds.items()}
            book = RecountedBook(
                authorization_id=name,
                sequence=held.sequence,
                gone=write_lines(counted.gone),
                untold=_listed(counted.untold),
                amendment=replace(amendment, bounds={**kinds, **amendment.bounds}),
                corrections=_less(counted.corrections, held.corrections),
            )
            await self._recount(payer, held, counted, (book,), actor, attempt)
        raise EngineUnavailable("redis", "what was drawn on an authorization changes too often")

    async def carry(
        self,
        payer: str,
        older: Authorization,
        newer: Authorization,
        *,
        actor: Actor,
        is_one: bool = False,
    ) -> bool:
        """Count what was drawn on an authorization for the one that replaces it, if that says so.

        Tells whether anything was. ``is_one``: the two are one, by another name.
        """
        name = older.authorization_id
        if not is_one and not (_carries(newer) and _overlap(older, newer)):
            return False
        for attempt in range(ATTEMPTS_MAX):
            fields = await self._accumulators.fields(payer, name)
            if not fields:
                return False
            await self.amend(payer, newer, is_void=newer.is_void, actor=actor)
            held = await self._held(payer, name)
            into = await self._accumulators.fields(payer, newer.authorization_id)
            if int(into.get("v", "0")) > newer.version:
                return False
            counted = self._counted(payer, held, newer)
            stays = counted.rows == tuple(each.rows for each in held.holders)
            if stays and counted.left == held.corrections:
                return False
            books = (
                RecountedBook(
                    authorization_id=newer.authorization_id,
                    sequence=int(into.get("n", "0")),
                    gone=into.get("gh", ""),
                    untold=_listed(counted.untold),
                    amendment=_amendment(newer, is_void=newer.is_void),
                    corrections=counted.corrections,
                ),
                RecountedBook(
                    authorization_id=name,
                    sequence=held.sequence,
                    lines=held.fields.get("ln", ""),
                    gone=held.fields.get("gh", ""),
                    corrections=_less(counted.left, held.corrections),
                ),
            )
            if await self._recount(payer, held, counted, books, actor, attempt):
                return True
        raise EngineUnavailable("redis", "what was drawn on an authorization changes too often")

    def _counted(self, payer: str, held: _Held, authorization: Authorization) -> Recounted:
        """Count it, also where a claim came between that is of either of two lines."""
        return held.counted_by(authorization, self._references(payer), is_forced=True)

    async def _recount(
        self,
        payer: str,
        held: _Held,
        counted: Recounted,
        books: tuple[RecountedBook, ...],
        actor: Actor,
        attempt: int,
    ) -> bool:
        """Have the books hold it; tells whether nobody was quicker."""
        occasion = _occasion("recount", actor)
        claims = tuple(zip(held.claims, counted.rows, strict=True))
        request = RecountRequest(books=books, claims=claims, occasion=occasion)
        try:
            await self._accumulators.recount(payer, request)
        except ClaimMoved:
            await asyncio.sleep(PAUSE_S * 2**attempt)
            return False
        return True

    async def _held(self, payer: str, source: str) -> _Held:
        """Read the claims that hold something of an authorization, all of them for sure."""
        for attempt in range(ATTEMPTS_MAX):
            ids = await self.claims_of(payer, source)
            fields = await self._accumulators.fields(payer, source)
            read = await self._accumulators.read_claims(payer, ids)
            claims = tuple(each for each in read if each.is_held and source in each.authorizations)
            if holds_all(source, fields, ((each.status, each.rows) for each in claims)):
                holders = [await self._holder(payer, each) for each in claims]
                return _Held(source=source, fields=fields, claims=claims, holders=tuple(holders))
            await asyncio.sleep(PAUSE_S * 2**attempt)
        raise EngineUnavailable("ledger", "not all claims that drew on it are found: reconcile")

    async def claims_of(self, payer: str, source: str) -> list[str]:
        """Name every claim that ever drew on an authorization."""
        found: dict[str, None] = {}
        after: str | None = None
        while True:
            page = await self._ledger.page(payer, source, MOVED, size=_PAGE, after=after)
            for entry in page.entries:
                found |= dict.fromkeys(claims_in(entry))
            after = page.next_
            if after is None:
                return list(found)

    async def _holder(self, payer: str, claim: ClaimState) -> Holder:
        """Read a claim as it was sent, with what it holds."""
        draft, _ = await self._records.recorded(payer, claim.entries[claim.version])
        return Holder(
            claim=Adjudication.model_validate_json(draft["sent"]),
            rows=claim.rows,
            query_types={
                (line["line"], kind["kind"]): kind["query_type"]
                for line in draft["lines"]
                for kind in line["kinds"]
            },
        )


def replaced_by(authorization: Authorization) -> list[str]:
    """Name the authorizations whose use may go over to one: what it replaces, its other names."""
    superseded = authorization.supersedes if _carries(authorization) else None
    return [*filter(None, [superseded]), *authorization.aliases]


def _amendment(authorization: Authorization, *, is_void: bool) -> Amendment:
    return Amendment(
        authorization_id=authorization.authorization_id,
        version=authorization.version,
        is_void=is_void,
        bounds=bounds_of(authorization),
        counted=how_counted(authorization),
    )


def _counts_otherwise(fields: Fields, authorization: Authorization) -> bool:
    """Whether what was drawn must be counted anew; ``ut`` are lines where that failed before."""
    return bool(fields.get("ut")) or fields.get("sh") != how_counted(authorization).shape


def _carries(newer: Authorization) -> bool:
    """Whether use goes over to it: a renewal (UM02 R) opens new units, or it says that it does."""
    return newer.carries_use is not False and newer.certification_type != _RENEWED


def _overlap(older: Authorization, newer: Authorization) -> bool:
    """Whether any days of two authorizations are the same; an end that is not known is open."""
    windows = [
        [window_of(each, line.line) for line in each.lines] or [window_of(each, 0)]
        for each in (older, newer)
    ]
    return any(
        one is not None
        and other is not None
        and (one.from_ or date.min) <= (other.to or date.max)
        and (other.from_ or date.min) <= (one.to or date.max)
        for one, other in product(*windows)
    )


def _occasion(kind: str, actor: Actor) -> Occasion:
    return occasion_of(kind, now(), actor, "pushed")


def _less(now: Corrections, before: Corrections) -> Corrections:
    """Give what is added to corrections, or taken off, by account."""
    none = (0, 0, 0)
    changed = {
        name: tuple(
            after - was
            for after, was in zip(now.get(name, none), before.get(name, none), strict=True)
        )
        for name in (*before, *(each for each in now if each not in before))
    }
    return {name: each for name, each in changed.items() if any(each)}


def _listed(lines: Iterable[int]) -> str:
    return ",".join(map(str, sorted(lines)))
