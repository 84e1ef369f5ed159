"""An engine goes away at some point of a claim: an answer or a 503, never a half of it.

The point is moved from the first word that the engine says to the last, so that all are tried.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import httpx
import pytest

from service.application.parts import Stores
from service.stores.ledger.projection import LedgerProjection
from tests.api.bodies import Fields
from tests.api.claim_load import (
    Load,
    approved,
    check,
    claim_of,
    claims_of,
    own_ground,
    push,
    said,
    states_of,
)
from tests.ground import Ground, uninstall
from tests.proxy import CHUNK, Mode, Proxy
from tests.serving import client_of, serving

log = logging.getLogger(__name__)
EngineName = Literal["elasticsearch", "redis"]

TRIES_MAX = 60
IN_A_ROW = 3
CLIENTS = 16

ANSWERED, UNTOLD, NOT_MOVED = "answered", "moved, but not told", "not moved"
WANTED: dict[EngineName, set[str]] = {
    "elasticsearch": {NOT_MOVED},
    "redis": {NOT_MOVED, UNTOLD},
}
UNASKED = ("elasticsearch", "reverse")
"""What is done without this engine."""


class Fuse(Proxy):
    """Lets so many answers of the engine through, then cuts everybody off; None is all."""

    def __init__(self, target: str) -> None:
        """Take the address of the engine."""
        super().__init__(target)
        self._is_http = target.startswith("http")
        self.left: int | None = None

    def mend(self) -> None:
        """Let everything through again."""
        self.left = None
        self.set_mode("pass")

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool
    ) -> None:
        if not is_answer or self.mode != "pass":
            await super()._pump(source, sink, is_answer=is_answer)
            return
        while chunk := await source.read(CHUNK):
            is_start = not self._is_http or chunk.startswith(b"HTTP/1.1 ")
            if self.left is not None and is_start:
                if self.left == 0:
                    self.mode = "refuse"
                    await self._drop()
                    return
                self.left -= 1
            sink.write(chunk)
            await sink.drain()
        sink.close()


@dataclass
class Behind:
    """A service whose engines stand behind fuses, and the same engines without any."""

    own: Ground
    url: str
    fuses: dict[EngineName, Fuse]

    @property
    def payer(self) -> str:
        """The payer of these tests."""
        return self.own.settings.default_payer

    def states(self, claim: str) -> tuple[int, int]:
        """How often a claim was moved, and how many rows it holds."""

        async def scenario(stores: Stores) -> tuple[int, int]:
            (state,) = (await states_of(stores, self.payer, [claim])).values()
            return state.sequence, len(state.rows)

        return self.own.run(scenario)


@contextmanager
def fused(ground: Ground) -> Iterator[Behind]:
    """Serve behind fuses."""
    own = own_ground(ground)
    engines: dict[EngineName, str] = {
        "elasticsearch": str(own.settings.elasticsearch_url),
        "redis": str(own.settings.redis_url),
    }
    fuses = {name: Fuse(url) for name, url in engines.items()}
    for each in fuses.values():
        each.start()
    urls = {f"{name}_url": each.url for name, each in fuses.items()}
    changed = own.settings.model_copy(update=urls)
    try:
        with serving(changed) as url:
            yield Behind(own, url, fuses)
    finally:
        for each in fuses.values():
            each.stop()
        own.run(uninstall)


@pytest.fixture(scope="module")
def behind(ground: Ground) -> Iterator[Behind]:
    """A service whose engines are asked for claims alone: nothing is copied in the background."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LedgerProjection, "start", lambda _: None)
        with fused(ground) as made:
            yield made


def answered(response: httpx.Response) -> Fields | None:
    """The answer; None for a 503, which says when to try again. Nothing else may be told."""
    if response.status_code == 503:
        assert int(response.headers["Retry-After"]) > 0
        return None
    assert response.status_code == 200, response.text
    answer: Fields = response.json()
    return answer


@pytest.mark.parametrize("engine", ["elasticsearch", "redis"])
@pytest.mark.parametrize("step", ["adjudicate", "again", "replace", "reverse"])
def test_an_engine_that_goes_away_costs_no_half_of_a_claim(
    behind: Behind, engine: EngineName, step: str
) -> None:
    """What was told holds; what was not is completed by the same call, once it is back."""
    members = [f"{step}-{engine}-{number}" for number in range(TRIES_MAX)]
    push(behind.own, behind.payer, members)
    wanted = WANTED[engine] - ({NOT_MOVED} if (engine, step) == UNASKED else set())
    outcomes: list[str] = []
    point = 0
    with client_of(behind.url) as client:
        for member in members:
            outcomes.append(broken_at(behind, client, engine, step, member, point))
            point += 1
            if outcomes[-IN_A_ROW:] == [ANSWERED] * IN_A_ROW:
                if wanted <= set(outcomes):
                    break
                point = 0  # an engine that is also asked once a second was cut off there
    found = Counter(outcomes)
    log.info("%s, %s: %s", engine, step, dict(found))
    assert wanted | {ANSWERED} <= set(found)
    check_all(behind)


def broken_at(
    behind: Behind, client: httpx.Client, engine: EngineName, step: str, member: str, point: int
) -> str:
    """Break a claim of one member at a point, and complete it; tells how it went."""
    fuse, path, body, before = behind.fuses[engine], *prepared(client, step, member)
    fuse.left = point
    try:
        first = answered(client.post(path, json=body))
    finally:
        fuse.mend()
    was_moved = behind.states(body.get("claim_id", f"{member}-0")) != before
    if step == "replace":
        assert behind.states(f"{member}-0") == ((2, 0) if was_moved else (1, 1))
    second = answered(client.post(path, json=body))
    assert second is not None, "the engines are back"
    if first is not None:
        assert was_moved
        if step != "reverse":
            assert said(first) == said(second)
        assert second.get("replayed", not second.get("changed"))
    return ANSWERED if first else UNTOLD if was_moved else NOT_MOVED


def prepared(client: httpx.Client, step: str, member: str) -> tuple[str, Fields, tuple[int, int]]:
    """Give the call that a step makes, and how the claim stands before it."""
    claim = claim_of(member, 0)
    if step == "adjudicate":
        return "/adjudicate", claim, (0, 0)
    assert answered(client.post("/adjudicate", json=claim))
    if step == "again":
        return "/adjudicate", {**claim, "version": 2}, (1, 1)
    if step == "reverse":
        return f"/claims/{member}-0/reverse", {"reason": "sent in error"}, (1, 1)
    changes = {"frequency": "7", "original_claim_id": f"{member}-0"}
    return "/adjudicate", {**claim_of(member, 1), **changes}, (0, 0)


def check_all(behind: Behind) -> None:
    """The accumulators are what the ledger says."""

    async def scenario(stores: Stores) -> None:
        found = await stores.reconciliation.run([behind.payer])
        assert [each[1] for each in found.differences] == []
        assert found.entries > 0

    behind.own.run(scenario)


@pytest.mark.parametrize("mode", ["refuse", "cut", pytest.param("hang", marks=pytest.mark.long)])
def test_without_redis_nothing_is_paid_and_nothing_is_moved(behind: Behind, mode: Mode) -> None:
    """Callers are told when to try again, and it works again by itself."""
    members = [f"down-{mode}-{number}" for number in range(3)]
    push(behind.own, behind.payer, members)
    fuse = behind.fuses["redis"]
    with client_of(behind.url) as client:
        with fuse.failing(mode):
            for member in members:
                assert answered(client.post("/adjudicate", json=claim_of(member, 0))) is None
        for member in members:
            assert behind.states(f"{member}-0") == (0, 0)
            answer = answered(client.post("/adjudicate", json=claim_of(member, 0)))
            assert answer is not None
            assert (approved(answer), answer["replayed"]) == (1, False)
    check_all(behind)


def test_claims_outlive_an_elasticsearch_that_comes_and_goes(ground: Ground) -> None:
    """Under load: every claim is answered in the end, and the balances are what was answered."""
    with fused(ground) as behind:
        come_and_go(behind)


def come_and_go(behind: Behind) -> None:
    """Let clients send claims while Elasticsearch fails again and again."""
    members = [f"flicker-{number}" for number in range(4)]
    push(behind.own, behind.payer, members, 1000)
    fuse = behind.fuses["elasticsearch"]
    claims = claims_of(members, range(60))
    with Load([behind.url], claims, clients=CLIENTS) as load:
        while load.is_alive:
            load.wait_for(20)
            fuse.left = 5
            load.wait_until_unavailable()
            fuse.mend()
    assert load.wrong == []
    assert load.unavailable > 0
    found = check(behind.own, behind.payer, load, members)
    assert (found["lost"], found["drawn_otherwise"], found["differences"]) == ([], [], [])
    assert found["header_units"] == found["answered_units"]
    log.info("%d claims, %d told 503", found["claims"], load.unavailable)
