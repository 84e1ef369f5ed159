"""FHIR out: authorizations as ClaimResponses of the PAS guide, with what was used of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from service.api.body import media_type_of, read_any_body
from service.api.caller import Asking, needs
from service.api.fhir_capability import PARAMETERS, capability_statement
from service.api.fhir_outcome import fhir_response
from service.api.fhir_search import PAGE, Search, read_search
from service.api.problem import Refused
from service.api.schema import fhir_answers, parameters, takes
from service.application import authorizations, claim_responses
from service.application.authorizations import Page
from service.application.parts import Caller
from service.application.refusals import BadCursor
from service.ingest.fhir import searchset
from service.ingest.fhir.base.issue import Json, outcome, told

router = APIRouter(prefix="/fhir", tags=["fhir"], responses=fhir_answers())
public = APIRouter(prefix="/fhir", tags=["fhir"])

FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 64 * 1024
PARAMETERS_MAX = 200


@public.get("/metadata", summary="What the FHIR addresses offer", responses=fhir_answers())
async def metadata(request: Request) -> Response:
    """The CapabilityStatement; it needs no key."""
    return fhir_response(capability_statement(_base(request)))


@router.get(
    "/ClaimResponse",
    openapi_extra=parameters(
        **{name: text for name, *_, text in PARAMETERS},
        _count="Entries of a page: 50, at most 200; 0 gives the number alone.",
        _summary="count gives the number alone.",
    ),
    summary="Search authorizations as ClaimResponses",
)
@needs("clinical.authorization.read")
async def search(caller: Asking, request: Request) -> Response:
    """A page as a searchset Bundle, newest certification first."""
    return await _searched(caller, request, request.url.query)


@router.post(
    "/ClaimResponse/_search",
    openapi_extra=takes(FORM, is_needed=False),
    responses=fhir_answers(status_415="It is no form."),
    summary="Search by a form",
)
@needs("clinical.authorization.read")
async def search_by_form(caller: Asking, request: Request) -> Response:
    """Search as by address; the parameters may stand in the body, the address, or both."""
    if media_type_of(request) != FORM:
        raise Refused(415, "Unsupported media type", f"the form is sent as {FORM}")
    form = await read_any_body(request, FORM_BYTES_MAX)
    parts = (request.url.query, form.decode("utf-8", "replace"))
    return await _searched(caller, request, "&".join(filter(None, parts)))


@router.get(
    "/ClaimResponse/{resource_id}",
    summary="Read one authorization as a ClaimResponse",
    responses=fhir_answers(status_404="There is no such authorization."),
)
@needs("clinical.authorization.read")
async def read(
    caller: Asking, request: Request, resource_id: Annotated[str, Path(max_length=100)]
) -> Response:
    """The current version, with what was used of it."""
    _check_format(request)
    stored = await claim_responses.find(caller, resource_id)
    resource = await claim_responses.write(caller, stored)
    return fhir_response(resource, headers={"ETag": f'W/"{stored.state["version"]}"'})


async def _searched(caller: Caller, request: Request, query: str) -> Response:
    _check_format(request)
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError as error:
        detail = f"at most {PARAMETERS_MAX} parameters"
        raise Refused(400, "Invalid parameter", detail) from error
    wanted = read_search(pairs, strict=_is_strict(request))
    page = await _page(caller, wanted)
    shown = () if wanted.counts_only else page.entries
    resources = await claim_responses.write_all(caller, shown)
    base = _base(request)
    address = f"{base}/ClaimResponse?"
    links = {"self": address + urlencode(wanted.used)}
    if page.next_ and not wanted.counts_only:
        onwards = [(name, value) for name, value in wanted.used if name != PAGE]
        links["next"] = address + urlencode([*onwards, (PAGE, page.next_)])
    bundle = searchset(
        resources, total=page.total, base=base, links=links, made_at=datetime.now(UTC)
    )
    if wanted.ignored:
        bundle.setdefault("entry", []).append(_told(wanted.ignored))
    return fhir_response(bundle)


async def _page(caller: Caller, wanted: Search) -> Page:
    if wanted.is_empty:
        return Page(entries=(), total=0, next_=None)
    size = max(wanted.count, 1)
    try:
        return await authorizations.listing(caller, wanted.wanted, size=size, after=wanted.after)
    except BadCursor as error:
        raise Refused(400, "Invalid parameter", f"{PAGE}: {error}") from error


def _told(ignored: Sequence[str]) -> Json:
    issues = (
        told("warning", "not-supported", f"the parameter {each[:100]!r} was ignored")
        for each in ignored
    )
    return {"resource": outcome(issues), "search": {"mode": "outcome"}}


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/fhir"


def _is_strict(request: Request) -> bool:
    prefer = request.headers.get("prefer", "").lower().replace(" ", "")
    return "handling=strict" in prefer.replace(";", ",").split(",")


def _check_format(request: Request) -> None:
    """Refuse a caller that takes XML only, before anything is looked for."""
    wanted = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    if not any(each in wanted.lower() for each in ("json", "*/*", "application/*")):
        raise Refused(406, "Not acceptable", "FHIR is given as JSON only")
