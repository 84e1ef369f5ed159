"""Messages of one grant, by 278 and PAS, repeated and in any order: the same may be drawn."""

import uuid
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.application.parts import Stores
from service.domain.authorization import GRANTING_ACTIONS, Authorization
from service.domain.effective import effective_action
from service.domain.submission import Pushed
from service.ingest.fhir import read
from service.stores.authorizations.reading import Filter
from tests.ground import Ground
from tests.ingest.fhir.papers import NPI, detail, item, packed, request, response
from tests.ingest.fhir.papers import review as reviewed
from tests.ingest.x12.edi import SERVICE, authorization, review

REQUESTER = {"identifier": {"system": NPI, "value": "1999999984"}}
TRACE = "TRN*2*REQ-1*9012345678"


def x12(day: int, action: str, units: int, number: str = "") -> Pushed:
    """A 278 of a day of May; one without a number is known by its trace."""
    document = authorization(
        review(
            TRACE, "UM*HS*I", f"HCR*{action}*{number}", "DTP*007*RD8*20260501-20260630",
            SERVICE, f"SV1*HC:97110**UN*{units}",
            bht=f"BHT*0007*11*R{day}*202605{day:02}*0900*18",
        )
    )  # fmt: skip
    return pushed(document)


def pas(day: int, action: str, units: int, number: str | None = None) -> Pushed:
    """A ClaimResponse of a day of May, made at a time that only its bundle tells."""
    line = item(None, detail(quantity={"value": units}), adjudication=[reviewed(action, number)])
    answer = response(
        line, created=f"2026-05-{day:02}", requestor=REQUESTER,
        identifier=[{"value": f"K-{day}"}],
    )  # fmt: skip
    document = packed(answer, request(identifier=[{"value": "req 1"}]))
    for each in document["entry"]:
        if each["resource"]["resourceType"] == "Patient":
            each["resource"] = each["resource"] | {"birthDate": "1980-05-02"}
    reading = read(document | {"timestamp": f"2026-05-{day:02}T15:00:00Z"})
    return pushed(reading.authorizations[0].document)


def pushed(document: Any) -> Pushed:
    """A message as it is pushed."""
    return Pushed(authorization=Authorization.model_validate(document), source=document)


PENDED, DECIDED = x12(1, "A4", 0), x12(2, "A1", 10, "AU1")
RAISED, LOWERED = pas(3, "A1", 20, "au-1"), pas(4, "A6", 15, "AU 1")
DENIED, CANCELLED = x12(5, "A3", 0), pas(6, "C", 0)
STORIES = {
    "decided": ([PENDED, DECIDED], 10),
    "raised": ([PENDED, DECIDED, RAISED], 20),
    "raised and lowered": ([DECIDED, RAISED, LOWERED, PENDED], 15),
    "denied after all, by its trace": ([DECIDED, RAISED, DENIED], 0),
    "cancelled by its trace": ([PENDED, DECIDED, LOWERED, CANCELLED], 0),
}


async def may_be_drawn(stores: Stores, payer: str) -> Decimal:
    """The units of all that stands and grants something."""
    page = await stores.reading.page(payer, Filter(standing=True), size=50, after=None)
    units = Decimal(0)
    for each in page.entries:
        granted = Authorization.model_validate(each.source)
        for line in granted.lines:
            if effective_action(line, granted) in GRANTING_ACTIONS and line.limits:
                units += line.limits.units or 0
    return units


@pytest.mark.parametrize("name", list(STORIES))
@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chance=st.integers(0, 10**9))
def test_order_and_way_of_messages_never_change_what_may_be_drawn(
    ground: Ground, name: str, chance: int
) -> None:
    """One grant, as the newest message says it, however often each of them comes."""
    story, units = STORIES[name]
    order = [*story, *Random(chance).choices(story, k=chance % 3)]
    Random(chance).shuffle(order)
    payer = f"p-{uuid.uuid4().hex[:12]}"

    async def scenario(stores: Stores) -> None:
        for each in order:
            await stores.authorizations.push(payer, [each])

        assert await may_be_drawn(stores, payer) == units

    ground.run(scenario)
