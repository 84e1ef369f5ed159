"""Who calls: the payer comes from the credentials, never from a body."""

import hashlib
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from service.api.problem import Refused
from service.application.parts import Application, Caller
from service.settings import Settings

_Key = Annotated[
    str | None, Security(APIKeyHeader(name="X-API-Key", scheme_name="X-API-Key", auto_error=False))
]
_Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Security(HTTPBearer(scheme_name="Bearer", auto_error=False)),
]


class Credentials:
    """API keys by their hash, so that no comparison takes longer for a better guess."""

    def __init__(self, settings: Settings) -> None:
        """Take the keys of the settings; none: every caller is the default payer."""
        self._payers = {_hash(key): payer for key, payer in settings.api_keys.items()}
        self._default = settings.default_payer if settings.is_open else None

    def payer_of(self, key: str | None) -> str:
        """The payer of a key; raises Refused (401) for an unknown or missing one."""
        if key is None and self._default is not None:
            return self._default
        payer = self._payers.get(_hash(key)) if key is not None else None
        if payer is None:
            raise Refused(
                401,
                "Not authenticated",
                "a valid API key is needed: Authorization: Bearer KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return payer


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


async def application_of(request: Request) -> Application:
    """The parts of the service, for an endpoint that says nothing of any payer."""
    application: Application = request.app.state.application
    return application


Parts = Annotated[Application, Depends(application_of)]


async def caller_of(request: Request, parts: Parts, key: _Key, bearer: _Bearer) -> Caller:
    """Who sends a request; raises Refused (401) for an unknown or missing key."""
    credentials: Credentials = request.app.state.credentials
    given = key or (bearer.credentials.strip() if bearer else None) or None
    return Caller(parts, credentials.payer_of(given))


Asking = Annotated[Caller, Depends(caller_of)]
"""A parameter of every endpoint but those that say nothing of any payer."""
