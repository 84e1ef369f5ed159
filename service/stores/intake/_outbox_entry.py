"""What waits in the outbox: a pushed version, a withdrawal, or a dead letter."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from service.domain.actor import NOBODY, Actor
from service.domain.authorization import Authorization
from service.domain.submission import Pushed
from service.stores.authorizations.document import content_hash
from service.stores.connection.key_names import OutboxKeys

Kind = Literal["push", "withdrawal", "letter"]

OVERHEAD_BYTES = 1700
"""What Redis needs for an entry beside its content; measured, in a memory with holes too."""

LETTERS = "letters"
"""The owner of dead letters: no match waits for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that waits; ``owner`` stands for the member whose matches wait for it.

    ``actor`` is who pushed or withdrew it.
    """

    kind: Kind
    ticket: str
    authorization_id: str
    version: int
    owner: str
    since: str
    content: str = field(repr=False)
    actor: Actor = NOBODY
    tries: int = 0

    @property
    def size(self) -> int:
        """How much of the outbox it takes, in bytes."""
        return len(self.content.encode()) + OVERHEAD_BYTES

    def pushed(self) -> Pushed:
        """Give the version as it was pushed; raises ValidationError where it fits no more."""
        authorization = Authorization.model_validate(orjson.loads(self.content))
        source = orjson.Fragment(self.content)
        return Pushed(authorization=authorization, source=source, actor=self.actor)


def push_entry(keys: OutboxKeys, pushed: Pushed, since: str) -> Entry:
    """Write a push down; the same content has the same ticket."""
    authorization = pushed.authorization
    name, version = authorization.authorization_id, authorization.version
    return Entry(
        kind="push",
        ticket=keys.ticket("push", name, version, content_hash(authorization)),
        authorization_id=name,
        version=version,
        owner=keys.owner(authorization.member.id),
        since=since,
        content=orjson.dumps(pushed.source).decode(),
        actor=pushed.actor,
    )


def withdrawal_entry(
    keys: OutboxKeys,
    authorization_id: str,
    version: int,
    member: str | None,
    since: str,
    actor: Actor,
) -> Entry:
    """Write a withdrawal down; without its member every match of the payer waits for it."""
    return Entry(
        kind="withdrawal",
        ticket=keys.ticket("withdrawal", authorization_id, version),
        authorization_id=authorization_id,
        version=version,
        owner=keys.owner(member),
        since=since,
        content="",
        actor=actor,
    )


def letter_entry(keys: OutboxKeys, letter_id: str, content: str, since: str) -> Entry:
    """Write a dead letter down; letters go before all pushes."""
    return Entry(
        kind="letter",
        ticket=keys.ticket("letter", letter_id),
        authorization_id="",
        version=0,
        owner=LETTERS,
        since=since,
        content=content,
    )


def read_entry(ticket: str, stored: Mapping[str, str]) -> Entry:
    """Read what Redis holds under a ticket."""
    kind: Any = stored["kind"]
    return Entry(
        kind=kind,
        ticket=ticket,
        authorization_id=stored["id"],
        version=int(stored["version"]),
        owner=stored["owner"],
        since=stored["since"],
        content=stored["content"],
        actor=Actor(by=stored["by"], on_behalf_of=stored["on_behalf_of"]),
        tries=int(stored.get("tries", 0)),
    )


def runs(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    """Put together what may be delivered in one call: of one kind, and each authorization once."""
    run: list[Entry] = []
    ids: set[str] = set()
    for each in entries:
        is_alone = each.kind == "withdrawal"
        is_other = bool(run) and each.kind != run[0].kind
        if run and (is_alone or is_other or (each.kind == "push" and each.authorization_id in ids)):
            yield run
            run, ids = [], set()
        run.append(each)
        ids.add(each.authorization_id)
    if run:
        yield run
