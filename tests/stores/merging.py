"""Members that are merged, and what is found under their ids."""

from typing import Any

from service.accounting.books.scale import SCALE
from service.accounting.replay.ledger_page import Difference
from service.application.parts import Stores
from service.domain.actor import Actor
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjudicationAnswer
from service.domain.person import Person
from service.domain.submission import Pushed
from service.flow.adjudicating.adjudicate import adjudicate
from service.flow.adjudicating.run import ClaimStores, Run
from service.stores.members.merge import Wish
from tests.api.bodies import claim_body
from tests.builders import build_claim
from tests.ground import found, shipped_rules, version_of
from tests.movements import AT

UNITS: dict[str, Any] = {"number": "AU-1", "limits": {"units": "10", "unit": "UN"}}


async def merge(stores: Stores, payer: str, member: str, into: str) -> Person:
    """Merge a member into another one."""
    wish = Wish(member=member, into=into, actor=Actor(by="jo"), reason="one person")
    return await stores.merging.run(payer, wish)


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
    working = ClaimStores(
        source=stores.search,
        standing=stores.reading,
        books=stores.accumulators,
        records=stores.records,
        versions=stores.authorizations,
    )
    done = await adjudicate(claim, Run(payer=payer, at=AT, rules=shipped_rules(), **run), working)
    return done.answer


def paid(answer: AdjudicationAnswer) -> int:
    """The units that were approved."""
    return int(answer["lines"][0]["approved"]["units"])


async def used(stores: Stores, payer: str, authorization_id: str) -> int:
    """The units of an authorization that are used and reserved."""
    state = await stores.accumulators.accounts(payer, authorization_id)
    header = [each.balances["units"] for each in state.accounts if each.name == "H"]
    return sum(each.used + each.reserved for each in header) // SCALE


async def differences(stores: Stores, payer: str) -> list[Difference]:
    """What a comparison of all books finds."""
    found_ = await stores.reconciliation.run([payer])
    return [each for *_, each in found_.differences]
