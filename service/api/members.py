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
from service.stores.members.alias import Wish

router = APIRouter(
    prefix="/members",
    tags=["members"],
    responses=problems(status_409="It leads to another member already, or would close a circle."),
)

MERGES = Counter("authmatch_member_merges_total", "Merges of members that were completed.")
MOVED = Counter(
    "authmatch_member_authorizations_moved_total", "Authorizations that went with a merged member."
)

MemberId = Annotated[Identifier, Path()]


@router.post(
    "/{member_id}/merge", openapi_extra=json_body("MemberMergeBody"), summary="Merge a member"
)
async def merge(request: Request, member_id: MemberId) -> Response:
    """Let a member id lead to another one, with all its authorizations, units and claims.

    The same call again goes on where one stopped. It cannot be taken back.
    """
    application, payer = application_of(request), payer_of(request)
    body = await read_body(request, application.settings.body_bytes_max)
    asked = MemberMergeBody.model_validate_json(body)
    if asked.into == member_id:
        raise Refused(422, "Invalid content", "/into: a member cannot be merged into itself")
    stores = application.stores
    await stores.guard.ensure()
    wish = Wish(member=member_id, into=asked.into, by=asked.by or "", reason=asked.reason or "")
    done = await stores.merging.run(payer, wish)
    MERGES.inc()
    MOVED.inc(done.moved)
    return json_response(
        {
            "member": done.member,
            "merged_into": done.into,
            "authorizations": {
                "moved": done.moved,
                "already_there": done.already_there,
                "total": done.total,
            },
        }
    )


@router.get("/{member_id}", summary="What became of a member id")
async def read_member(request: Request, member_id: MemberId) -> Response:
    """Give where a member id leads, who said so, and which ids lead to it."""
    application, payer = application_of(request), payer_of(request)
    members = application.stores.members
    leads = await members.lead(payer, [member_id])
    record = leads.records.get(member_id)
    merge_ = None
    if record is not None and record.into is not None:
        merge_ = {
            "into": leads.end_of(member_id),
            "phase": record.phase,
            "authorizations": record.count,
            "by": record.by or None,
            "reason": record.reason or None,
            "at": record.at,
        }
    former = await members.former_of(payer, record) if record is not None else ()
    return json_response({"id": member_id, "merged": merge_, "former_ids": list(former)})
