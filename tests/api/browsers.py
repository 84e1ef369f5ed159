"""Browsers of the tests: sign in at a small issuer, with a session of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from service.settings import Settings
from tests.access.issuer import NAME, PAYER, SmallIssuer
from tests.redis_process import free_port
from tests.serving import client_of, serving

CLIENT_ID = "authmatch-pages"
ROLES = """
examiner: [claims.match, clinical.authorization.read, clinical.authorization.write]
reader: [clinical.authorization.read]
"""


@contextmanager
def signing_in(settings: Settings, issuer: SmallIssuer, **changes: Any) -> Iterator[str]:
    """A service to which one signs in at the issuer; gives its address."""
    port = free_port()
    known = {"api_keys": {}, "open_profile": False, **at_issuer(issuer, port)}
    with serving(settings.model_copy(update=known | changes), port) as url:
        yield url


def at_issuer(issuer: SmallIssuer, port: int) -> dict[str, Any]:
    """Settings of a service at this port, to which one signs in at the issuer."""
    return {
        "token_issuer": NAME,
        "token_jwks_url": issuer.url,
        "token_audience": "authmatch",
        "token_payers": {"acme": PAYER, "other": "P2"},
        "public_url": f"http://127.0.0.1:{port}",
        "signin_authorization_url": f"{issuer.root}/authorize",
        "signin_token_url": f"{issuer.root}/token",
        "signin_client_id": CLIENT_ID,
    }


def begun(browser: httpx.Client, next_: str | None = None) -> str:
    """Begin to sign in; gives the address of the callback, as the issuer answers it."""
    params = None if next_ is None else {"next": next_}
    sent = browser.get("/session/sign-in", params=params)
    assert sent.status_code == 303, sent.text
    back = httpx.get(sent.headers["location"], trust_env=False)
    assert back.status_code == 302, back.text
    return back.headers["location"]


@contextmanager
def signed_in(url: str) -> Iterator[httpx.Client]:
    """A browser whose user has signed in, with the token of its pages for all that it sends."""
    with client_of(url) as browser:
        assert browser.get(begun(browser)).status_code == 303
        told = browser.get("/session").json()
        browser.headers["x-csrf-token"] = told["csrf_token"]
        yield browser


def cookie_of(browser: httpx.Client) -> tuple[str, str]:
    """The name and value of the session."""
    ((name, value),) = browser.cookies.items()
    return name, value
