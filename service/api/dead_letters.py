"""What could not be taken, and what waits: list, show, try again, drop; the status of a push."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.api.body import JSON, X12, json_response, read_any_body
from service.api.caller import Asking, Sought, needs
from service.api.schema import problems, takes
from service.application import intake
from service.application.intake import LetterFilter, Ruling

router = APIRouter(
    tags=["intake"], responses=problems(status_404="There is no such letter or ticket.")
)

PAGE_MAX = 200

Into = Annotated[
    str | None, Query(max_length=100, description="The authorization on file that it is of.")
]
AsDistinct = Annotated[
    bool, Query(description="It is another grant, though its number is on file.")
]
By = Annotated[
    str | None, Query(min_length=1, max_length=200, description="For whom; needs act-for.")
]


@router.get("/intake", summary="What came lately, by way and sender")
@needs("intake.operate")
async def came(caller: Asking) -> Response:
    """What was pushed in 30 days, as the audit trail has it; how much waits, and was answered.

    `x12_written` counts the interchanges that were ever written, of acknowledgements and answers.
    """
    found, waiting = await intake.came(caller), await intake.waiting(caller)
    rows = [{"format": intake.WAYS[each.what], **asdict(each)} for each in found.counted]
    told = {"since": found.since, "came": rows, "waiting": waiting, "x12_written": found.written}
    return json_response(told)


@router.get("/dead-letters", summary="List what could not be taken")
@needs("intake.operate")
async def listing(
    caller: Asking,
    status: Sought = None,
    code: Sought = None,
    format: Sought = None,
    size: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    after: str | None = None,
) -> Response:
    """A page, those that came last first, without their content."""
    wanted = LetterFilter(status=status, code=code, format=format)
    page = await intake.letters(caller, wanted, size=size, after=after)
    letters = [letter.shown() for letter in page.entries]
    return json_response({"total": page.total, "dead_letters": letters, "next": page.next_})


@router.get("/dead-letters/{letter_id}", summary="Show one with its content")
@needs("intake.operate")
async def show(caller: Asking, letter_id: str) -> Response:
    """All that is known of it, and what was sent, as text where it is text."""
    letter = await intake.letter(caller, letter_id)
    return json_response(letter.shown() | letter.readable())


@router.post(
    "/dead-letters/{letter_id}/retry",
    openapi_extra=takes(JSON, X12, "application/fhir+json", is_needed=False),
    responses=problems(status_409="It was seen to before, or only its beginning was kept."),
    summary="Try it again",
)
@needs("intake.operate")
async def retry(
    caller: Asking,
    request: Request,
    letter_id: str,
    by: By = None,
    into: Into = None,
    as_distinct: AsDistinct = False,
) -> Response:
    """Take it in as it came, or the corrected content of the body; says what became of each part.

    It is `resolved` if all of it was taken, and stays `open` otherwise. A `duplicate-grant` is
    either a version of the one that is on file (`into`), or a grant of its own (`as_distinct`).
    """
    body = await read_any_body(request, caller.parts.settings.body_bytes_max)
    ruling = Ruling(into=into, is_distinct=as_distinct)
    retried = await intake.retry(caller, letter_id, corrected=body or None, by=by, ruling=ruling)
    return json_response(retried.letter.shown() | {"results": list(retried.results)})


@router.delete(
    "/dead-letters/{letter_id}",
    responses=problems(status_409="It was seen to before."),
    summary="Drop it",
)
@needs("intake.operate")
async def drop(
    caller: Asking,
    letter_id: str,
    why: Annotated[str, Query(min_length=1, max_length=1000, description="Why.")],
    by: By = None,
) -> Response:
    """State that nobody wants it any more: its content goes, the rest stays with who and why."""
    return json_response((await intake.drop(caller, letter_id, by=by, why=why)).shown())


@router.get("/intake/{ticket}", summary="What became of a push that was queued")
@needs("clinical.authorization.write")
async def status(caller: Asking, ticket: str) -> Response:
    """Say whether it waits, or how it was taken; known for seven days after that."""
    return json_response(await intake.ticket(caller, ticket))
