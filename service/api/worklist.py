"""The worklist: claims for which an authorization came later, and what examiners decide."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.api.adjudication import count_answer
from service.api.body import json_response, read_body
from service.api.caller import application_of, payer_of
from service.api.claims import After
from service.api.problem import Refused
from service.api.schema import json_body, problems
from service.domain.work_item import ItemDecision, ItemState, Listed, seen_of

router = APIRouter(
    prefix="/worklist",
    tags=["worklist"],
    responses=problems(status_404="No claim of this id was ever offered."),
)

PAGE_MAX = 200

ClaimId = Annotated[str, Path(max_length=100)]
_DECIDING = problems(
    status_409="It was decided already, or the claim was changed since it was offered.",
    status_412="The item is not the one of If-Match any more.",
    status_428="If-Match is missing.",
)


@router.get("", summary="Claims that are offered for re-adjudication")
async def listing(
    request: Request,
    state: ItemState | None = None,
    authorization: str | None = None,
    claim: str | None = None,
    size: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    after: After = None,
) -> Response:
    """Give a page, the oldest offer first; items whose claim was changed since close by then.

    So a page may have fewer than there are in `total`.
    """
    application, payer = application_of(request), payer_of(request)
    page = await application.stores.worklist.page(
        payer, state=state, authorization_id=authorization, claim_id=claim, size=size, after=after
    )
    listed = await application.examining(payer).standing(page.listed)
    return json_response(
        {"items": [each.as_answer() for each in listed], "total": page.total, "next": page.next_}
    )


@router.get("/{claim_id}", summary="What is offered about a claim")
async def read(request: Request, claim_id: ClaimId) -> Response:
    """Give the item of a claim, open or decided; its ETag is needed to decide."""
    application, payer = application_of(request), payer_of(request)
    listed = await application.examining(payer).read(claim_id)
    return json_response(listed.as_answer(), headers=_tagged(listed))


@router.post(
    "/{claim_id}/readjudicate",
    openapi_extra=json_body("ItemDecision"),
    responses=_DECIDING,
    summary="Adjudicate the claim anew",
)
async def readjudicate(request: Request, claim_id: ClaimId) -> Response:
    """Adjudicate the claim anew as it was sent, answer that, and close the item."""
    application, payer = application_of(request), payer_of(request)
    decision, seen = await _decision(request)
    done, listed = await application.examining(payer).readjudicate(claim_id, decision, seen)
    count_answer(done)
    return json_response(done.answer, headers=_tagged(listed))


@router.post(
    "/{claim_id}/dismiss",
    openapi_extra=json_body("ItemDecision"),
    responses=_DECIDING,
    summary="Leave the claim as it is",
)
async def dismiss(request: Request, claim_id: ClaimId) -> Response:
    """Close the item; it comes back with another authorization, or another version of one."""
    application, payer = application_of(request), payer_of(request)
    decision, seen = await _decision(request)
    listed = await application.examining(payer).dismiss(claim_id, decision, seen)
    return json_response(listed.as_answer(), headers=_tagged(listed))


async def _decision(request: Request) -> tuple[ItemDecision, tuple[int, int] | None]:
    """Read who decides and why, and which item was seen; `If-Match: *` is whatever stands."""
    body = await read_body(request, application_of(request).settings.body_bytes_max)
    decision = ItemDecision.model_validate_json(body)
    given = request.headers.get("if-match", "").strip()
    if not given:
        raise Refused(428, "Precondition required", "If-Match needs the ETag of the item")
    try:
        return decision, None if given == "*" else seen_of(given)
    except ValueError as error:
        raise Refused(412, "Precondition failed", str(error)) from error


def _tagged(listed: Listed) -> dict[str, str]:
    return {"ETag": listed.tag}
