"""The chain of an audit trail: how a row is signed and linked, and what shows that one was touched.

Every row is signed with a key that neither engine has. Redis gives it its number, and links it to
the row before: the hash goes over all signatures so far. Whoever writes to both engines could
compute these links anew; so each row also has, signed, the newest link that its writer had seen.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

WITNESSED_MAX = 100_000
"""So far back what a row has seen is compared: those between have seen it, too."""


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """How far a trail goes: the number of its last row, and the link of it."""

    number: int = 0
    link: str = "0" * 40


START = Head()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as it is kept: its place in the chain, and what was signed."""

    head: Head
    signature: str
    content: Mapping[str, Any]


def write_row(content: Mapping[str, Any]) -> bytes:
    """What is signed of a row: JSON with sorted names."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def sign(key: bytes, written: bytes) -> str:
    """The signature of a row or a head: HMAC with SHA-256."""
    return hmac.digest(key, written, hashlib.sha256).hex()


def link_of(before: str, signature: str) -> str:
    """The link of a row; scripts of Redis make the same, and have no other hash.

    Nobody can choose what is hashed: signatures are as good as random.
    """
    return hashlib.sha1(f"{before}{signature}".encode(), usedforsecurity=False).hexdigest()


def write_head(key: bytes, payer: str, head: Head) -> str:
    """A head as it is given out, signed."""
    return f"{head.number}.{head.link}.{_head_signature(key, payer, head)}"


def read_head(key: bytes, payer: str, text: str) -> Head | None:
    """Read a head; None for one that was not given out for this payer."""
    number, _, rest = text.partition(".")
    link, _, signature = rest.partition(".")
    if not (number.isdecimal() and number.isascii()):
        return None
    head = Head(int(number), link)
    is_ours = hmac.compare_digest(_head_signature(key, payer, head).encode(), signature.encode())
    return head if is_ours else None


def _head_signature(key: bytes, payer: str, head: Head) -> str:
    return sign(key, write_row({"head": [payer, head.number, head.link]}))


class Check:
    """Follows the rows of a payer in the order of their numbers, and says what does not fit.

    With ``after`` from the row behind that head on; what was before it is not looked at.
    """

    def __init__(self, key: bytes, payer: str, after: Head = START) -> None:
        self._key = key
        self.payer = payer
        self._links: OrderedDict[int, str] = OrderedDict({after.number: after.link})
        self.head = after

    def is_signed(self, row: Row) -> bool:
        """Whether a row is as it was written, for this payer."""
        expected = sign(self._key, write_row(row.content))
        is_same = hmac.compare_digest(expected.encode(), row.signature.encode())
        return is_same and row.content.get("payer") == self.payer

    def follow(self, row: Row) -> Iterator[str]:
        """What is wrong with the next row, or between it and the one before."""
        number, expected = row.head.number, self.head.number + 1
        if number > expected:
            last = number - 1
            yield (
                f"rows {expected} to {last}: missing" if last > expected else f"row {last}: missing"
            )
        elif number < expected:
            yield f"row {number}: there twice, or out of its order"
            return
        if not self.is_signed(row):
            yield f"row {number}: not as it was written"
        elif number == expected and row.head.link != link_of(self.head.link, row.signature):
            yield f"row {number}: does not follow the row before"
        elif (seen := self._seen_otherwise(row.content)) is not None:
            yield f"row {number}: has seen row {seen} as another one"
        self._links[number] = row.head.link
        if len(self._links) > WITNESSED_MAX:
            self._links.popitem(last=False)
        self.head = row.head

    def _seen_otherwise(self, content: Mapping[str, Any]) -> int | None:
        """The row that the writer of this one has seen otherwise, as far as it is known here."""
        number, link = content["seen"]
        is_later = number > self.head.number
        return int(number) if is_later or self._links.get(number, link) != link else None

    def names(self, head: Head, where: str) -> Iterator[str]:
        """What is wrong with a head that is kept elsewhere, if it is of a row that was followed."""
        if self._links.get(head.number, head.link) != head.link:
            yield f"row {head.number}: {where} knows it as another one"
