"""Authorizations in and out: push, withdraw, read, list, and bulk as a stream."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, TypeGuard

from fastapi import APIRouter, Query, Request
from prometheus_client import Counter
from starlette.responses import Response

from service.api.body import JSON, json_response, media_type_of, read_body
from service.api.caller import application_of, payer_of
from service.api.kept import kept, queued_response
from service.api.problem import Refused
from service.api.schema import json_body, ndjson_body, problems
from service.api.streams import StreamedResults
from service.application.reception import Stream, results_of, take
from service.domain.push import Pushed, PushResult
from service.domain.submission import Code, Notice, Queued
from service.domain.values import Day
from service.domain.withdrawal import write_withdrawal
from service.flow.intake import Taken
from service.ingest.submissions import form_of_media, read_one
from service.stores.authorizations.reading import Filter, Stored

router = APIRouter(
    tags=["authorizations"], responses=problems(status_404="There is no such authorization.")
)

PUSHES = Counter("authmatch_pushes_total", "Pushed versions by what became of them.", ["status"])
VERSION_MAX = 2**53 - 1
PAGE_MAX = 200
_REFUSALS: dict[Code, tuple[int, str]] = {
    "unreadable": (400, "Malformed JSON"),
    "invalid": (422, "Invalid content"),
}

Version = Annotated[int, Query(ge=1, le=VERSION_MAX, description="The sender's next version.")]


@router.put(
    "/authorizations/{authorization_id}",
    openapi_extra=json_body("Authorization"),
    responses=problems(status_409="The same version is there with other content.")
    | {201: {"description": "It is new."}, 202: {"description": "It is kept, and stored later."}},
    summary="Push a version of an authorization",
)
async def push(request: Request, authorization_id: str) -> Response:
    """Take a version in: 201 new, 200 updated, unchanged or superseded, 202 queued.

    What is refused is kept as a dead letter: 400, 422, and 409 for other content.
    """
    application, payer = application_of(request), payer_of(request)
    body = await read_body(request, application.settings.body_bytes_max)
    keep = partial(kept, origin="PUT /authorizations", authorization_id=authorization_id)
    try:
        pushed = _pushed(body, authorization_id)
    except Refused as refused:
        raise await keep(application, payer, refused, body) from refused
    (result,) = await application.stores.entrance.push_or_queue(payer, [pushed])
    if _has_other_content(result):
        raise await keep(application, payer, _conflict(result), body)
    return _result(result)


@router.delete(
    "/authorizations/{authorization_id}",
    responses=problems(status_409="The same version is there with other content.")
    | {202: {"description": "It is kept, and done later."}},
    summary="Withdraw an authorization",
)
async def withdraw(request: Request, authorization_id: str, version: Version) -> Response:
    """Make it void under the sender's next version; it stays as a tombstone.

    A withdrawal may come before the authorization: older versions then stay out.
    """
    application, payer = application_of(request), payer_of(request)
    result = await application.stores.entrance.withdraw_or_queue(payer, authorization_id, version)
    if _has_other_content(result):
        content = write_withdrawal(authorization_id, version)
        raise await kept(
            application,
            payer,
            _conflict(result),
            content,
            origin="DELETE /authorizations",
            authorization_id=authorization_id,
        )
    return _result(result, created=200)


@router.get("/authorizations/{authorization_id}", summary="Read the current version")
async def read(request: Request, authorization_id: str) -> Response:
    """Give the authorization as it was pushed, and its state; 404 when it was never pushed."""
    application, payer = application_of(request), payer_of(request)
    stored = await application.stores.reading.get(payer, authorization_id)
    if stored is None:
        raise Refused(404, "Not found", "there is no such authorization")
    return json_response(_shown(stored), headers={"ETag": f'W/"{stored.state["version"]}"'})


@router.get("/authorizations/{authorization_id}/versions", summary="Read all versions")
async def versions(request: Request, authorization_id: str) -> Response:
    """Give every version that was taken in, newest first; 404 when there is none."""
    application, payer = application_of(request), payer_of(request)
    found = await application.stores.reading.versions(payer, authorization_id)
    if not found:
        raise Refused(404, "Not found", "there is no such authorization")
    return json_response({"versions": [_shown(each) for each in found]})


@router.get("/authorizations", summary="List authorizations")
async def listing(  # noqa: PLR0913 - one parameter for each filter of the address
    request: Request,
    member: str | None = None,
    number: str | None = None,
    provider: str | None = None,
    status: str | None = None,
    from_: Annotated[Day | None, Query(alias="from")] = None,
    to: Day | None = None,
    size: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    after: str | None = None,
) -> Response:
    """Give a page, newest certification first; `next` of a page goes into `after` of the next."""
    application, payer = application_of(request), payer_of(request)
    wanted = Filter(
        member=member,
        number=number,
        provider=provider,
        status=status,
        from_=from_.isoformat() if from_ else None,
        to=to.isoformat() if to else None,
    )
    page = await application.stores.reading.page(payer, wanted, size=size, after=after)
    return json_response(
        {
            "total": page.total,
            "authorizations": [_shown(each) for each in page.entries],
            "next": page.next_,
        }
    )


@router.post(
    "/authorizations/bulk",
    openapi_extra=ndjson_body("Authorization"),
    summary="Push many, as a stream",
)
async def bulk(request: Request) -> Response:
    """Take NDJSON in, one authorization a line, and answer a line for each, as it is stored."""
    application, payer = application_of(request), payer_of(request)
    media_type = media_type_of(request)
    form = None if media_type == JSON else form_of_media(media_type) or "lines"
    stream = Stream(chunks=request.stream(), origin="POST /authorizations/bulk", form=form)
    return StreamedResults(results_of(counted(take(application, payer, stream))))


async def counted(taken: AsyncIterator[Taken | Notice]) -> AsyncIterator[Taken | Notice]:
    """Count what became of each, as the results pass by."""
    async for each in taken:
        if isinstance(each, Taken):
            PUSHES.labels(each.result["status"]).inc()
        yield each


def _pushed(body: bytes, authorization_id: str) -> Pushed:
    """Read a body; raises Refused."""
    read = read_one(body)
    if read.pushed is None:
        status, title = _REFUSALS[read.code or "invalid"]
        raise Refused(status, title, read.reason or "", errors=[dict(each) for each in read.errors])
    if read.authorization_id != authorization_id:
        raise Refused(
            422,
            "Invalid content",
            "/authorization_id: not the one of the address",
            errors=[{"path": "/authorization_id", "message": "not the one of the address"}],
        )
    return read.pushed


def _has_other_content(result: PushResult | Queued) -> TypeGuard[PushResult]:
    return isinstance(result, PushResult) and result.status == "conflict"


def _conflict(result: PushResult) -> Refused:
    PUSHES.labels(result.status).inc()
    return Refused(409, "Version conflict", result.reason or "other content")


def _result(result: PushResult | Queued, created: int = 201) -> Response:
    if isinstance(result, Queued):
        PUSHES.labels("queued").inc()
        return queued_response(result)
    PUSHES.labels(result.status).inc()
    status = created if result.status == "created" else 200
    return json_response(
        {
            "authorization_id": result.authorization_id,
            "version": result.version,
            "status": result.status,
            "current_version": result.current_version,
        },
        status=status,
        headers={"ETag": f'W/"{result.current_version}"'},
    )


def _shown(stored: Stored) -> dict[str, Any]:
    return {"authorization": stored.source, "state": stored.state}
