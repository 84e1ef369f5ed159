"""What is asked of authorizations: pushed, withdrawn, read, and what was used of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
from typing_extensions import TypedDict

from service.access.act import note
from service.access.subject import BadPart
from service.accounting.answers.outside import lines_outside
from service.accounting.answers.statement import (
    AccountsState,
    related_claim,
    statement,
    utilization,
)
from service.accounting.answers.statement import TimeStep as TimeStep
from service.accounting.answers.status import STATUSES, status_by_accounts
from service.accounting.limits.bounds import bounds_of
from service.application import claims
from service.application.intake import NotFound, count_push
from service.application.ledger_view import LedgerEntries, ledger_entries
from service.application.parts import Caller
from service.application.reception import check_version
from service.domain.actor import Actor
from service.domain.answers import RelatedClaim, StatementAnswer, UtilizationAnswer
from service.domain.authorization import Authorization
from service.domain.engine_fault import EngineFault
from service.domain.submission import Code, DeadLetter, Pushed, PushResult, Queued, write_withdrawal
from service.domain.values import VERSION_MAX
from service.ingest.submissions import read_one
from service.stores.authorizations.overlaps import Asked
from service.stores.authorizations.reading import Filter as Filter
from service.stores.authorizations.reading import Name as Name
from service.stores.authorizations.reading import Page as Page
from service.stores.authorizations.reading import Stored as Stored
from service.stores.authorizations.reading import Times as Times
from service.stores.connection.clock import today
from service.stores.ledger.entry import claims_in
from service.stores.ledger.reading import MATCHED, MOVED
from service.stores.ledger.records import read_record

Answer = dict[str, Any]

TITLES: Mapping[Code, str] = {
    "unreadable": "Malformed JSON",
    "invalid": "Invalid content",
    "conflict": "Version conflict",
    "duplicate-grant": "Duplicate grant",
    "other-person": "Other person",
    "refused": "Engine refused",
}
_ERRORS_MAX = 20
_ID_LENGTH_MAX = 100
_PAGES_MAX = 100
_PAGE = 500
_LOOKED_THROUGH_MAX = 20
"""Pages that are looked through for one that is not empty."""


class Balances(TypedDict):
    """What is used, reserved and left; one account for each boundary that there is."""

    authorization_id: str
    number: str | None
    version: int
    accumulator_version: int | None
    void: bool
    accounts: list[StatementAnswer]


class RelatedClaims(TypedDict):
    """Claims that drew on an authorization, and where to go on."""

    claims: list[RelatedClaim]
    next: str | None


class Utilization(TypedDict):
    """How the units went, by account; not ``complete`` where there are more movements."""

    authorization_id: str
    by: TimeStep
    complete: bool
    accounts: list[UtilizationAnswer]


class NotTaken(Exception):
    """A push that cannot be taken: why, where, and the dead letter in which it is kept.

    ``on_file`` is the authorization that stands in its way.
    """

    def __init__(
        self,
        code: Code,
        reason: str,
        errors: Sequence[dict[str, str]] = (),
        on_file: str | None = None,
    ) -> None:
        """Say why; it is kept later."""
        super().__init__(reason)
        self.code: Code = code
        self.on_file = on_file
        self.errors = list(errors)
        self.dead_letter: str | None = None


async def push(caller: Caller, authorization_id: str, content: bytes) -> PushResult | Queued:
    """Take a version in; raises NotTaken once it is kept as a dead letter, EngineFault."""
    note(authorizations=(authorization_id,))
    try:
        pushed = replace(_pushed(content, authorization_id), actor=caller.subject.acting_for(None))
        note(members=(pushed.authorization.member.id,))
        (result,) = await caller.stores.entrance.push_or_queue(caller.payer, [pushed])
        return _counted(result)
    except EngineFault as fault:
        if not fault.is_lasting:
            raise
        refused = NotTaken("refused", str(fault))
        await _keep(caller, refused, content, "PUT /authorizations", authorization_id)
        raise refused from fault
    except NotTaken as refused:
        await _keep(caller, refused, content, "PUT /authorizations", authorization_id)
        raise


async def withdraw(
    caller: Caller, authorization_id: str, version: int, actor: Actor | None = None
) -> PushResult | Queued:
    """Make an authorization void under the sender's next version; raises as ``push`` does.

    ``actor``: for whom, if for somebody else. Raises BadPart for a version beyond today.
    """
    note(authorizations=(authorization_id,))
    check_version(version, "/query/version")
    try:
        result = await caller.stores.entrance.withdraw_or_queue(
            caller.payer, authorization_id, version, actor or caller.subject.acting_for(None)
        )
        return _counted(result)
    except NotTaken as refused:
        content = write_withdrawal(authorization_id, version)
        await _keep(caller, refused, content, "DELETE /authorizations", authorization_id)
        raise


def _pushed(content: bytes, authorization_id: str) -> Pushed:
    read = read_one(content)
    if read.pushed is None:
        errors = [dict(each) for each in read.errors]
        raise NotTaken(read.code or "invalid", read.reason or "", errors)
    if read.authorization_id != authorization_id:
        path, message = "/authorization_id", "not the one of the address"
        raise NotTaken("invalid", f"{path}: {message}", [{"path": path, "message": message}])
    try:
        check_version(read.pushed.authorization.version, "/version")
    except BadPart as beyond:
        error = {"path": beyond.path, "message": str(beyond)}
        raise NotTaken("invalid", f"{beyond.path}: {beyond}", [error]) from beyond
    return read.pushed


def _counted(result: PushResult | Queued) -> PushResult | Queued:
    """Count what became of a push; raises NotTaken for other content."""
    count_push(result)
    if isinstance(result, PushResult) and result.status == "conflict":
        raise NotTaken(result.code, result.reason or "other content", on_file=result.on_file)
    return result


async def _keep(
    caller: Caller, refused: NotTaken, content: bytes, origin: str, authorization_id: str
) -> None:
    """Keep what was sent; raises an EngineFault if it cannot be: then it must be sent again."""
    letter = DeadLetter(
        format="json",
        content=content[: caller.parts.settings.dead_letter_bytes_max],
        content_bytes=len(content),
        code=refused.code,
        reason=f"{TITLES[refused.code]}: {refused}",
        errors=tuple(refused.errors[:_ERRORS_MAX]),
        origin=origin,
        authorization_id=authorization_id if len(authorization_id) <= _ID_LENGTH_MAX else None,
        version=_version_in(content),
        on_file=refused.on_file,
    )
    (refused.dead_letter,) = await caller.stores.letters.keep(caller.payer, [letter])


def _version_in(content: bytes) -> int | None:
    try:
        source: Any = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    version = source.get("version") if isinstance(source, dict) else None
    return version if type(version) is int and 0 < version <= VERSION_MAX else None


async def read(caller: Caller, authorization_id: str) -> Stored:
    """The current version and its state; raises NotFound when it was never pushed."""
    stored = await caller.stores.reading.get(caller.payer, authorization_id)
    if stored is None:
        raise NotFound("there is no such authorization")
    return stored


async def read_with_overlaps(caller: Caller, authorization_id: str) -> Stored:
    """Do as ``read``; the state says which others of the person grant the same, too."""
    stored = await read(caller, authorization_id)
    found = list((await overlaps_of(caller, [stored])).get(authorization_id, ()))
    return replace(stored, state=stored.state | {"overlaps": found}) if found else stored


async def overlaps_of(caller: Caller, found: Sequence[Stored]) -> Mapping[str, tuple[str, ...]]:
    """Which others of the person grant the same as those of these that stand, by id."""
    standing = [
        Authorization.model_validate(each.source)
        for each in found
        if each.state.get("current") and not each.state.get("void")
    ]
    persons = await asyncio.gather(
        *(caller.stores.members.person(caller.payer, each.member.id) for each in standing)
    )
    asked = [Asked(each, person.ids) for each, person in zip(standing, persons, strict=True)]
    return await caller.stores.overlaps.of(caller.payer, asked)


async def versions(caller: Caller, authorization_id: str) -> Sequence[Stored]:
    """Every version that was taken in, newest first; raises NotFound when there is none."""
    found = await caller.stores.reading.versions(caller.payer, authorization_id)
    if not found:
        raise NotFound("there is no such authorization")
    return found


async def listing(caller: Caller, wanted: Filter, *, size: int, after: str | None) -> Page:
    """A page, newest certification first; raises BadCursor."""
    return await caller.stores.reading.page(caller.payer, wanted, size=size, after=after)


async def with_status(caller: Caller, found: Sequence[Stored], on: date | None) -> list[Stored]:
    """Add to the state of each how it stands on a day, as balances are now; raises EngineFault.

    The day is today where none is given.
    """
    names = [name for each in found if (name := each.source.get("authorization_id"))]
    held = await caller.stores.accumulators.accounts_of_all(caller.payer, names)

    def told() -> list[Stored]:
        return [_with_status(each, held, on or today()) for each in found]

    return await asyncio.to_thread(told)  # many long ones would hold up everyone else


def _with_status(stored: Stored, held: Mapping[str, AccountsState], day: date) -> Stored:
    status: str = "VOID"
    if not stored.state.get("void"):  # one that was withdrawn before it came says nothing else
        authorization = Authorization.model_validate(stored.source)
        accounts = held[authorization.authorization_id]
        status = status_by_accounts(authorization, stored.state, accounts, day)
    return replace(stored, state=stored.state | {"status": status})


async def listing_on(
    caller: Caller, wanted: Filter, on: date | None, *, size: int, after: str | None
) -> Page:
    """A page with the status of each on a day, today where none is given; raises BadCursor.

    What is left tells apart what is looked for by such a status: a page may then hold fewer than
    others, and the total counts all that may stand so.
    """
    stands = next((each for each in STATUSES if each == (wanted.status or "").upper()), None)
    if stands is not None:
        wanted = replace(wanted, status=None, stands=(stands, on or today()))
    for _ in range(_LOOKED_THROUGH_MAX):
        page = await listing(caller, wanted, size=size, after=after)
        found = await with_status(caller, page.entries, on)
        if stands is not None:
            found = [each for each in found if each.state["status"] == stands]
        if found or page.next_ is None:
            break
        after = page.next_
    return replace(page, entries=tuple(found))


async def balances(caller: Caller, authorization_id: str) -> Balances:
    """Every boundary with its limit and balances, as they are now; raises NotFound."""
    stored = await read(caller, authorization_id)
    state = await caller.stores.accumulators.accounts(caller.payer, authorization_id)
    authorization = Authorization.model_validate(stored.source)
    return {
        "authorization_id": authorization_id,
        "number": authorization.number,
        "version": stored.state["version"],
        "accumulator_version": state.version or None,
        "void": stored.state.get("void", False),
        "accounts": statement(state, bounds_of(authorization)),
    }


async def ledger(
    caller: Caller, authorization_id: str, *, size: int, after: str | None
) -> LedgerEntries:
    """What moved or changed its units, newest first; raises NotFound, BadCursor."""
    await read(caller, authorization_id)
    page = await caller.stores.ledger.page(
        caller.payer, authorization_id, MOVED, size=size, after=after
    )
    return ledger_entries(page, authorization_id)


async def related_claims(
    caller: Caller, authorization_id: str, *, matched: bool, size: int, after: str | None
) -> RelatedClaims:
    """The claims that drew on it, newest first, as they stand now; raises NotFound, BadCursor.

    ``matched``: also those that found it and drew nothing.
    """
    stored = await read(caller, authorization_id)
    of = (*MOVED, *MATCHED) if matched else MOVED
    page = await caller.stores.ledger.page(
        caller.payer, authorization_id, of, size=size, after=after
    )
    ids = dict.fromkeys(name for entry in page.entries for name in claims_in(entry))
    authorization = Authorization.model_validate(stored.source)
    is_void = bool(stored.state.get("void"))
    related = []
    for name in ids:
        answer, claim, draft = await claims.as_held(caller, name)
        outside = lines_outside(claim, draft, authorization, is_void=is_void)
        related.append(related_claim(answer, authorization_id, is_outside=bool(outside)))
    return {"claims": related, "next": page.next_}


async def utilization_over_time(caller: Caller, authorization_id: str, by: TimeStep) -> Utilization:
    """By the time of adjudication, what was moved, used and reserved then; raises NotFound."""
    await read(caller, authorization_id)
    rules = caller.parts.rules.of(caller.payer, today())
    week_starts_on = rules.references.accounting.week_starts_on
    moved: list[Any] = []
    after: str | None = None
    for _ in range(_PAGES_MAX):
        page = await caller.stores.ledger.page(
            caller.payer, authorization_id, MOVED, size=_PAGE, after=after
        )
        moved += [(entry.fields["at"], read_record(entry)[1]) for entry in page.entries]
        after = page.next_
        if after is None:
            break
    return {
        "authorization_id": authorization_id,
        "by": by,
        "complete": after is None,
        "accounts": utilization(
            reversed(moved), authorization_id, by=by, week_starts_on=week_starts_on
        ),
    }
