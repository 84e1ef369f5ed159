"""Keys of a worker: known by their hash, two at a time, for an hour while nobody can look."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from service.access import keys
from service.access.keys import ApiKey, Keyring, at_after, new_secret, revoked, rotated
from service.access.subject import hash_of
from service.domain.engine_fault import EngineFault
from service.settings import Settings

ROLES = {"examiner": frozenset({"claims.match", "worklist.work"})}


@dataclass
class Shelf:
    """Keys in memory; ``is_away`` as an engine may be."""

    held: list[ApiKey] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    looks: int = 0
    is_away: bool = False

    async def all(self) -> Sequence[ApiKey]:
        """All that are held."""
        self.looks += 1
        if self.is_away:
            raise EngineFault("elasticsearch", "cannot be reached")
        return list(self.held)

    async def used(self, key_id: str, at: str) -> None:
        """Count a use."""
        self.uses.append(key_id)


def made(key_id: str = "0" * 16, **changes: Any) -> tuple[str, ApiKey]:
    """A key with its secret, for an hour."""
    text, secret = new_secret(key_id)
    key = ApiKey(
        id=key_id,
        name="desk",
        payers=("P1",),
        role="examiner",
        scopes=("claims.match",),
        secrets=(secret,),
        made_at=secret.made_at,
        made_by="local:jo",
        expires_at=at_after(hours=1),
    )
    return text, replace(key, **changes)


def hashed(text: str) -> bytes:
    """What a worker looks for."""
    return hash_of(text.encode())


def known(shelf: Shelf, *texts: str, roles: dict[str, frozenset[str]] = ROLES) -> list[bool]:
    """Whether each is known after one look."""

    async def looked() -> list[bool]:
        ring = Keyring(shelf, roles, [])
        await ring.look()
        return [ring.subject_of(hashed(each)) is not None for each in texts]

    return asyncio.run(looked())


def test_a_key_is_known_by_its_secret_alone() -> None:
    """What is kept leads nobody to it, and shows it to nobody."""
    text, key = made()

    assert known(Shelf([key]), text, text[:-1], "am_x_y", key.secrets[0].hash) == [
        True,
        False,
        False,
        False,
    ]
    assert text.split("_", 2)[2] not in repr(key)
    assert key.secrets[0].hash not in repr(key)


def test_the_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are written out: a key of the start stands in none of it."""
    canary = "a-secret-of-the-settings"
    for name, value in (
        ("API_KEYS", f'{{"{canary}-1": "P1", "{canary}-2": {{"payers": ["P1"]}}}}'),
        ("SURROGATE_KEY", canary),
        ("ELASTICSEARCH_PASSWORD", canary),
        ("ELASTICSEARCH_API_KEY", canary),
        ("REDIS_PASSWORD", canary),
        ("REDIS_URL", f"redis://:{canary}@localhost"),
        ("SIGNIN_CLIENT_SECRET", canary),
    ):
        monkeypatch.setenv(f"AUTHMATCH_{name}", value)
    settings = Settings()
    assert len(settings.api_keys) == 2
    assert canary not in f"{settings!r} {settings} {settings.start_keys!r}"


@pytest.mark.parametrize(
    ("changes", "is_known"),
    [
        ({}, True),
        ({"expires_at": at_after(seconds=-1)}, False),
        ({"revoked_at": at_after()}, False),
    ],
)
def test_a_key_that_ended_is_nobodys(changes: dict[str, Any], is_known: bool) -> None:
    """Expired or revoked."""
    text, key = made(**changes)

    assert known(Shelf([key]), text) == [is_known]


@pytest.mark.parametrize(
    ("grace", "expected"), [(1, [False, True, True]), (0, [False, False, True])]
)
def test_two_secrets_are_valid_at_a_time(grace: float, expected: list[bool]) -> None:
    """The last one and, for a while, the one before it; never a third."""
    first, key = made()
    second, secret = new_secret(key.id)
    once = rotated(key, secret, grace_hours=1)
    third, secret = new_secret(key.id)
    twice = rotated(replace(once, secrets=once.secrets), secret, grace_hours=grace)

    assert known(Shelf([once]), first, second) == [True, True]
    assert known(Shelf([twice]), first, second, third) == expected
    assert revoked(twice, by="x").secrets == ()


def test_a_role_that_is_gone_gives_nothing() -> None:
    """Its own scopes stay."""
    _, key = made()

    assert key.scopes_by(ROLES) == {"claims.match", "worklist.work"}
    assert key.scopes_by({}) == {"claims.match"}


def test_a_new_key_is_looked_for_once_for_all_that_ask() -> None:
    """A flood of keys that there are not costs one look a second."""
    text, key = made()
    shelf = Shelf()

    async def asked() -> list[bool]:
        ring = Keyring(shelf, ROLES, [])
        shelf.held.append(key)
        found = await asyncio.gather(
            ring.looked_again(hashed(text)),
            *(ring.looked_again(hashed(f"am_{number}")) for number in range(50)),
        )
        return [each is not None for each in found]

    assert asyncio.run(asked()) == [True] + [False] * 50
    assert shelf.looks == 1


def test_an_outage_locks_nobody_out_who_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """For an hour; a key that is not known may be new, so that it is a fault, not a refusal."""
    text, key = made()
    shelf = Shelf([key])

    async def scenario() -> None:
        ring = Keyring(shelf, ROLES, [])
        await ring.look()
        shelf.is_away = True
        monkeypatch.setattr(keys, "AGAIN_S", 0)
        new = (ring.looked_again(hashed(f"am_{number}")) for number in range(3))
        told = await asyncio.gather(*new, return_exceptions=True)
        assert [type(each) for each in told] == [EngineFault] * 3
        assert ring.subject_of(hashed(text)) is not None
        monkeypatch.setattr(keys, "STALE_S_MAX", -1)
        with pytest.raises(EngineFault, match="for an hour"):
            ring.subject_of(hashed(text))

    asyncio.run(scenario())


def test_the_last_use_is_written_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for any number of uses, and payers are looked after from then on."""
    text, key = made()
    shelf, payers = Shelf([key]), ["P0"]
    monkeypatch.setattr(keys, "LOOK_S", 0)

    async def scenario() -> None:
        ring = Keyring(shelf, ROLES, payers)
        for _ in range(3):
            await ring.turn()
            ring.subject_of(hashed(text))
            ring.subject_of(hashed(text))

    asyncio.run(scenario())
    assert shelf.uses == [key.id]
    assert payers == ["P0", "P1"]
