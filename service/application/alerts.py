"""Alerts: what somebody should know of an authorization, as it is now; and who has seen enough."""

from collections.abc import Mapping
from typing import Any

from service.access.act import note
from service.application.intake import NotFound
from service.application.parts import Caller
from service.domain.alert import Alert, AlertKind
from service.domain.decision import Asked
from service.domain.engine_fault import EngineFault
from service.domain.values import Text
from service.flow.adjudicating.adjudicate import Conflict
from service.stores.alerts.kept import Kept
from service.stores.alerts.kept import Wanted as Wanted
from service.stores.connection.clock import now
from service.stores.connection.reading import Listing

_ATTEMPTS_MAX = 10
_PAGES_MAX = 20


class Dismissal(Asked):
    """Why an alert need not be seen any more."""

    reason: Text


async def page(caller: Caller, wanted: Wanted, *, size: int, after: str | None) -> Listing[Alert]:
    """A page, the newest first, with the figures of now; raises BadCursor, EngineFault.

    Those that are not so any more are over by then: a page may have fewer than others. Pages of
    which nothing is left are looked through for one that is not empty.
    """
    await caller.stores.projection.project(caller.payer)
    for _ in range(_PAGES_MAX):
        found = await caller.stores.alerts.kept.page(caller.payer, wanted, size=size, after=after)
        still = await _still(caller, found.entries)
        if still or found.next_ is None:
            break
        after = found.next_
    return Listing(
        entries=tuple(each.alert for each in still), total=found.total, next_=found.next_
    )


async def counts(caller: Caller) -> Mapping[AlertKind, int]:
    """How many are open, by kind; raises EngineFault."""
    await caller.stores.projection.project(caller.payer)
    return await caller.stores.alerts.kept.counts(caller.payer)


async def dismiss(caller: Caller, name: str, asked: Dismissal) -> Alert:
    """See an alert no more, whoever else wanted to; the next period has one of its own.

    Raises NotFound, Conflict where it is dismissed or over already, NotActing, EngineFault.
    """
    note(why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    for _ in range(_ATTEMPTS_MAX):
        (kept,) = await caller.stores.alerts.kept.read_all(caller.payer, [name])
        if kept is None:
            raise NotFound("there is no such alert")
        for each in await _still(caller, [kept]):
            kept = each
            break
        else:
            raise Conflict("this alert is over: what it said is not so any more")
        if not kept.alert.is_open:
            who = kept.alert.on_behalf_of or kept.alert.by or "the service"
            raise Conflict(f"this alert is {kept.alert.state}, by {who}")
        done = kept.alert.dismissed(at=now(), actor=actor, why=asked.reason)
        (is_written,) = await caller.stores.alerts.kept.write(caller.payer, [(done, kept.seen)])
        if is_written:
            return done
    raise EngineFault("elasticsearch", "the alert is being changed")


async def _still(caller: Caller, kept: Any) -> list[Kept]:
    found = await caller.stores.alerts.evaluating.still(caller.payer, list(kept))
    note(
        authorizations=(each.alert.authorization_id for each in found),
        members=filter(None, (each.alert.member_id for each in found)),
    )
    return found
