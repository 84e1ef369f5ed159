"""Alerts: what somebody should know of an authorization, as it is now; and who has seen enough."""

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from service.access.act import note
from service.access.subject import BadPart, Subject, hash_of
from service.application.intake import NotFound
from service.application.parts import Application, Caller, caller_for
from service.application.worklist import name_of
from service.domain.alert import Alert, AlertKind
from service.domain.alert_choice import AlertChoice, Channel, KeptChoice
from service.domain.decision import Asked
from service.domain.engine_fault import EngineFault
from service.domain.values import Text
from service.flow.adjudicating.adjudicate import Conflict
from service.notices.calendar import MEDIA_TYPE as MEDIA_TYPE
from service.notices.calendar import calendar_of
from service.stores.alerts.kept import Kept
from service.stores.alerts.kept import Wanted as Wanted
from service.stores.connection.clock import now
from service.stores.connection.reading import Listing

READ = "clinical.authorization.read"
_ATTEMPTS_MAX = 10
_CALENDAR_MAX = 500
_TOKEN_BYTES = 32
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
        still = await _still(caller, [kept])
        if not still:
            raise Conflict("this alert is over: what it said is not so any more")
        (kept,) = still
        if not kept.alert.is_open:
            who = kept.alert.on_behalf_of or kept.alert.by or "the service"
            raise Conflict(f"this alert is {kept.alert.state}, by {who}")
        done = kept.alert.dismissed(at=now(), actor=actor, why=asked.reason)
        (is_written,) = await caller.stores.alerts.kept.write(caller.payer, [(done, kept.seen)])
        if is_written:
            return done
    raise EngineFault("elasticsearch", "the alert is being changed")


async def choice(caller: Caller, by: str | None = None) -> KeptChoice:
    """What whoever asks chose; raises NotActing, EngineFault."""
    return (await caller.stores.alerts.choices.read(_own(caller, by)))[0]


async def choose(caller: Caller, asked: AlertChoice) -> KeptChoice:
    """Choose which alerts to be told of, and how; a calendar stays as it is.

    Alerts of before the first choice are not sent. Raises BadPart for where nobody can be told,
    NotActing, EngineFault.
    """
    new = _own(caller, asked.by)
    targets: tuple[tuple[Channel, str | None], ...] = (
        ("email", asked.email),
        ("webhook", asked.webhook),
    )
    for channel, target in targets:
        if target and (reason := caller.stores.alerts.post.problem_of(channel, target)):
            raise BadPart(f"/{channel}", reason)
    chosen = {"kinds": asked.kinds, "email": asked.email, "webhook": asked.webhook}
    return await _write(caller, new, chosen)


async def open_calendar(caller: Caller, by: str | None = None) -> tuple[KeptChoice, str]:
    """Make a secret address of the calendar of whoever asks; the one of before ends.

    Raises NotActing, EngineFault.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return await _write(caller, _own(caller, by), {"calendar": _hashed(token)}), token


async def close_calendar(caller: Caller, by: str | None = None) -> KeptChoice:
    """End the address of the calendar; raises NotActing, EngineFault."""
    return await _write(caller, _own(caller, by), {"calendar": None})


def ways(caller: Caller) -> Collection[str]:
    """The ways by which somebody can be told here."""
    return caller.stores.alerts.post.ways


async def _write(caller: Caller, new: KeptChoice, changes: dict[str, Any]) -> KeptChoice:
    store = caller.stores.alerts.choices
    note(others=(new.id,))
    for _ in range(_ATTEMPTS_MAX):
        known, seen = await store.read(new)
        chosen = known.model_copy(update=changes)
        if await store.write(chosen, seen):
            return chosen
    raise EngineFault("elasticsearch", "the choice is being changed")


def _own(caller: Caller, by: str | None) -> KeptChoice:
    """The choice of whoever asks, with nothing chosen."""
    who = name_of(caller.subject.acting_for(by))
    return KeptChoice(payer=caller.payer, person=who, since=now())


async def calendar(parts: Application, token: str) -> tuple[KeptChoice, bytes]:
    """The calendar whose address has a token; raises NotFound, EngineFault.

    It has the kinds that its person chose, or all where none are chosen.
    """
    store = parts.stores.alerts
    found = await store.choices.of_calendar(_hashed(token))
    if found is None:
        raise NotFound("there is no such calendar")
    subject = Subject(
        kind="token",
        name=f"calendar of {found.person}",
        payers=frozenset({found.payer}),
        scopes=frozenset({READ}),
    )
    caller = caller_for(parts, found.payer, subject)
    wanted = Wanted(kinds=found.kinds)
    shown = await page(caller, wanted, size=_CALENDAR_MAX, after=None)
    return found, calendar_of(shown.entries, store.post.page)


def _hashed(token: str) -> str:
    return hash_of(token.encode()).hex()


async def _still(caller: Caller, kept: Any) -> list[Kept]:
    found = await caller.stores.alerts.evaluating.still(caller.payer, list(kept))
    note(
        authorizations=(each.alert.authorization_id for each in found),
        members=filter(None, (each.alert.member_id for each in found)),
    )
    return found
