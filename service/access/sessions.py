"""Browser sessions: kept on the server, known by the id that a browser holds, until they end.

A session ends when nobody used it for a while, after some hours in any case, when its user signs
out, and when somebody ends all of a user's. What it may do is asked with each request: it is that
of its roles, or of its key, as they are then.
"""

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

import orjson

BEGUN_S = 600
"""So long a sign-in may take, and so long a link opens a session."""

_ID = re.compile(r"[A-Za-z0-9_\-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who signed in, for which payers, with which scopes and roles (``may``, by name).

    One that stands on a ``key`` (its hash) is for the payers and has the scopes of that, as long as
    it is valid. ``payer`` is the one that was chosen last, ``until`` the end in seconds.
    """

    name: str
    payers: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    key: str = field(default="", repr=False)
    payer: str | None = None
    until: float = 0


class Shelf(Protocol):
    """Where sessions are kept, by ids of which it knows hashes alone; raises EngineFault."""

    async def put(self, ticket: str, content: str, seconds: int) -> None:
        """Keep what a ticket opens for so long, to be taken once."""
        ...

    async def take(self, ticket: str) -> str | None:
        """Give it, and keep it no longer; None where it is not there."""
        ...

    async def is_first(self, sign_in: str, seconds: int) -> bool:
        """Whether this was not asked before in so many seconds."""
        ...

    async def open(self, name: str, content: str, user: str, idle_s: int, until: float) -> None:
        """Keep a session of a user, at most ``until`` a time."""
        ...

    async def look(self, name: str, idle_s: int) -> str | None:
        """Give a session and keep it for so long from now; None where it is not there."""
        ...

    async def change(self, name: str, content: str) -> None:
        """Keep a session otherwise, if it is there still."""
        ...

    async def end(self, name: str) -> None:
        """Keep a session no longer."""
        ...

    async def end_all(self, user: str) -> int:
        """Keep no session of a user any longer; gives how many there were."""
        ...


class Sessions:
    """Opens sessions, knows them by their ids, and ends them; raises EngineFault."""

    def __init__(self, shelf: Shelf, *, secret: bytes, idle_s: int, whole_s: int) -> None:
        """``secret`` makes the tokens that show that a request comes from a page of ours."""
        self.shelf = shelf
        self._secret = secret
        self._idle_s = idle_s
        self._whole_s = whole_s

    async def open(self, session: Session) -> str:
        """Open a session, and give its id: a new one, whatever the browser had before."""
        session_id, until = new_id(), time.time() + self._whole_s
        content = _written(replace(session, until=until))
        await self.shelf.open(session_id, content, session.name, self._idle_s, until)
        return session_id

    async def look(self, session_id: str) -> Session | None:
        """The session of an id, used now; None where there is none, or none any more."""
        content = await self.shelf.look(session_id, self._idle_s) if is_id(session_id) else None
        session = None if content is None else _read(content)
        if session is None or session.until <= time.time():
            return None
        return session

    async def choose(self, session_id: str, session: Session, payer: str) -> None:
        """Remember which of its payers a session is for."""
        await self.shelf.change(session_id, _written(replace(session, payer=payer)))

    async def end(self, session_id: str) -> None:
        """End a session in every worker at once."""
        await self.shelf.end(session_id)

    async def ticket(self, session: Session) -> str:
        """A ticket that opens this session once, for some minutes."""
        ticket = new_id()
        await self.shelf.put(ticket, _written(session), BEGUN_S)
        return ticket

    async def by_ticket(self, ticket: str) -> Session | None:
        """The session that a ticket opens; None for one that was used, or is too old."""
        content = await self.shelf.take(ticket) if is_id(ticket) else None
        return None if content is None else _read(content)

    def csrf_token(self, session_id: str) -> str:
        """What a page of ours sends with what changes anything: of this session alone."""
        return self.seal(f"csrf|{session_id}")

    def seal(self, text: str) -> str:
        """A text that shows that this service wrote another one."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def new_id() -> str:
    """An id that nobody can guess: 32 random bytes."""
    return secrets.token_urlsafe(32)


def is_id(text: str) -> bool:
    """Whether a text is written like an id."""
    return _ID.fullmatch(text) is not None


def _written(session: Session) -> str:
    return orjson.dumps(asdict(session)).decode()


def _read(content: str) -> Session:
    fields = orjson.loads(content)
    return Session(**{**fields, "payers": tuple(fields["payers"]), "may": tuple(fields["may"])})
