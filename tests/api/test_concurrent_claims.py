"""Many clients at once on the same last units: all of them are paid, none of them twice."""

import uuid
from collections import Counter
from collections.abc import Iterator

import pytest

from service.accounting.books.claim_state import USED
from service.application.parts import Stores
from tests.api.claim_load import (
    UNITS,
    Load,
    approved,
    check,
    claim_of,
    claims_of,
    misanswered,
    push,
    said,
    states_of,
)
from tests.api.service_process import ServiceProcess
from tests.ground import Ground

pytestmark = pytest.mark.cluster

CLIENTS = 64
CLAIMS_OF_A_MEMBER = 40
MEMBERS = 8
MANY = 160
WORKERS = 2


@pytest.fixture(scope="module")
def own(ground: Ground) -> Ground:
    """The engines of this run, for a payer of these tests."""
    payer = f"p-{uuid.uuid4().hex[:12]}"
    settings = ground.settings.model_copy(update={"default_payer": payer})
    return Ground(settings=settings, rules=ground.rules)


@pytest.fixture(scope="module")
def process(own: Ground) -> Iterator[ServiceProcess]:
    """The service with two workers, which share nothing but the engines."""
    with ServiceProcess(own.settings, workers=WORKERS) as made:
        yield made


def pay(own: Ground, process: ServiceProcess, start: int, count: int) -> Load:
    """Let all clients send the claims of some members, and see that every answer is right."""
    payer = own.settings.default_payer
    members = [f"M{number}" for number in range(start, start + count)]
    push(own, payer, members)
    numbers = range(CLAIMS_OF_A_MEMBER)
    claims = [claim_of(member, number) for member in members for number in numbers]
    load = Load([process.url], claims, clients=CLIENTS)
    load.run()
    assert (load.wrong, load.unavailable, load.cut_off) == ([], 0, {})
    assert len(load.answers) == len(claims)
    assert misanswered(load.answers.values()) == []
    found = check(own, payer, load, members)
    assert (found["lost"], found["drawn_otherwise"], found["differences"]) == ([], [], [])
    assert found["used"] == [{"H": UNITS, "L1": UNITS}] * len(members)
    assert found["answered_units"] == UNITS * len(members)
    return load


def test_exactly_the_authorized_units_are_paid(own: Ground, process: ServiceProcess) -> None:
    """Twice as much is billed as there is: each claim is paid, cut back, or finds nothing left."""
    load = pay(own, process, 0, MEMBERS)
    found = Counter(given[0]["lines"][0]["disposition"] for given in load.answers.values())
    assert found["pay"] > 0
    assert found["suspend"] > 0
    assert sum(found.values()) == MEMBERS * CLAIMS_OF_A_MEMBER


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_exactly_the_authorized_units_are_paid_of_many(
    own: Ground, process: ServiceProcess
) -> None:
    """The same, for long; in parts, so that those who ask do not hold all answers."""
    for number in range(1, 7):
        pay(own, process, number * MANY, MANY)


def test_one_claim_of_many_senders_is_drawn_once(own: Ground, process: ServiceProcess) -> None:
    """All of them get the same answer; one of them was first."""
    payer, members = own.settings.default_payer, [f"S{number}" for number in range(5)]
    push(own, payer, members)
    for member in members:
        load = Load([process.url], [claim_of(member, 0)] * CLIENTS, clients=CLIENTS)
        load.run()
        assert (load.wrong, load.unavailable, load.cut_off) == ([], 0, {})
        (answers,) = load.answers.values()
        assert len(answers) == CLIENTS
        assert [said(each) for each in answers] == [said(answers[0])] * CLIENTS
        assert Counter(each["replayed"] for each in answers) == {False: 1, True: CLIENTS - 1}
        found = check(own, payer, load, [member])
        assert found["used"] == [{"H": 1, "L1": 1}]
        assert (found["drawn_otherwise"], found["differences"]) == ([], [])


def test_one_claim_of_many_contents_is_drawn_once(own: Ground, process: ServiceProcess) -> None:
    """One content wins and is answered; the others are told of the conflict, and move nothing."""
    payer = own.settings.default_payer
    push(own, payer, ["X1"])
    claims = [{**each, "claim_id": "X1-claim"} for each in claims_of(["X1"], range(CLIENTS))]
    load = Load([process.url], claims, clients=CLIENTS)
    load.run()
    assert load.unavailable == 0
    (answers,) = load.answers.values()
    assert len({approved(each) for each in answers}) == 1
    assert len(answers) + len(load.wrong) == CLIENTS
    assert all(each.startswith("409 ") for each in load.wrong)

    async def scenario(stores: Stores) -> None:
        (state,) = (await states_of(stores, payer, ["X1-claim"])).values()
        assert (state.status, state.sequence) == (USED, 1)

    own.run(scenario)
