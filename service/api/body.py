"""Reads request bodies within a limit, and writes answers as JSON."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from service.api.caller import Asking
from service.api.problem import Refused
from service.domain.repeated_keys import repeated_key
from service.settings import Settings

JSON = "application/json"
NDJSON = "application/x-ndjson"
X12 = "application/edi-x12"

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class JsonBody:
    """A dependency: the body as a model, read within the limit once it is known who asks.

    The framework's own body parameters are read whole before anything else, however long they are.
    """

    model: type[BaseModel]

    async def __call__(self, caller: Asking, request: Request) -> BaseModel:
        """Read it; raises Refused (413, 400), ValidationError."""
        content = await read_body(request, caller.parts.settings.body_bytes_max)
        return read_model(self.model, content)


def read_model(model: type[Model], content: bytes) -> Model:
    """Read JSON as a model; raises ValidationError, Refused (400) for a key that comes twice."""
    read = model.model_validate_json(content)
    if path := repeated_key(content):
        reason = "the key stands twice in its object"
        errors = [{"path": path, "message": reason}]
        raise Refused(400, "Malformed JSON", f"{path}: {reason}", errors=errors)
    return read


def media_type_of(request: Request) -> str:
    """The media type of a body, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read a whole body; raises Refused (413) as soon as it is too large, (400) when empty."""
    body = await read_any_body(request, bytes_max)
    if not body.strip():
        reason = "a JSON body is needed"
        raise Refused(400, "Empty body", reason, errors=[{"path": "", "message": reason}])
    return body


async def read_any_body(request: Request, bytes_max: int) -> bytes:
    """Read a body that may be empty; raises Refused (413) as soon as it is too large."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(bytes_max: int) -> Refused:
    return Refused(413, "Body too large", f"at most {bytes_max} bytes; use a stream for more")


class BoundedStream:
    """The chunks of a body that is read as it comes, up to a bound in bytes and lines.

    What lies beyond is not read: ``excess`` then says so, and answers end with it.
    """

    def __init__(self, request: Request, settings: Settings) -> None:
        """Refuse one that says how long it is, and is too long (413)."""
        self._chunks = request.stream()
        self._bytes_left = settings.stream_bytes_max
        self._lines_left = settings.stream_lines_max
        bounds = f"{settings.stream_bytes_max} bytes and {settings.stream_lines_max} lines"
        self._refusal = Refused(
            413, "Stream too long", f"at most {bounds}; send the rest as another one"
        )
        self.excess: Refused | None = None
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > settings.stream_bytes_max:
            raise self._refusal

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks; the last one before a bound ends with its last whole line."""
        async for chunk in self._chunks:
            within = self._within(chunk)
            if within:
                yield within
            if len(within) < len(chunk):
                self.excess = self._refusal
                return

    def _within(self, chunk: bytes) -> bytes:
        lines = chunk.count(b"\n")
        if len(chunk) <= self._bytes_left and lines <= self._lines_left:
            self._bytes_left -= len(chunk)
            self._lines_left -= lines
            return chunk
        *whole, _ = chunk[: self._bytes_left].split(b"\n")
        return b"".join(line + b"\n" for line in whole[: self._lines_left])


def json_response(
    content: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Write a JSON response."""
    return Response(orjson.dumps(content), status_code=status, media_type=JSON, headers=headers)
