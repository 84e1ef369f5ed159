"""Home: how the service is, what waits, and a search that finds whatever has a name."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from service.application import alerts, intake, overview, rules, rules_drafts, worklist
from service.application.intake import LetterFilter
from service.application.maintenance import readiness
from service.application.refusals import EngineFault
from service.application.worklist import Wanted
from service.workbench import words
from service.workbench.rendering import PREFIX, address, page
from service.workbench.visit import Anybody, Visit
from service.workbench.worklist import who

CHANGES = 5
router = APIRouter(prefix=PREFIX, include_in_schema=False)


@router.get("")
async def home(visit: Anybody) -> Response:
    """What waits for whoever looks, and how the engines are."""
    try:
        told = await readiness(visit.caller.parts)
        waits = await _waits(visit)
    except EngineFault:
        told, waits = None, {}
    return page(visit, "home.html", health=words.health(told), waits=waits)


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


async def _waits(visit: Visit) -> dict[str, Any]:
    """What waits for whoever looks, each as far as he may see it."""
    caller = visit.caller
    found: dict[str, Any] = {}
    if visit.may("worklist.work"):
        mine = Wanted(assignee=who(visit))
        found["items"] = await worklist.counts(caller, Wanted())
        found["mine"] = await worklist.counts(caller, mine)
    if visit.may("clinical.authorization.read"):
        found["alerts"] = await alerts.counts(caller)
    if visit.may("intake.operate"):
        open_ = LetterFilter(status="open")
        found["letters"] = (await intake.letters(caller, open_, size=1, after=None)).total
        found["pushes"] = await intake.waiting(caller)
    if visit.may("rules.read") and caller.parts.in_force is not None:
        drafts = await rules_drafts.drafts(caller, is_open=True, size=CHANGES, after=None)
        found["drafts"] = drafts["items"]
        history = await rules.history(caller, None, size=CHANGES, after=None)
        found["changed"] = history["items"]
    return found


def _places(found: overview.Found) -> list[str]:
    places = []
    if found.claim:
        places.append(address("claims", found.claim))
    places += [address("requests", each) for each in found.requests]
    for each in found.authorizations:
        places.append(address("authorizations", each.source["authorization_id"]))
    if found.member:
        places.append(address("members", found.member))
    return places
