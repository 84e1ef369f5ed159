"""The content of documents in a folder, each under its own hash, sealed where there are keys.

Several machines need a folder that all of them see. What is written is whole or not there.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.domain.engine_fault import EngineFault
from service.stores.connection.sealing import Seal

_ENGINE = "documents"
_TEMPORARY = ".new-"


@dataclass(eq=False, repr=False)
class DocumentFolder:
    """Every call may be repeated; raises EngineFault."""

    _root: Path
    _seal: Seal

    def put(self, payer: str, sha256: str, content: bytes) -> None:
        """Keep a content; when this returns it is durable."""
        place = self._place(payer, sha256)
        sealed = self._seal.close_bytes(content, _bound(payer, sha256))
        try:
            self._write(place, sealed)
        except OSError as error:
            reason = f"the folder cannot be written to ({type(error).__name__})"
            raise EngineFault(_ENGINE, reason) from error

    def get(self, payer: str, sha256: str) -> bytes:
        """Give a content as it was kept: what was changed or lost since is a fault."""
        try:
            sealed = self._place(payer, sha256).read_bytes()
        except OSError as error:
            reason = f"a document cannot be read ({type(error).__name__})"
            raise EngineFault(_ENGINE, reason) from error
        content = self._seal.open_bytes(sealed, _bound(payer, sha256))
        if hashlib.sha256(content).hexdigest() != sha256:
            raise EngineFault(_ENGINE, "a document is not as it was kept")
        return content

    def reseal(self) -> Iterator[bool]:
        """Seal anew what is not under the first key; tells of each whether it was written."""
        for place in sorted(self._root.glob("*/*/*")):
            if place.name.startswith(_TEMPORARY):
                continue
            try:
                sealed = place.read_bytes()
                is_old = not self._seal.is_current_bytes(sealed)
                if is_old:
                    bound = _bound(place.parts[-3], place.name)
                    content = self._seal.open_bytes(sealed, bound)
                    self._write(place, self._seal.close_bytes(content, bound))
            except OSError as error:
                reason = f"a document cannot be sealed anew ({type(error).__name__})"
                raise EngineFault(_ENGINE, reason) from error
            yield is_old

    def _place(self, payer: str, sha256: str) -> Path:
        return self._root / payer / sha256[:2] / sha256

    def _write(self, place: Path, content: bytes) -> None:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=_TEMPORARY)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        for folder in (place.parent, place.parent.parent):
            _sync(folder)


def _sync(folder: Path) -> None:
    """See to it that what stands in a folder is there after a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bound(payer: str, sha256: str) -> str:
    """What a sealed content is bound to: it cannot be put in the place of another."""
    return f"document|{payer}|{sha256}"
