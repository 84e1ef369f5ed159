"""What a browser sends of a session, and what shows that a page of ours sent it.

With TLS the cookie is called `__Host-authmatch`: no other host or path can set or read it. On plain
HTTP, which is loopback alone, not every browser takes that; there its name has the port.
"""

import hmac
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from service.access.gate import is_loopback_host
from service.access.sessions import BEGUN_S, Session
from service.access.subject import Subject
from service.application.parts import Application
from service.application.refusals import Forged, NotAuthenticated

COOKIES_BYTES_MAX = 8 * 1024
CSRF_HEADER = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEGUN = "-begun"
"""Behind the name of the cookie, while somebody signs in."""
_FROM_US = (None, "same-origin", "none")


@dataclass(frozen=True, slots=True)
class Held:
    """The session of a request: its id, what is kept of it, and what its user is allowed."""

    id: str
    session: Session
    subject: Subject


async def held(request: Request, parts: Application) -> Held | None:
    """The session that a browser sends, if it sends one; raises NotAuthenticated, EngineFault."""
    session_id = cookie(request, parts)
    if session_id is None:
        return None
    return Held(session_id, *await parts.gate.session_of(session_id))


def cookie(request: Request, parts: Application, suffix: str = "") -> str | None:
    """The value of our cookie; raises NotAuthenticated where there are two, or too many bytes."""
    written = [value for name, value in request.scope["headers"] if name == b"cookie"]
    if not written:
        return None
    name = _name(request, parts) + suffix
    pairs = (each.strip().partition(b"=") for value in written for each in value.split(b";"))
    found = [value.decode("latin-1") for key, _, value in pairs if key.decode("latin-1") == name]
    if len(found) > 1 or (found and sum(map(len, written)) > COOKIES_BYTES_MAX):
        raise NotAuthenticated("there are several sessions, or too many cookies: delete them")
    return found[0] if found else None


def set_cookie(
    response: Response, request: Request, parts: Application, value: str, suffix: str = ""
) -> None:
    """Have a browser keep an id until it is closed, or for the time of a sign-in; "" none."""
    age = 0 if not value else BEGUN_S if suffix else None
    response.set_cookie(
        _name(request, parts) + suffix,
        value,
        max_age=age,
        path="/",
        secure=_is_secure(parts),
        httponly=True,
        samesite="lax",
    )


def check_page(request: Request, parts: Application, one: Held, token: str | None) -> None:
    """See to it that a page of ours sent what changes something; raises Forged."""
    site = request.headers.get("sec-fetch-site")
    if request.headers.get("origin") not in (None, origin(request, parts)) or site not in _FROM_US:
        raise Forged("a session is used by pages of this service alone")
    wanted = parts.gate.sessions.csrf_token(one.id)
    if not hmac.compare_digest((token or "").encode(), wanted.encode()):
        raise Forged(f"under a session {CSRF_HEADER} is needed, as GET /session gives it")


def origin(request: Request, parts: Application) -> str | None:
    """Where this service is for browsers; None where it is not known."""
    if parts.settings.public_url is not None:
        return parts.settings.public_url
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host}" if is_loopback_host(host) else None


def is_of_machine(request: Request, parts: Application) -> bool:
    """Whether a browser of this very machine asks a service that is for nobody else."""
    client = request.client
    return (
        not _is_secure(parts)
        and is_loopback_host(request.headers.get("host", ""))
        and client is not None
        and client.host in ("127.0.0.1", "::1")
    )


def _is_secure(parts: Application) -> bool:
    return (parts.settings.public_url or "").startswith("https://")


def _name(request: Request, parts: Application) -> str:
    if _is_secure(parts):
        return "__Host-authmatch"
    server = request.scope.get("server")
    return f"authmatch-{server[1] if server else ''}"
