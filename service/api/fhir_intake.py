"""FHIR in: one document or a stream of them, answered by OperationOutcomes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.body import NDJSON, read_any_body
from service.api.caller import Asking
from service.api.fhir_outcome import FHIR_JSON, FHIR_NDJSON, Json, fhir_response
from service.api.fhir_taking import Taken, intake_outcome, status_of, take, without_echoes
from service.api.problem import Refused
from service.api.schema import fhir_answers, fhir_body
from service.api.streams import StreamedResults
from service.application.parts import Application
from service.domain.submission import Submission
from service.ingest.cutting import LineCutter, cut
from service.ingest.fhir import FhirDocument, fhir_submissions
from service.ingest.fhir.reading.shape_check import check_shape
from service.ingest.fhir.reading.submissions import too_long

router = APIRouter(
    prefix="/fhir",
    tags=["fhir"],
    responses=fhir_answers(
        status_409="The same version is there with other content.",
        status_415="Neither FHIR as JSON nor a stream of it.",
    ),
)

RETRY_AFTER_S = 2
_DOCUMENT = (FHIR_JSON, "application/json")
_STREAM = (FHIR_NDJSON, NDJSON)
_R4 = ("4.0", "4.3")


@router.post("", openapi_extra=fhir_body(), summary="Push authorizations as FHIR")
async def push(caller: Asking, request: Request) -> Response:
    """Take ClaimResponses in; answers an OperationOutcome with an issue for each, and findings.

    200 when all was taken, 422 when something was refused, 409 when versions have other content;
    503 when an engine failed: the same document may be sent again.
    """
    application, payer = caller.parts, caller.payer
    media_type = _media_type(request)
    if media_type in _STREAM:
        return StreamedResults(_outcomes(application, payer, request), FHIR_NDJSON)
    content = await read_any_body(request, application.settings.body_bytes_max)
    document = await _read(application, content)
    ((document, results),) = [each async for each in _taken(application, payer, _only(document))]
    status = status_of(results)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    return fhir_response(intake_outcome(document, results), status, headers)


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


async def _only(document: FhirDocument) -> AsyncIterator[FhirDocument]:
    yield document


async def _read(
    application: Application, content: bytes, number: int = 1, start: int | None = None
) -> FhirDocument:
    """Read a document in a thread: a long one would hold up everyone else."""
    checks = application.settings.fhir_check
    position = {} if start is None else {"line": number}

    def read() -> FhirDocument:
        document = fhir_submissions(content, number=number, position=position, start=start or 0)
        if not checks or document.content is None:
            return document
        shape = check_shape(document.content, len(content))
        return replace(document, issues=(*document.issues, *shape))

    return await asyncio.to_thread(read)


async def _outcomes(application: Application, payer: str, request: Request) -> AsyncIterator[Json]:
    """Answer every line of a stream that is not blank, in order."""
    documents = _documents(application, request)
    async for document, results in _taken(application, payer, documents):
        outcome = intake_outcome(document, results)
        yield {"resourceType": "OperationOutcome", "id": f"line-{results[0].number}"} | outcome


async def _documents(application: Application, request: Request) -> AsyncIterator[FhirDocument]:
    bytes_max = application.settings.line_bytes_max
    async for line in cut(request.stream(), LineCutter(bytes_max)):
        if not line.is_whole:
            yield too_long(line, bytes_max)
        elif line.content.strip():
            yield await _read(application, line.content, line.line, line.start)


async def _taken(
    application: Application, payer: str, documents: AsyncIterable[FhirDocument]
) -> AsyncIterator[tuple[FhirDocument, Sequence[Taken]]]:
    """Take all that documents gave; give each document with what became of all of it."""
    waiting: deque[FhirDocument] = deque()

    async def submissions() -> AsyncIterator[Submission]:
        async for document in documents:
            known = await without_echoes(application, payer, document)
            waiting.append(known)
            for each in known.submissions:
                yield each

    results: list[Taken] = []
    async for result in take(application, payer, submissions()):
        results.append(result)
        if len(results) == len(waiting[0].submissions):
            yield waiting.popleft(), results
            results = []
