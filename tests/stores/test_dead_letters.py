"""What could not be taken is kept as it came, once, until somebody sees to it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from service.application.parts import Stores
from service.domain.actor import Actor
from service.domain.submission import Code, DeadLetter, Format
from service.stores.connection import breaker
from service.stores.connection.faults import EngineFault, EngineUnavailable
from service.stores.connection.reading import BadCursor
from service.stores.intake import dead_letters
from service.stores.intake.dead_letters import LetterConflict, LetterFilter, LettersFull
from service.stores.intake.letter import Letter
from service.stores.intake.retrying import Result, retry_letter
from tests.ground import Ground
from tests.proxy import Proxy
from tests.stores.outbox_bed import behind as behind
from tests.stores.outbox_bed import on, waiting
from tests.stores.outbox_bed import proxy as proxy

ALL = LetterFilter()
CONTENT = b'{"authorization_id": "A1", "kind": 7}'


def letter_of(
    content: bytes = CONTENT,
    code: Code = "invalid",
    letter_format: Format = "json",
    **changes: Any,
) -> DeadLetter:
    """What could not be taken."""
    fields: dict[str, Any] = {
        "format": letter_format,
        "content": content,
        "content_bytes": len(content),
        "code": code,
        "reason": "/kind: not a word",
        "errors": ({"path": "/kind", "message": "not a word"},),
        "position": {"line": 3},
        "origin": "POST /authorizations/bulk",
        "authorization_id": "A1",
        "version": 2,
    }
    return DeadLetter(**{**fields, **changes})


async def keep(stores: Stores, payer: str, *letters: DeadLetter) -> list[str]:
    """Keep letters, and give their ids."""
    return await stores.letters.keep(payer, letters)


async def get(stores: Stores, payer: str, name: str) -> Letter:
    """Give a letter that must be there."""
    letter = await stores.letters.get(payer, name)
    assert letter is not None
    return letter


@pytest.mark.parametrize("content", [CONTENT, b"\xff\xfe\x00ISA*", b"x" * 100_000], ids=len)
def test_it_is_kept_as_it_came(ground: Ground, payer: str, content: bytes) -> None:
    """Every byte, with reason, position and time; another payer has none of this id."""

    async def scenario(stores: Stores) -> None:
        (name,) = await keep(stores, payer, letter_of(content))
        letter = await get(stores, payer, name)

        assert letter.content == content
        assert letter.shown() | {"kept_at": "", "last_at": ""} == {
            "id": name,
            "format": "json",
            "code": "invalid",
            "reason": "/kind: not a word",
            "errors": ({"path": "/kind", "message": "not a word"},),
            "position": {"line": 3},
            "origin": "POST /authorizations/bulk",
            "authorization_id": "A1",
            "version": 2,
            "on_file": None,
            "status": "open",
            "times": 1,
            "tries": 0,
            "by": None,
            "on_behalf_of": None,
            "why": None,
            "trying_until": None,
            "content_bytes": len(content),
            "is_whole": True,
            "kept_at": "",
            "last_at": "",
        }
        assert await stores.letters.get(f"{payer}-b", name) is None

    ground.run(scenario)


def test_the_same_thing_is_one_letter(ground: Ground, payer: str) -> None:
    """However often and by how many it is sent; it is counted, and names its last reason."""

    async def scenario(stores: Stores) -> None:
        first = await keep(stores, payer, letter_of(), letter_of(b"other"), letter_of())
        await asyncio.sleep(0.002)
        many = await asyncio.gather(
            *(keep(stores, payer, letter_of(reason="new words")) for _ in range(5))
        )
        await asyncio.sleep(0.002)
        await keep(stores, payer, letter_of(reason="last words"))
        others = await keep(stores, f"{payer}-b", letter_of())
        x12 = await keep(stores, payer, letter_of(letter_format="x12"))
        letter = await get(stores, payer, first[0])

        assert {each[0] for each in many} == {first[0]}
        assert first[0] == first[2]
        assert len({first[0], first[1], others[0], x12[0]}) == 4
        assert letter.reason == "last words"
        assert 3 <= letter.times <= 8
        assert letter.kept_at < letter.last_at
        assert await stores.letters.count(payer) == 3

    ground.run(scenario)


@pytest.mark.parametrize("how", ["resolved", "dropped"])
def test_what_was_seen_to_keeps_its_record_without_the_content(
    ground: Ground, payer: str, how: str
) -> None:
    """With who and why; the same thing again opens it again."""

    async def scenario(stores: Stores) -> None:
        (name,) = await keep(stores, payer, letter_of())
        if how == "dropped":
            await stores.letters.drop(
                payer, name, actor=Actor(by="examiner 7"), why="a test message"
            )
        else:
            letter = await get(stores, payer, name)
            await stores.letters.resolve(
                payer, letter, actor=Actor(by="examiner 7"), why="a test message"
            )
        closed = await get(stores, payer, name)
        with pytest.raises(LetterConflict, match=f"it was {how} before"):
            await stores.letters.drop(payer, name, actor=Actor(by="x"), why="y")
        with pytest.raises(LetterConflict, match=f"it was {how} before"):
            await stores.letters.begin_try(payer, closed)
        await asyncio.sleep(0.002)
        await keep(stores, payer, letter_of())
        again = await get(stores, payer, name)

        assert (closed.status, closed.by, closed.why) == (how, "examiner 7", "a test message")
        assert closed.content is None
        assert (closed.reason, closed.content_bytes) == ("/kind: not a word", len(CONTENT))
        assert (again.status, again.content, again.times) == ("open", CONTENT, 2)
        assert again.kept_at == closed.kept_at
        assert await stores.letters.drop(payer, "unknown", actor=Actor(by="x"), why="y") is None

    ground.run(scenario)


def test_a_listing_gives_what_fits_last_first(ground: Ground, payer: str) -> None:
    """By status, code and format; every letter comes once, page by page."""
    codes: list[Code] = ["invalid", "unreadable", "invalid", "conflict", "invalid"]

    async def scenario(stores: Stores) -> None:
        names: list[str] = []
        for number, code in enumerate(codes):
            letter_format: Format = "x12" if number == 4 else "json"
            letter = letter_of(b"%d" % number, code, letter_format)
            names += await keep(stores, payer, letter)
            await asyncio.sleep(0.002)
        await stores.letters.drop(payer, names[0], actor=Actor(by="x"), why="y")

        async def listed(wanted: LetterFilter, size: int = 2) -> list[int]:
            found: list[str] = []
            after = None
            while True:
                page = await stores.letters.page(payer, wanted, size=size, after=after)
                found += [each.id for each in page.entries]
                assert all(each.content is None for each in page.entries)
                if page.next_ is None:
                    assert page.total == len(found)
                    return [names.index(each) for each in found]
                after = page.next_

        assert await listed(ALL) == [4, 3, 2, 1, 0]
        assert await listed(LetterFilter(status="open"), size=50) == [4, 3, 2, 1]
        assert await listed(LetterFilter(status="dropped")) == [0]
        assert await listed(LetterFilter(status="open", code="invalid")) == [4, 2]
        assert await listed(LetterFilter(code="invalid", format="json")) == [2, 0]
        with pytest.raises(BadCursor):
            await stores.letters.page(payer, ALL, size=2, after="nonsense")

    ground.run(scenario)


def test_letters_go_to_the_outbox_while_elasticsearch_is_away(
    behind: Ground, proxy: Proxy, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their ids are known at once; delivered twice they are still one. Both down: a fault."""
    monkeypatch.setattr(breaker, "OPEN_S", 0.1)

    async def scenario(stores: Stores) -> None:
        letters = [letter_of(), letter_of(b"\xff\x00", code="unreadable")]
        with proxy.failing("refuse"):
            names = await keep(stores, payer, *letters)
            assert (await waiting(stores, payer))[0] == 2
            blind = on(behind, redis_url="redis://127.0.0.1:1/0")
            async with blind.stores() as cut:
                with pytest.raises(EngineFault):
                    await keep(cut, payer, letter_of(b"lost otherwise"))
        entries = await stores.outbox.head(payer, stores.outbox.keys(payer).queue, after=0)
        while await stores.outbox.waiting([payer]):
            try:
                await stores.courier.deliver(payer)
            except EngineUnavailable:
                await asyncio.sleep(0.05)
        await stores.outbox.put_letters(
            payer, [(n, e.content) for n, e in zip(names, entries, strict=True)]
        )
        await stores.courier.deliver(payer)

        assert [(await get(stores, payer, each)).content for each in names] == [
            CONTENT,
            b"\xff\x00",
        ]
        assert [(await get(stores, payer, each)).times for each in names] == [1, 1]

    behind.run(scenario)


async def taken(_: Letter, content: bytes) -> list[Result]:
    """Take what is right."""
    if content == b"right":
        return [{"status": "created"}, {"status": "unchanged"}]
    if content == b"waits":
        return [{"status": "queued"}]
    if content == b"conflict":
        return [{"status": "created"}, {"status": "conflict", "reason": "it is there"}]
    if content == b"down":
        return [{"status": "failed", "reason": "elasticsearch: away"}]
    return [{"status": "rejected", "reason": "still wrong", "errors": [{"path": "/x"}]}]


@pytest.mark.parametrize(
    ("content", "corrected", "expected"),
    [
        (b"right", None, ("resolved", "invalid", "/kind: not a word", 1)),
        (b"waits", None, ("resolved", "invalid", "/kind: not a word", 1)),
        (b"wrong", None, ("open", "invalid", "still wrong", 1)),
        (b"conflict", None, ("open", "conflict", "it is there", 1)),
        (b"down", None, ("open", "invalid", "/kind: not a word", 1)),
        (b"wrong", b"right", ("resolved", "invalid", "/kind: not a word", 1)),
        (b"right", b"wrong", ("open", "invalid", "still wrong", 1)),
    ],
)
def test_a_try_resolves_it_if_all_in_it_is_taken(
    ground: Ground,
    payer: str,
    content: bytes,
    corrected: bytes | None,
    expected: tuple[str, str, str, int],
) -> None:
    """Else it stays open as it came, with the new reason; an engine's fault is none of its own."""

    async def scenario(stores: Stores) -> None:
        (name,) = await keep(stores, payer, letter_of(content))
        retried = await retry_letter(
            stores.letters, payer, name, taken, corrected=corrected, actor=Actor(by="me")
        )
        assert retried is not None
        letter = await get(stores, payer, name)

        assert replace(retried.letter) == letter
        assert (letter.status, letter.code, letter.reason, letter.tries) == expected
        assert letter.content == (content if letter.status == "open" else None)

    ground.run(scenario)


def test_two_operators_do_not_try_the_same_letter(ground: Ground, payer: str) -> None:
    """One of them does; the other one is told."""
    running = 0

    async def slow(letter: Letter, content: bytes) -> list[Result]:
        nonlocal running
        running += 1
        await asyncio.sleep(0)
        return await taken(letter, content)

    async def scenario(stores: Stores) -> None:
        (name,) = await keep(stores, payer, letter_of(b"right"))
        tries = [retry_letter(stores.letters, payer, name, slow) for _ in range(8)]
        found = await asyncio.gather(*tries, return_exceptions=True)

        assert running == 1
        assert sum(isinstance(each, LetterConflict) for each in found) == 7
        assert (await get(stores, payer, name)).status == "resolved"

    ground.run(scenario)


def test_who_tries_it_and_dies_does_not_keep_it(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For some time nobody else does; a fault that can be told gives it back at once."""

    async def fail(*_: object) -> list[Result]:
        raise EngineUnavailable("elasticsearch", "away")

    async def scenario(stores: Stores) -> None:
        (name,) = await keep(stores, payer, letter_of(b"right"))
        with pytest.raises(EngineUnavailable):
            await retry_letter(stores.letters, payer, name, fail)
        with monkeypatch.context() as patched:
            patched.setattr(dead_letters, "TRY_S", 0)
            await stores.letters.begin_try(payer, await get(stores, payer, name))
        await asyncio.sleep(0.002)
        await stores.letters.begin_try(payer, await get(stores, payer, name))
        with pytest.raises(LetterConflict, match="somebody else tries it now"):
            await retry_letter(stores.letters, payer, name, taken)
        assert (await get(stores, payer, name)).tries == 3

    ground.run(scenario)


def test_one_that_comes_again_while_it_is_tried_is_resolved_all_the_same(
    ground: Ground, payer: str
) -> None:
    """What was taken is taken."""

    async def scenario(stores: Stores) -> None:
        async def meanwhile(letter: Letter, content: bytes) -> list[Result]:
            await asyncio.sleep(0.002)
            await keep(stores, payer, letter_of(b"right"))
            return await taken(letter, content)

        (name,) = await keep(stores, payer, letter_of(b"right"))
        retried = await retry_letter(stores.letters, payer, name, meanwhile)
        assert retried is not None
        assert (retried.letter.status, retried.letter.times) == ("resolved", 2)

    ground.run(scenario)


def test_of_which_only_the_beginning_was_kept_is_tried_with_its_content(
    ground: Ground, payer: str
) -> None:
    """Given again; the beginning alone would be something else."""

    async def scenario(stores: Stores) -> None:
        (name,) = await keep(stores, payer, letter_of(b"ri", content_bytes=5))
        with pytest.raises(LetterConflict, match="only its beginning"):
            await retry_letter(stores.letters, payer, name, taken)
        retried = await retry_letter(stores.letters, payer, name, taken, corrected=b"right")
        assert retried is not None
        assert retried.letter.status == "resolved"
        assert await retry_letter(stores.letters, payer, "unknown", taken) is None

    ground.run(scenario)


def test_the_letters_of_a_payer_have_a_bound(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it nothing is kept but what is kept already elsewhere; what is dropped makes room."""
    monkeypatch.setattr(dead_letters, "HELD_S", 0)

    async def scenario(_: Stores) -> None:
        async with ground.stores(
            ground.settings.model_copy(update={"dead_letters_bytes_max": 2048})
        ) as stores:
            names = await keep(stores, payer, letter_of(b"x" * 2000), letter_of(b"y" * 60))
            await stores.letters.page(payer, ALL, size=1)  # what was written is found from now on
            with pytest.raises(LettersFull, match="they hold 2048 bytes") as full:
                await keep(stores, payer, letter_of(b"z"))
            assert not full.value.can_wait
            await stores.letters.keep(payer, [letter_of(b"moved")], is_bounded=False)
            await keep(stores, f"{payer}-other", letter_of(b"z"))
            await stores.letters.drop(payer, names[0], actor=Actor(by="me"), why="a test")
            await stores.letters.page(payer, ALL, size=1)
            assert len(await keep(stores, payer, letter_of(b"z"))) == 1

    ground.run(scenario)
