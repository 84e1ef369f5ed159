"""Members that are merged, and what is found under their ids."""

from typing import Any

from service.accounting.books.scale import SCALE
from service.accounting.replay.ledger_page import Difference
from service.application.parts import Stores
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjudicationAnswer
from service.domain.push import Pushed
from service.flow.adjudicating.adjudicate import adjudicate
from service.flow.adjudicating.rooms import Rooms, Run
from service.stores.members.alias import Wish
from service.stores.merging.merge import Merged
from tests.api.bodies import claim_body
from tests.builders import build_claim
from tests.ground import found, shipped_rules, version_of
from tests.movements import AT

UNITS: dict[str, Any] = {"number": "AU-1", "limits": {"units": "10", "unit": "UN"}}

LEASE_S = 0.02
"""Shorter than in service, so that merges are quick; a match that takes longer asks once more."""


def hurried(stores: Stores) -> Stores:
    """The same stores, whose merges wait for a moment only."""
    stores.members.lease_s = LEASE_S
    return stores


async def merge(stores: Stores, payer: str, member: str, into: str) -> Merged:
    """Merge a member into another one."""
    wish = Wish(member=member, into=into, by="jo", reason="one person")
    return await hurried(stores).merging.run(payer, wish)


def pushed(name: str, member: str, version: int = 1, **header: Any) -> Pushed:
    """A version of an authorization that covers the usual claim, of a member."""
    return version_of(
        version,
        authorization_id=name,
        **{"number": f"N-{name}", "member": {"id": member}, **header},
    )


async def found_for(stores: Stores, payer: str, member: str) -> list[str]:
    """What the usual claim of a member finds, in order of the ids."""
    return sorted(await found(stores, payer, build_claim(member={"id": member})))


def claimed(claim_id: str, member: str, units: int = 1, **claim: Any) -> Adjudication:
    """The usual claim of a member, for some units."""
    body = claim_body(claim_id=claim_id, member={"id": member}) | claim
    body["lines"] = [{**body["lines"][0], "units": str(units)}]
    return Adjudication.model_validate(body)


async def adjudicated(
    stores: Stores, payer: str, claim: Adjudication, **run: Any
) -> AdjudicationAnswer:
    """Adjudicate a claim as the service does."""
    await stores.guard.ensure()
    rooms = Rooms(
        rules=shipped_rules(),
        source=stores.search,
        standing=stores.reading,
        books=stores.accumulators,
        records=stores.records,
        gathering=stores.merging,
    )
    done = await adjudicate(claim, Run(payer=payer, at=AT, **run), rooms)
    return done.answer


def paid(answer: AdjudicationAnswer) -> int:
    """The units that were approved."""
    return int(answer["lines"][0]["approved"]["units"])


async def used(stores: Stores, payer: str, authorization_id: str) -> int:
    """The units that are used and reserved where the authorization is now."""
    stored = await stores.reading.get(payer, authorization_id)
    assert stored is not None
    state = await stores.accumulators.accounts(payer, stored.state["member_id"], authorization_id)
    header = [each.balances["units"] for each in state.accounts if each.name == "H"]
    return sum(each.used + each.reserved for each in header) // SCALE


async def differences(stores: Stores, payer: str) -> list[Difference]:
    """What a comparison of all books finds."""
    found_ = await stores.reconciliation.run([payer])
    return [each for *_, each in found_.differences]
