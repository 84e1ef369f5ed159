"""Who calls, and what a route lets him do: both come from the credential, never from a body."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from service.access.gate import NotAuthenticated
from service.access.scopes import ALL
from service.access.subject import NotPermitted
from service.application.parts import Application, Caller

SCHEMES = {
    "X-API-Key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}
"""How a key is sent, either way."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_DECLARED: dict[Callable[..., Any], tuple[str, ...]] = {}
_OF_A_CALLER = (b"x-api-key", b"authorization", b"x-payer")


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


async def application_of(request: Request) -> Application:
    """The parts of the service, for an endpoint that says nothing of any payer."""
    application: Application = request.app.state.application
    return application


Parts = Annotated[Application, Depends(application_of)]


async def caller_of(request: Request) -> Caller:
    """Who sends a request, if he may; raises NotAuthenticated, NotForPayer, NotPermitted, TooMany.

    The framework's classes for keys would be three dependencies where this is one: 0.04 ms more for
    each claim, of the 0.04 ms that one costs.
    """
    scope = request.scope
    given = [each for each in scope["headers"] if each[0] in _OF_A_CALLER]
    application: Application = scope["app"].state.application
    credentials = [_credential(*each) for each in given if each[0] != b"x-payer"]
    if len(credentials) > 1:
        raise NotAuthenticated("one credential is taken, and there are several: send one")
    gate = application.gate
    if scope["query_string"]:
        gate.check_address(scope["query_string"])
    if not credentials and gate.is_open:
        gate.check_origin(request.headers.get("host", ""), request.headers.get("origin"))
    try:
        subject = await gate.subject_of(credentials[0] if credentials else None)
    except NotAuthenticated:
        application.limits.failed(request.client.host if request.client else "")
        raise
    scope["bucket"] = application.limits.enter(subject)
    payer = gate.payer_of(subject, [value for name, value in given if name == b"x-payer"])
    for each in _DECLARED[scope["endpoint"]]:
        if each not in subject.scopes:
            raise NotPermitted(each)
    return Caller(application, payer, subject)


def _credential(name: bytes, value: bytes) -> bytes:
    if name == b"x-api-key":
        return value
    scheme, _, credential = value.partition(b" ")
    if scheme.lower() != b"bearer" or not credential.strip():
        raise NotAuthenticated("credentials are sent as Authorization: Bearer KEY")
    return credential.strip()


Asking = Annotated[Caller, Depends(caller_of)]
"""A parameter of every endpoint but those that say nothing of any payer."""
