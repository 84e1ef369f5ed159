"""Ways to tamper with an audit trail that is kept, by those who can write to the engines."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from service.access.chain import Head, write_head
from service.application.parts import Stores
from service.stores.connection.key_names import BookKeys

COUNT = 12
"""So many rows a trail has."""

Tamper = Callable[[Stores, str, random.Random], Awaitable[None]]


def book_of(stores: Stores, payer: str) -> BookKeys:
    """The keys of a payer."""
    return stores.visibility.keys.book(payer)


async def document_of(stores: Stores, payer: str, number: int) -> dict[str, Any]:
    """Where a row is in Elasticsearch."""
    months = (await stores.elasticsearch.indices.get(index=stores.indices.audits)).body
    return {"index": max(months), "id": f"{payer}|{number}"}


async def change(stores: Stores, payer: str, chance: random.Random) -> None:
    """Another value in a row."""
    place = await document_of(stores, payer, chance.randrange(1, COUNT + 1))
    name, value = chance.choice(
        [
            ("by", "key:other/2"),
            ("claims", ["X"]),
            ("persons", []),
            ("at", "2020-01-01T00:00:00.000+00:00"),
            ("payer", "another"),
            ("seen", [0, "0" * 40]),
            ("extra", 1),
            ("link", "f" * 40),
            ("signature", "f" * 64),
            ("number", 10_000),
            ("number", None),
        ]
    )
    found = await stores.elasticsearch.get(**place)
    document = {**found["_source"], name: value}
    if document != found["_source"]:
        await stores.elasticsearch.index(**place, document=document)
    else:
        await stores.elasticsearch.delete(**place)


async def drop(stores: Stores, payer: str, chance: random.Random) -> None:
    """A row less, anywhere."""
    await stores.elasticsearch.delete(
        **await document_of(stores, payer, chance.randrange(1, COUNT + 1))
    )


async def insert(stores: Stores, payer: str, chance: random.Random) -> None:
    """A row more: one that is there, or the next one that nobody wrote."""
    number = chance.randrange(1, COUNT + 1)
    place = await document_of(stores, payer, number)
    source = (await stores.elasticsearch.get(**place))["_source"]
    if chance.random() < 0.5:
        source = {**source, "number": COUNT + 1}
    await stores.elasticsearch.index(
        index=place["index"], id=f"{payer}|{chance.random()}", document=source
    )


async def reorder(stores: Stores, payer: str, chance: random.Random) -> None:
    """Two rows in each other's place, with or without their links."""
    first, second = chance.sample(range(1, COUNT + 1), 2)
    places = [await document_of(stores, payer, number) for number in (first, second)]
    found = [(await stores.elasticsearch.get(**each))["_source"] for each in places]
    kept = ("number",) if chance.random() < 0.5 else ("number", "link")
    for place, mine, other in zip(places, found, reversed(found), strict=True):
        document = {**other, **{name: mine[name] for name in kept}}
        await stores.elasticsearch.index(**place, document=document)


async def truncate(stores: Stores, payer: str, chance: random.Random) -> None:
    """The end cut off, and the end that Elasticsearch knows put back to an old one."""
    last = chance.randrange(COUNT)
    old = await stores.elasticsearch.get(**await document_of(stores, payer, max(last, 1)))
    for number in range(last + 1, COUNT + 1):
        await stores.elasticsearch.delete(**await document_of(stores, payer, number))
    if chance.random() < 0.5:
        return
    await replay_head(stores, payer, Head(last, old["_source"]["link"]))


async def replay_head(stores: Stores, payer: str, head: Head) -> None:
    """Put an older head, which is well signed, in the place of the one that Elasticsearch has."""
    text = write_head(stores.trail.key, payer, head)
    place: dict[str, Any] = {"index": stores.indices.accounting, "id": f"audit|{payer}"}
    await stores.elasticsearch.delete(**place)
    await stores.elasticsearch.index(**place, document={"audit_head": text})


async def replay(stores: Stores, payer: str, chance: random.Random) -> None:
    """An older head in one of the engines."""
    number = chance.randrange(1, COUNT)
    source = (await stores.elasticsearch.get(**await document_of(stores, payer, number)))["_source"]
    if chance.random() < 0.5:
        await replay_head(stores, payer, Head(number, source["link"]))
        return
    await stores.redis.hset(
        book_of(stores, payer).trail_head, mapping={"n": number, "h": source["link"]}
    )


async def swap(stores: Stores, payer: str, chance: random.Random) -> None:
    """A row of another payer in the place of one."""
    other = f"{payer}-other"
    number = chance.randrange(1, COUNT + 1)
    theirs = (await stores.elasticsearch.get(**await document_of(stores, other, number)))["_source"]
    document = {**theirs, "payer": chance.choice([payer, other])}
    await stores.elasticsearch.index(**await document_of(stores, payer, number), document=document)


async def change_waiting(stores: Stores, payer: str, chance: random.Random) -> None:
    """A row that waits in Redis: changed, dropped, doubled or cut off, and written anew."""
    name = book_of(stores, payer).trail
    stream: Any = await stores.redis.xrange(name)
    place = chance.randrange(len(stream))
    kind = chance.randrange(5)
    if kind == 0:
        field = chance.choice(["r", "m", "h", "n"])
        before = stream[place][1][field]
        stream[place][1][field] = {"r": before[:-2] + "x}", "n": "x"}.get(field, before[::-1])
    elif kind == 1:
        del stream[place]
    elif kind == 2:
        stream.insert(place, stream[chance.randrange(len(stream))])
    elif kind == 3:
        stream = stream[:place]
    else:
        stream[place], stream[place - 1] = stream[place - 1], stream[place]
    await stores.redis.delete(name)
    for _, fields in stream:
        await stores.redis.xadd(name, fields)


STORED = (change, drop, insert, reorder, truncate, replay, swap)
