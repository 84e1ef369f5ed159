"""FHIR in: one document or a stream of them, answered by OperationOutcomes."""

from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.body import NDJSON, BoundedStream, read_any_body
from service.api.caller import Asking, needs
from service.api.fhir_outcome import FHIR_JSON, FHIR_NDJSON, fhir_response, refusal_content
from service.api.problem import Refused
from service.api.schema import fhir_answers, takes
from service.api.streams import StreamedResults
from service.application.intake import take
from service.application.parts import Caller
from service.application.reception import Stream, once
from service.flow.intake import Taken
from service.ingest.fhir import FhirDocument
from service.ingest.fhir.base.issue import Json, outcome, told, write_issue
from service.ingest.fhir.base.node import expression_of

router = APIRouter(
    prefix="/fhir",
    tags=["fhir"],
    responses=fhir_answers(
        status_409="The same version is there with other content.",
        status_415="Neither FHIR as JSON nor a stream of it.",
    ),
)

FINDINGS_MAX = 1000
PUSH_SYSTEM = "urn:authmatch:push"
RETRY_AFTER_S = 2
_ORIGIN = "POST /fhir"
_DOCUMENT = (FHIR_JSON, "application/json")
_STREAM = (FHIR_NDJSON, NDJSON)
_R4 = ("4.0", "4.3")
_TOLD = ("information", "informational")
_BAD = {"conflict": ("error", "conflict"), "failed": ("error", "transient")}
_ORDER = {"error": 0, "warning": 1, "information": 2}


@router.post(
    "", openapi_extra=takes(*_DOCUMENT, FHIR_NDJSON), summary="Push authorizations as FHIR"
)
@needs("clinical.authorization.write")
async def push(caller: Asking, request: Request) -> Response:
    """Take ClaimResponses in; answers an OperationOutcome with an issue for each, and findings.

    200 when all was taken, 422 when something was refused, 409 when versions have other content;
    503 when an engine failed: the same document may be sent again.
    """
    if _media_type(request) in _STREAM:
        body = BoundedStream(request, caller.parts.settings)
        stream = Stream(chunks=body, origin=_ORIGIN, form="fhir-lines")
        return StreamedResults(_outcomes(caller, stream), body, FHIR_NDJSON, refusal_content)
    bytes_max = caller.parts.settings.body_bytes_max
    content = await read_any_body(request, bytes_max)
    stream = Stream(chunks=once(content), origin=_ORIGIN, form="fhir", piece_bytes_max=bytes_max)
    ((document, taken),) = [each async for each in _taken(caller, stream)]
    status = _status_of(taken)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    return fhir_response(_outcome(document, taken), status, headers)


def _media_type(request: Request) -> str:
    written = request.headers.get("content-type", "")
    media_type, *parameters = (each.strip().lower() for each in written.split(";"))
    if media_type not in (*_DOCUMENT, *_STREAM):
        detail = f"FHIR is taken as {FHIR_JSON} (one resource) or {FHIR_NDJSON} (one a line)"
        raise Refused(415, "Unsupported media type", detail)
    named = [each.partition("=")[2].strip('"') for each in parameters if "fhirversion" in each]
    if any(not each.startswith(_R4) for each in named):
        raise Refused(415, "Unsupported media type", "FHIR R4 (4.0) is taken, no other version")
    return media_type


async def _outcomes(caller: Caller, stream: Stream) -> AsyncIterator[Json]:
    """Answer every line of a stream that is not blank, in order."""
    async for document, taken in _taken(caller, stream):
        line = f"line-{document.submissions[0].position['line']}"
        yield {"resourceType": "OperationOutcome", "id": line} | _outcome(document, taken)


async def _taken(
    caller: Caller, stream: Stream
) -> AsyncIterator[tuple[FhirDocument, Sequence[Taken]]]:
    """Take a stream in; give each document with what became of all of it."""
    taken: list[Taken] = []
    async for each in take(caller, stream):
        if isinstance(each, Taken):
            taken.append(each)
        elif isinstance(each.item, FhirDocument):
            yield each.item, taken
            taken = []


def _status_of(taken: Sequence[Taken]) -> int:
    """The status of the whole: what failed counts most, then what was refused."""
    statuses = {each.result["status"] for each in taken}
    if "failed" in statuses:
        return 503
    if any(each.submission.code == "unreadable" for each in taken):
        return 400
    for status, code in (("rejected", 422), ("conflict", 409), ("queued", 202)):
        if status in statuses:
            return code
    return 200


def _outcome(document: FhirDocument, taken: Sequence[Taken]) -> Json:
    """Write an issue for each authorization, then everything that was found."""
    pushes = [
        _issue(each, document.root)
        for each in taken
        if each.result["status"] not in ("rejected", "noted") or each.submission.reference
    ]
    findings = sorted(document.issues, key=lambda each: _ORDER[each.severity])
    written = [write_issue(each) for each in findings[:FINDINGS_MAX]]
    if len(findings) > FINDINGS_MAX:
        text = f"{len(findings) - FINDINGS_MAX} more findings are left out"
        written.append(told(*_TOLD, text))
    letters = dict.fromkeys(each.result.get("dead_letter") for each in taken)
    written += [
        told(*_TOLD, f"kept as dead letter {letter}", system=PUSH_SYSTEM, code="kept")
        for letter in filter(None, letters)
    ]
    return outcome([*pushes, *written])


def _issue(taken: Taken, root: str) -> Json:
    submission, result = taken.submission, taken.result
    status: str = result["status"]
    text = f"{submission.authorization_id or submission.reference}: {status}"
    text += f": {result['reason']}" if result["reason"] else f" version {submission.version}"
    if "ticket" in result:
        text += f", see /intake/{result['ticket']}"
    if status == "superseded":
        text += f", version {result['current_version']} stands"
    severity, type_ = _BAD.get(status, _TOLD)
    written = told(severity, type_, text, system=PUSH_SYSTEM, code=status)
    pointer = str(submission.position.get("pointer", ""))
    return written | {"expression": [expression_of(pointer, root)]}
