"""What was drawn on an authorization: balances, movements, claims, and how it went over time."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.accounting.answers.statement import related_claim, statement, utilization
from service.accounting.limits.bounds import bounds_of
from service.api.body import json_response
from service.api.caller import application_of, payer_of
from service.api.claims import After, Size, held_answer
from service.api.ledger_view import entry_answer
from service.api.problem import Refused
from service.api.schema import problems
from service.application.parts import Application
from service.domain.authorization import Authorization
from service.stores.authorizations.reading import Stored
from service.stores.ledger.records import read_record

router = APIRouter(
    prefix="/authorizations",
    tags=["accumulators"],
    responses=problems(status_404="No authorization of this id was pushed."),
)

AuthorizationId = Annotated[str, Path(max_length=100)]
_PAGES_MAX = 100
_PAGE = 500


async def _known(application: Application, payer: str, authorization_id: str) -> Stored:
    stores = application.stores
    stored = await stores.reading.get(payer, authorization_id)
    if stored is None:
        raise Refused(404, "Not found", "there is no such authorization")
    return stored


@router.get("/{authorization_id}/accumulators", summary="What is used, reserved and left")
async def read_accumulators(request: Request, authorization_id: AuthorizationId) -> Response:
    """Give every boundary of an authorization with its limit and balances, as they are now."""
    application, payer = application_of(request), payer_of(request)
    known = await _known(application, payer, authorization_id)
    state = await application.stores.accumulators.accounts(payer, authorization_id)
    authorization = Authorization.model_validate(known.source)
    return json_response(
        {
            "authorization_id": authorization_id,
            "number": authorization.number,
            "version": known.state["version"],
            "accumulator_version": state.version or None,
            "void": known.state.get("void", False),
            "accounts": statement(state, bounds_of(authorization)),
        }
    )


@router.get("/{authorization_id}/ledger", summary="Every movement")
async def read_ledger(
    request: Request, authorization_id: AuthorizationId, size: Size = 100, after: After = None
) -> Response:
    """Give what moved or changed the units of an authorization, newest first."""
    application, payer = application_of(request), payer_of(request)
    await _known(application, payer, authorization_id)
    ledger = application.stores.ledger
    page = await ledger.of_authorization(payer, authorization_id, size=size, after=after)
    entries = [entry_answer(each, authorization_id) for each in page.entries]
    return json_response({"entries": entries, "total": page.total, "next": page.next_})


@router.get("/{authorization_id}/claims", summary="Related claims")
async def read_claims(
    request: Request,
    authorization_id: AuthorizationId,
    matched: Annotated[
        bool, Query(description="Also claims that found it and drew nothing, of any status.")
    ] = False,
    size: Size = 100,
    after: After = None,
) -> Response:
    """Give the claims that drew on the same accumulator, newest first, as they stand now."""
    application, payer = application_of(request), payer_of(request)
    known = await _known(application, payer, authorization_id)
    ledger = application.stores.ledger
    read = ledger.related if matched else ledger.of_authorization
    page = await read(payer, authorization_id, size=size, after=after)
    ids = dict.fromkeys(
        each.fields[name] for each in page.entries for name in ("c", "oc") if each.fields.get(name)
    )
    is_void = bool(known.state.get("void"))
    claims = [
        related_claim(
            await held_answer(application, payer, each), authorization_id, is_void=is_void
        )
        for each in ids
    ]
    return json_response({"claims": claims, "next": page.next_})


@router.get("/{authorization_id}/utilization", summary="Utilization over time")
async def read_utilization(
    request: Request,
    authorization_id: AuthorizationId,
    by: Annotated[Literal["day", "month"], Query(description="Step of time.")] = "month",
) -> Response:
    """Give, by the time of adjudication, what was moved and how much was used and reserved then."""
    application, payer = application_of(request), payer_of(request)
    await _known(application, payer, authorization_id)
    ledger = application.stores.ledger
    moved: list[Any] = []
    after: str | None = None
    for _ in range(_PAGES_MAX):
        page = await ledger.of_authorization(payer, authorization_id, size=_PAGE, after=after)
        moved += [(each.fields["at"], read_record(each)[1]) for each in page.entries]
        after = page.next_
        if after is None:
            break
    steps = utilization(reversed(moved), authorization_id, by=by)
    return json_response(
        {
            "authorization_id": authorization_id,
            "by": by,
            "complete": after is None,
            "accounts": steps,
        }
    )
