"""Sends alerts to those who chose to be told, once each; what fails is tried again for a day."""

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace

from prometheus_client import Counter

from service.background import Background, backoff_s
from service.domain.alert import Alert
from service.domain.alert_choice import CHANNELS, Channel, KeptChoice
from service.notices.notice import Notice, NotTold
from service.notices.post import Post
from service.stores.alerts._choices import Choices
from service.stores.alerts._evaluating import Evaluating
from service.stores.alerts._notices import Due, Notices
from service.stores.alerts.kept import Alerts, Kept, Wanted
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.key_names import KeyNames
from service.stores.connection.turns import is_first

FAULTS = Counter("authmatch_alert_sending_faults_total", "Times that sending alerts failed.")
SENT = Counter("authmatch_alert_notices_total", "Notices by what became of them.", ["outcome"])

TRIES_MAX = 30
AGAIN_S, AGAIN_S_MAX = 60.0, 3600.0
_AT_ONCE = 200
_PAGES_MAX = 50


class AlertSending(Background):
    """Sends what is new to everybody, of several workers one at a time."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        stores: tuple[Alerts, Choices, Notices],
        evaluating: Evaluating,
        payers: Collection[str],
        post: Post,
        *,
        every_s: float,
    ) -> None:
        """Send every so many seconds; 0 is never."""
        super().__init__("alerts_not_sent", FAULTS, first_s=1.0, most_s=AGAIN_S)
        self._redis = redis
        self._key = keys.alert_sending
        self._alerts, self._choices, self._notices = stores
        self._evaluating = evaluating
        self._payers = payers
        self._post = post
        self._every_s = every_s

    def start(self) -> None:
        """Send in the background until ``close``, if there is any way."""
        if self._every_s and self._post.ways:
            super().start()

    async def turn(self) -> None:
        """Send, unless another worker has of late."""
        await asyncio.sleep(self._every_s)
        if await is_first(self._redis, self._key, self._every_s):
            await self.send()

    async def send(self) -> None:
        """Send all that is new or due to everybody; raises EngineFault."""
        for choice in await self._choices.of_payers(self._payers):
            for channel in CHANNELS:
                target = choice.target(channel)
                if target is not None and choice.kinds and channel in self._post.ways:
                    await self._collect(choice, channel)
                    await self._deliver(choice, channel, target)

    async def _collect(self, choice: KeptChoice, channel: Channel) -> None:
        """Note what is new as to be sent, and then that somebody is told of it."""
        mark = f"{choice.id}|{channel}"
        wanted = Wanted(kinds=choice.kinds, since=choice.since, untold=mark)
        for _ in range(_PAGES_MAX):
            page = await self._alerts.page(choice.payer, wanted, size=_AT_ONCE, after=None)
            if not page.entries:
                return
            names = [each.alert.alert_id for each in page.entries]
            await self._notices.add(choice, channel, names)
            await self._alerts.write(choice.payer, [_told(each, mark) for each in page.entries])

    async def _deliver(self, choice: KeptChoice, channel: Channel, target: str) -> None:
        while taken := await self._notices.take(choice, channel):
            still = await self._still(choice.payer, taken)
            over = [each for each in taken if each.alert_id not in still]
            rest = [each for each in taken if each.alert_id in still]
            await self._notices.write([replace(each, state="over") for each in over])
            if rest:
                alerts = [still[each.alert_id] for each in rest]
                await self._send(choice.payer, channel, target, rest, alerts)

    async def _still(self, payer: str, taken: Sequence[Due]) -> dict[str, Alert]:
        """The alerts that are so now, and open: nobody is told of what is over by then."""
        found = await self._alerts.read_all(payer, [each.alert_id for each in taken])
        there = [each for each in found if each is not None]
        still = await self._evaluating.still(payer, there)
        return {each.alert.alert_id: each.alert for each in still if each.alert.is_open}

    async def _send(
        self,
        payer: str,
        channel: Channel,
        target: str,
        dues: Sequence[Due],
        alerts: Sequence[Alert],
    ) -> None:
        names = "|".join(sorted(each.id for each in dues))
        name = hashlib.sha256(names.encode()).hexdigest()[:24]
        notice = Notice(notice_id=name, payer=payer, alerts=alerts, page=self._post.page)
        try:
            await asyncio.to_thread(self._post.ways[channel], notice, target)
        except NotTold as failed:
            SENT.labels("failed").inc(len(dues))
            await self._notices.write([_failed(each, failed) for each in dues])
        else:
            SENT.labels("sent").inc(len(dues))
            await self._notices.write([replace(each, state="done") for each in dues])


def _told(kept: Kept, mark: str) -> tuple[Alert, tuple[int, int]]:
    return replace(kept.alert, told=(*kept.alert.told, mark)), kept.seen


def _failed(due: Due, failed: NotTold) -> Due:
    """What could not be sent: again later, or given up, and why."""
    if failed.is_lasting or due.tries >= TRIES_MAX:
        return replace(due, state="failed", why=str(failed))
    pause_s = backoff_s(due.tries, first_s=AGAIN_S, most_s=AGAIN_S_MAX)
    return replace(due, next_at=now(after_s=pause_s), why=str(failed))
