"""Home: how the service is, what waits, and a search that finds whatever has a name."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from service.application import overview
from service.application.maintenance import readiness
from service.application.refusals import EngineFault
from service.workbench import words
from service.workbench.rendering import PREFIX, address, page
from service.workbench.visit import Anybody

router = APIRouter(prefix=PREFIX, include_in_schema=False)


@router.get("")
async def home(visit: Anybody) -> Response:
    """What waits for whoever looks, and how the engines are."""
    try:
        told = await readiness(visit.caller.parts)
    except EngineFault:
        told = None
    return page(visit, "home.html", health=words.health(told))


@router.post("/search")
async def search(visit: Anybody) -> Response:
    """What a word names; where that is one thing alone, its page.

    It is sent as a form, so that what somebody types stands in no address.
    """
    wanted = visit.field("q")
    found = await overview.find(visit.caller, wanted)
    places = _places(found)
    if len(places) == 1:
        return RedirectResponse(places[0], 303)
    return page(visit, "search.html", wanted=wanted, found=found)


def _places(found: overview.Found) -> list[str]:
    places = []
    if found.claim:
        places.append(address("claims", found.claim))
    for each in found.authorizations:
        places.append(address("authorizations", each.source["authorization_id"]))
    if found.member:
        places.append(address("members", found.member))
    return places
