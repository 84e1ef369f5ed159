"""Who calls: the payer comes from the credentials, never from a body."""

import hashlib

from fastapi import Request

from service.api.problem import Refused
from service.application.parts import Application
from service.settings import Settings


class Credentials:
    """API keys by their hash, so that no comparison takes longer for a better guess."""

    def __init__(self, settings: Settings) -> None:
        """Take the keys of the settings; none: every caller is the default payer."""
        self._payers = {_hash(key): payer for key, payer in settings.api_keys.items()}
        self._default = settings.default_payer if settings.is_open else None

    def payer_of(self, request: Request) -> str:
        """Give the payer of a request; raises Refused (401) for an unknown or missing key."""
        key = request.headers.get("x-api-key") or _bearer(request)
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


def _bearer(request: Request) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key else None


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def application_of(request: Request) -> Application:
    """Give what bootstrap put together."""
    application: Application = request.app.state.application
    return application


def payer_of(request: Request) -> str:
    """Give the payer of a request."""
    credentials: Credentials = request.app.state.credentials
    return credentials.payer_of(request)
