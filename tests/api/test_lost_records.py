"""An Elasticsearch that was restored from an older state than Redis: true answers, a way on."""

import httpx

from service.application.parts import Stores
from service.stores.connection.names import ledger_id
from service.stores.ledger.entry import index_of
from tests.api.bodies import authorization_body, claim_body
from tests.ground import Ground


def lose_record(ground: Ground, payer: str, claim: str) -> None:
    """Take the ledger entry of a claim away, as a restored snapshot lacks it."""
    ground.spoiled.add(payer)

    async def scenario(stores: Stores) -> None:
        await stores.projection.project(payer)
        state = await stores.accumulators.read_claim(payer, claim)
        entry = state.entries[state.version]
        await stores.elasticsearch.delete(
            index=index_of(stores.indices, entry), id=ledger_id(payer, entry), refresh=True
        )

    ground.run(scenario)


def test_a_claim_whose_record_is_lost_keeps_its_units_and_is_readjudicated(
    ground: Ground, caller: httpx.Client
) -> None:
    """Nobody is told to try again for ever: 410, until it is drawn anew."""
    payer = str(caller.headers["x-api-key"]).replace("key", "payer")
    limits = {"units": "10", "unit": "UN"}
    caller.put("/authorizations/A1", json=authorization_body(line={"limits": limits}))
    claim = claim_body(claim_id="C1", line={"units": "4"})
    assert caller.post("/adjudicate", json=claim).status_code == 200
    lose_record(ground, payer, "C1")

    for answer in (caller.get("/claims/C1"), caller.post("/adjudicate", json=claim)):
        assert (answer.status_code, answer.json()["title"]) == (410, "Record lost")
        assert "Retry-After" not in answer.headers
    again = caller.post("/adjudicate", params={"readjudicate": "true"}, json=claim)
    assert again.status_code == 200, again.text
    assert caller.get("/claims/C1").status_code == 200
    (account, *_) = caller.get("/authorizations/A1/accumulators").json()["accounts"]
    assert account["units"]["used"] == "4"
