"""API keys: made, known by their hash, rotated with two valid at a time, and revoked.

A worker holds all keys and looks at them again every few seconds; what it knows goes on while
Elasticsearch is away, for an hour.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from prometheus_client import Counter

from service.access.scopes import Roles
from service.access.subject import Subject, hash_of
from service.background import Background
from service.domain.engine_fault import EngineFault

DAYS = 365
DAYS_MAX = 3650
GRACE_HOURS = 168
LOOK_S = 2.0
"""So often a worker looks at all keys."""
AGAIN_S = 1.0
"""So often at most for a key that it does not know."""
STALE_S_MAX = 3600.0
"""So long known keys go on while they cannot be looked at."""
USE_S = 600.0
"""So often at most the last use of a key is written, by each worker."""
_MARK = "am"
_ID_BYTES = 8

FAULTS = Counter("authmatch_keys_faults_total", "Looks at the API keys that failed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One secret of a key, as its hash; ``ends_at`` where another one has taken its place."""

    hash: str
    made_at: str
    ends_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept: never the secret itself. Times are ISO, in UTC.

    The last of its ``secrets`` is the newest. It may do what its ``role`` may, as that is now, and
    its own ``scopes``.
    ``seen`` (sequence number, term) tells which write of it was read.
    """

    id: str
    name: str
    payers: tuple[str, ...]
    role: str | None
    scopes: tuple[str, ...]
    secrets: tuple[Secret, ...] = field(repr=False)
    made_at: str
    made_by: str
    expires_at: str
    revoked_at: str | None = None
    revoked_by: str | None = None
    last_used_at: str | None = None
    seen: tuple[int, int] | None = None

    @property
    def title(self) -> str:
        """What records call it: names may be the same, ids are not."""
        return f"{self.name}/{self.id}"

    def scopes_by(self, roles: Roles) -> frozenset[str]:
        """What it may do; a role that is not there any more gives nothing."""
        return frozenset(self.scopes) | (roles.get(self.role, frozenset()) if self.role else set())

    def state(self, at: str) -> str:
        """Whether it is `valid`, `expired` or `revoked` at a time."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if at < self.expires_at else "expired"

    def previous_ends_at(self, at: str) -> str | None:
        """Until when a secret before this one is valid; None where there is none at a time."""
        ends = (each.ends_at for each in self.secrets)
        return next((each for each in ends if each is not None and each > at), None)


class KeyStore(Protocol):
    """Where keys are kept."""

    async def all(self) -> Sequence[ApiKey]:
        """All keys, also those that are not valid any more; raises EngineFault."""
        ...

    async def used(self, key_id: str, at: str) -> None:
        """Write the last use of a key; raises EngineFault."""
        ...


def at_after(**time_: float) -> str:
    """The time after so many ``days``, ``hours`` or ``seconds``, as keys write it."""
    return (datetime.now(UTC) + timedelta(**time_)).isoformat(timespec="milliseconds")


def new_id() -> str:
    """An id that no other key has."""
    return secrets.token_hex(_ID_BYTES)


def new_secret(key_id: str) -> tuple[str, Secret]:
    """A key to be given out once, and what is kept of it."""
    text = f"{_MARK}_{key_id}_{secrets.token_urlsafe(32)}"
    return text, Secret(hash=hash_of(text.encode()).hex(), made_at=at_after())


def rotated(key: ApiKey, secret: Secret, *, grace_hours: float) -> ApiKey:
    """The key with a new secret; the one before ends after the grace, and no third goes on."""
    ends = at_after(hours=grace_hours)
    before = key.secrets[-1]
    left = replace(before, ends_at=min(before.ends_at or ends, ends))
    return replace(key, secrets=(left, secret))


def revoked(key: ApiKey, *, by: str) -> ApiKey:
    """The key as it is from now on: nobody's, and none of its hashes is kept."""
    return replace(key, revoked_at=at_after(), revoked_by=by, secrets=())


@dataclass(frozen=True, slots=True)
class _Known:
    key_id: str
    subject: Subject
    ends: float


class Keyring(Background):
    """The keys of a worker, by the hashes of their secrets; ``payers`` grows with them."""

    def __init__(self, store: KeyStore, roles: Roles, payers: list[str]) -> None:
        """Nothing is known before ``look``; roles are those of the start."""
        super().__init__("keys_failed", FAULTS, first_s=LOOK_S, most_s=LOOK_S * 5)
        self._store = store
        self._roles = roles
        self._payers = payers
        self._known: Mapping[bytes, _Known] = {}
        self._looked = self._tried = float("-inf")
        self._looking = asyncio.Lock()
        self._used: set[str] = set()
        self._written: dict[str, float] = {}

    async def turn(self) -> None:
        """Look, and write who was used."""
        await asyncio.sleep(LOOK_S)
        await self.look()
        await self._write_uses()

    async def look(self) -> None:
        """Look at all keys now; raises EngineFault."""
        self._tried = time.monotonic()
        keys = await self._store.all()
        self._known = {
            bytes.fromhex(secret.hash): _Known(
                key.id,
                Subject(
                    kind="key",
                    name=key.title,
                    payers=frozenset(key.payers),
                    scopes=key.scopes_by(self._roles),
                ),
                _seconds(min(key.expires_at, secret.ends_at or key.expires_at)),
            )
            for key in keys
            if key.revoked_at is None
            for secret in key.secrets
        }
        new = dict.fromkeys(payer for key in keys for payer in key.payers)
        self._payers.extend(payer for payer in new if payer not in self._payers)
        self._looked = time.monotonic()

    def subject_of(self, hashed: bytes) -> Subject | None:
        """Who a secret is of, as far as is known here; None if it is nobody's, or has ended."""
        known = self._known.get(hashed)
        if known is None or known.ends <= time.time():
            return None
        if time.monotonic() - self._looked > STALE_S_MAX:
            raise EngineFault("elasticsearch", "keys could not be looked at for an hour")
        self._used.add(known.key_id)
        return known.subject

    def former(self, hashed: bytes) -> Subject | None:
        """Whose a secret was that has ended; one that was revoked is not known any more."""
        known = self._known.get(hashed)
        return None if known is None else known.subject

    async def looked_again(self, hashed: bytes) -> Subject | None:
        """The same after one more look, at most one a second for all that ask, who wait for it.

        Raises EngineFault where the look failed: the key may be new.
        """
        asked = time.monotonic()
        async with self._looking:
            if self._tried < asked:
                await asyncio.sleep(max(0, self._tried + AGAIN_S - asked))
                await self.look()
            elif self._looked < self._tried:
                raise EngineFault("elasticsearch", "keys cannot be looked at")
        return self.subject_of(hashed)

    async def _write_uses(self) -> None:
        now = time.monotonic()
        used, self._used = self._used, set()
        for key_id in used:
            if now - self._written.get(key_id, float("-inf")) >= USE_S:
                await self._store.used(key_id, at_after())
                self._written[key_id] = now


def is_stored_key(credential: bytes) -> bool:
    """Whether a credential is written like a key that was made here."""
    return credential.startswith(f"{_MARK}_".encode())


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
