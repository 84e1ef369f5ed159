"""Member ids that turn out to be one person: merged, and what became of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, needs
from service.api.schema import problems
from service.application import members
from service.domain.member_ids import MemberId
from service.domain.misfits import Misfit
from service.domain.person import MemberMergeBody

router = APIRouter(
    prefix="/members/{member_id}",
    tags=["members"],
    responses=problems(status_409="It leads to another member already, or would close a circle."),
)

Named = Annotated[MemberId, Path()]


@router.post("/merge", response_model=members.MergeAnswer, summary="Merge a member")
@needs("members.merge")
async def merge(
    caller: Asking,
    member_id: Named,
    asked: Annotated[MemberMergeBody, Depends(JsonBody(MemberMergeBody))],
) -> Response:
    """Let a member id lead to another one: authorizations and claims of both are one person's.

    The same call again completes one that stopped. It cannot be taken back.
    """
    if asked.into == member_id:
        raise Misfit("a member cannot be merged into itself", "into")
    return json_response(members.told(await members.merge(caller, member_id, asked)))


@router.get("", response_model=members.MemberAnswer, summary="What became of a member id")
@needs("clinical.authorization.read")
async def read_member(caller: Asking, member_id: Named) -> Response:
    """Where a member id leads, who said so, and which ids lead to it."""
    return json_response(await members.lead(caller, member_id))
