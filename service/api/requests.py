"""Requests for authorization: checked, sent to the payer, followed, and copied on."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, Sought, needs
from service.api.claims import After
from service.api.schema import problems
from service.application import requests
from service.application.requests import CopyAsked, WantedRequests
from service.domain.request import AuthorizationRequest
from service.domain.request_life import RequestStatus
from service.domain.values import Day

router = APIRouter(tags=["requests"], responses=problems(status_404="There is no such request."))

PAGE_MAX = 200

Size = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Copying = Annotated[CopyAsked, Depends(JsonBody(CopyAsked))]
_CONFLICTS = problems(status_409="It was sent already, it may not follow, or nobody takes it.")


@router.put(
    "/requests/{request_id}",
    responses=_CONFLICTS | {201: {"description": "It is new."}},
    summary="Keep a request, checked and not sent",
)
@needs("clinical.authorization.request")
async def put(
    caller: Asking,
    request_id: str,
    asked: Annotated[AuthorizationRequest, Depends(JsonBody(AuthorizationRequest))],
) -> Response:
    """Check what is asked for; the same again changes nothing, what was not sent is replaced."""
    made = await requests.put(caller, request_id, asked)
    return json_response(made.answer, status=201 if made.is_new else 200)


@router.get("/requests", summary="List requests")
@needs("clinical.authorization.request")
async def listing(  # noqa: PLR0913 - the filters of a list
    caller: Asking,
    status: RequestStatus | None = None,
    member: Sought = None,
    authorization: Sought = None,
    charge: Sought = None,
    follow_up_to: Annotated[
        Day | None, Query(description="Only those to be followed up by this day.")
    ] = None,
    size: Size = 50,
    after: After = None,
) -> Response:
    """A page of requests, the newest first."""
    wanted = WantedRequests(
        status=status,
        member_id=member,
        authorization_id=authorization,
        charge=charge,
        follow_up_to=follow_up_to.isoformat() if follow_up_to else None,
    )
    found = await requests.page(caller, wanted, size=size, after=after)
    shown = [requests.told(each.request) for each in found.entries]
    return json_response({"total": found.total, "requests": shown, "next": found.next_})


@router.get("/requests/{request_id}", summary="How a request stands")
@needs("clinical.authorization.request")
async def read(caller: Asking, request_id: str) -> Response:
    """What was asked, what the payer said, what may follow, and which charges it is for."""
    return json_response(await requests.read(caller, request_id))


@router.post(
    "/requests/{request_id}/send",
    status_code=202,
    responses=_CONFLICTS,
    summary="Send a request to the payer",
)
@needs("clinical.authorization.request")
async def send(caller: Asking, request_id: str) -> Response:
    """Have it sent, once, however often that is asked for, and again until it arrives."""
    return json_response(await requests.send(caller, request_id), status=202)


@router.post(
    "/requests/{request_id}/inquire",
    status_code=202,
    responses=_CONFLICTS,
    summary="Ask the payer how a request stands",
)
@needs("clinical.authorization.request")
async def inquire(caller: Asking, request_id: str) -> Response:
    """Have the payer asked now, whatever the cadence is (X215, `$inquire`)."""
    return json_response(await requests.inquire(caller, request_id), status=202)


@router.post(
    "/requests/{request_id}/copy",
    status_code=201,
    responses=_CONFLICTS,
    summary="Make the message that follows on a request",
)
@needs("clinical.authorization.request", "clinical.authorization.read")
async def copy(caller: Asking, request_id: str, asked: Copying) -> Response:
    """Copy it forward as a renewal, extension, revision, appeal, cancellation, or as a new one."""
    made = await requests.copy(caller, request_id, asked)
    return json_response(made.answer, status=201 if made.is_new else 200)


@router.post(
    "/authorizations/{authorization_id}/request",
    status_code=201,
    responses=_CONFLICTS,
    summary="Ask for an authorization again, or for more of it",
)
@needs("clinical.authorization.request", "clinical.authorization.read")
async def renew(caller: Asking, authorization_id: str, asked: Copying) -> Response:
    """Make a request from an authorization, with what was used as evidence; it is not sent."""
    made = await requests.renew(caller, authorization_id, asked)
    return json_response(made.answer, status=201 if made.is_new else 200)
