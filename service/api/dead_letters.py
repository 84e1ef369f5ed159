"""What could not be taken, and what waits: list, show, try again, drop; the status of a push."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.api.body import json_response, read_any_body
from service.api.caller import application_of, payer_of
from service.api.problem import Refused
from service.api.schema import optional_body, problems
from service.application.reception import take_again
from service.stores.intake.letter import Letter
from service.stores.intake.listing import LetterFilter
from service.stores.intake.retrying import retry_letter

router = APIRouter(
    tags=["intake"], responses=problems(status_404="There is no such letter or ticket.")
)

PAGE_MAX = 200
_TICKET = re.compile(r"[A-Za-z0-9_\-]{32}")

By = Annotated[str | None, Query(max_length=200, description="Who sees to it, for the audit.")]


@router.get("/dead-letters", summary="List what could not be taken")
async def listing(
    request: Request,
    status: str | None = None,
    code: str | None = None,
    format: str | None = None,
    size: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    after: str | None = None,
) -> Response:
    """Give a page, those that came last first, without their content."""
    application, payer = application_of(request), payer_of(request)
    wanted = LetterFilter(status=status, code=code, format=format)
    page = await application.stores.listing.page(payer, wanted, size=size, after=after)
    letters = [each.shown() for each in page.letters]
    return json_response({"total": page.total, "dead_letters": letters, "next": page.next_})


@router.get("/dead-letters/{letter_id}", summary="Show one with its content")
async def show(request: Request, letter_id: str) -> Response:
    """Give all that is known of it, and what was sent, as text where it is text."""
    application, payer = application_of(request), payer_of(request)
    letter = await application.stores.letters.get(payer, letter_id)
    if letter is None:
        raise _unknown()
    return json_response(letter.shown() | letter.readable())


@router.post(
    "/dead-letters/{letter_id}/retry",
    openapi_extra=optional_body("application/json", "application/edi-x12", "application/fhir+json"),
    responses=problems(status_409="It was seen to before, or only its beginning was kept."),
    summary="Try it again",
)
async def retry(request: Request, letter_id: str, by: By = None) -> Response:
    """Take it in as it came, or the corrected content of the body; says what became of each part.

    It is `resolved` if all of it was taken, and stays `open` otherwise.
    """
    application, payer = application_of(request), payer_of(request)
    body = await read_any_body(request, application.settings.body_bytes_max)

    async def take(letter: Letter, content: bytes) -> list[dict[str, Any]]:
        return await take_again(application, payer, letter.format, content, letter.origin)

    retried = await retry_letter(
        application.stores.letters, payer, letter_id, take, corrected=body or None, by=by
    )
    if retried is None:
        raise _unknown()
    return json_response(retried.letter.shown() | {"results": list(retried.results)})


@router.delete(
    "/dead-letters/{letter_id}",
    responses=problems(status_409="It was seen to before."),
    summary="Drop it",
)
async def drop(
    request: Request,
    letter_id: str,
    by: Annotated[str, Query(min_length=1, max_length=200, description="Who drops it.")],
    why: Annotated[str, Query(min_length=1, max_length=1000, description="Why.")],
) -> Response:
    """State that nobody wants it any more: its content goes, the rest stays with who and why."""
    application, payer = application_of(request), payer_of(request)
    letter = await application.stores.letters.drop(payer, letter_id, by=by, why=why)
    if letter is None:
        raise _unknown()
    return json_response(letter.shown())


@router.get("/intake/{ticket}", summary="What became of a push that was queued")
async def status(request: Request, ticket: str) -> Response:
    """Say whether it waits, or how it was taken; known for seven days after that."""
    application, payer = application_of(request), payer_of(request)
    known = _TICKET.fullmatch(ticket)
    found = await application.stores.outbox.status(payer, ticket) if known else None
    if found is None:
        raise Refused(404, "Not found", "there is no such ticket")
    return json_response(found)


def _unknown() -> Refused:
    return Refused(404, "Not found", "there is no such dead letter")
