"""Documents are told by their content: what lies, breaks off, or is none is refused, and why."""

import contextlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.document import Document, DocumentRefused, document_id, media_type_of
from tests.papers import JPEG, PAPERS, PDF, PNG, TIFF, chunk, tiff

ONE_STRIP = struct.pack("<HHI", 273, 4, 1)


@pytest.mark.parametrize(
    ("content", "said", "expected"),
    [
        (PDF, "", "application/pdf"),
        (PDF + b"\n" * 500, "application/pdf", "application/pdf"),
        (JPEG, "image/jpg", "image/jpeg"),
        (JPEG + b"\0\0", "application/octet-stream", "image/jpeg"),
        (PNG, "image/png", "image/png"),
        (TIFF, "image/tif", "image/tiff"),
        (tiff(">"), "image/tiff", "image/tiff"),
        (tiff(strips=[(8, 1), (9, 3)]), "", "image/tiff"),
        (tiff(next_=12), "", "image/tiff"),
    ],
)
def test_a_document_is_what_it_holds(content: bytes, said: str, expected: str) -> None:
    """Whatever was said, or nothing."""
    assert media_type_of(content, said) == expected


@pytest.mark.parametrize(
    ("content", "said", "why"),
    [
        (b"", "application/pdf", "it is empty"),
        (b"MZ\x90\0", "application/pdf", "it is none of PDF, JPEG, PNG and TIFF"),
        (b"<html>%PDF-1.4 %%EOF", "application/pdf", "it is none of"),
        (b"II+\0" + TIFF[4:], "image/tiff", "it is none of"),
        (PDF, "image/png", "it is sent as image/png, and is application/pdf"),
        (PNG, "text/html", "it is sent as text/html, and is image/png"),
        (PDF[:40], "", "it breaks off, as application/pdf"),
        (JPEG[:-2], "", "it breaks off, as image/jpeg"),
        (PNG[:-12], "", "it breaks off, as image/png"),
        (PNG[:-1], "", "it breaks off, as image/png"),
        (PNG[:20] + b"x" + PNG[21:], "", "a part of it is damaged"),
        (PNG + b"<script>", "", "there is more behind its end"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"x"), "", "it breaks off"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 900) + b"IDAT" + b"x" * 20, "", "it breaks off"),
        (TIFF[:20], "", "it breaks off, as image/tiff"),
        (TIFF[:4], "", "it breaks off"),
        (b"II*\0" + struct.pack("<I", 0), "", "it has no picture"),
        (b"II*\0" + struct.pack("<IHI", 8, 0, 0), "", "it has an empty directory"),
        (b"MM\0*" + struct.pack(">IHI", 8, 0, 0), "", "it has an empty directory"),
        (tiff(next_=0)[:-4] + struct.pack("<IHI", 42, 0, 0), "", "it has an empty directory"),
        (tiff(strips=[(8, 0)]), "", "it has no picture"),
        (TIFF.replace(ONE_STRIP, struct.pack("<HHI", 256, 4, 1)), "", "it has no picture"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"x") + chunk(b"IEND"), "", "it has no picture"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT") + chunk(b"IEND"), "", "it has no picture"),
        (b"\xff\xd8\xff\xd9", "", "it has no picture"),
        (JPEG.replace(b"\xff\xda", b"\xff\xfe"), "", "it has no picture"),
        (tiff(strips=[(8, 400)]), "", "it breaks off"),
        (tiff(strips=[(8, 1), (9, 9000)]), "", "it breaks off"),
        (tiff(next_=9000), "", "it breaks off"),
        (
            TIFF.replace(struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 4, 2**31)),
            "",
            "it has too",
        ),
        (
            TIFF.replace(struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 4, 99)),
            "",
            "it breaks",
        ),
    ],
)
def test_what_is_no_whole_document_is_refused(content: bytes, said: str, why: str) -> None:
    """With true words, and nothing of what it holds."""
    with pytest.raises(DocumentRefused, match=why):
        media_type_of(content, said)


def test_a_tiff_may_hold_a_jpeg_or_have_other_tags() -> None:
    """What cannot be looked at is left to readers."""
    within = TIFF.replace(ONE_STRIP, struct.pack("<HHI", 513, 4, 1))
    assert media_type_of(within) == "image/tiff"
    bytes_ = TIFF.replace(struct.pack("<HH", 273, 4), struct.pack("<HH", 273, 1))
    assert media_type_of(bytes_) == "image/tiff"


@given(st.sampled_from(sorted(PAPERS)), st.binary(max_size=60), st.integers(0, 200))
def test_no_bytes_raise_otherwise(paper: str, noise: bytes, at: int) -> None:
    """Any bytes in the middle of a document are told apart or refused."""
    content = PAPERS[paper][:at] + noise + PAPERS[paper][at:]
    with contextlib.suppress(DocumentRefused):
        assert media_type_of(content) in PAPERS


def test_the_same_content_is_one_document() -> None:
    """Of each authorization, for itself; its name tells neither."""
    given_: dict[str, Any] = {"authorization_id": "A-1", "sha256": "ab", "kind": "letter"}
    one = Document(
        document_id=document_id("A-1", "ab"), media_type="image/png", bytes=3, is_scanned=False,
        added_at="now", by="key:desk", **given_,
    )  # fmt: skip
    assert one.as_answer()["sha256"] == "ab"
    assert document_id("A-1", "ab") == one.document_id != document_id("A-2", "ab")
