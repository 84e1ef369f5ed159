"""Brings a message to a trading partner and what it says back; nothing is decided here.

By HTTP the answer to a message is in its response; in a folder messages lie in ``out`` under their
trace number, so that what is written twice is one file, and answers are put into ``in``.
"""

import asyncio
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Literal

from service.access.tokens import straight
from service.settings import TradingPartner

Errand = Literal["submit", "inquire"]

ANSWER_BYTES_MAX = 4 * 1024 * 1024
"""An answer that is longer is none of one request."""
_MEDIA = {"x12": "application/edi-x12", "fhir": "application/fhir+json"}
_ENDINGS = {"x12": "x12", "fhir": "json"}
_REFUSED = (400, 409, 413, 415, 422)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: ``content`` may be empty, then the partner has the message and says no more.

    ``is_refused`` is a status of HTTP that says the message is wrong.
    """

    content: bytes = field(repr=False)
    is_refused: bool = False


class NotReached(Exception):
    """The partner was not reached, or is not able now: the same message is sent again later.

    The text has nothing of any message.
    """


async def deliver(partner: TradingPartner, errand: Errand, trace: str, message: bytes) -> Reply:
    """Bring a message; raises NotReached."""
    if partner.folder is not None:
        await asyncio.to_thread(_write, partner, errand, trace, message)
        return Reply(b"")
    return await asyncio.to_thread(_post, partner, errand, message)


def _post(partner: TradingPartner, errand: Errand, message: bytes) -> Reply:
    headers = {"Content-Type": _MEDIA[partner.format], "Accept": _MEDIA[partner.format]}
    if partner.token is not None:
        headers["Authorization"] = f"Bearer {partner.token.get_secret_value()}"
    address = partner.url or ""
    if partner.format == "fhir":
        address = f"{address.rstrip('/')}/Claim/${errand}"
    asked = urllib.request.Request(address, message, headers)  # noqa: S310 - https, or this machine
    try:
        with straight().open(asked, timeout=partner.timeout_s) as response:
            return Reply(_bounded(response.read(ANSWER_BYTES_MAX + 1)))
    except urllib.error.HTTPError as error:
        with error:
            if error.code in _REFUSED:
                return Reply(_bounded(error.read(ANSWER_BYTES_MAX + 1)), is_refused=True)
        raise NotReached(f"the partner answered HTTP {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = "in time" if isinstance(error, TimeoutError) else "at all"
        raise NotReached(f"the partner did not answer {reason}") from error


def _bounded(content: bytes) -> bytes:
    if len(content) > ANSWER_BYTES_MAX:
        raise NotReached("the answer of the partner is too long")
    return content


def _write(partner: TradingPartner, errand: Errand, trace: str, message: bytes) -> None:
    """Write a file whole: under another name first, synced, then moved."""
    name = f"{trace}.{_ENDINGS[partner.format]}"
    name = name if errand == "submit" else f"inquiry-{name}"
    folder = (partner.folder or Path()) / "out"
    part = folder / f".{name}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)
        handle = os.open(folder, os.O_RDONLY)  # the name is to outlive a power loss, too
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise NotReached("the folder of the partner cannot be written to") from error


def arrived(partner: TradingPartner) -> list[Path]:
    """The files that lie in ``in``, by name; hidden ones are not whole yet. Raises NotReached."""
    folder = (partner.folder or Path()) / "in"
    try:
        return sorted(_files(folder)) if folder.is_dir() else []
    except OSError as error:
        raise NotReached("the folder of the partner cannot be read") from error


def _files(folder: Path) -> Iterator[Path]:
    return (each for each in folder.iterdir() if each.is_file() and each.name[0] != ".")


def put_away(file: Path, *, taken: bool) -> None:
    """Move a file that was read out of the way, to ``done`` or ``failed``.

    Another worker may have done so.
    """
    folder = file.parent / ("done" if taken else "failed")
    folder.mkdir(exist_ok=True)
    try:
        file.replace(folder / file.name)
    except FileNotFoundError:
        return
