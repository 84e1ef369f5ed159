"""The service is told to end while claims come: nobody is cut off, and what was answered stays."""

import asyncio
from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from tests.api.bodies import Fields
from tests.api.claim_load import approved, claim_of, held_by, own_ground, push, states_of
from tests.api.service_process import ServiceProcess
from tests.ground import Ground, uninstall

CLIENTS = 12
UNITS = 1_000_000
BEFORE = 3
"""So many claims each client has answered before the end is asked for."""


@pytest.fixture
def busy(ground: Ground) -> Iterator[Ground]:
    """Indices of this test alone, with units for every client."""
    own = own_ground(ground)
    push(own, own.settings.default_payer, members(), UNITS)
    yield own
    own.run(uninstall)


def members() -> list[str]:
    """A member for each client."""
    return [f"D{each}" for each in range(CLIENTS)]


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])
def test_under_load_every_request_is_answered_and_the_last_one_says_so(
    busy: Ground, workers: int
) -> None:
    """A client learns from an answer that its connection ends, never from a broken request."""
    told: dict[str, Fields] = {}
    with ServiceProcess(busy.settings, workers=workers) as service:
        asyncio.run(until_closed(service, told))
        assert service.ended() == 0
    states = busy.run(lambda stores: states_of(stores, busy.settings.default_payer, told))
    assert len(told) > CLIENTS * BEFORE
    assert {name: held_by(each) for name, each in states.items()} == {
        name: approved(each) for name, each in told.items()
    }


async def until_closed(service: ServiceProcess, told: dict[str, Fields]) -> None:
    """Tell the service to end while every client sends one claim after another."""
    async with asyncio.timeout(120), asyncio.TaskGroup() as clients:
        begun = [asyncio.Event() for _ in range(CLIENTS)]
        for member, at in zip(members(), begun, strict=True):
            clients.create_task(client(service.url, member, told, at))
        for each in begun:
            await each.wait()
        service.terminate()


async def client(url: str, member: str, told: dict[str, Fields], at: asyncio.Event) -> None:
    """Send claims on one connection until an answer says that it is the last."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
        for number in count():
            claim = claim_of(member, number)
            answer = await http.post("/adjudicate", json=claim)
            assert answer.status_code == 200, answer.text
            told[claim["claim_id"]] = answer.json()
            if number == BEFORE:
                at.set()
            if answer.headers.get("connection") == "close":
                return
