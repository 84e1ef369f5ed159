"""Clients that adjudicate claims, each until it is answered, and what they were told."""

import asyncio
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import httpx

from service.accounting.books.claim_state import ClaimState
from service.accounting.books.rows import units_of
from service.accounting.books.scale import SCALE
from service.application.parts import Stores
from service.domain.authorization import Authorization
from tests.api.bodies import Fields, authorization_body, claim_body
from tests.ground import Ground, as_pushed, new_prefix

log = logging.getLogger(__name__)

PATIENCE_S = 90.0
PAUSE_S = 0.02
IDLE_S = 2.0
UNITS = 40
MEMBERS = 8
ENDED = (httpx.TransportError, httpx.TimeoutException)


def authorization_of(member: str, units: int = UNITS) -> Fields:
    """An authorization of so many units, at the header and at its line."""
    limits = {"units": str(units), "unit": "UN"}
    return authorization_body(
        authorization_id=f"A-{member}",
        member={"id": member},
        limits=limits,
        line={"limits": limits},
    )


def claim_of(member: str, number: int) -> Fields:
    """A claim of one to three units."""
    units = number % 3 + 1
    return claim_body(
        claim_id=f"{member}-{number}",
        member={"id": member},
        line={"units": str(units), "charge": f"{units * 60}.00"},
    )


def claims_of(members: Iterable[str], numbers: Iterable[int]) -> Iterator[Fields]:
    """Claims of all members in turn, without end where the numbers have none."""
    names = list(members)
    for number in numbers:
        for member in names:
            yield claim_of(member, number)


def push(ground: Ground, payer: str, members: Iterable[str], units: int = UNITS) -> None:
    """Push an authorization for each member."""
    made = [Authorization.model_validate(authorization_of(each, units)) for each in members]

    async def scenario(stores: Stores) -> None:
        await stores.installation.install()
        for start in range(0, len(made), 100):
            await stores.authorizations.push(
                payer, [as_pushed(each) for each in made[start : start + 100]]
            )

    ground.run(scenario)


class Load:
    """Clients that take claims from one stock and send each until there is an answer.

    ``answers`` has every answer by claim, first to last; ``wrong`` is what nobody may be told;
    ``cut_off`` counts, by reason, who got no answer.
    """

    def __init__(self, urls: Sequence[str], claims: Iterable[Fields], *, clients: int) -> None:
        """Take where to send them; who gets no answer goes to the next."""
        self._urls = urls
        self._stock = iter(claims)
        self._clients = clients
        self._thread = threading.Thread(target=self._run, name="load")
        self._ended = threading.Event()
        self.answers: dict[str, list[Fields]] = {}
        self.claims: dict[str, Fields] = {}
        self.wrong: list[str] = []
        self.unavailable = 0
        self.cut_off: Counter[str] = Counter()

    def __enter__(self) -> "Load":
        """Begin, in the background."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until every claim that was begun is answered."""
        self._ended.set()
        self._thread.join(PATIENCE_S + 30)

    def run(self) -> None:
        """Send them all and wait."""
        with self:
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether there are claims left."""
        return self._thread.is_alive()

    def wait_for(self, count: int) -> None:
        """Wait until so many claims more are answered, or there are none left."""
        wanted, deadline = len(self.answers) + count, time.monotonic() + PATIENCE_S
        while len(self.answers) < wanted and self.is_alive and time.monotonic() < deadline:
            time.sleep(0.002)

    def wait_until_unavailable(self) -> None:
        """Wait until somebody more is told that an engine is not there."""
        before, deadline = self.unavailable, time.monotonic() + PATIENCE_S
        while self.unavailable == before and self.is_alive and time.monotonic() < deadline:
            time.sleep(0.002)

    def _run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        # A server may end a connection that was idle for five seconds; ours are ended before that.
        limits = httpx.Limits(max_connections=None, keepalive_expiry=IDLE_S)
        async with httpx.AsyncClient(limits=limits, timeout=30, trust_env=False) as http:
            await asyncio.gather(*(self._client(http, each) for each in range(self._clients)))

    async def _client(self, http: httpx.AsyncClient, number: int) -> None:
        for claim in self._stock:
            self.claims[claim["claim_id"]] = claim
            await self._until_answered(http, claim, number)
            if self._ended.is_set():
                return

    async def _until_answered(self, http: httpx.AsyncClient, claim: Fields, number: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        for attempt in range(number, 1_000_000):
            if await self._send(http, claim, self._urls[attempt % len(self._urls)]):
                return
            if time.monotonic() > deadline:
                self.wrong.append(f"{claim['claim_id']} was never answered")
                return
            await asyncio.sleep(PAUSE_S)

    async def _send(self, http: httpx.AsyncClient, claim: Fields, url: str) -> bool:
        """Send a claim once; whether that is all there is to do about it."""
        try:
            answer = await http.post(f"{url}/adjudicate", json=claim)
        except ENDED as error:
            self.cut_off[repr(error)] += 1
            return False
        if answer.status_code == 503:
            self.unavailable += 1
            if "Retry-After" not in answer.headers:
                self.wrong.append("a 503 without Retry-After")
            return False
        if answer.status_code == 200:
            self.answers.setdefault(claim["claim_id"], []).append(answer.json())
        else:
            self.wrong.append(f"{answer.status_code} {answer.text[:300]}")
        return True


def said(answer: Fields) -> Fields:
    """What an answer says, however often the claim was sent."""
    return {name: value for name, value in answer.items() if name != "replayed"}


def approved(answer: Fields) -> int:
    """The units that an answer approves."""
    return int(sum(Decimal(line["approved"]["units"]) for line in answer["lines"]))


def misanswered(answers: Iterable[Sequence[Fields]]) -> list[Fields]:
    """Answers that neither pay, cut back nor say that nothing is left, or do not add up."""
    found = []
    for each in (answer for given in answers for answer in given):
        (line,) = each["lines"]
        codes = [event["name"] for event in line["events"]]
        units = {
            name: Decimal(line[name]["units"])
            for name in ("billed", "approved", "denied", "suspended")
        }
        is_right = {
            "pay": units["approved"] == units["billed"],
            "cut_back": 0 < units["approved"] < units["billed"],
            "suspend": units["approved"] == 0 and codes == ["Authorization exhausted"],
        }.get(line["disposition"], False)
        adds_up = units["approved"] + units["denied"] + units["suspended"] == units["billed"]
        if not (is_right and adds_up):
            found.append(each)
    return found


async def states_of(stores: Stores, payer: str, claims: Iterable[str]) -> dict[str, ClaimState]:
    """Read what the books know of claims; one that is not there was never adjudicated."""
    return {claim: await stores.accumulators.read_claim(payer, claim) for claim in claims}


def held_by(state: ClaimState) -> int:
    """The units that a claim holds."""
    return sum(units_of(state.rows).values()) // SCALE


async def used_of(stores: Stores, payer: str, member: str) -> dict[str, int]:
    """The units used of the authorization of a member, by account."""
    state = await stores.accumulators.accounts(payer, f"A-{member}")
    return {each.name: each.balances["units"].used // SCALE for each in state.accounts}


def check(ground: Ground, payer: str, load: Load, members: Sequence[str]) -> dict[str, Any]:
    """See to it that every answer holds: each claim is there, drawn once, and the sums are right.

    Gives how many claims and units there are, and how many answered claims are lost.
    """

    async def scenario(stores: Stores) -> dict[str, Any]:
        states = await states_of(stores, payer, load.answers)
        lost = [name for name, state in states.items() if not state.is_known]
        wrong = [
            name
            for name, state in states.items()
            if state.is_known
            and (state.sequence, held_by(state)) != (1, approved(load.answers[name][0]))
        ]
        used = [await used_of(stores, payer, each) for each in members]
        reconciled = await stores.reconciliation.run([payer])
        return {
            "claims": len(states),
            "lost": lost,
            "drawn_otherwise": wrong,
            "answered_units": sum(approved(given[0]) for given in load.answers.values()),
            "header_units": sum(each.get("H", 0) for each in used),
            "line_units": sum(each.get("L1", 0) for each in used),
            "used": used,
            "entries": reconciled.entries,
            "differences": [each[1] for each in reconciled.differences],
        }

    return ground.run(scenario)


def members_of(start: str) -> list[str]:
    """Members whose authorizations have units enough for all."""
    return [f"{start}{number}" for number in range(MEMBERS)]


def own_ground(ground: Ground, **changes: Any) -> Ground:
    """The engines of this run, or others, under a prefix and a payer of one test."""
    own = {
        "index_prefix": new_prefix(),
        "default_payer": f"p-{uuid.uuid4().hex[:12]}",
        "elasticsearch_timeout_s": PATIENCE_S,
    }
    settings = ground.settings.model_copy(update={**own, **changes})
    return Ground(settings=settings, rules=ground.rules)


def held_to(own: Ground, load: Load, members: list[str]) -> None:
    """See to it that nothing was lost, nothing drawn twice, and nothing answered wrongly."""
    assert load.wrong == []
    assert misanswered(load.answers.values()) == []
    found = check(own, own.settings.default_payer, load, members)
    assert found["lost"] == []
    assert found["drawn_otherwise"] == []
    assert found["differences"] == []
    assert found["entries"] == found["claims"], "each claim has one entry in the ledger"
    assert found["header_units"] == found["line_units"] == found["answered_units"]
    told = "%d claims answered and there, %d callers cut off, %d told 503"
    log.info(told, found["claims"], load.cut_off.total(), load.unavailable)
