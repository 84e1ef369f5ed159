"""A dead letter as it is stored, and as it waits in the outbox."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson

from service.domain.submission import Code, DeadLetter, Format
from service.stores.connection.sealing import Seal

_OF_THE_STORE = ("payer", "kept_bytes")

Status = Literal["open", "resolved", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter, and what became of it.

    ``times`` counts how often it came, ``tries`` how often it was tried again; while somebody does
    so, nobody else does ``trying_until`` a time, should he never come to an end. Content is there
    as long as the letter is open. ``seen`` tells which write of it was read.
    """

    id: str
    format: Format
    code: Code
    reason: str
    origin: str
    kept_at: str
    last_at: str
    content_bytes: int
    is_whole: bool
    content: bytes | None = field(repr=False)
    errors: tuple[Mapping[str, Any], ...] = ()
    position: Mapping[str, Any] = field(default_factory=dict)
    authorization_id: str | None = None
    version: int | None = None
    on_file: str | None = None
    status: Status = "open"
    times: int = 1
    tries: int = 0
    by: str | None = None
    on_behalf_of: str | None = None
    why: str | None = None
    trying_until: str | None = None
    seen: tuple[int, int] | None = None

    def shown(self) -> dict[str, Any]:
        """Give everything but the content, by its names."""
        fields = asdict(self)
        del fields["content"], fields["seen"]
        return fields

    def readable(self) -> dict[str, str | None]:
        """Give the content as text or, where it is none, in base64."""
        if self.content is None:
            return {"content": None, "encoding": None}
        try:
            return {"content": self.content.decode(), "encoding": "utf-8"}
        except UnicodeDecodeError:
            return {"content": base64.b64encode(self.content).decode(), "encoding": "base64"}


def first_letter(letter_id: str, letter: DeadLetter, at: str) -> Letter:
    """Give a letter as it is when it comes for the first time."""
    return Letter(id=letter_id, kept_at=at, last_at=at, is_whole=letter.is_whole, **asdict(letter))


def letter_place(payer: str, letter_id: str) -> str:
    """Name the document of a letter."""
    return f"{payer}|{letter_id}"


def letter_document(payer: str, letter: Letter, seal: Seal) -> dict[str, Any]:
    """Write a letter for Elasticsearch, its content sealed."""
    content = _written(letter.content)
    if content is not None:
        content = seal.close(content, f"{letter_place(payer, letter.id)}|content")
    size = len(letter.content or b"")
    document = {"payer": payer, **letter.shown(), "content": content, "kept_bytes": size}
    return {name: value for name, value in document.items() if value is not None}


def read_letter(hit: Mapping[str, Any], seal: Seal) -> Letter:
    """Read a letter that Elasticsearch gave; raises SealBroken."""
    source = {name: each for name, each in hit["_source"].items() if name not in _OF_THE_STORE}
    if "content" in source:
        source["content"] = seal.open(source["content"], f"{hit['_id']}|content")
    return _read(source, seen=(hit["_seq_no"], hit["_primary_term"]))


def write_letter(letter: Letter) -> str:
    """Write a letter for the outbox."""
    return orjson.dumps(letter.shown() | {"content": _written(letter.content)}).decode()


def read_waiting(text: str) -> Letter:
    """Read a letter that waited in the outbox."""
    return _read(orjson.loads(text), seen=None)


def _read(source: Mapping[str, Any], seen: tuple[int, int] | None) -> Letter:
    content = source.get("content")
    return Letter(
        **{
            **source,
            "content": None if content is None else base64.b64decode(content),
            "errors": tuple(source.get("errors", ())),
            "seen": seen,
        }
    )


def _written(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
