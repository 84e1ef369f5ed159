"""The one door: turns a stream of bytes into submissions, whatever its form: JSON, X12 or FHIR.

Where the sender does not say what it is, its first bytes do. Nothing is unpacked: a compressed
file is refused, for a small one may unpack to any size.
"""

import asyncio
import codecs
import re
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import Any, Literal, Protocol

import orjson
from pydantic import ValidationError

from service.domain.authorization import Authorization
from service.domain.misfits import misfits
from service.domain.repeated_keys import repeated_key
from service.domain.submission import Code, Format, Pushed, Sent, Submission
from service.ingest.cutting import Cut, Cutter, LineCutter, ValueCutter, WholeCutter
from service.ingest.fhir import read_piece
from service.ingest.x12.fields.policy import WIRE_POLICY, ReadingPolicy
from service.ingest.x12.submissions import X12Submissions

Form = Literal["values", "lines", "x12", "fhir", "fhir-lines"]
"""How a stream is written (see ``FORMS``)."""

SNIFFED_BYTES = 64 * 1024
_FEW_BYTES = 8
_ID_CHARACTERS_MAX = 100
_X12_START = re.compile(rb"\s*(?:ISA|GS|ST)[^A-Za-z0-9\s]")
_REFUSED = (
    (re.compile(rb"PK\x03\x04|\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf"), "compressed"),
    (re.compile(rb"\s*<"), "XML"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a stream is read; ``form`` None is told by the first bytes, and so is X12 always.

    ``aliases`` are the names of payers that a message may be for. A file may be read from the byte
    ``offset`` on, which is in its line ``line``. ``checks_shape``: FHIR is held against R4, too.
    """

    bytes_max: int
    form: Form | None = None
    policy: ReadingPolicy = WIRE_POLICY
    aliases: frozenset[str] = frozenset()
    checks_shape: bool = True
    offset: int = 0
    line: int = 1


Later = partial[Sequence[Sent]]
"""What takes long to read: to be called in a thread."""


class Reader(Protocol):
    """Takes bytes as they come, and gives what they complete; no bytes raise."""

    def feed(self, chunk: bytes) -> Iterator[Sent | Later]:
        """Take the next chunk."""
        ...

    def end(self) -> Iterator[Sent | Later]:
        """Say that nothing follows."""
        ...


async def read_submissions(chunks: AsyncIterable[bytes], reading: Reading) -> AsyncIterator[Sent]:
    """Read a stream of any format; no bytes raise."""
    async for found in _found(chunks, reading):
        for each in found:
            if isinstance(each, partial):
                for sent in await asyncio.to_thread(each):
                    yield sent
            else:
                yield each


async def _found(
    chunks: AsyncIterable[bytes], reading: Reading
) -> AsyncIterator[Iterator[Sent | Later]]:
    reader: Reader | None = None
    head = b""
    async for chunk in chunks:
        if reader is None:
            head += chunk
            if len(head) < SNIFFED_BYTES and not _is_told(head, reading.form):
                continue
            reader, chunk = _reader_of(head, reading)
        yield reader.feed(chunk)
    if reader is None:
        reader, rest = _reader_of(head, reading)
        yield reader.feed(rest)
    yield reader.end()


class PieceReader:
    """Reads the pieces that a cutter gives; blank lines are passed over."""

    def __init__(self, cutter: Cutter, read: Callable[[Cut], Sent | Later]) -> None:
        self._cutter = cutter
        self._read_piece = read

    def feed(self, chunk: bytes) -> Iterator[Sent | Later]:
        """Take the next chunk."""
        return self._read(self._cutter.feed(chunk))

    def end(self) -> Iterator[Sent | Later]:
        """Say that nothing follows."""
        return self._read(self._cutter.end())

    def _read(self, pieces: Iterable[Cut]) -> Iterator[Sent | Later]:
        for piece in pieces:
            if not piece.is_blank or isinstance(self._cutter, WholeCutter):
                yield self._read_piece(piece)


def read_json(piece: Cut, bytes_max: int) -> Submission | None:
    """Read and check one authorization; one that cannot be taken says why.

    None where it is a resource of FHIR, which is read otherwise.
    """
    if not piece.is_whole or piece.size > bytes_max:
        return _rejected(piece, "unreadable", f"longer than {bytes_max} bytes")
    try:
        source = orjson.loads(piece.content)
    except orjson.JSONDecodeError as error:
        return _rejected(piece, "unreadable", f"not JSON: {error}")
    if path := repeated_key(piece.content, source):
        reason = "the key stands twice in its object"
        place = {"path": path, "message": reason}
        return _rejected(piece, "unreadable", f"{path}: {reason}", errors=(place,))
    if not isinstance(source, dict):
        return _rejected(piece, "invalid", "an authorization is a JSON object")
    if "resourceType" in source and "authorization_id" not in source:
        return None
    try:
        authorization = Authorization.model_validate(source)
    except ValidationError as error:
        reason, errors = misfits(error)
        return _rejected(piece, "invalid", reason, errors=tuple(errors), **_named(source))
    return piece.submission(
        "json",
        pushed=Pushed(authorization=authorization, source=source),
        authorization_id=authorization.authorization_id,
        version=authorization.version,
    )


def _named(source: dict[str, Any]) -> dict[str, Any]:
    """Id and version where they can be read."""
    id_, version = source.get("authorization_id"), source.get("version")
    return {
        "authorization_id": id_
        if isinstance(id_, str) and len(id_) <= _ID_CHARACTERS_MAX
        else None,
        "version": version if type(version) is int else None,
    }


def _rejected(piece: Cut, code: Code, reason: str, **more: Any) -> Submission:
    """Say that a piece cannot be taken, and why."""
    return piece.submission("json", code=code, reason=reason, **more)


def _refused(what: str, piece: Cut) -> Submission:
    """Say of a whole stream that it is not read; the beginning of it is kept."""
    reason = f"{what} is not read here: send JSON, NDJSON or X12 as it is"
    return replace(_rejected(piece, "unreadable", reason), position={"byte": 0})


Opened = tuple[Reader, bytes]
"""A reader, and the bytes that it is to read first."""


def _json(cutter: type[Cutter], head: bytes, reading: Reading) -> Opened:
    """Read JSON of ours from behind a byte order mark; a piece of it may be FHIR all the same."""
    text = head.removeprefix(codecs.BOM_UTF8)
    offset = reading.offset + len(head) - len(text)

    def read(piece: Cut) -> Sent | Later:
        return read_json(piece, reading.bytes_max) or _fhir_of(reading, piece)

    return PieceReader(cutter(reading.bytes_max, line=reading.line, offset=offset), read), text


def _fhir(cutter: type[Cutter], head: bytes, reading: Reading) -> Opened:
    cut = cutter(reading.bytes_max, line=reading.line, offset=reading.offset)
    return PieceReader(cut, partial(_fhir_of, reading)), head


def _fhir_of(reading: Reading, piece: Cut) -> Later:
    return partial(read_piece, piece, reading.bytes_max, checks_shape=reading.checks_shape)


def _x12(head: bytes, reading: Reading) -> Opened:
    return X12Submissions(reading.policy, reading.aliases, reading.offset), head


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A form: its format, how it is opened, and by what it is known from outside.

    What is said to be of a form that is not ``is_certain`` may turn out to be X12, or unreadable.
    """

    format: Format
    open: Callable[[bytes, Reading], Opened]
    media_types: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    is_certain: bool = False


FORMS: Mapping[Form, Written] = {
    "values": Written(format="json", open=partial(_json, ValueCutter)),
    "lines": Written(
        format="json",
        open=partial(_json, LineCutter),
        media_types=("application/x-ndjson",),
        endings=(".ndjson", ".jsonl"),
    ),
    "x12": Written(
        format="x12",
        open=_x12,
        media_types=("application/edi-x12",),
        endings=(".x12", ".edi", ".278", ".837"),
    ),
    "fhir": Written(
        format="fhir",
        open=partial(_fhir, WholeCutter),
        media_types=("application/fhir+json",),
        is_certain=True,
    ),
    "fhir-lines": Written(
        format="fhir",
        open=partial(_fhir, LineCutter),
        media_types=("application/fhir+ndjson",),
        is_certain=True,
    ),
}
"""Every form: ``values`` is JSON on any number of lines, ``fhir`` one document."""


def form_of_media(media_type: str) -> Form | None:
    """The form that a media type names; None where it names none."""
    return next((form for form, each in FORMS.items() if media_type in each.media_types), None)


def form_of_file(path: PurePath) -> Form | None:
    """The form that the ending of a file names; None where its content must tell."""
    ending = path.suffix.lower()
    return next((form for form, each in FORMS.items() if ending in each.endings), None)


def form_of_letter(letter_format: Format) -> Form:
    """The form in which a dead letter of a format is read again."""
    return next(form for form, each in FORMS.items() if each.format == letter_format)


def read_one(content: bytes) -> Submission:
    """Read content that is one authorization of our own model, as a stream of them is read."""
    piece = Cut(content, len(content), 1, 0)
    return read_json(piece, len(content)) or _rejected(
        piece, "invalid", "FHIR is pushed to the address for FHIR"
    )


def _reader_of(head: bytes, reading: Reading) -> Opened:
    """Choose the reader by what is known of a stream, else by its first bytes."""
    form = reading.form
    if form is None or not FORMS[form].is_certain:
        refused = next((what for pattern, what in _REFUSED if pattern.match(head)), None)
        if refused is not None:
            return PieceReader(WholeCutter(SNIFFED_BYTES), partial(_refused, refused)), head
        form = "x12" if is_x12(head) else form or _form_of(head) or "values"
    return FORMS[form].open(head, reading)


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
