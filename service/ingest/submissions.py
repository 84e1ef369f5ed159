"""Turns a stream of bytes into submissions, whatever its format: JSON, X12 or FHIR.

Where the sender does not say what it is, its first bytes do. Nothing is unpacked: a compressed
file is refused, for a small one may unpack to any size.
"""

import codecs
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import orjson

from service.domain.submission import Submission
from service.ingest.cutting import Cut, Cutter, LineCutter
from service.ingest.json.submissions import read_json
from service.ingest.json.values import ValueCutter
from service.ingest.x12.reader import WIRE_NAMING, Naming
from service.ingest.x12.submissions import OnItem, X12Submissions

Form = Literal["lines", "values", "x12"]
"""``lines`` is JSON with one value a line, ``values`` JSON that stands on any number of lines."""

_X12_START = re.compile(rb"\s*(?:ISA|GS|ST)[^A-Za-z0-9\s]")
_REFUSED = (
    (re.compile(rb"PK\x03\x04|\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf"), "compressed"),
    (re.compile(rb"\s*<"), "XML"),
)
SNIFFED_BYTES = 64 * 1024
_FEW_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a stream is read; ``form`` None is told by the first bytes, and so is X12 always.

    ``aliases`` are the names of payers that a message may be for. A file may be read from the byte
    ``offset`` on, which is in its line ``line``.
    """

    bytes_max: int
    form: Form | None = None
    naming: Naming = WIRE_NAMING
    aliases: frozenset[str] = frozenset()
    on_item: OnItem = lambda _: None
    offset: int = 0
    line: int = 1


class Reader(Protocol):
    """Takes bytes as they come, and gives the submissions that they complete."""

    def feed(self, chunk: bytes) -> Iterator[Submission]:
        """Take the next chunk."""
        ...

    def end(self) -> Iterator[Submission]:
        """Say that nothing follows."""
        ...


async def read_submissions(
    chunks: AsyncIterable[bytes], reading: Reading
) -> AsyncIterator[Submission]:
    """Read a stream of any format; no bytes raise."""
    reader: Reader | None = None
    head = b""
    async for chunk in chunks:
        if reader is None:
            head += chunk
            if len(head) < SNIFFED_BYTES and not _is_told(head, reading.form):
                continue
            reader, chunk = reader_of(head, reading)
        for each in reader.feed(chunk):
            yield each
    if reader is None:
        reader, chunk = reader_of(head, reading)
        for each in reader.feed(chunk):
            yield each
    for each in reader.end():
        yield each


def reader_of(head: bytes, reading: Reading) -> tuple[Reader, bytes]:
    """Choose the reader by what is known of a stream, else by its first bytes; what it is to read.

    A byte order mark is no part of JSON.
    """
    refused = next((what for pattern, what in _REFUSED if pattern.match(head)), None)
    if refused is not None:
        return Refuser(f"{refused} is not read here: send JSON, NDJSON or X12 as it is"), head
    form = "x12" if is_x12(head) else reading.form or _form_of(head) or "values"
    if form == "x12":
        offset = reading.offset
        return X12Submissions(reading.naming, reading.aliases, reading.on_item, offset), head
    text = head.removeprefix(codecs.BOM_UTF8)
    cutter_of: type[LineCutter | ValueCutter] = LineCutter if form == "lines" else ValueCutter
    cutter = cutter_of(
        reading.bytes_max, line=reading.line, offset=reading.offset + len(head) - len(text)
    )
    return JsonReader(cutter, reading.bytes_max), text


class JsonReader:
    """Reads the pieces that a cutter gives; blank ones are passed over."""

    def __init__(self, cutter: Cutter, bytes_max: int) -> None:
        """Read pieces of at most so many bytes."""
        self._cutter = cutter
        self._bytes_max = bytes_max
        self._number = 0

    def feed(self, chunk: bytes) -> Iterator[Submission]:
        """Take the next chunk."""
        return self._read(self._cutter.feed(chunk))

    def end(self) -> Iterator[Submission]:
        """Say that nothing follows."""
        return self._read(self._cutter.end())

    def _read(self, pieces: Iterable[Cut]) -> Iterator[Submission]:
        for piece in pieces:
            if piece.content.strip() or not piece.is_whole:
                self._number += 1
                yield from read_json(piece, self._number, self._bytes_max)


class Refuser:
    """Reads nothing of a stream, and says so at its end; keeps the beginning of it."""

    def __init__(self, reason: str) -> None:
        """Say why."""
        self._reason = reason
        self._head = b""
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Submission]:
        """Pass over the next chunk."""
        self._size += len(chunk)
        self._head = (self._head + chunk)[:SNIFFED_BYTES] if self._size else b""
        yield from ()

    def end(self) -> Iterator[Submission]:
        """Say what it was."""
        yield Submission(
            format="json",
            number=1,
            position={"byte": 0},
            start=0,
            content=self._head,
            content_bytes=self._size,
            code="unreadable",
            reason=self._reason,
        )


def is_x12(head: bytes) -> bool:
    """Whether a stream that begins so is X12, whatever it is said to be: no JSON begins so."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in head[:4]:
        return True  # JSON is UTF-8
    return _X12_START.match(head.removeprefix(codecs.BOM_UTF8)) is not None


def _is_told(head: bytes, form: Form | None) -> bool:
    """Whether what was read so far is enough to choose a reader."""
    if form is not None:
        return len(head.lstrip()) >= _FEW_BYTES
    return is_x12(head) or _form_of(head) is not None


def _form_of(head: bytes) -> Form | None:
    """Tell the form of JSON by its first bytes; None where they do not tell it yet."""
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text[:1] == b"[":
        return "values"
    line, end, _ = text.partition(b"\n")
    if not end:
        return None  # one line without an end: both readings are the same
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        # An object that goes on is no line.
        return "lines" if line.count(b"{") <= line.count(b"}") else "values"
    return "lines"
