"""Seals what is kept of others' words, where nobody searches for it: AES-256-GCM, by several keys.

The first key seals, each opens. What was kept before there was a key is read as it is.
"""

import base64
import binascii
import hashlib
import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.domain.engine_fault import EngineFault

KEY_BYTES = 32
COMMAND_S = 30
_MARK = "sealed:"
_CHANGED = "what was sealed was changed, or stands in another place"
_NAME_CHARACTERS = 16
_NONCE_BYTES = 12


class SealKeysRefused(ValueError):
    """The keys cannot be used; the text says why, and nothing of any."""


class SealBroken(EngineFault):
    """What is stored was sealed by a key that is not there, or was changed."""

    def __init__(self, reason: str) -> None:
        """Say which; what was sealed is not told."""
        super().__init__("seal", reason)

    def __reduce__(self) -> tuple[type["SealBroken"], tuple[str]]:
        """Travel between processes."""
        return type(self), (self.reason,)


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens texts, each bound to its place; without keys they stay as they are."""

    _keys: Sequence[bytes] = field(default=(), repr=False)
    _ciphers: dict[str, AESGCM] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for key in self._keys:
            name = hashlib.sha256(key).hexdigest()[:_NAME_CHARACTERS]
            self._ciphers[name] = AESGCM(key)

    @property
    def key_names(self) -> list[str]:
        """What the keys are called in what they sealed, the one that seals first."""
        return list(self._ciphers)

    def close(self, text: str, place: str) -> str:
        """Seal a text, which can be opened at this place alone."""
        if not self._ciphers:
            return text
        name, sealed = self._sealed(text.encode(), place)
        return f"{_MARK}{name}:{base64.b64encode(sealed).decode()}"

    def close_bytes(self, content: bytes, place: str) -> bytes:
        """Seal bytes in the same way; these must not begin as what is sealed does."""
        if not self._ciphers:
            return content
        name, sealed = self._sealed(content, place)
        return f"{_MARK}{name}:".encode() + sealed

    def _sealed(self, content: bytes, place: str) -> tuple[str, bytes]:
        """The name of the key that seals, and what it makes of a content, with its nonce."""
        name, cipher = next(iter(self._ciphers.items()))
        nonce = os.urandom(_NONCE_BYTES)
        return name, nonce + cipher.encrypt(nonce, content, place.encode())

    def open(self, text: str, place: str) -> str:
        """The text that was sealed; raises SealBroken."""
        if not text.startswith(_MARK):
            return text
        name, _, written = text.removeprefix(_MARK).partition(":")
        try:
            sealed = base64.b64decode(written, validate=True)
        except binascii.Error as error:
            raise SealBroken(_CHANGED) from error
        return self._opened(name, sealed, place).decode()

    def open_bytes(self, content: bytes, place: str) -> bytes:
        """The bytes that were sealed; raises SealBroken."""
        mark = _MARK.encode()
        if not content.startswith(mark):
            return content
        name, _, sealed = content.removeprefix(mark).partition(b":")
        return self._opened(name.decode("latin-1"), sealed, place)

    def _opened(self, name: str, sealed: bytes, place: str) -> bytes:
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealBroken("a key is missing by which something was sealed")
        try:
            nonce = sealed[:_NONCE_BYTES]
            return cipher.decrypt(nonce, sealed[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(_CHANGED) from error

    def is_current(self, text: str) -> bool:
        """Whether it is sealed as it would be now."""
        if not self._ciphers:
            return not text.startswith(_MARK)
        return text.startswith(f"{_MARK}{next(iter(self._ciphers))}:")

    def is_current_bytes(self, content: bytes) -> bool:
        """Whether bytes are sealed as they would be now."""
        beginning = content[: len(_MARK) + _NAME_CHARACTERS + 1]
        return self.is_current(beginning.decode("latin-1"))


def read_keys(text: str) -> tuple[bytes, ...]:
    """Keys of 32 bytes in base64, one a line; raises SealKeysRefused, also where there is none."""
    lines = [each.strip() for each in text.splitlines()]
    keys: list[bytes] = []
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        try:
            key = base64.b64decode(line, validate=True)
        except binascii.Error as error:
            raise SealKeysRefused(f"line {number} is not base64") from error
        if len(key) != KEY_BYTES:
            raise SealKeysRefused(f"line {number} has {len(key)} bytes, not {KEY_BYTES}")
        keys.append(key)
    if not keys:
        raise SealKeysRefused("there is no key")
    return tuple(keys)


def seal_from(file: Path | None, command: str | None) -> Seal:
    """The seal by the keys that a command writes, or a file holds; by none where there is neither.

    Raises SealKeysRefused.
    """
    try:
        if command:
            return Seal(read_keys(_said_by(command)))
        if file:
            return Seal(read_keys(file.read_text(encoding="utf-8")))
    except SealKeysRefused as refused:
        raise SealKeysRefused(f"the keys of the seal: {refused}") from refused
    except (OSError, UnicodeDecodeError, subprocess.SubprocessError) as error:
        reason = f"the keys of the seal cannot be had ({type(error).__name__})"
        raise SealKeysRefused(reason) from error
    return Seal()


def _said_by(command: str) -> str:
    """What a command writes, such as that of a key management; no shell reads it."""
    done = subprocess.run(  # noqa: S603 - the operator's own
        shlex.split(command), capture_output=True, check=True, timeout=COMMAND_S, text=True
    )
    return done.stdout
