"""Member ids that turn out to be one person: merged, and what became of them."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from prometheus_client import Counter
from starlette.responses import Response

from service.api.body import json_response, read_body
from service.api.caller import application_of, payer_of
from service.api.problem import Refused
from service.api.schema import json_body, problems
from service.domain.person import MemberMergeBody
from service.domain.values import Identifier
from service.stores.members.merge import Wish
from service.stores.members.who import person_in

router = APIRouter(
    prefix="/members",
    tags=["members"],
    responses=problems(status_409="It leads to another member already, or would close a circle."),
)

MERGES = Counter("authmatch_member_merges_total", "Merges of members that were completed.")

MemberId = Annotated[Identifier, Path()]


@router.post(
    "/{member_id}/merge", openapi_extra=json_body("MemberMergeBody"), summary="Merge a member"
)
async def merge(request: Request, member_id: MemberId) -> Response:
    """Let a member id lead to another one: authorizations and claims of both are one person's.

    The same call again completes one that stopped. It cannot be taken back.
    """
    application, payer = application_of(request), payer_of(request)
    body = await read_body(request, application.settings.body_bytes_max)
    asked = MemberMergeBody.model_validate_json(body)
    if asked.into == member_id:
        raise Refused(422, "Invalid content", "/into: a member cannot be merged into itself")
    wish = Wish(member=member_id, into=asked.into, by=asked.by or "", reason=asked.reason or "")
    person = await application.stores.merging.run(payer, wish)
    MERGES.inc()
    return json_response({"member": person.given, "merged_into": person.member})


@router.get("/{member_id}", summary="What became of a member id")
async def read_member(request: Request, member_id: MemberId) -> Response:
    """Give where a member id leads, who said so, and which ids lead to it."""
    application, payer = application_of(request), payer_of(request)
    records = await application.stores.members.about(payer, [member_id])
    person, record = person_in(records, member_id), records.get(member_id)
    merged = None
    if record is not None and record.into is not None:
        merged = {
            "into": person.member,
            "by": record.by or None,
            "reason": record.reason or None,
            "at": record.at,
        }
    former = () if merged else person.former
    return json_response({"id": member_id, "merged": merged, "former_ids": list(former)})
