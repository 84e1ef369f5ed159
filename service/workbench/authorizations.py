"""An authorization: what was granted, what is used of it, by which claims, and its versions."""

import asyncio
from datetime import date
from itertools import pairwise
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from service.api.caller import needs
from service.api.problem import Refused
from service.application import authorizations, documents, overview
from service.application.authorizations import Utilization
from service.domain.differences import differences
from service.domain.manual_entry import is_waiting
from service.domain.values import Identifier
from service.workbench import words
from service.workbench.rendering import PREFIX, page
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=f"{PREFIX}/authorizations", include_in_schema=False)
ENTRIES = 50
CHART_STEPS_MAX = 60


@router.get("/{authorization_id}")
@needs("clinical.authorization.read")
async def authorization(visit: Visiting, authorization_id: Identifier) -> Response:
    """All that is known of it, the newest version first."""
    return await shown_page(visit, authorization_id)


async def shown_page(
    visit: Visit, authorization_id: str, refused: Refused | None = None
) -> Response:
    """The page, perhaps with what could not be done over it."""
    caller = visit.caller
    stored = await authorizations.read_with_overlaps(caller, authorization_id)
    shown, versions, ledger, used, papers = await asyncio.gather(
        overview.overview(caller, stored),
        authorizations.versions(caller, authorization_id),
        authorizations.ledger(caller, authorization_id, size=ENTRIES, after=None),
        authorizations.utilization_over_time(caller, authorization_id, "day"),
        documents.documents_of(caller, authorization_id),
    )
    related: Any = None
    if visit.may("billing.charge.read"):
        related = await authorizations.related_claims(
            caller, authorization_id, matched=True, size=ENTRIES, after=None
        )
    return page(
        visit,
        "authorization.html",
        refused.status if refused else 200,
        refused=refused,
        papers=papers,
        is_waiting=is_waiting(shown.authorization),
        shown=shown,
        source=stored.source,
        versions=versions,
        differences=otherwise(versions),
        ledger=ledger,
        charts=charts(used, shown),
        related=related,
    )


def otherwise(versions: Any) -> list[dict[str, Any]]:
    """Of each version what it says otherwise than the one before, newest first, side by side."""
    return [
        {
            "version": newer.state["version"],
            "before": older.state["version"],
            "rows": [
                each for each in differences(older.source, newer.source) if each[0] != "/version"
            ],
        }
        for newer, older in pairwise(versions)
    ]


def charts(used: Utilization, shown: overview.Overview) -> list[dict[str, Any]]:
    """Of each account what was used and reserved after each day, against what is granted."""
    limits = {each["account"]: each["units"]["limit"] for each in shown.accounts}
    found = []
    for account in used["accounts"]:
        steps = account["steps"][-CHART_STEPS_MAX:]
        limit = limits.get(account["account"])
        most = max([float(limit or 0), *(float(each["committed"]) for each in steps)], default=0.0)
        days = [date.fromisoformat(each["period"]) for each in steps]
        if most <= 0 or not days:
            continue
        found.append(
            {
                "account": account,
                "limit": limit,
                "steps": steps,
                "points": [
                    (
                        words.position(each["period"], days[0], days[-1]) if len(days) > 1 else 50,
                        100 - 100 * float(each["committed"]) / most,
                    )
                    for each in steps
                ],
                "limit_y": None if limit is None else 100 - 100 * float(limit) / most,
            }
        )
    return found
