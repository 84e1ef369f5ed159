"""Dead letters, outbox and archive sealed at rest: by several keys, bound to their place."""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.application.parts import Stores
from service.domain.engine_fault import EngineFault
from service.domain.submission import DeadLetter
from service.stores.connection.sealing import (
    Seal,
    SealBroken,
    SealKeysRefused,
    read_keys,
    seal_from,
)
from service.stores.studies.golden import KeptGolden
from service.stores.units.archive import Rested
from tests.ground import Ground, version_of

CANARY = "CANARY-4482"
FIRST, SECOND, THIRD = (bytes([each]) * 32 for each in (1, 2, 3))


@given(text=st.text(), place=st.text(), other=st.text())
def test_what_is_sealed_is_opened_at_its_place_alone(text: str, place: str, other: str) -> None:
    """By the key that sealed it, whatever comes first now; without keys a text stays as it is."""
    sealed = Seal((FIRST, SECOND)).close(text, place)
    several: list[tuple[bytes, ...]] = [(FIRST,), (SECOND, FIRST), (THIRD, SECOND, FIRST)]
    for keys in several:
        assert Seal(keys).open(sealed, place) == text
    assert Seal((FIRST,)).is_current(sealed)
    assert not Seal((SECOND, FIRST)).is_current(sealed)
    assert not Seal().is_current(sealed)
    wrong: list[tuple[tuple[bytes, ...], str]] = [
        ((SECOND,), place),
        ((), place),
        ((FIRST,), f"{place}{other}|"),
    ]
    for keys, at in wrong:
        with pytest.raises(SealBroken) as broken:
            Seal(keys).open(sealed, at)
        assert not text or len(text) < 4 or text not in str(broken.value)
    assert Seal().close(text, place) == text
    if not text.startswith("sealed:"):
        assert Seal((FIRST,)).open(text, place) == text
        assert not Seal((FIRST,)).is_current(text)


@given(at=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_change_of_any_bit_is_found(at: int, bit: int) -> None:
    """Nothing that was changed is taken for what was sealed."""
    mark, name, written = Seal((FIRST,)).close("a letter of some length", "x").split(":")
    content = bytearray(base64.b64decode(written))
    content[at % len(content)] ^= 1 << bit
    with pytest.raises(SealBroken):
        Seal((FIRST,)).open(f"{mark}:{name}:{base64.b64encode(content).decode()}", "x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no key"),
        ("# only a remark\n\n", "no key"),
        ("not base64!", "line 1 is not base64"),
        ("\n" + base64.b64encode(b"short").decode(), "line 2 has 5 bytes, not 32"),
        (base64.b64encode(FIRST + SECOND).decode(), "line 1 has 64 bytes"),
    ],
)
def test_keys_that_cannot_be_used_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    """With the line, and nothing of the key; by whatever way they come."""
    with pytest.raises(SealKeysRefused, match=reason):
        read_keys(text)
    file = tmp_path / "keys"
    file.write_text(text)
    for ways in ((file, None), (None, f"cat {file}")):
        with pytest.raises(SealKeysRefused, match=reason):
            seal_from(*ways)


def test_keys_come_from_a_file_or_a_command(tmp_path: Path) -> None:
    """What cannot be had is refused by its kind."""
    file = tmp_path / "keys"
    file.write_text(_written(SECOND, FIRST))
    names = Seal((SECOND, FIRST)).key_names
    for ways in ((file, None), (None, f"cat '{file}'")):
        assert seal_from(*ways).key_names == names
    for wrong in (
        (tmp_path / "none", None),
        (None, "false"),
        (None, "no-such-command-there-is"),
    ):
        with pytest.raises(SealKeysRefused, match="cannot be had"):
            seal_from(*wrong)
    assert seal_from(None, None).key_names == []


def _written(*keys: bytes) -> str:
    return "# the first seals\n" + "".join(f"{base64.b64encode(each).decode()}\n" for each in keys)


@asynccontextmanager
async def sealed(ground: Ground, tmp_path: Path, *keys: bytes) -> AsyncIterator[Stores]:
    """Stores with these keys."""
    file = tmp_path / os.urandom(4).hex()
    file.write_text(_written(*keys))
    async with ground.stores(ground.settings.model_copy(update={"seal_keys_file": file})) as stores:
        yield stores


def letter() -> DeadLetter:
    """A letter with something telling in it."""
    return DeadLetter(
        format="json",
        content=CANARY.encode(),
        content_bytes=len(CANARY),
        code="invalid",
        reason="it does not fit",
        origin="a test",
    )


async def raw(stores: Stores, index: str) -> str:
    """All that an index holds, as it stands there."""
    await stores.elasticsearch.indices.refresh(index=index)
    found = await stores.elasticsearch.search(index=index, size=1000)
    return str(found["hits"]["hits"])


def test_what_is_kept_is_sealed_and_sealed_anew(own: Ground, payer: str, tmp_path: Path) -> None:
    """Letters and archive in clear, then under one key, then under another; read by all of them.

    What comes while there are keys is never kept in clear.
    """

    async def scenario(plain: Stores) -> None:
        rested = Rested("claim", "c" * 32, "7")
        (name,) = await plain.letters.keep(payer, [letter()])
        golden = KeptGolden("label", "C-1", ("C-1", 1), {"why": CANARY})
        assert await plain.golden.add(payer, [golden]) == [True]
        await plain.archive.trust()
        await plain.redis.hset(plain_key(plain, payer, rested), mapping={"n": "7", "s": CANARY})
        assert await plain.archive.rest(payer, [rested]) == 1
        letters, archive = plain.indices.dead_letters, plain.indices.archive
        assert CANARY in await raw(plain, archive)
        for keys in ((FIRST,), (SECOND, FIRST), (SECOND,)):
            async with sealed(own, tmp_path, *keys) as stores:
                if len(keys) == 2 or keys == (FIRST,):
                    assert await stores.resealing.run(lambda *_: None) == 3
                assert await stores.resealing.run(lambda *_: None) == 0
                kept = await stores.letters.get(payer, name)
                assert kept is not None
                assert kept.content == CANARY.encode()
                read = await stores.archive.read(payer, "claim", [rested.id])
                assert read[rested.id].fields == {"n": "7", "s": CANARY}
                assert await stores.golden.labels(payer) == [{"why": CANARY}]
                for index in (letters, archive, plain.indices.golden):
                    text = await raw(stores, index)
                    assert CANARY not in text
                    assert base64.b64encode(CANARY.encode()).decode() not in text
        async with sealed(own, tmp_path, SECOND) as stores:
            content = f"new {CANARY}".encode()
            await stores.letters.keep(payer, [replace(letter(), content=content)])
            assert base64.b64encode(content).decode() not in await raw(stores, letters)
        async with sealed(own, tmp_path, FIRST) as stores:
            with pytest.raises(SealBroken):
                await stores.letters.get(payer, name)
            with pytest.raises(EngineFault, match="key is missing"):
                await stores.archive.read(payer, "claim", [rested.id])

    own.run(scenario)


def plain_key(stores: Stores, payer: str, rested: Rested) -> str:
    """The key of a claim in Redis."""
    return stores.archive._keys.book(payer).claim(rested.id)


def test_what_waits_is_sealed_and_delivered(ground: Ground, payer: str, tmp_path: Path) -> None:
    """Redis has nothing of it in clear; a worker with an older key first delivers it."""

    async def scenario(_: Stores) -> None:
        async with sealed(ground, tmp_path, FIRST) as stores:
            pushed = version_of(1, authorization_id="A-SEALED", brand=CANARY)
            (queued,) = await stores.outbox.put(payer, [pushed])
            await stores.outbox.put_letters(payer, [("l1", "{}")])
            entry = stores.outbox.keys(payer).entry(queued.ticket)
            held: Any = await stores.redis.hgetall(entry)
            assert CANARY not in str(held)
            assert held["content"].startswith("sealed:")
        async with sealed(ground, tmp_path, SECOND, FIRST) as stores:
            (first, second) = await stores.outbox.head(
                payer, stores.outbox.keys(payer).queue, after=0
            )
            assert first.content == "{}"
            assert CANARY in second.content
            assert second.pushed().authorization.brand == CANARY

    ground.run(scenario)
