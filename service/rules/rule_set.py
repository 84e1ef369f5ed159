"""A set of rules as it is kept and named: its texts, the number it has, and their hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import orjson


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The texts of a set by file name, as a folder of rules has them; it never changes.

    ``number`` is that of a version that is kept, None for texts that are not (a folder, a draft).
    """

    texts: Mapping[str, str]
    number: int | None = None
    hash: str = field(init=False)
    """SHA-256 over the canonical JSON of the texts: the order of files does not matter."""

    def __post_init__(self) -> None:
        """Take the texts as they are now, and hash them."""
        texts = dict(self.texts)
        object.__setattr__(self, "texts", MappingProxyType(texts))
        object.__setattr__(self, "hash", hash_of(texts))

    @property
    def name(self) -> str:
        """How an answer names the set: its number and the beginning of its hash."""
        return name_of(self.number, self.hash)


def name_of(number: int | None, hash_: str) -> str:
    """How an answer names a set: its number, and the beginning of its hash."""
    return f"{'unkept' if number is None else number}:{hash_[:12]}"


def hash_of(texts: Mapping[str, str]) -> str:
    """The SHA-256 of a set of texts, in hexadecimal digits."""
    content = orjson.dumps(dict(texts), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()
