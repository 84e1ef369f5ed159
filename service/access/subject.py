"""Who asks: a subject with its payers and scopes, and for whom something is done."""

import getpass
import hashlib
import os
from dataclasses import dataclass
from typing import Literal

from service.access.act import note
from service.access.scopes import ALL
from service.domain.actor import Actor

Kind = Literal["key", "token", "session", "local", "policy"]


class NotPermitted(Exception):
    """A scope that is needed is missing; ``part`` is what of the request needs it."""

    def __init__(self, scope: str, part: str | None = None) -> None:
        """Name the scope; nothing is said of what was asked for."""
        super().__init__(f"the scope {scope} is needed" + (f" for {part}" if part else ""))
        self.scope = scope
        self.part = part


class NotAuthenticated(Exception):
    """Nobody is known by what was sent; the text says what to do, and nothing of any key.

    ``former`` is whose credential it was, where that is known and it has ended.
    """

    def __init__(self, reason: str, former: "Subject | None" = None) -> None:
        """Say what to do."""
        super().__init__(reason)
        self.former = former


class Forged(Exception):
    """What came under a session does not show that a page of ours sent it."""


class NotForPayer(Exception):
    """Who asks has not said for which of several payers, or for one that is not his."""


class BadPart(ValueError):
    """A part of a request that cannot be meant by who asks, at ``path``."""

    def __init__(self, path: str, reason: str) -> None:
        """Keep the path."""
        super().__init__(reason)
        self.path = path


class NotActing(BadPart):
    """Somebody is named in a request whose sender may not act for others."""

    def __init__(self, path: str) -> None:
        """Keep the path."""
        reason = "who asks is known by the credential: leave it out, or have the scope act-for"
        super().__init__(path, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who was authenticated: how, under which name, for which payers, and what is allowed."""

    kind: Kind
    name: str
    payers: frozenset[str]
    scopes: frozenset[str]

    @property
    def title(self) -> str:
        """What the ledger and all records call it, such as `key:claims-engine`."""
        return f"{self.kind}:{self.name}"

    def demand(self, scope: str, part: str) -> None:
        """See to it that a part of a request is allowed; raises NotPermitted."""
        if scope not in self.scopes:
            raise NotPermitted(scope, part)

    def acting_for(self, named: str | None, path: str = "/by") -> Actor:
        """Who does something, for somebody who may be named; raises NotActing."""
        if named is not None and "act-for" not in self.scopes:
            raise NotActing(path)
        note(on_behalf_of=named)
        return Actor(by=self.title, on_behalf_of=named or "")


def hash_of(credential: bytes) -> bytes:
    """What is kept of a credential: 32 random bytes need no salt."""
    return hashlib.sha256(credential).digest()


def local_subject(payer: str) -> Subject:
    """The user of this machine, who runs a command or an open service: every scope."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        name = f"uid-{os.getuid()}"
    return Subject(kind="local", name=name, payers=frozenset({payer}), scopes=ALL)
