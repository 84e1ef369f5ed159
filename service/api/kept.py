"""Keeps what was sent and cannot be taken as a dead letter, and answers what has to wait."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from service.api.body import json_response
from service.api.problem import Refused
from service.application.parts import Application
from service.domain.submission import Code, DeadLetter, Queued

ERRORS_MAX = 20
_ID_LENGTH_MAX = 100
_CODES: Mapping[int, Code] = {400: "unreadable", 409: "conflict"}


async def kept(
    application: Application,
    payer: str,
    refused: Refused,
    content: bytes,
    *,
    origin: str,
    authorization_id: str,
) -> Refused:
    """Keep what was sent, and give the refusal with the place where it is kept.

    Raises an EngineFault if it cannot be kept: then it must be sent again.
    """
    letter = DeadLetter(
        format="json",
        content=content[: application.settings.dead_letter_bytes_max],
        content_bytes=len(content),
        code=_CODES.get(refused.status, "invalid"),
        reason=f"{refused.title}: {refused.detail}",
        errors=tuple((refused.errors or [])[:ERRORS_MAX]),
        origin=origin,
        authorization_id=authorization_id if len(authorization_id) <= _ID_LENGTH_MAX else None,
        version=_version_in(content),
    )
    (refused.dead_letter,) = await application.stores.letters.keep(payer, [letter])
    return refused


def queued_response(queued: Queued) -> Response:
    """Answer that a push is kept, and is stored later."""
    address = f"/intake/{queued.ticket}"
    return json_response(
        {
            "authorization_id": queued.authorization_id,
            "version": queued.version,
            "status": "queued",
            "status_url": address,
        },
        status=202,
        headers={"Location": address},
    )


def _version_in(content: bytes) -> int | None:
    try:
        source: Any = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    version = source.get("version") if isinstance(source, dict) else None
    return version if type(version) is int and 0 < version < 2**53 else None
