"""Reads request bodies within a limit."""

import orjson
from fastapi import Request
from starlette.responses import Response

from service.api.problem import Refused

JSON = "application/json"
NDJSON = "application/x-ndjson"


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read a whole body; raises Refused (413) as soon as it is too large, (400) when empty."""
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
    body = b"".join(chunks)
    if not body.strip():
        raise Refused(400, "Empty body", "a JSON body is needed")
    return body


def _too_large(bytes_max: int) -> Refused:
    return Refused(413, "Body too large", f"at most {bytes_max} bytes; use a stream for more")


def json_response(
    content: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Write a JSON response."""
    return Response(orjson.dumps(content), status_code=status, media_type=JSON, headers=headers)
