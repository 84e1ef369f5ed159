"""Browser sign-in: OpenID Connect by the authorization code flow with PKCE (RFC 6749, 7636, 9207).

The issuer is the one of access tokens, and its id token is checked as they are. A sign-in that was
begun is kept by the browser alone, sealed, so that nobody fills the store who only begins; that it
was finished is kept here, so that it is taken once.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote_plus, urlencode

import orjson

from service.access.sessions import BEGUN_S, Session, Sessions, new_id
from service.access.subject import NotAuthenticated
from service.access.tokens import Tokens, fetched
from service.domain.engine_fault import EngineFault
from service.settings import Settings

CALLBACK = "/session/callback"
CODE_LENGTH_MAX = 4096

_BEGIN_AGAIN = "begin again at /session/sign-in"
_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What the issuer knows this service as, and where it is signed in to."""

    authorization_url: str
    token_url: str
    client_id: str
    secret: str | None = field(repr=False)
    scope: str
    redirect_uri: str


def client_of(settings: Settings) -> Client | None:
    """The client that is configured, if one is."""
    there, tokens_from = settings.signin_authorization_url, settings.signin_token_url
    client_id, here = settings.signin_client_id, settings.public_url
    if not (there and tokens_from and client_id and here):
        return None
    secret = settings.signin_client_secret
    return Client(
        authorization_url=there,
        token_url=tokens_from,
        client_id=client_id,
        secret=None if secret is None else secret.get_secret_value(),
        scope=settings.signin_scope,
        redirect_uri=f"{here}{CALLBACK}",
    )


class SignIn:
    """Sends browsers to the issuer, and reads what they bring back."""

    def __init__(self, client: Client, tokens: Tokens, sessions: Sessions) -> None:
        """Nothing is asked before a browser comes back."""
        self._client = client
        self._tokens = tokens
        self._sessions = sessions

    def begin(self, next_: str) -> tuple[str, str]:
        """What the browser keeps meanwhile, and the address where it signs in."""
        seed = new_id()
        ends = int(time.time()) + BEGUN_S
        where = base64.urlsafe_b64encode(next_.encode()).decode().rstrip("=")
        begun = f"{seed}.{ends}.{where}"
        digest = hashlib.sha256(self._made("verifier", seed).encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": self._client.scope,
            "state": self._made("state", seed),
            "nonce": self._made("nonce", seed),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        there = self._client.authorization_url
        there += f"{'&' if '?' in there else '?'}{urlencode(asked)}"
        return f"{begun}.{self._made('begun', begun)}", there

    async def finish(self, kept: str, answer: Mapping[str, str]) -> tuple[Session, str]:
        """Who came back, and where he wanted to go.

        Raises NotAuthenticated, NotForPayer, and EngineFault where the issuer does not answer.
        """
        begun, _, seal = kept.rpartition(".")
        seed, _, rest = begun.partition(".")
        if not _same(seal, self._made("begun", begun)) or int(rest.split(".")[0]) < time.time():
            raise NotAuthenticated(f"this sign-in was not begun here, or is over: {_BEGIN_AGAIN}")
        if not _same(answer.get("state", ""), self._made("state", seed)):
            raise NotAuthenticated(f"this is the answer to another sign-in: {_BEGIN_AGAIN}")
        if not await self._sessions.shelf.is_first(seed, BEGUN_S):
            raise NotAuthenticated(f"this sign-in was finished before: {_BEGIN_AGAIN}")
        code, issuer = answer.get("code", ""), self._tokens.issuer.name
        if "error" in answer or answer.get("iss", issuer) != issuer:
            raise NotAuthenticated(f"the issuer did not sign you in: {_BEGIN_AGAIN}")
        if not 0 < len(code) <= CODE_LENGTH_MAX:
            raise NotAuthenticated(f"the issuer gave no code: {_BEGIN_AGAIN}")
        token = await asyncio.to_thread(self._exchange, code, self._made("verifier", seed))
        claims = await self._tokens.claims_of(token, self._client.client_id)
        nonce, party = claims.get("nonce"), claims.get("azp", self._client.client_id)
        if not isinstance(nonce, str) or not _same(nonce, self._made("nonce", seed)):
            raise NotAuthenticated(f"the id token is of another sign-in: {_BEGIN_AGAIN}")
        if party != self._client.client_id:
            raise NotAuthenticated(f"the id token is for somebody else: {_BEGIN_AGAIN}")
        payers = tuple(sorted(self._tokens.payers_of(claims)))
        may = tuple(self._tokens.words_of(claims))
        where = rest.partition(".")[2]
        next_ = base64.urlsafe_b64decode(where + "=" * (-len(where) % 4)).decode()
        return Session(name=claims["sub"], payers=payers, may=may), next_

    def _made(self, what: str, of: str) -> str:
        """A text of a sign-in that nobody else can make: another one for each purpose."""
        return self._sessions.seal(f"{what}|{of}")

    def _exchange(self, code: str, verifier: str) -> bytes:
        """The id token for a code; raises NotAuthenticated, EngineFault."""
        client = self._client
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "client_id": client.client_id,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if client.secret is not None:
            pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        try:
            answer = orjson.loads(fetched(client.token_url, urlencode(form).encode(), headers))
        except HTTPError as refused:
            with refused:
                if refused.code == _BAD_REQUEST and b'"invalid_grant"' in refused.read(4096):
                    reason = f"the issuer does not take this code: {_BEGIN_AGAIN}"
                    raise NotAuthenticated(reason) from None
            raise EngineFault("issuer", f"it refused the sign-in ({refused.code})") from None
        except (OSError, ValueError, HTTPException) as error:
            raise EngineFault("issuer", "it does not answer; nobody can sign in now") from error
        token = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise EngineFault("issuer", "it gave no id token")
        return token.encode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
