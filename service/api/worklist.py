"""The worklist: claims for which an authorization came later, and what examiners decide."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, Sought, needs
from service.api.claims import After, ClaimId
from service.api.problem import Refused
from service.api.schema import problems
from service.application import worklist
from service.domain.answers import AdjudicationAnswer
from service.domain.work_item import ItemDecision, ItemState, Listed, seen_of

router = APIRouter(
    prefix="/worklist",
    tags=["worklist"],
    responses=problems(status_404="No claim of this id was ever offered."),
)

PAGE_MAX = 200

Decision = Annotated[ItemDecision, Depends(JsonBody(ItemDecision))]
_DECIDING = problems(
    status_409="It was decided already, or the claim was changed since it was offered.",
    status_412="The item is not the one of If-Match any more.",
    status_428="If-Match is missing.",
)


@router.get("", summary="Claims that are offered for re-adjudication")
@needs("worklist.work")
async def listing(
    caller: Asking,
    state: ItemState | None = None,
    authorization: Sought = None,
    claim: Sought = None,
    size: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    after: After = None,
) -> Response:
    """A page, the oldest offer first; items whose claim was changed since close by then.

    So a page may have fewer than there are in `total`.
    """
    page = await worklist.page(
        caller, state=state, authorization_id=authorization, claim_id=claim, size=size, after=after
    )
    items = [listed.as_answer() for listed in page.entries]
    return json_response(caller.shown({"items": items, "total": page.total, "next": page.next_}))


@router.get("/{claim_id}", summary="What is offered about a claim")
@needs("worklist.work")
async def read(caller: Asking, claim_id: ClaimId) -> Response:
    """The item of a claim, open or decided; its ETag is needed to decide."""
    listed = await worklist.read(caller, claim_id)
    return json_response(caller.shown(listed.as_answer()), headers=_tagged(listed))


@router.post(
    "/{claim_id}/readjudicate",
    responses=_DECIDING,
    response_model=AdjudicationAnswer,
    summary="Adjudicate the claim anew",
)
@needs("worklist.work", "claims.adjudicate")
async def readjudicate(
    caller: Asking, request: Request, claim_id: ClaimId, decision: Decision
) -> Response:
    """Adjudicate the claim anew as it was sent, answer that, and close the item."""
    done, listed = await worklist.readjudicate(caller, claim_id, decision, _seen(request))
    return json_response(caller.shown(done.answer), headers=_tagged(listed))


@router.post("/{claim_id}/dismiss", responses=_DECIDING, summary="Leave the claim as it is")
@needs("worklist.work")
async def dismiss(
    caller: Asking, request: Request, claim_id: ClaimId, decision: Decision
) -> Response:
    """Close the item; it comes back with another authorization, or another version of one."""
    listed = await worklist.dismiss(caller, claim_id, decision, _seen(request))
    return json_response(caller.shown(listed.as_answer()), headers=_tagged(listed))


def _seen(request: Request) -> tuple[int, int] | None:
    """Read which item was seen; None is whatever stands. Raises Refused (428, 412)."""
    given = request.headers.get("if-match", "").strip()
    if not given:
        raise Refused(428, "Precondition required", "If-Match needs the ETag of the item")
    try:
        return None if given == "*" else seen_of(given)
    except ValueError as error:
        raise Refused(412, "Precondition failed", str(error)) from error


def _tagged(listed: Listed) -> dict[str, str]:
    return {"ETag": listed.tag}
