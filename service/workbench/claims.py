"""A claim: what became of each line, from which authorizations, and how it came to that.

Two of its adjudications stand side by side.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from service.api.caller import needs
from service.api.claims import ClaimId, Entry
from service.application import claims
from service.domain.answers import LineAnswer, Quantity, RecordedAnswer
from service.workbench import words
from service.workbench.rendering import PREFIX, page
from service.workbench.visit import Visiting

router = APIRouter(prefix=f"{PREFIX}/claims", include_in_schema=False)
HISTORY = 50
ADJUDICATED = ("apply", "reserve", "readjudicate", "replace", "void")
"""The kinds of ledger entries that are adjudications."""


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
    known = history["entries"] if history else []
    return page(
        visit,
        "claim.html",
        claim=visit.caller.shown(answer),
        sent=sent,
        sent_lines=lines,
        history=history,
        adjudications=[each for each in known if each.get("kind") in ADJUDICATED],
    )


@router.get("/{claim_id}/compare")
@needs("billing.charge.read", "clinical.authorization.read")
async def compare(visit: Visiting, claim_id: ClaimId, one: Entry, other: Entry) -> Response:
    """Two adjudications of a claim side by side, the older one first, with what differs marked."""
    compared = await claims.compared(visit.caller, claim_id, one, other)
    answers = [each["answer"] for each in compared["adjudications"]]
    return page(
        visit,
        "compare.html",
        claim_id=claim_id,
        entries=[each["entry"] for each in compared["adjudications"]],
        head=side_by_side(*map(_head, answers)),
        lines=[
            (number, side_by_side(*(_line(answer, number) for answer in answers)))
            for number in sorted({each["line"] for answer in answers for each in answer["lines"]})
        ],
    )


def side_by_side(one: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What both say, name by name in the order in which they say it."""
    names = dict.fromkeys((*one, *other))
    return [(name, one.get(name, ""), other.get(name, "")) for name in names]


def _head(answer: RecordedAnswer) -> dict[str, str]:
    rules = {f"Rules: {name}": str(each) for name, each in answer["rules"].items()}
    return {"Version": str(answer["version"]), **rules}


def _line(answer: RecordedAnswer, number: int) -> dict[str, str]:
    """What became of a line, in words; nothing of one that there was not."""
    found = next((each for each in answer["lines"] if each["line"] == number), None)
    return {} if found is None else _told(found)


def _told(line: LineAnswer) -> dict[str, str]:
    used = line["adjudicated_authorizations"]
    return {
        "It is": words.toned(words.DISPOSITIONS, line["disposition"])[0],
        "Billed": _quantity(line["billed"]),
        "Approved": _quantity(line["approved"]),
        "Denied": _quantity(line["denied"]),
        "Waits": _quantity(line["suspended"]),
        "Adjusted": _joined(
            f"{each['group']} {each['carc']}: {each['units']} units, {each['amount']}"
            for each in line["adjustments"]
        ),
        "Events": _joined(f"{each['code']} {each['name']}" for each in line["events"]),
        "Resolved": _joined(f"{each['code']} {each['name']}" for each in line["resolved_events"]),
        "Decided": _joined(
            f"{words.readable(each['action'])}, {each['on_behalf_of'] or each['by']}"
            for each in line.get("resolutions", ())
        ),
        "Authorizations": _joined(
            f"{each['number'] or each['authorization_id']} line {each['line']}: "
            f"{each['units']} {each['unit']}, {each['amount']} ({each['origin']})"
            for each in used
        ),
        "Found": _joined(
            f"{words.toned(words.CLASSES, result['class'])[0]}: "
            + (
                ", ".join(
                    f"{each['number'] or each['authorization_id']} ({each['score']})"
                    for each in result["candidates"]
                )
                or "nothing"
            )
            for result in line["results"]
        ),
    }


def _quantity(one: Quantity) -> str:
    return f"{one['units']} {one['unit']}, {one['amount']}"


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(parts)


async def _none() -> Any:
    return None
