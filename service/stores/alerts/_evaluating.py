"""Finds alerts: of what the ledger moved, in the same turn; of days, again and again.

The same is found under the same id, so whoever looks twice, or two workers, add nothing.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Protocol

import orjson
from prometheus_client import Counter

from service.accounting.answers.alerts import alerts_of, alerts_of_request, last_end, may_alert
from service.accounting.answers.statement import AccountsState
from service.accounting.books.rows import is_counter_book
from service.background import Background, end
from service.domain.alert import DOCUMENTED, Alert, AlertTable
from service.domain.authorization import Authorization
from service.domain.manual_entry import MANUAL_PENDING
from service.domain.moment import in_zone
from service.domain.request_life import Request
from service.rules.book import RuleBook
from service.stores.alerts.kept import Alerts, Kept
from service.stores.authorizations.reading import AuthorizationReading, Stored
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.key_names import KeyNames
from service.stores.connection.turns import by_turns
from service.stores.documents.kept import Documents
from service.stores.ledger.entry import LedgerEntry

FAULTS = Counter("authmatch_alert_faults_total", "Times that looking for alerts failed.")
FOUND = Counter("authmatch_alerts_total", "Alerts that were raised.")

BACKOFF_S_MAX = 600.0
AT_ONCE = 500

Balances = Callable[[str, Sequence[str]], Awaitable[Mapping[str, AccountsState]]]
"""Gives the accounts of some authorizations of a payer."""
Confirm = Callable[[str], Awaitable[None]]
"""Returns when what the book of a payer lacks never was; raises EngineFault."""


class AnsweredRequests(Protocol):
    """Gives requests as they were answered, those on which another message followed left out."""

    async def read_all(self, payer: str, request_ids: Sequence[str]) -> list[Request]:
        """Give some."""

    def nearing(self, payer: str, day: date, until: date) -> AsyncGenerator[list[Request], None]:
        """Give those that are pended, or to be appealed between two days, in parts."""


@dataclass(eq=False, repr=False)
class Evaluating:
    """What there is to know of authorizations now; raises EngineFault, RulesUnknown."""

    _alerts: Alerts
    _reading: AuthorizationReading
    _balances: Balances
    _confirm: Confirm
    _documents: Documents
    _requests: AnsweredRequests
    _rules: Callable[[str], RuleBook]
    _zone: tzinfo

    def table(self, payer: str) -> AlertTable:
        """What alerts of a payer go by today."""
        return self._rules(payer).references.alerts

    async def follow(self, payer: str, entries: Iterable[tuple[LedgerEntry, Any]]) -> None:
        """Find the alerts of what these ledger entries moved or changed."""
        names: dict[str, None] = {}
        for entry, _ in entries:
            names |= dict.fromkeys(touched(entry.fields))
        await self.moved(payer, list(names))

    async def moved(self, payer: str, ids: Sequence[str]) -> int:
        """Find the alerts of authorizations whose units moved; says how many are new.

        Most are far from any, as their accounts show: only the others are read, many at once, and
        kept while the accounts of the next ones are looked at.
        """
        table, count, near = self.table(payer), 0, dict[str, AccountsState]()
        keeping: asyncio.Task[int] | None = None
        try:
            for start in range(0, len(ids), AT_ONCE):
                held = await self._balances(payer, ids[start : start + AT_ONCE])
                near |= {name: each for name, each in held.items() if may_alert(each, table)}
                if len(near) >= AT_ONCE:
                    count += await keeping if keeping else 0
                    keeping = asyncio.create_task(self._keep_near(payer, table, near))
                    near = {}
            count += await keeping if keeping else 0
        finally:
            if keeping:
                await end(keeping)
        return count + (await self._keep_near(payer, table, near) if near else 0)

    async def _keep_near(
        self, payer: str, table: AlertTable, near: Mapping[str, AccountsState]
    ) -> int:
        return await self._keep(payer, table, await self._reading.get_all(payer, list(near)), near)

    async def look(self, payer: str) -> int:
        """Find the alerts of days: of what is pended, and of what ends soon; says how many."""
        table, count, today = self.table(payer), 0, self._today()
        until = last_end(today, table.ending_months or 0)
        async with aclosing(self._reading.nearing(payer, today, until)) as parts:
            async for stored in parts:
                names = [each.source["authorization_id"] for each in stored]
                held = await self._balances(payer, names)
                count += await self._keep(payer, table, stored, held)
        return count + await self._look_at_requests(payer, table, today)

    async def _look_at_requests(self, payer: str, table: AlertTable, today: date) -> int:
        count, until = 0, today + timedelta(days=table.appeal_days or 0)
        async with aclosing(self._requests.nearing(payer, today, until)) as parts:
            async for some in parts:
                count += await self._raise(payer, _alerts_of_requests(some, table, today))
        return count

    async def _keep(
        self,
        payer: str,
        table: AlertTable,
        stored: Sequence[Stored],
        held: Mapping[str, AccountsState],
    ) -> int:
        stored = await self._with_documents(payer, stored)
        found = await asyncio.to_thread(self._alerts_of, stored, held, table)
        return await self._raise(payer, found)

    async def _raise(self, payer: str, found: Sequence[Alert]) -> int:
        since = now()
        count = await self._alerts.found(payer, [replace(each, since=since) for each in found])
        FOUND.inc(count)
        return count

    async def still(self, payer: str, kept: Sequence[Kept]) -> list[Kept]:
        """Give those that are still so, with what is so now; the others are written as over."""
        open_ = [each.alert for each in kept if each.alert.is_open]
        table, asked = self.table(payer), [each.request_id for each in open_ if each.request_id]
        requests = await self._requests.read_all(payer, list(dict.fromkeys(asked)))
        names = list(dict.fromkeys(each.authorization_id for each in open_ if not each.request_id))
        stored = await self._with_documents(payer, await self._reading.get_all(payer, names))
        held = await self._balances(payer, names)
        found = await asyncio.to_thread(self._alerts_of, stored, held, table)
        found += _alerts_of_requests(requests, table, self._today())
        so = {each.alert_id: each for each in found}
        gone = [each for each in kept if each.alert.is_open and each.alert.alert_id not in so]
        if gone:  # what an emptied Redis does not have was used all the same
            await self._confirm(payer)
        await self._alerts.write(payer, [(each.alert.ended(now()), each.seen) for each in gone])
        ended = {each.alert.alert_id for each in gone}
        return [
            replace(each, alert=each.alert.now(so.get(each.alert.alert_id)))
            for each in kept
            if each.alert.alert_id not in ended
        ]

    async def _with_documents(self, payer: str, stored: Sequence[Stored]) -> list[Stored]:
        """Say of those that were entered by hand, and wait, whether they have a document."""
        entered = {each.source["authorization_id"] for each in stored if _is_entered(each)}
        have = await self._documents.with_some(payer, entered)
        return [
            replace(each, state=each.state | {DOCUMENTED: each.source["authorization_id"] in have})
            if _is_entered(each)
            else each
            for each in stored
        ]

    def _today(self) -> date:
        return in_zone(datetime.now(UTC), self._zone).date()

    def _alerts_of(
        self, stored: Sequence[Stored], held: Mapping[str, AccountsState], table: AlertTable
    ) -> list[Alert]:
        at = datetime.now(UTC)
        found: list[Alert] = []
        for each in stored:
            if "authorization_id" not in each.source:  # withdrawn before it came
                continue
            authorization = Authorization.model_validate(each.source)
            accounts = held[authorization.authorization_id]
            found += alerts_of(authorization, each.state, accounts, table, at, self._zone)
        return found


def _alerts_of_requests(requests: Sequence[Request], table: AlertTable, day: date) -> list[Alert]:
    return [found for each in requests for found in alerts_of_request(each, table, day)]


def _is_entered(stored: Stored) -> bool:
    return stored.source.get("status") == MANUAL_PENDING


def touched(fields: Mapping[str, str]) -> list[str]:
    """The authorizations whose accounts an entry of the ledger moved or changed."""
    counted = (str(name) for name, _ in orjson.loads(fields.get("q") or "[]"))
    names = [name for name in counted if not is_counter_book(name)]
    return [*names, *filter(None, (fields.get("a"),))]


class AlertLook(Background):
    """Looks for the alerts of days, for every payer."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        evaluating: Evaluating,
        payers: Collection[str],
        *,
        every_s: float,
    ) -> None:
        """Look after these payers so often, of several workers one at a time; 0 is never."""
        super().__init__("alerts_failed", FAULTS, first_s=1.0, most_s=BACKOFF_S_MAX)
        self._redis = redis
        self._keys = keys
        self._evaluating = evaluating
        self._payers = payers
        self._every_s = every_s

    def start(self) -> None:
        """Look in the background until ``close``, if that is wanted."""
        if self._every_s:
            super().start()

    async def turn(self) -> None:
        """Look for every payer for whom no other worker has done it of late."""
        keys = {payer: self._keys.book(payer).alerts for payer in self._payers}
        await by_turns(self._redis, keys, self._every_s, self._evaluating.look)
        await asyncio.sleep(self._every_s)
