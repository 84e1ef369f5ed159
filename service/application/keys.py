"""API keys: made, listed, rotated and revoked by who may; the secret is given out once."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from service.access import keys as values
from service.access.act import note
from service.access.keys import DAYS, DAYS_MAX, GRACE_HOURS, ApiKey
from service.access.scopes import ALL
from service.access.subject import BadPart, NotPermitted
from service.application.intake import NotFound
from service.application.parts import Caller
from service.domain.engine_fault import EngineFault
from service.domain.values import Frozen
from service.settings import KEY_NAME, Payer
from service.stores.connection.clock import now

ATTEMPTS_MAX = 10


class KeyShown(TypedDict):
    """A key without its secret; ``previous_ends_at`` while the one before it is valid, too."""

    id: str
    name: str
    payers: list[str]
    role: str | None
    scopes: list[str]
    state: str
    made_at: str
    made_by: str
    expires_at: str
    previous_ends_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    revoked_by: str | None


class KeyMade(KeyShown):
    """A key with its secret, which is not given out again."""

    key: str


class KeyWanted(Frozen):
    """A key to be made: for payers, else for that of the caller; of a role, or with scopes."""

    name: Annotated[str, StringConstraints(pattern=KEY_NAME)]
    payers: tuple[Payer, ...] | None = Field(default=None, min_length=1, max_length=100)
    role: str | None = None
    scopes: tuple[str, ...] = Field(default=(), max_length=len(ALL))
    days: int = Field(default=DAYS, ge=1, le=DAYS_MAX, description="Until it expires.")

    @model_validator(mode="after")
    def _may_do_something(self) -> Self:
        if not self.role and not self.scopes:
            raise ValueError("a key needs a role, or scopes")
        if unknown := set(self.scopes) - ALL:
            raise ValueError(f"there is no scope {sorted(unknown)[0][:60]}")
        return self


class Rotation(Frozen):
    """How long the secret before goes on."""

    grace_hours: float = Field(default=GRACE_HOURS, ge=0, le=24 * 365)


async def make(caller: Caller, wanted: KeyWanted) -> KeyMade:
    """Make a key; raises NotPermitted for more than the caller may do, BadPart, EngineFault."""
    payers = wanted.payers or (caller.payer,)
    if caller.subject.kind != "local" and not caller.subject.payers.issuperset(payers):
        raise NotPermitted("admin", "/payers")
    if wanted.role is not None and wanted.role not in caller.parts.roles:
        raise BadPart("/role", "there is no such role")
    key_id = values.new_id()
    text, secret = values.new_secret(key_id)
    key = ApiKey(
        id=key_id,
        name=wanted.name,
        payers=tuple(dict.fromkeys(payers)),
        role=wanted.role,
        scopes=tuple(sorted(set(wanted.scopes))),
        secrets=(secret,),
        made_at=secret.made_at,
        made_by=caller.subject.title,
        expires_at=values.at_after(days=wanted.days),
    )
    _check_scopes(caller, key)
    note(others=(key_id,))
    if not await caller.stores.keys.write(key):
        raise EngineFault("elasticsearch", "the id of a new key was taken")
    return {**shown(key), "key": text}


async def listing(caller: Caller) -> list[KeyShown]:
    """All keys for payers of the caller alone, the newest first; raises EngineFault."""
    found = [key for key in await caller.stores.keys.all() if _is_of(caller, key)]
    note(others=(key.id for key in found))
    return [shown(key) for key in found]


async def read(caller: Caller, key_id: str) -> KeyShown:
    """One key; raises NotFound, EngineFault."""
    return shown(await _key(caller, key_id))


async def rotate(caller: Caller, key_id: str, wanted: Rotation) -> KeyMade:
    """Give a key another secret; the one before goes on for a while.

    Raises NotPermitted for a key that may do more than the caller, NotFound for one that is not
    valid, EngineFault.
    """
    text, secret = values.new_secret(key_id)
    for _ in range(ATTEMPTS_MAX):
        key = await _key(caller, key_id)
        _check_scopes(caller, key)
        if key.state(now()) != "valid":
            raise NotFound("there is no such key that is valid")
        changed = values.rotated(key, secret, grace_hours=wanted.grace_hours)
        if await caller.stores.keys.write(changed):
            return {**shown(changed), "key": text}
    raise EngineFault("elasticsearch", "the key is being changed")


async def revoke(caller: Caller, key_id: str) -> KeyShown:
    """Let a key be valid no more, in every worker within seconds; raises NotFound, EngineFault."""
    for _ in range(ATTEMPTS_MAX):
        key = await _key(caller, key_id)
        if key.revoked_at is not None:
            return shown(key)
        changed = values.revoked(key, by=caller.subject.title)
        if await caller.stores.keys.write(changed):
            return shown(changed)
    raise EngineFault("elasticsearch", "the key is being changed")


def shown(key: ApiKey) -> KeyShown:
    """A key as it is shown: nothing that leads to its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "payers": list(key.payers),
        "role": key.role,
        "scopes": list(key.scopes),
        "state": key.state(now()),
        "made_at": key.made_at,
        "made_by": key.made_by,
        "expires_at": key.expires_at,
        "previous_ends_at": key.previous_ends_at(now()),
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
    }


async def _key(caller: Caller, key_id: str) -> ApiKey:
    key = await caller.stores.keys.get(key_id)
    if key is None or not _is_of(caller, key):
        raise NotFound("there is no such key")
    note(others=(key_id,))
    return key


def _is_of(caller: Caller, key: ApiKey) -> bool:
    """Whether all payers of a key are the caller's; who runs the service sees all keys."""
    return caller.subject.kind == "local" or caller.subject.payers.issuperset(key.payers)


def _check_scopes(caller: Caller, key: ApiKey) -> None:
    """Nobody gives what he has not; raises NotPermitted."""
    more = key.scopes_by(caller.parts.roles) - caller.subject.scopes
    if more:
        raise NotPermitted(min(more), "/scopes")
