"""Supporting documents of authorizations, and authorizations that are entered by hand."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from service.api.body import JsonBody, json_response, media_type_of, read_any_body
from service.api.caller import Asking, Sought, needs
from service.api.schema import problems, takes
from service.application import documents
from service.application.documents import Paper, Refusal
from service.domain.decision import Asked
from service.domain.document import Document, DocumentKind
from service.domain.manual_entry import ManualEntry
from service.domain.values import Identifier

router = APIRouter(
    tags=["documents"], responses=problems(status_404="There is no such authorization or document.")
)

_ENDINGS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
}
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
_ENTERING = problems(status_409="One of this id is there, or it does not wait for this.")
_ADDING = problems(status_413="The document is too large.")
_SAFELY = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}
"""Whatever a document holds, a browser runs nothing of it."""


@router.get("/authorizations/{authorization_id}/documents", summary="List its documents")
@needs("clinical.authorization.read")
async def listing(caller: Asking, authorization_id: Identifier) -> Response:
    """What was added to it, the oldest first, with the hash of each."""
    found = await documents.documents_of(caller, authorization_id)
    return json_response({"documents": [each.as_answer() for each in found]})


@router.post(
    "/authorizations/{authorization_id}/documents",
    status_code=201,
    responses=_ADDING,
    summary="Add a document to it",
    openapi_extra=takes(*_ENDINGS),
)
@needs("clinical.authorization.enter")
async def add(
    caller: Asking,
    request: Request,
    authorization_id: Identifier,
    kind: DocumentKind = "letter",
    by: Sought = None,
) -> Response:
    """The body is the document: a PDF, JPEG, PNG or TIFF, told by its content."""
    content = await read_any_body(request, documents.bytes_max(caller))
    paper = Paper(content=content, said=media_type_of(request), kind=kind)
    kept, is_new, entered = await documents.add(caller, authorization_id, paper, by)
    answer = {**kept.as_answer(), "entry": entered.as_answer() if entered else None}
    return json_response(answer, status=201 if is_new else 200)


@router.get("/documents/{document_id}", summary="Read a document")
@needs("clinical.authorization.read")
async def read(caller: Asking, document_id: Name) -> Response:
    """Its content, as it was added; who reads it is in the audit trail."""
    return document_response(*await documents.content_of(caller, document_id))


def document_response(document: Document, content: bytes) -> Response:
    """The content of a document, to be kept, and not run, by a browser."""
    name = f"{document.document_id}.{_ENDINGS[document.media_type]}"
    headers = {**_SAFELY, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=document.media_type, headers=headers)


@router.post("/manual-entries", status_code=201, responses=_ENTERING, summary="Enter one by hand")
@needs("clinical.authorization.enter")
async def enter(
    caller: Asking, entry: Annotated[ManualEntry, Depends(JsonBody(ManualEntry))]
) -> Response:
    """An authorization as the payer's letter says it, perhaps with that (base64)."""
    given = entry.document
    paper = None if given is None else Paper(content=given, kind=entry.document_kind)
    return json_response((await documents.enter(caller, entry, paper)).as_answer(), status=201)


@router.post(
    "/manual-entries/{authorization_id}/confirm", responses=_ENTERING, summary="Confirm an entry"
)
@needs("clinical.authorization.enter")
async def confirm(
    caller: Asking, authorization_id: Identifier, asked: Annotated[Asked, Depends(JsonBody(Asked))]
) -> Response:
    """A second person looked at it; it counts from then on."""
    return json_response((await documents.confirm(caller, authorization_id, asked)).as_answer())


@router.post(
    "/manual-entries/{authorization_id}/refuse", responses=_ENTERING, summary="Refuse an entry"
)
@needs("clinical.authorization.enter")
async def refuse(
    caller: Asking,
    authorization_id: Identifier,
    asked: Annotated[Refusal, Depends(JsonBody(Refusal))],
) -> Response:
    """It is void from then on; its documents stay."""
    return json_response((await documents.refuse(caller, authorization_id, asked)).as_answer())
