"""Browser sessions: begun at the issuer or by a link of this machine, looked at, and ended."""

import re

from service.access.sessions import Session
from service.access.subject import (
    BadPart,
    NotAuthenticated,
    NotForPayer,
    Subject,
    local_subject,
)
from service.application.intake import NotFound
from service.application.parts import Application, caller_for

NEXT_LENGTH_MAX = 1000
_LOCAL_PATH = re.compile(rf"/(?![/\\])[!-\[\]-~]{{0,{NEXT_LENGTH_MAX}}}")
_LINK_OVER = "this link was used, or is too old: `authmatch session link` makes another"


def begin(parts: Application, next_: str) -> tuple[str, str]:
    """What the browser that signs in keeps meanwhile, and the address where it does.

    Raises BadPart for a ``next_`` that is no path of this service, NotFound.
    """
    check_next(next_)
    if parts.gate.sign_in is None:
        raise NotFound("nobody can sign in here: no issuer is configured for it")
    return parts.gate.sign_in.begin(next_)


def check_next(next_: str) -> str:
    """See to it that somebody is sent on within this service alone; raises BadPart."""
    if not _LOCAL_PATH.fullmatch(next_):
        raise BadPart("/query/next", "it must be a path of this service, such as /session")
    return next_


async def finish(
    parts: Application, kept: str, answer: dict[str, str], before: str | None
) -> tuple[str, str]:
    """The id of a new session, and the path that its user wanted; that ``before`` it is ended.

    Raises NotAuthenticated, NotForPayer, NotFound, EngineFault.
    """
    if parts.gate.sign_in is None:
        raise NotFound("nobody can sign in here: no issuer is configured for it")
    session, next_ = await parts.gate.sign_in.finish(kept, answer)
    return await _open(parts, session, before), next_


async def open_by_ticket(parts: Application, ticket: str, before: str | None) -> str:
    """The id of the session that a link opens, once; raises NotAuthenticated, EngineFault."""
    session = await parts.gate.sessions.by_ticket(ticket)
    if session is None:
        raise NotAuthenticated(_LINK_OVER)
    return await _open(parts, session, before)


async def _open(parts: Application, session: Session, before: str | None) -> str:
    """Every session begins here: with an id of its own, and without the one before."""
    gate = parts.gate
    if before is not None:
        await gate.sessions.end(before)
    opened = await gate.sessions.open(session)
    _, subject = await gate.session_of(opened)
    if subject.payers:  # it is a row of the audit trail
        caller_for(parts, min(subject.payers), subject)
    return opened


async def sign_out(parts: Application, session_id: str) -> None:
    """End a session, in every worker; raises EngineFault."""
    await parts.gate.sessions.end(session_id)


async def choose(
    parts: Application, session_id: str, session: Session, subject: Subject, payer: str
) -> None:
    """Remember for which of its payers a session is; raises NotForPayer, EngineFault."""
    if payer not in subject.payers:
        raise NotForPayer("the session is not for this payer")
    await parts.gate.sessions.choose(session_id, session, payer)


async def ticket_of_machine(parts: Application, payer: str) -> str:
    """A ticket that opens a session of the user of this machine, once; raises EngineFault."""
    user = local_subject(payer)
    caller_for(parts, payer, user)
    session = Session(name=user.name, payers=(payer,), may=tuple(sorted(user.scopes)))
    return await parts.gate.sessions.ticket(session)


async def ticket_of_key(parts: Application, name: str, hashed: bytes) -> str:
    """A ticket that opens a session which may do what a key may, as long as that is valid."""
    return await parts.gate.sessions.ticket(Session(name=name, key=hashed.hex()))


async def end_all(parts: Application, user: str) -> int:
    """End all sessions of a user, by the name that records have; gives how many there were."""
    return await parts.gate.sessions.shelf.end_all(user)
