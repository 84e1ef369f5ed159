"""Reads a piece of JSON: an authorization of our own model, or a FHIR document."""

from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from service.domain.authorization import Authorization
from service.domain.misfits import misfits
from service.domain.push import Pushed
from service.domain.submission import Code, Submission
from service.ingest.cutting import Cut
from service.ingest.fhir import fhir_submissions

_ID_CHARACTERS_MAX = 100


def read_json(piece: Cut, number: int, bytes_max: int) -> Sequence[Submission]:
    """Read and check one authorization, or all of a FHIR document.

    A piece that cannot be taken says why.
    """
    if not piece.is_whole or piece.size > bytes_max:
        return [_rejected(piece, number, "unreadable", f"longer than {bytes_max} bytes")]
    try:
        source = orjson.loads(piece.content)
    except orjson.JSONDecodeError as error:
        return [_rejected(piece, number, "unreadable", f"not JSON: {error}")]
    if not isinstance(source, dict):
        return [_rejected(piece, number, "invalid", "an authorization is a JSON object")]
    if "resourceType" in source and "authorization_id" not in source:
        where = {"line": piece.line}
        document = fhir_submissions(piece.content, number=number, position=where, start=piece.start)
        return document.submissions
    return [read_object(piece, number, source)]


def read_object(piece: Cut, number: int, source: dict[str, Any]) -> Submission:
    """Check an authorization that was parsed already."""
    try:
        authorization = Authorization.model_validate(source)
    except ValidationError as error:
        reason, errors = misfits(error)
        return _rejected(piece, number, "invalid", reason, errors=tuple(errors), **_named(source))
    return _made(
        piece,
        number,
        pushed=Pushed(authorization=authorization, source=source),
        authorization_id=authorization.authorization_id,
        version=authorization.version,
    )


def _named(source: dict[str, Any]) -> dict[str, Any]:
    """Give id and version where they can be read."""
    id_, version = source.get("authorization_id"), source.get("version")
    return {
        "authorization_id": id_
        if isinstance(id_, str) and len(id_) <= _ID_CHARACTERS_MAX
        else None,
        "version": version if type(version) is int else None,
    }


def _rejected(piece: Cut, number: int, code: Code, reason: str, **more: Any) -> Submission:
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
