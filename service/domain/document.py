"""A supporting document: what it is, told by its content alone, and whether all of it is there.

A name or a media type that somebody gives is never believed (seed 000: the payer's letter, fax, or
a picture of the portal).
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from service.domain.misfits import Misfit

MediaType = Literal["application/pdf", "image/jpeg", "image/png", "image/tiff"]
DocumentKind = Literal["letter", "fax", "portal", "other"]
"""What it is to people."""

_SAID: Mapping[str, str] = {"image/jpg": "image/jpeg", "image/tif": "image/tiff"}
_ANYTHING = frozenset({"", "application/octet-stream"})
_PNG = b"\x89PNG\r\n\x1a\n"
_NO_PICTURE = "it has no picture"
_PDF_END = 1024
_PARTS_MAX = 1_000_000
"""So many tags, strips and tiles are looked at; no real one has more."""
_STRIPS = {273: 279, 324: 325}
"""Tags of TIFF 6.0: where strips or tiles begin, and how long they are."""
_JPEG_WITHIN = 513
"""Tag of TIFF 6.0, section 22: where a JPEG begins; such a picture may have neither."""
_SCAN = b"\xff\xda"
_SIZES = {3: ("H", 2), 4: ("I", 4)}


class DocumentRefused(Misfit):
    """What cannot be kept as a document; the text says why, and nothing of what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of an authorization, without its content; ``sha256`` is of that.

    ``is_scanned``: a scanner looked at it; else there is none here.
    """

    document_id: str
    authorization_id: str
    sha256: str
    media_type: MediaType
    bytes: int
    kind: DocumentKind
    is_scanned: bool
    added_at: str
    by: str
    on_behalf_of: str | None = None

    def as_answer(self) -> dict[str, Any]:
        """The document as it is shown."""
        return asdict(self)


def document_id(authorization_id: str, sha256: str) -> str:
    """Name a document of an authorization: the same content is the same document."""
    return hashlib.sha256(f"{authorization_id}|{sha256}".encode()).hexdigest()[:24]


def media_type_of(content: bytes, said: str = "") -> MediaType:
    """Tell what a document is; raises DocumentRefused, also where something else was said.

    ``said`` is the media type that came with it, if any did.
    """
    if not content:
        raise DocumentRefused("it is empty")
    for media_type, begins, fault_of in _FORMS:
        if content.startswith(begins):
            if fault := fault_of(content):
                raise DocumentRefused(f"{fault}, as {media_type}")
            break
    else:
        raise DocumentRefused("it is none of PDF, JPEG, PNG and TIFF")
    told = _SAID.get(said, said)
    if told not in _ANYTHING and told != media_type:
        raise DocumentRefused(f"it is sent as {said}, and is {media_type}")
    return media_type


def _pdf_fault(content: bytes) -> str | None:
    """A PDF ends with %%EOF (ISO 32000-1, 7.5.5), perhaps with something behind it."""
    return None if b"%%EOF" in content[-_PDF_END:] else "it breaks off"


def _jpeg_fault(content: bytes) -> str | None:
    """A JPEG has a scan (SOS) and ends with EOI (ITU T.81, B.1.1.3); some fill up with zeros."""
    if not content.rstrip(b"\0").endswith(b"\xff\xd9"):
        return "it breaks off"
    return None if _SCAN in content else _NO_PICTURE


def _png_fault(content: bytes) -> str | None:
    """A PNG is chunks with a checksum each, IDAT among them, the last IEND (ISO/IEC 15948)."""
    place, data = len(_PNG), 0
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        end = place + 12 + length
        if end > len(content):
            break
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(content[place + 4 : end - 4]) != checksum:
            return "a part of it is damaged"
        name = content[place + 4 : place + 8]
        data += length if name == b"IDAT" else 0
        if name == b"IEND" and end < len(content):
            return "there is more behind its end"
        if name == b"IEND":
            return None if data else _NO_PICTURE
        place = end
    return "it breaks off"


def _tiff_fault(content: bytes) -> str | None:
    """A TIFF is directories of one entry at least, each with the places of its strips or tiles.

    TIFF 6.0, section 2. One of them at least has a picture.
    """
    order = "<" if content.startswith(b"II") else ">"
    seen: set[int] = set()
    parts, has_picture = 0, False
    try:
        (place,) = struct.unpack_from(f"{order}I", content, 4)
        while place and place not in seen:
            seen.add(place)
            (count,) = struct.unpack_from(f"{order}H", content, place)
            tags = {}
            for entry in range(count):
                tag, kind, many, value = struct.unpack_from(
                    f"{order}HHI4s", content, place + 2 + 12 * entry
                )
                tags[tag] = (kind, many, value)
            strips = (*_STRIPS, *_STRIPS.values())
            parts += count + sum(tags[tag][1] for tag in strips if tag in tags)
            if parts > _PARTS_MAX:
                return "it has too many parts"
            found = _strips(content, order, tags)
            if any(begin + length > len(content) for begin, length in found):
                return "it breaks off"
            if not count:
                return "it has an empty directory"
            has_picture |= _JPEG_WITHIN in tags or any(length for _, length in found)
            (place,) = struct.unpack_from(f"{order}I", content, place + 2 + 12 * count)
    except struct.error:
        return "it breaks off"
    return None if has_picture else _NO_PICTURE


_Tags = Mapping[int, tuple[int, int, bytes]]


def _strips(content: bytes, order: str, tags: _Tags) -> list[tuple[int, int]]:
    """Where the strips and tiles of a directory begin, and how long they are."""
    return [
        strip
        for begins, lengths in _STRIPS.items()
        if begins in tags and lengths in tags
        for strip in zip(
            _numbers(content, order, tags[begins]),
            _numbers(content, order, tags[lengths]),
            strict=False,
        )
    ]


def _numbers(content: bytes, order: str, tag: tuple[int, int, bytes]) -> tuple[int, ...]:
    """The numbers of a tag, which stand in it or elsewhere; raises struct.error."""
    kind, many, value = tag
    form, size = _SIZES.get(kind, ("B", 1))
    if many * size > len(content):
        raise struct.error
    if many * size <= len(value):
        return struct.unpack_from(f"{order}{many}{form}", value)
    (place,) = struct.unpack(f"{order}I", value)
    return struct.unpack_from(f"{order}{many}{form}", content, place)


_Fault = Callable[[bytes], str | None]
_FORMS: tuple[tuple[MediaType, bytes, _Fault], ...] = (
    ("application/pdf", b"%PDF-", _pdf_fault),
    ("image/jpeg", b"\xff\xd8\xff", _jpeg_fault),
    ("image/png", _PNG, _png_fault),
    ("image/tiff", b"II*\0", _tiff_fault),
    ("image/tiff", b"MM\0*", _tiff_fault),
)
"""How each begins, and what tells that it is not whole."""
