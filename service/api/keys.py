"""API keys over HTTP: make, list, rotate, revoke; a secret is answered once, and never again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, needs
from service.api.schema import problems
from service.application import keys
from service.application.keys import KeyMade, KeyShown, KeyWanted, Rotation

router = APIRouter(
    prefix="/keys",
    tags=["access"],
    responses=problems(status_404="There is no such key."),
)

KeyId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
NEVER_KEPT = {"Cache-Control": "no-store"}


@router.post("", status_code=201, response_model=KeyMade, summary="Make a key")
@needs("admin")
async def make(
    caller: Asking, wanted: Annotated[KeyWanted, Depends(JsonBody(KeyWanted))]
) -> Response:
    """Make a key of a role or with scopes: none that the caller has not, for payers of his own.

    The answer has the key itself; only its hash is kept.
    """
    made = await keys.make(caller, wanted)
    return json_response(made, status=201, headers=NEVER_KEPT)


@router.get("", response_model=list[KeyShown], summary="List keys")
@needs("admin")
async def listing(caller: Asking) -> Response:
    """All keys whose payers are the caller's, also those that expired or were revoked."""
    return json_response(await keys.listing(caller))


@router.get("/{key_id}", response_model=KeyShown, summary="Read a key")
@needs("admin")
async def read(caller: Asking, key_id: KeyId) -> Response:
    """What a key is for, until when, and when it was last used; never its secret."""
    return json_response(await keys.read(caller, key_id))


@router.post("/{key_id}/rotate", response_model=KeyMade, summary="Give a key another secret")
@needs("admin")
async def rotate(
    caller: Asking, key_id: KeyId, wanted: Annotated[Rotation, Depends(JsonBody(Rotation))]
) -> Response:
    """Answer a new secret; the one before is valid for `grace_hours` more, and no third is."""
    return json_response(await keys.rotate(caller, key_id, wanted), headers=NEVER_KEPT)


@router.delete("/{key_id}", response_model=KeyShown, summary="Revoke a key")
@needs("admin")
async def revoke(caller: Asking, key_id: KeyId) -> Response:
    """Let it be valid no more, in every worker within seconds; what it was for stays known."""
    return json_response(await keys.revoke(caller, key_id))
