"""Who asks: a subject with its payers and scopes, and for whom something is done."""

import getpass
import os
from dataclasses import dataclass
from typing import Literal

from service.access.scopes import ALL
from service.domain.actor import Actor

Kind = Literal["key", "token", "session", "local"]


class NotPermitted(Exception):
    """A scope that is needed is missing; ``part`` is what of the request needs it."""

    def __init__(self, scope: str, part: str | None = None) -> None:
        """Name the scope; nothing is said of what was asked for."""
        super().__init__(f"the scope {scope} is needed" + (f" for {part}" if part else ""))
        self.scope = scope
        self.part = part


class NotActing(ValueError):
    """Somebody is named in a request whose sender may not act for others, at ``path``."""

    def __init__(self, path: str) -> None:
        """Keep the path."""
        super().__init__("who asks is known by the credential: leave it out, or have `act-for`")
        self.path = path


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
        return Actor(by=self.title, on_behalf_of=named or "")


def local_subject(payer: str) -> Subject:
    """The user of this machine, who runs a command or an open service: every scope."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        name = f"uid-{os.getuid()}"
    return Subject(kind="local", name=name, payers=frozenset({payer}), scopes=ALL)
