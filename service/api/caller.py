"""Who calls, and what a route lets him do: both come from the credential, never from a body."""

import os
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from starlette.types import Scope

from service.access.act import Act, current
from service.access.gate import NotAuthenticated
from service.access.scopes import ALL
from service.access.subject import NotPermitted, Subject
from service.api.browser import CSRF_HEADER, SAFE, Held, check_page, held
from service.application.parts import Application, Caller, caller_for

SCHEMES = {
    "X-API-Key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}
"""How a key is sent, either way."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

PURPOSE_LENGTH_MAX = 200
_REQUEST_ID = re.compile(rb"[\w.:\-]{1,100}")

_DECLARED: dict[Callable[..., Any], tuple[str, ...]] = {}
_CREDENTIALS = (b"x-api-key", b"authorization")


def needs(*scopes: str) -> Callable[[Endpoint], Endpoint]:
    """Declare which scopes a route needs, all of them; a route without a declaration is closed."""
    if not scopes or not ALL.issuperset(scopes):
        raise ValueError(f"a route needs scopes that there are: {scopes}")

    def declare(endpoint: Endpoint) -> Endpoint:
        _DECLARED[endpoint] = scopes
        return endpoint

    return declare


def declared(endpoint: Callable[..., Any]) -> tuple[str, ...]:
    """The scopes that a route needs; none where it declares none."""
    return _DECLARED.get(endpoint, ())


def act_of(scope: Scope) -> Act:
    """What a request does, before it is known what that is and who asks."""
    client = scope["client"]
    act = Act(source=client[0] if client else "")
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            act.request = value.decode("ascii")
        elif name == b"x-purpose":
            act.purpose = value.decode("latin-1")[:PURPOSE_LENGTH_MAX]
    act.request = act.request or os.urandom(8).hex()
    return act


async def application_of(request: Request) -> Application:
    """The parts of the service, for an endpoint that says nothing of any payer."""
    return _parts(request)


Parts = Annotated[Application, Depends(application_of)]


async def caller_of(request: Request) -> Caller:
    """Who sends a request, if he may; raises NotAuthenticated, NotForPayer, NotPermitted, TooMany.

    The framework's classes for keys would be three dependencies where this is one: 0.04 ms more for
    each claim, of the 0.04 ms that one costs.
    """
    scope, application = request.scope, _parts(request)
    subject, one = await who_asks(request)
    if one is not None and scope["method"] not in SAFE:
        check_page(request, application, one, request.headers.get(CSRF_HEADER))
    named = [value for name, value in scope["headers"] if name == b"x-payer"]
    payer = application.gate.payer_of(subject, named, one.session.payer if one else None)
    asking = caller_for(application, payer, subject)
    for each in _DECLARED[scope["endpoint"]]:
        if each not in subject.scopes:
            raise NotPermitted(each)
    return asking


async def who_asks(request: Request) -> tuple[Subject, Held | None]:
    """Who is known by the credential of a request, or by its session where it has none.

    Raises NotAuthenticated, NotForPayer, TooMany, EngineFault.
    """
    scope, application = request.scope, _parts(request)
    credentials = [_credential(*each) for each in scope["headers"] if each[0] in _CREDENTIALS]
    if len(credentials) > 1:
        raise NotAuthenticated("one credential is taken, and there are several: send one")
    gate, one = application.gate, None
    if scope["query_string"]:
        gate.check_address(scope["query_string"])
    if not credentials and gate.is_open:
        headers = request.headers
        gate.check_origin(scope["scheme"], headers.get("host", ""), headers.get("origin"))
    try:
        if not credentials and not gate.is_open:
            one = await held(request, application)
        if one is None:
            subject = await gate.subject_of(credentials[0] if credentials else None)
        else:
            subject = one.subject
    except NotAuthenticated as refused:
        if refused.former is not None:
            known(application, refused.former, scope)
        count_failure(request)
        raise
    known(application, subject, scope)
    scope["bucket"] = application.limits.enter(subject)
    return subject, one


def known(application: Application, subject: Subject, scope: Scope) -> None:
    """Have what follows in the audit trail of a payer of who asks: his first, until it is said."""
    act = current()
    if act is not None and subject.payers:
        act.what = f"{scope['method']} {scope['route'].path}"
        caller_for(application, min(subject.payers), subject)


def count_failure(request: Request) -> None:
    """Count a credential that is not known, by where it came from; raises TooMany."""
    _parts(request).limits.failed(request.client.host if request.client else "")


def _parts(request: Request) -> Application:
    application: Application = request.scope["app"].state.application
    return application


def _credential(name: bytes, value: bytes) -> bytes:
    if name == b"x-api-key":
        return value
    scheme, _, credential = value.partition(b" ")
    if scheme.lower() != b"bearer" or not credential.strip():
        raise NotAuthenticated("credentials are sent as Authorization: Bearer KEY")
    return credential.strip()


Sought = Annotated[str | None, Query(max_length=200)]
"""A filter of a list."""

Asking = Annotated[Caller, Depends(caller_of)]
"""A parameter of every endpoint but those that say nothing of any payer."""
