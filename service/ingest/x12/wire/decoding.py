"""From bytes to text: X12 is ASCII, but files also come in UTF-8, Latin-1 and UTF-16.

Single bytes are read as Latin-1, so that a character is a byte and no cut between two chunks can
fall inside a character; a segment with characters beyond ASCII is read again as UTF-8.
"""

import codecs

_UTF8_MARK = codecs.BOM_UTF8
_SNIFFED_BYTES = 4


class Decoder:
    """Turns chunks of bytes into text; ``width`` is the number of bytes of a plain character."""

    def __init__(self) -> None:
        """Start before the first byte."""
        self.width = 1
        self.mark_bytes = 0
        self._first: bytes | None = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def decode(self, chunk: bytes, *, final: bool = False) -> str:
        """Give the text of a chunk; the first few bytes are held back until the form is known."""
        if self._first is not None:
            chunk = self._first + chunk
            if len(chunk) < _SNIFFED_BYTES and not final:
                self._first = chunk
                return ""
            self._first = None
            chunk = chunk[self._sniff(chunk) :]
        if self._decoder is None:
            return chunk.decode("latin-1")
        return self._decoder.decode(chunk, final)

    def bytes_of(self, text: str) -> int:
        """Say how many bytes a text had in the file."""
        if self.width == 1 or text.isascii():
            return len(text) * self.width
        return len(text.encode("utf-16-le", "surrogatepass"))

    def mend(self, text: str) -> str:
        """Read a text with characters beyond ASCII as UTF-8, where it is."""
        if self.width > 1:
            return text
        try:
            return text.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            return text

    def _sniff(self, first: bytes) -> int:
        """Tell the form of the file by its first bytes; give the length of its mark."""
        for mark, name in (
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            # Without a mark the zero byte of the first letter, which is ASCII, tells.
            zero = 1 if name.endswith("le") else 0
            if first.startswith(mark) or (
                len(first) >= _SNIFFED_BYTES
                and first[zero] == first[zero + 2] == 0
                and first[1 - zero] != 0
            ):
                self.width = 2
                self._decoder = codecs.getincrementaldecoder(name)("replace")
                self.mark_bytes = len(mark) if first.startswith(mark) else 0
                return self.mark_bytes
        if first.startswith(_UTF8_MARK):
            self.mark_bytes = len(_UTF8_MARK)
        return self.mark_bytes
