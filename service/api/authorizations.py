"""Authorizations in and out: push, withdraw, read, list, and bulk as a stream."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response
from typing_extensions import TypedDict

from service.api.body import JSON, NDJSON, BoundedStream, json_response, media_type_of, read_body
from service.api.caller import Asking, Sought, needs
from service.api.schema import problems, takes
from service.api.streams import StreamedResults
from service.application import authorizations, intake
from service.application.authorizations import Filter, Stored
from service.application.reception import Stream, results_of
from service.domain.member_ids import MemberId
from service.domain.submission import PushResult, Queued
from service.domain.values import VERSION_MAX, Day, Identifier
from service.ingest.submissions import form_of_media

router = APIRouter(
    prefix="/authorizations",
    tags=["authorizations"],
    responses=problems(status_404="There is no such authorization."),
)

PAGE_MAX = 200


class Shown(TypedDict):
    """An authorization as it was pushed, and what became of it since."""

    authorization: dict[str, Any]
    state: dict[str, Any]


class Versions(TypedDict):
    """All versions, newest first."""

    versions: list[Shown]


class Listed(TypedDict):
    """Some of those that fit, how many there are in all, and where to go on."""

    total: int
    authorizations: list[Shown]
    next: str | None


OnDay = Annotated[Day | None, Query(description="The day of the status; today where not given.")]
Version = Annotated[int, Query(ge=1, le=VERSION_MAX, description="The sender's next version.")]


@router.put(
    "/{authorization_id}",
    openapi_extra=takes(JSON, model="Authorization"),
    responses=problems(status_409="The same version is there with other content.")
    | {201: {"description": "It is new."}, 202: {"description": "It is kept, and stored later."}},
    summary="Push a version of an authorization",
)
@needs("clinical.authorization.write")
async def push(caller: Asking, request: Request, authorization_id: str) -> Response:
    """Take a version in: 201 new, 200 updated, unchanged or superseded, 202 queued.

    What is refused is kept as a dead letter: 400, 422, and 409 for other content.
    """
    body = await read_body(request, caller.parts.settings.body_bytes_max)
    return _result(await authorizations.push(caller, authorization_id, body))


@router.delete(
    "/{authorization_id}",
    responses=problems(status_409="The same version is there with other content.")
    | {202: {"description": "It is kept, and done later."}},
    summary="Withdraw an authorization",
)
@needs("clinical.authorization.write")
async def withdraw(caller: Asking, authorization_id: Identifier, version: Version) -> Response:
    """Make it void under the sender's next version; it stays as a tombstone.

    A withdrawal may come before the authorization: older versions then stay out.
    """
    return _result(await authorizations.withdraw(caller, authorization_id, version), created=200)


@router.get("/{authorization_id}", response_model=Shown, summary="Read the current version")
@needs("clinical.authorization.read")
async def read(caller: Asking, authorization_id: str, on: OnDay = None) -> Response:
    """The authorization as it was pushed, and its state; 404 when it was never pushed."""
    known = await authorizations.read_with_overlaps(caller, authorization_id)
    (stored,) = await authorizations.with_status(caller, [known], on)
    return json_response(_shown(stored), headers={"ETag": f'W/"{stored.state["version"]}"'})


@router.get("/{authorization_id}/versions", response_model=Versions, summary="Read all versions")
@needs("clinical.authorization.read")
async def versions(caller: Asking, authorization_id: str) -> Response:
    """Every version that was taken in, newest first; 404 when there is none."""
    found = await authorizations.versions(caller, authorization_id)
    return json_response({"versions": [_shown(stored) for stored in found]})


@router.get("", response_model=Listed, summary="List authorizations")
@needs("clinical.authorization.read")
async def listing(  # noqa: PLR0913 - one parameter for each filter of the address
    caller: Asking,
    member: MemberId | None = None,
    number: Sought = None,
    provider: Sought = None,
    status: Sought = None,
    from_: Annotated[Day | None, Query(alias="from")] = None,
    to: Day | None = None,
    on: OnDay = None,
    size: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    after: str | None = None,
) -> Response:
    """A page, newest certification first; `next` of a page goes into `after` of the next."""
    wanted = Filter(
        member=member,
        number=number,
        provider=provider,
        status=status,
        from_=from_.isoformat() if from_ else None,
        to=to.isoformat() if to else None,
    )
    page = await authorizations.listing_on(caller, wanted, on, size=size, after=after)
    found = [_shown(stored) for stored in page.entries]
    return json_response({"total": page.total, "authorizations": found, "next": page.next_})


@router.post(
    "/bulk", openapi_extra=takes(NDJSON, model="Authorization"), summary="Push many, as a stream"
)
@needs("clinical.authorization.write")
async def bulk(caller: Asking, request: Request) -> Response:
    """Take NDJSON in, one authorization a line, and answer a line for each, as it is stored."""
    media_type = media_type_of(request)
    form = None if media_type == JSON else form_of_media(media_type) or "lines"
    body = BoundedStream(request, caller.parts.settings)
    stream = Stream(chunks=body, origin="POST /authorizations/bulk", form=form)
    return StreamedResults(results_of(intake.take(caller, stream)), body)


def _result(result: PushResult | Queued, created: int = 201) -> Response:
    named: dict[str, Any] = {
        "authorization_id": result.authorization_id,
        "version": result.version,
    }
    if isinstance(result, Queued):
        address = f"/intake/{result.ticket}"
        queued = {**named, "status": "queued", "status_url": address}
        return json_response(queued, status=202, headers={"Location": address})
    told = {**named, "status": result.status, "current_version": result.current_version}
    if result.overlaps:
        told["overlaps"] = list(result.overlaps)
    return json_response(
        told,
        status=created if result.status == "created" else 200,
        headers={"ETag": f'W/"{result.current_version}"'},
    )


def _shown(stored: Stored) -> Shown:
    return {"authorization": stored.source, "state": stored.state}
