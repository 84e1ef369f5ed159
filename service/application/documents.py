"""Supporting documents of authorizations, and authorizations that are entered by hand with them."""

from dataclasses import dataclass
from typing import Any

from service.access.act import note
from service.application import authorizations
from service.application.intake import NotFound, count_push
from service.application.parts import Caller
from service.domain.actor import NOBODY, Actor
from service.domain.authorization import Authorization
from service.domain.decision import Asked
from service.domain.document import Document
from service.domain.document import DocumentRefused as DocumentRefused
from service.domain.manual_entry import (
    ManualEntry,
    ManualEntryPolicy,
    counting,
    entered_by,
    is_waiting,
    waiting,
)
from service.domain.submission import Pushed, PushResult
from service.domain.values import Text
from service.flow.adjudicating.adjudicate import Conflict
from service.stores.connection.clock import now, today
from service.stores.documents.kept import Paper as Paper

_SOME_ID = "an authorization of this id is there already: push its next version"


class Refusal(Asked):
    """Why an entry is not to count."""

    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """An entry: the version that stands, what it waits for, and the document that came with it."""

    authorization_id: str
    version: int
    waits_for: tuple[str, ...]
    document: Document | None = None

    def as_answer(self) -> dict[str, Any]:
        """The entry as it is shown."""
        return {
            "authorization_id": self.authorization_id,
            "version": self.version,
            "status": "MANUAL_PENDING" if self.waits_for else "ENTERED",
            "waits_for": list(self.waits_for),
            "document": self.document.as_answer() if self.document else None,
        }


def bytes_max(caller: Caller) -> int:
    """How long a document may be."""
    return caller.stores.documents.bytes_max


async def documents_of(caller: Caller, authorization_id: str) -> list[Document]:
    """The documents of an authorization, the oldest first; raises NotFound, EngineFault."""
    await authorizations.read(caller, authorization_id)
    found = await caller.stores.documents.of(caller.payer, authorization_id)
    note(others=(each.sha256 for each in found))
    return found


async def content_of(caller: Caller, name: str) -> tuple[Document, bytes]:
    """A document with its content; raises NotFound, and EngineFault for one that was changed."""
    found = await caller.stores.documents.read(caller.payer, name)
    if found is None:
        raise NotFound("there is no such document")
    note(others=(found.sha256,))
    await authorizations.read(caller, found.authorization_id)
    return found, await caller.stores.documents.content(caller.payer, found)


async def add(
    caller: Caller, authorization_id: str, paper: Paper, by: str | None = None
) -> tuple[Document, bool, Entered | None]:
    """Keep a document with an authorization, and tell whether it is new.

    An entry that waited for nothing else counts from then on. Raises DocumentRefused, NotFound,
    NotActing, EngineFault.
    """
    actor = caller.subject.acting_for(by)
    authorization = await _standing(caller, authorization_id)
    kept, is_new = await _keep(caller, authorization_id, paper, actor)
    entered = None
    if is_waiting(authorization):
        left = _waits_for(_policy(caller), has_document=True)
        entered = Entered(
            authorization_id=authorization_id, version=authorization.version, waits_for=left
        )
        if not left:
            entered = await _count(caller, authorization, actor, None)
    return kept, is_new, entered


async def enter(caller: Caller, entry: ManualEntry, paper: Paper | None) -> Entered:
    """Enter an authorization by hand; it counts at once where the policy wants no more.

    Raises Conflict, DocumentRefused, NotActing, EngineFault.
    """
    one, policy = entry.authorization, _policy(caller)
    note(authorizations=(one.authorization_id,), members=(one.member.id,), why=entry.reason)
    actor = caller.subject.acting_for(entry.by)
    if await caller.stores.reading.get(caller.payer, one.authorization_id) is not None:
        raise Conflict(_SOME_ID)
    kept = None
    if paper is not None:
        kept, _ = await _keep(caller, one.authorization_id, paper, actor)
    left = _waits_for(policy, has_document=kept is not None)
    await _push(caller, waiting(one, actor, now()) if left else one, actor)
    return Entered(authorization_id=one.authorization_id, version=1, waits_for=left, document=kept)


async def confirm(caller: Caller, authorization_id: str, asked: Asked) -> Entered:
    """Look at an entry a second time: it counts from then on.

    Raises Conflict where it does not wait, its document is missing, or who asks entered it;
    NotFound, NotActing, EngineFault.
    """
    note(why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    authorization = await _waiting(caller, authorization_id)
    if entered_by(authorization).may_be(actor):
        raise Conflict("a second person must look at it: you entered it")
    found = await caller.stores.documents.of(caller.payer, authorization_id)
    if not found and _policy(caller).document:
        raise Conflict("its document is missing: add it first")
    return await _count(caller, authorization, actor, actor.on_behalf_of or actor.by)


async def refuse(caller: Caller, authorization_id: str, asked: Refusal) -> Entered:
    """Have an entry not count: it is void from then on, with its documents kept.

    Raises Conflict where it does not wait, NotFound, NotActing, EngineFault.
    """
    note(why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    authorization = await _waiting(caller, authorization_id)
    version = authorization.version + 1
    await authorizations.withdraw(caller, authorization_id, version, actor)
    return Entered(authorization_id=authorization_id, version=version, waits_for=())


async def _keep(
    caller: Caller, authorization_id: str, paper: Paper, actor: Actor
) -> tuple[Document, bool]:
    kept, is_new = await caller.stores.documents.add(caller.payer, authorization_id, paper, actor)
    note(others=(kept.sha256,))
    return kept, is_new


async def _standing(caller: Caller, authorization_id: str) -> Authorization:
    stored = await authorizations.read(caller, authorization_id)
    if stored.state.get("void") and "authorization_id" not in stored.source:
        raise NotFound("there is no such authorization")
    return Authorization.model_validate(stored.source)


async def _waiting(caller: Caller, authorization_id: str) -> Authorization:
    stored = await authorizations.read(caller, authorization_id)
    if stored.state.get("void"):
        raise Conflict("this authorization is void")
    authorization = Authorization.model_validate(stored.source)
    if not is_waiting(authorization):
        raise Conflict("this authorization does not wait for anybody")
    return authorization


async def _count(
    caller: Caller, authorization: Authorization, actor: Actor, confirmed: str | None
) -> Entered:
    version = authorization.version + 1
    await _push(caller, counting(authorization, version, confirmed), actor)
    return Entered(authorization_id=authorization.authorization_id, version=version, waits_for=())


async def _push(caller: Caller, authorization: Authorization, actor: Actor) -> None:
    """Take a version of an entry in; raises Conflict where something stands in its way."""
    source = authorization.model_dump(mode="json", by_alias=True, exclude_unset=True)
    pushed = Pushed(authorization=authorization, source=source, actor=actor or NOBODY)
    (result,) = await caller.stores.entrance.push_or_queue(caller.payer, [pushed])
    count_push(result)
    if isinstance(result, PushResult) and result.status == "conflict":
        raise Conflict(result.reason or "the authorization was changed meanwhile: look again")


def _policy(caller: Caller) -> ManualEntryPolicy:
    return caller.parts.rules.of(caller.payer, today()).references.manual_entry


def _waits_for(policy: ManualEntryPolicy, *, has_document: bool) -> tuple[str, ...]:
    """What an entry waits for."""
    document = ("document",) if policy.document and not has_document else ()
    return (*document, *(("second-look",) if policy.second_look else ()))
