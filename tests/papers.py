"""Small documents of each type, whole."""

import struct
import zlib
from collections.abc import Iterable


def chunk(name: bytes, data: bytes = b"") -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\xd2\xcf\x20\xff\xd9"
)
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\0"))
    + chunk(b"IEND")
)


def tiff(
    order: str = "<", *, strips: Iterable[tuple[int, int]] = ((8, 4),), next_: int = 0
) -> bytes:
    """A TIFF with a picture of these strips (place and length), and where the next one is."""
    places, lengths = zip(*strips, strict=True)
    many = len(places)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 12) + b"data"
    if many == 1:
        values = [struct.pack(f"{order}I", each) for each in (places[0], lengths[0])]
        tail = b""
    else:
        at = 12 + 2 + 24 + 4
        values = [struct.pack(f"{order}I", at), struct.pack(f"{order}I", at + 4 * many)]
        tail = struct.pack(f"{order}{2 * many}I", *places, *lengths)
    entries = b"".join(
        struct.pack(f"{order}HHI4s", tag, 4, many, value)
        for tag, value in zip((273, 279), values, strict=True)
    )
    return head + struct.pack(f"{order}H", 2) + entries + struct.pack(f"{order}I", next_) + tail


TIFF = tiff()
PAPERS = {"application/pdf": PDF, "image/jpeg": JPEG, "image/png": PNG, "image/tiff": TIFF}
