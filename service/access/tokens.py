"""Tokens (OAuth 2 and OIDC, RFC 9068): JWTs that a configured issuer signed.

Its JWKS is fetched from the address that was configured alone. Keys are kept for a day while it
does not answer; a key that is not known is asked for once every few seconds at most.
"""

import asyncio
import base64
import binascii
import json
import math
import time
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from types import MappingProxyType
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from prometheus_client import Counter

from service.access.scopes import ALL, Roles
from service.access.subject import NotAuthenticated, NotForPayer, Subject
from service.background import Background
from service.domain.engine_fault import EngineFault
from service.settings import Settings

ALGORITHMS: Mapping[str, type[RSAKey] | type[ECKey]] = {"RS256": RSAKey, "ES256": ECKey}
"""What a token may be signed with, and the type of key for it: no other is ever tried."""
LEEWAY_S = 60
REFRESH_S = 300.0
"""So often the keys of the issuer are fetched; one that it gave up is taken no longer than this."""
AGAIN_S = 2.0
"""So often at most for a key that is not known."""
STALE_S_MAX = 24 * 3600.0
VERIFIED_MAX = 4096
SUBJECT_LENGTH_MAX = 200

_FETCH_S = 5.0
_ANSWER_BYTES_MAX = 256 * 1024
_RSA_BITS_MIN = 2048
_KID_LENGTH_MAX = 256
_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
_HEADERS = {"alg", "kid", "typ", "cty", "x5t", "x5t#S256"}
_BAD = "this token is not valid here: get a new one from the issuer"
_SMART: Mapping[str, tuple[str, ...]] = {
    "rs": ("clinical.authorization.read",),
    "read": ("clinical.authorization.read",),
    "cu": ("clinical.authorization.write",),
    "cud": ("clinical.authorization.write",),
    "write": ("clinical.authorization.write",),
    "cruds": ("clinical.authorization.read", "clinical.authorization.write"),
    "*": ("clinical.authorization.read", "clinical.authorization.write"),
}
"""What SMART Backend Services may do with a ClaimResponse, in both versions of its syntax."""
_SMART_RESOURCES = ("system/ClaimResponse.", "system/*.")

FAULTS = Counter("authmatch_jwks_faults_total", "Fetches of the issuer's keys that failed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs tokens, for whom, and how claims say who may do what.

    Without an ``audience`` no token gives access.
    """

    name: str
    audience: str | None
    jwks_url: str
    scope_claim: str
    payer_claim: str
    payers: Mapping[str, str]


def issuer_of(settings: Settings) -> Issuer | None:
    """The issuer that is configured, if one is: of access tokens, or of sign-ins."""
    name, audience, url = settings.token_issuer, settings.token_audience, settings.token_jwks_url
    if not (name and url and (audience or settings.signin_client_id)):
        return None
    return Issuer(
        name=name,
        audience=audience,
        jwks_url=url,
        scope_claim=settings.token_scope_claim,
        payer_claim=settings.token_payer_claim,
        payers=settings.token_payers,
    )


class Tokens(Background):
    """Checks tokens by the keys of the issuer; each is verified once, then known by its hash."""

    def __init__(self, issuer: Issuer, roles: Roles) -> None:
        """Nothing is fetched before the first token, or ``start``."""
        super().__init__("jwks_failed", FAULTS, first_s=AGAIN_S, most_s=60)
        self.issuer = issuer
        self._roles = roles
        self._keys: Mapping[str, RSAKey | ECKey] = {}
        self._fetched = self._tried = float("-inf")
        self._fetching = asyncio.Lock()
        self._verified: dict[bytes, tuple[Subject, float]] = {}

    async def turn(self) -> None:
        """Fetch the keys now and then."""
        if self._fetched > float("-inf"):
            await asyncio.sleep(REFRESH_S)
        await self.fetch()

    async def fetch(self) -> None:
        """Fetch the keys of the issuer; raises EngineFault, and those that are known stay."""
        self._tried = time.monotonic()
        try:
            content = await asyncio.to_thread(fetched, self.issuer.jwks_url)
            keys = _read_keys(content)
        except (OSError, ValueError, HTTPException, RecursionError) as error:
            raise EngineFault("issuer", "its keys cannot be fetched") from error
        if keys.keys() != self._keys.keys():
            self._verified = {}
        self._keys, self._fetched = keys, time.monotonic()

    def known(self, hashed: bytes) -> Subject | None:
        """Who a token is of that was verified before and is still valid."""
        found = self._verified.get(hashed)
        return found[0] if found is not None and time.time() < found[1] else None

    async def subject_of(self, hashed: bytes, token: bytes) -> Subject:
        """Who an access token is of; raises NotAuthenticated, NotForPayer, EngineFault."""
        if self.issuer.audience is None:
            raise NotAuthenticated("access tokens are not taken here")
        claims = await self.claims_of(token, self.issuer.audience)
        subject = Subject(
            kind="token",
            name=claims["sub"],
            payers=self.payers_of(claims),
            scopes=scopes_of(self.words_of(claims), self._roles),
        )
        if len(self._verified) >= VERIFIED_MAX:
            self._verified = {}
        self._verified[hashed] = subject, claims["exp"] + LEEWAY_S
        return subject

    async def claims_of(self, token: bytes, audience: str) -> Mapping[str, Any]:
        """The claims of a token that is good, and for this audience.

        Raises NotAuthenticated, EngineFault.
        """
        header = _header(token)
        key = await self._key(header["kid"])
        if not isinstance(key, ALGORITHMS[header["alg"]]):
            raise NotAuthenticated(_BAD)
        try:
            claims = jwt.decode(token, key, algorithms=[header["alg"]]).claims
        except (JoseError, ValueError, RecursionError) as error:
            raise NotAuthenticated(_BAD) from error
        _check(claims, self.issuer.name, audience)
        return claims

    def payers_of(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """The payers that claims name; raises NotForPayer where there is none of ours."""
        named = [
            self.issuer.payers.get(each) for each in _texts(claims.get(self.issuer.payer_claim))
        ]
        payers = frozenset(filter(None, named))
        if not payers:
            raise NotForPayer("the token is for no payer that is served here")
        return payers

    def words_of(self, claims: Mapping[str, Any]) -> list[str]:
        """What claims say of scopes and roles, as it is written there."""
        return _texts(claims.get(self.issuer.scope_claim))

    async def _key(self, kid: str) -> RSAKey | ECKey:
        if kid not in self._keys:
            asked = time.monotonic()
            async with self._fetching:
                if self._tried < asked:
                    await asyncio.sleep(max(0, self._tried + AGAIN_S - asked))
                    await self.fetch()
                elif self._fetched < self._tried:
                    raise EngineFault("issuer", "its keys cannot be fetched")
        if time.monotonic() - self._fetched > STALE_S_MAX:
            raise EngineFault("issuer", "its keys could not be fetched for a day")
        if kid not in self._keys:
            raise NotAuthenticated(_BAD)
        return self._keys[kid]


def _check(claims: Mapping[str, Any], issuer: str, audience: str) -> None:
    """Check the claims of a token whose signature is good; raises NotAuthenticated."""
    now, given, name = time.time(), claims.get("aud"), claims.get("sub")
    if claims.get("iss") != issuer:
        raise NotAuthenticated(_BAD)
    if audience not in (given if isinstance(given, list) else [given]):
        raise NotAuthenticated("this token is for another audience")
    if _time(claims, "exp", needed=True) <= now - LEEWAY_S:
        raise NotAuthenticated("this token has expired: get a new one from the issuer")
    if max(_time(claims, "nbf"), _time(claims, "iat")) > now + LEEWAY_S:
        raise NotAuthenticated("this token is not valid yet")
    if not isinstance(name, str) or not 0 < len(name) <= SUBJECT_LENGTH_MAX:
        raise NotAuthenticated(_BAD)
    if not name.isprintable():
        raise NotAuthenticated(_BAD)


def scopes_of(names: Iterable[str], roles: Roles) -> frozenset[str]:
    """The scopes of a claim: ours by name, a role as `role:NAME`, or those of SMART.

    What is not known gives nothing.
    """
    found: set[str] = set()
    for each in names:
        if each in ALL:
            found.add(each)
        elif each.startswith("role:"):
            found |= roles.get(each.removeprefix("role:"), frozenset())
        else:
            rights = (each.removeprefix(of) for of in _SMART_RESOURCES if each.startswith(of))
            found.update(*(_SMART.get(right, ()) for right in rights))
    return frozenset(found)


def _header(token: bytes) -> Mapping[str, Any]:
    """Read the header of a token before anything is tried with it; raises NotAuthenticated."""
    try:
        text = token.split(b".", 1)[0]
        padded = text + b"=" * (-len(text) % 4)
        header = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise NotAuthenticated(_BAD) from error
    if not isinstance(header, dict) or not _HEADERS.issuperset(header):
        raise NotAuthenticated(_BAD)
    kid, kind, algorithm = header.get("kid"), header.get("typ", "JWT"), header.get("alg")
    if not isinstance(kid, str) or not 0 < len(kid) <= _KID_LENGTH_MAX:
        raise NotAuthenticated(_BAD)
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise NotAuthenticated(_BAD)
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise NotAuthenticated("tokens are signed with RS256 or ES256")
    return header


def _time(claims: Mapping[str, Any], name: str, *, needed: bool = False) -> float:
    """A time of the claims in seconds, 0 where there is none; raises NotAuthenticated."""
    value = claims.get(name, None if needed else 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotAuthenticated(_BAD)
    return value


def _texts(value: Any) -> list[str]:
    """The texts of a claim: a list, or words with blanks between them."""
    if isinstance(value, str):
        return value.split()
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _read_keys(content: bytes) -> Mapping[str, RSAKey | ECKey]:
    """The keys of a JWKS that may sign tokens, by id; raises ValueError."""
    document = json.loads(content)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("this is no JWKS")  # noqa: TRY004 - it is the content that is wrong
    named = [each for each in document["keys"] if isinstance(each, dict) and each.get("kid")]
    keys: dict[str, RSAKey | ECKey] = {}
    for data in filter(_may_sign, named):
        with suppress(JoseError, ValueError):  # one that cannot be read is not used
            key = (RSAKey if data["kty"] == "RSA" else ECKey).import_key(data)
            if isinstance(key, ECKey) or key.public_key.key_size >= _RSA_BITS_MIN:
                keys[str(data["kid"])] = key
    if not keys:
        raise ValueError("there is no key for tokens in it")
    return keys


def _may_sign(data: Mapping[str, Any]) -> bool:
    """Whether a key is for one of our algorithms, RSA or EC on P-256, and not for encryption."""
    kinds = {"RSA": "RS256", "EC": "ES256"}
    algorithm = kinds.get(str(data.get("kty")))
    is_curve = data.get("kty") != "EC" or data.get("crv") == "P-256"
    return (
        is_curve
        and algorithm is not None
        and data.get("alg", algorithm) == algorithm
        and data.get("use", "sig") == "sig"
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else than where it was configured to."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Take a redirect for an answer."""


def straight() -> urllib.request.OpenerDirector:
    """A way to an address that was configured: by no proxy, and no redirect is followed."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)


def fetched(
    url: str, body: bytes | None = None, headers: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """What an address of the issuer answers, to a form where there is one; no other is gone to.

    Raises OSError (HTTPError for a status that is none of success), HTTPException, ValueError.
    """
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - of the settings
    with straight().open(request, timeout=_FETCH_S) as answer:
        content: bytes = answer.read(_ANSWER_BYTES_MAX + 1)
    if len(content) > _ANSWER_BYTES_MAX:
        raise ValueError("it is too long an answer")
    return content
