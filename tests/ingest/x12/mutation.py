"""Breaks messages as the world does: cuts, doubles, flips, swaps, wraps; always the same way."""

import random
from collections.abc import Callable

_INSERTED = [b"~", b"*", b":", b"^", b"\r\n", b"  ", b"\x00", b"~ISA*", b"~IEA*1~", b"~HL*9*9*SS~"]
_LENGTHS = (1, 3, 10, 200)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Break a message in one place or in many."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 2, 5, 20])):
        chance.choice(_WAYS)(changed, chance)
        if not changed:
            changed = bytearray(b"I")
    return bytes(changed)


def _flip(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def _flip_bit(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _drop(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data))
    del data[place : place + chance.choice(_LENGTHS)]


def _cut_off(data: bytearray, chance: random.Random) -> None:
    if chance.random() < 0.2:
        del data[chance.randrange(len(data)) :]


def _double(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data))
    data[place:place] = data[max(0, place - chance.choice(_LENGTHS)) : place]


def _insert(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data))
    data[place:place] = chance.choice(_INSERTED)


def _digits(data: bytearray, chance: random.Random) -> None:
    place, length = chance.randrange(len(data)), chance.choice(_LENGTHS)
    data[place : place + length] = b"9" * length


def _segments(data: bytearray, chance: random.Random) -> None:
    """Drop, double or move a whole segment."""
    pieces = bytes(data).split(b"~")
    place = chance.randrange(len(pieces))
    piece = pieces[place]
    way = chance.randrange(3)
    if way != 1:
        del pieces[place]
    if way != 0:
        pieces.insert(chance.randrange(len(pieces) + 1), piece)
    data[:] = b"~".join(pieces)


def _swap_separators(data: bytearray, chance: random.Random) -> None:
    one, other = chance.sample(b"*:^~|\n'+>", 2)
    start = chance.choice([0, 0, chance.randrange(len(data))])
    data[start:] = data[start:].translate(bytes.maketrans(bytes([one, other]), bytes([other, one])))


def _wrap(data: bytearray, chance: random.Random) -> None:
    width = chance.choice([10, 76, 80])
    lines = [bytes(data[start : start + width]) for start in range(0, len(data), width)]
    data[:] = chance.choice([b"\n", b"\r\n"]).join(lines)


_WAYS: list[Callable[[bytearray, random.Random], None]] = [
    *[_flip, _flip_bit, _drop, _double, _insert, _digits, _segments, _segments],
    *[_cut_off, _swap_separators, _wrap],
]
