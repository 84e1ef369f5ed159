"""What somebody does, and whose data it touches, until it is a row of the audit trail.

Whatever reads or writes somebody's data notes it here, where it is read: so no use can forget it.
What nobody asked for has no act.
"""

from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol

from service.domain.engine_fault import EngineFault

Ids = dict[str, None]
"""Ids in the order in which they were noted, each once."""

Outcome = Literal["asked", "moved", "done", "refused", "failed"]
"""``asked`` and ``moved`` are written before the answer is known: if it is another one than was
to be expected, a further row says so."""

_REFUSED = 400
_FAILED = 500


class Teller(Protocol):
    """Who writes rows of the trail; when a call returns they are durable."""

    async def tell(self, act: "Act", outcome: Outcome, status: int | None = None) -> None:
        """Write all that was noted; raises EngineFault."""
        ...

    def ask(self, act: "Act") -> Awaitable[None]:
        """Begin to write what is asked for; to be awaited before the answer."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Act:
    """A request or a command: ``what`` was asked for, by whom, from where, and what it touched.

    ``members`` are ids as they were given, ``persons`` members as keys name them; ``others`` is
    what is no person's: a letter, a ticket, a key, a set of rules. ``scope`` is one that was
    missing. Until it is known who asks, for whom and in which ``trail``, nothing is written.
    """

    what: str = ""
    source: str = ""
    request: str = ""
    purpose: str = ""
    trail: Teller | None = None
    payer: str = ""
    by: str = ""
    on_behalf_of: str = ""
    why: str = ""
    scope: str = ""
    claims: Ids = field(default_factory=dict)
    authorizations: Ids = field(default_factory=dict)
    members: Ids = field(default_factory=dict)
    persons: Ids = field(default_factory=dict)
    others: Ids = field(default_factory=dict)
    is_told: bool = False
    """Whether a row was written."""
    has_notes: bool = False
    """Whether something was touched that no row says yet."""
    is_streaming: bool = False
    """Whether it is answered part by part: then each part is told before it is given out."""

    def told(self, outcome: Outcome) -> None:
        """Remember that a row says all that was noted; if it only asked, another may say it too."""
        self.is_told, self.has_notes = True, False
        if outcome != "asked":
            for each in (self.claims, self.authorizations, self.members, self.persons, self.others):
                each.clear()

    def part(self) -> "Act":
        """An act of its own for one of many that a request asks for."""
        return Act(
            what=self.what,
            source=self.source,
            request=self.request,
            purpose=self.purpose,
            trail=self.trail,
            payer=self.payer,
            by=self.by,
        )

    def ask(self) -> Awaitable[None] | None:
        """Begin to write what is asked for, before it is known what will be answered.

        What is returned is to be awaited before the answer, and raises EngineFault then.
        """
        return None if self.trail is None else self.trail.ask(self)

    async def tell(self, outcome: Outcome = "done", status: int | None = None) -> None:
        """Write what was done, unless rows say all of it already; raises EngineFault."""
        if self.trail is not None and (self.has_notes or not self.is_told or outcome != "done"):
            await self.trail.tell(self, outcome, status)

    async def tell_answer(self, status: int) -> None:
        """Do so before an answer with a status of HTTP; raises EngineFault.

        One that says of a fault alone is given also where no row can be written of it.
        """
        if status >= _FAILED:
            with suppress(EngineFault):
                await self.tell("failed", status)
        elif not self.is_streaming:
            await self.tell("done" if status < _REFUSED else "refused", status)


_CURRENT: ContextVar[Act | None] = ContextVar("act", default=None)


def current() -> Act | None:
    """What is being done; None for what the service does by itself."""
    return _CURRENT.get()


@contextmanager
def acting(act: Act) -> Iterator[Act]:
    """Have what is done meanwhile noted in an act."""
    token = _CURRENT.set(act)
    try:
        yield act
    finally:
        _CURRENT.reset(token)


@asynccontextmanager
async def finishing(act: Act) -> AsyncIterator[Act]:
    """Do what an act is, and write what became of it; raises EngineFault where that fails."""
    with acting(act):
        try:
            yield act
        except Exception as error:
            with suppress(EngineFault):
                await act.tell("failed" if isinstance(error, EngineFault) else "refused")
            raise
        await act.tell()


@asynccontextmanager
async def streaming() -> AsyncIterator[None]:
    """Answer the current act part by part; at the end it has a row, though it touched nothing."""
    act = _CURRENT.get() or Act()
    act.is_streaming = True
    yield
    with suppress(EngineFault):  # what has no row was not given out
        await act.tell()


async def tell_notes() -> None:
    """Write what the current act noted since its last row, before it is given out; EngineFault."""
    act = _CURRENT.get()
    if act is not None and act.has_notes:
        await act.tell()


def note(
    *,
    claims: Iterable[str] = (),
    authorizations: Iterable[str] = (),
    members: Iterable[str] = (),
    persons: Iterable[str] = (),
    others: Iterable[str] = (),
    why: str | None = None,
    on_behalf_of: str | None = None,
) -> None:
    """Say what the current act touches, why and for whom; what nobody asked for is noted nowhere.

    An act without a person notes ``others`` and ``why`` alone.
    """
    act = _CURRENT.get()
    if act is None:
        return
    act.claims.update(dict.fromkeys(claims))
    act.authorizations.update(dict.fromkeys(authorizations))
    act.members.update(dict.fromkeys(members))
    act.persons.update(dict.fromkeys(persons))
    act.others.update(dict.fromkeys(others))
    noted = (act.claims, act.authorizations, act.members, act.persons, act.others)
    act.has_notes = act.has_notes or any(noted)
    act.why = why or act.why
    act.on_behalf_of = on_behalf_of or act.on_behalf_of
