"""Answers of the FHIR addresses: resources as JSON, and every refusal as an OperationOutcome."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response
from starlette.types import Scope

from service.api.problem import Refused
from service.ingest.fhir.base.issue import Json, outcome, told

FHIR_JSON = "application/fhir+json"
FHIR_NDJSON = "application/fhir+ndjson"
PROBLEM_SYSTEM = "urn:authmatch:problem"

_TYPES: Mapping[int, str] = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "invalid",
    500: "exception",
    503: "transient",
}


def fhir_response(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Write a resource."""
    return Response(
        orjson.dumps(content), status_code=status, media_type=FHIR_JSON, headers=headers
    )


def refusal_content(refused: Refused) -> Json:
    """Write a problem as FHIR does: its type as a code, its text, and the places."""
    kind = refused.title.lower().replace(" ", "-")
    type_ = _TYPES.get(refused.status, "processing")
    written = [told("error", type_, refused.detail, system=PROBLEM_SYSTEM, code=kind)]
    for each in refused.errors or []:
        more = told("error", type_, str(each["message"]), system=PROBLEM_SYSTEM, code=kind)
        written.append(more | ({"diagnostics": each["path"]} if each["path"] else {}))
    return outcome(written)


def refusal(refused: Refused, _: Scope) -> Response:
    """Answer a problem as FHIR does."""
    return fhir_response(refusal_content(refused), refused.status, refused.headers)
