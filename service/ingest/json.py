"""Reads a piece of JSON: an authorization of our own model."""

from typing import Any

import orjson
from pydantic import ValidationError

from service.domain.authorization import Authorization
from service.domain.misfits import misfits
from service.domain.submission import Code, Pushed, Submission
from service.ingest.cutting import Cut

_ID_CHARACTERS_MAX = 100


def read_json(piece: Cut, number: int, bytes_max: int) -> Submission | None:
    """Read and check one authorization; one that cannot be taken says why.

    None where it is a resource of FHIR, which is read otherwise.
    """
    if not piece.is_whole or piece.size > bytes_max:
        return reject(piece, number, "unreadable", f"longer than {bytes_max} bytes")
    try:
        source = orjson.loads(piece.content)
    except orjson.JSONDecodeError as error:
        return reject(piece, number, "unreadable", f"not JSON: {error}")
    if not isinstance(source, dict):
        return reject(piece, number, "invalid", "an authorization is a JSON object")
    if "resourceType" in source and "authorization_id" not in source:
        return None
    try:
        authorization = Authorization.model_validate(source)
    except ValidationError as error:
        reason, errors = misfits(error)
        return reject(piece, number, "invalid", reason, errors=tuple(errors), **_named(source))
    return _made(
        piece,
        number,
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


def reject(piece: Cut, number: int, code: Code, reason: str, **more: Any) -> Submission:
    """Say that a piece cannot be taken, and why."""
    return _made(piece, number, code=code, reason=reason, **more)


def _made(piece: Cut, number: int, **fields: Any) -> Submission:
    return Submission(
        format="json",
        number=number,
        position={"line": piece.line},
        start=piece.start,
        content=piece.content,
        content_bytes=piece.size,
        **fields,
    )
