"""Tells from a credential who asks: a key of the settings, one that was made, or a token.

Keys are known by their hash alone, so that no comparison takes longer for a better guess.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from service.access.keys import Keyring, is_stored_key
from service.access.scopes import ALL, Roles, RolesRefused
from service.access.sessions import Session, Sessions
from service.access.sign_in import SignIn
from service.access.subject import NotAuthenticated as NotAuthenticated
from service.access.subject import NotForPayer as NotForPayer
from service.access.subject import Subject, hash_of, local_subject
from service.access.tokens import Tokens, scopes_of
from service.settings import Settings

CREDENTIAL_BYTES_MAX = 8 * 1024

_JWT_DOTS = 2
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_IN_ADDRESS = re.compile(
    rb"(?i)(?:^|&)(?:x-)?(?:(?:api[-_]?)?key|(?:access[-_]?|id[-_]?)?token|bearer|jwt)="
    rb"|am_[a-z0-9]{8,}_|=eyj[\w-]+\.[\w-]+\."
)
_OVER = "this session is over: sign in again"
_WHAT_TO_DO = "a valid API key or token is needed, as Authorization: Bearer KEY or X-API-Key: KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways in beside the keys of the settings; ``sign_in`` where an issuer is configured."""

    keyring: Keyring
    tokens: Tokens | None
    sessions: Sessions
    sign_in: SignIn | None


class Gate:
    """Says who asks; ``is_open``: whoever sends no credential is the user of this machine."""

    def __init__(self, settings: Settings, roles: Roles, ways: Ways) -> None:
        """Take the keys of the settings; raises RolesRefused for an unknown role."""
        self._fixed = {
            hash_of(key.get_secret_value().encode()): Subject(
                kind="key",
                name=start.name,
                payers=frozenset(start.payers),
                scopes=ALL if start.role is None else _role(roles, start.role),
            )
            for key, start in settings.start_keys.items()
        }
        self.keyring, self.tokens = ways.keyring, ways.tokens
        self.sessions, self.sign_in = ways.sessions, ways.sign_in
        self._roles = roles
        self.is_open = settings.is_open
        self._local = local_subject(settings.default_payer)

    async def subject_of(self, credential: bytes | None) -> Subject:
        """Who is known by a credential; raises NotAuthenticated, NotForPayer, EngineFault."""
        if credential is None:
            if self.is_open:
                return self._local
            raise NotAuthenticated(_WHAT_TO_DO)
        if len(credential) > CREDENTIAL_BYTES_MAX:
            raise NotAuthenticated(f"a credential has at most {CREDENTIAL_BYTES_MAX} bytes")
        hashed = hash_of(credential)
        subject = self._fixed.get(hashed) or self.keyring.subject_of(hashed)
        if subject is None and is_stored_key(credential):
            subject = await self.keyring.looked_again(hashed)
        if subject is None and self.tokens is not None and credential.count(b".") == _JWT_DOTS:
            subject = self.tokens.known(hashed) or await self.tokens.subject_of(hashed, credential)
        if subject is None:
            raise NotAuthenticated(_WHAT_TO_DO, self.keyring.former(hashed))
        return subject

    async def session_of(self, session_id: str) -> tuple[Session, Subject]:
        """The session of an id, and what its user is allowed now; raises NotAuthenticated."""
        session = await self.sessions.look(session_id)
        if session is None:
            raise NotAuthenticated(_OVER)
        if session.key:
            hashed = bytes.fromhex(session.key)
            of_key = self._fixed.get(hashed) or self.keyring.subject_of(hashed)
            if of_key is None:
                raise NotAuthenticated(_OVER)
            return session, replace(of_key, kind="session")
        subject = Subject(
            kind="session",
            name=session.name,
            payers=frozenset(session.payers),
            scopes=scopes_of(session.may, self._roles),
        )
        return session, subject

    def payer_of(self, subject: Subject, named: Sequence[bytes], chosen: str | None = None) -> str:
        """The payer of a request: the one that X-Payer names, that was ``chosen``, or the only one.

        Raises NotForPayer.
        """
        if not named and chosen in subject.payers:
            return chosen
        if not named and len(subject.payers) == 1:
            (payer,) = subject.payers
            return payer
        if len(named) != 1:
            raise NotForPayer("X-Payer names one of the payers of the credential")
        payer = named[0].decode("latin-1")
        if payer not in subject.payers:
            raise NotForPayer("the credential is not for the payer that X-Payer names")
        return payer

    def check_address(self, query: bytes) -> None:
        """See to it that no credential stands in an address, where logs keep it."""
        if _IN_ADDRESS.search(query) or _IN_ADDRESS.search(unquote_to_bytes(query)):
            raise NotAuthenticated(
                "a credential in an address stands in logs: replace it, and send it in a header"
            )

    def check_origin(self, scheme: str, host: str, origin: str | None) -> None:
        """Refuse to an open service what a page of another site sends, or a name that was rebound.

        Raises NotAuthenticated.
        """
        if not is_loopback_host(host) or origin not in (None, f"{scheme}://{host}"):
            raise NotAuthenticated("without a key only this machine is served, and no other site")


def is_loopback_host(host: str) -> bool:
    """Whether a `Host` names this machine, so that no name was rebound to it."""
    return _LOOPBACK.fullmatch(host) is not None


def _role(roles: Roles, role: str) -> frozenset[str]:
    if role not in roles:
        raise RolesRefused(f"AUTHMATCH_API_KEYS: there is no role {role}")
    return roles[role]
