"""A claim: what became of each line, from which authorizations, and how it came to that."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from service.api.caller import needs
from service.api.claims import ClaimId
from service.application import claims
from service.workbench.rendering import PREFIX, page
from service.workbench.visit import Visiting

router = APIRouter(prefix=f"{PREFIX}/claims", include_in_schema=False)
HISTORY = 50


@router.get("/{claim_id}")
@needs("billing.charge.read")
async def claim(visit: Visiting, claim_id: ClaimId) -> Response:
    """The claim as it stands, as it was sent, and its history where that may be seen."""
    may_see_history = visit.may("clinical.authorization.read")
    (answer, sent), history = await asyncio.gather(
        claims.as_sent(visit.caller, claim_id),
        claims.history(visit.caller, claim_id, size=HISTORY, after=None)
        if may_see_history
        else _none(),
    )
    lines = {each.line: each for each in sent.lines}
    return page(
        visit,
        "claim.html",
        claim=visit.caller.shown(answer),
        sent=sent,
        sent_lines=lines,
        history=history,
    )


async def _none() -> Any:
    return None
