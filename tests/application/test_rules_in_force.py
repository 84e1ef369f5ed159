"""What is published is in force in every worker, whatever a worker cannot read changes nothing."""

import asyncio
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from service.application._rule_check import checked_apart
from service.application.parts import application
from service.application.refusals import EngineFault
from service.rules.book import EVERYBODY, RulesUnknown
from service.rules.calendar import Calendar, Term
from service.stores.connection.clock import today
from tests.api.bodies import claim_body
from tests.application.office import TEXTS, Edit, Office, in_office, office, texts_with
from tests.ground import Ground, separate
from tests.ground import ground as ground
from tests.proxy import Proxy
from tests.serving import client_of, keys_of, serving

SETS = 3
WAIT_S = 60


@pytest.fixture(scope="module")
def shared(ground: Ground) -> Iterator[Ground]:
    """Indices of their own for all tests here: each leaves the rules of all payers in force."""
    with separate(ground) as made:
        yield made


@pytest.fixture
def workers(shared: Ground) -> Iterator[list[httpx.Client]]:
    """Two services on the same engines, each with its own look at the rules."""
    settings = shared.settings.model_copy(update={"api_keys": keys_of({"k": "demo"})})
    with ExitStack() as stack:
        urls = [stack.enter_context(serving(settings, are_kept=True)) for _ in range(2)]
        yield [stack.enter_context(client_of(url, "k", timeout=60)) for url in urls]


def raised(version: int) -> Edit:
    """The template of professional claims in a version."""
    return "professional.yaml", "version: 1\n", f"version: {version}\n"


def published(client: httpx.Client, version: int) -> None:
    """Take a draft all the way: written by Ann, approved by Kim, published by Lee."""
    ann, kim, lee = ({"by": name, "reason": "r"} for name in ("ann", "kim", "lee"))
    lee["despite_gates"] = "a test"
    wanted = {"title": "t", "changed": texts_with(raised(version)), **ann}
    name = client.post("/rules/drafts", json=wanted).json()["id"]
    for step, who in (("evaluate", ann), ("submit", ann), ("approve", kim), ("publish", lee)):
        answer = client.post(f"/rules/drafts/{name}/{step}", json=who)
        assert answer.is_success, answer.text


def test_publishing_under_load_fails_no_claim_and_mixes_no_sets(
    workers: list[httpx.Client],
) -> None:
    """Of each answer the set and the template that it used belong together, in both workers."""
    body, ended = claim_body(), threading.Event()
    seen: list[set[tuple[int, str, int]]] = [set() for _ in workers]

    def ask(client: httpx.Client, seen: set[tuple[int, str, int]]) -> None:
        while not ended.is_set():
            answer = client.post("/match", json=body)
            told = answer.json()
            (result,) = told["lines"][0]["results"]
            number = int(told["rules"]["set"].partition(":")[0])
            seen.add((answer.status_code, str(number), result["template_version"]))

    with ThreadPoolExecutor(len(workers)) as threads:
        asking = list(map(threads.submit, [ask] * len(workers), workers, seen))
        try:
            for number in range(1, SETS + 1):
                if number > 1:
                    published(workers[0], number)
                deadline = time.monotonic() + WAIT_S
                while not all((200, str(number), number) in answers for answers in seen):
                    assert time.monotonic() < deadline
                    for each in asking:
                        assert not each.done(), each.result()
                    time.sleep(0.01)
        finally:
            ended.set()
        for each in asking:
            each.result()

    wanted = {(200, str(number), number) for number in range(1, SETS + 1)}
    assert seen == [wanted] * len(workers)


def test_a_worker_whose_engine_is_away_keeps_its_set(shared: Ground) -> None:
    """It says so, and looks again; one that starts meanwhile judges nothing before it knows."""
    proxy = Proxy(shared.settings.elasticsearch_url or "")
    proxy.start()
    settings = shared.settings.model_copy(update={"elasticsearch_url": proxy.url})

    async def work() -> None:
        async with office(shared, EVERYBODY) as people:
            name = (await people.answer())["rules"]["set"]
        async with application(settings) as parts:
            assert parts.in_force is not None
            proxy.set_mode("refuse")
            with pytest.raises(EngineFault):
                await parts.in_force.look()
            assert parts.in_force.age()["behind"]
            assert parts.rules.of(EVERYBODY, today()).name == name
            async with application(settings, serving=True) as late:
                with pytest.raises(RulesUnknown):
                    late.rules.of("demo", today())
            proxy.set_mode("pass")
            await parts.in_force.look()
            assert parts.in_force.age()["behind"] is None

    try:
        asyncio.run(work())
    finally:
        proxy.stop()


@pytest.mark.parametrize(
    "texts",
    [TEXTS | {"base.yaml": "id: [\n"}, {}, TEXTS],
    ids=["no rules", "nothing", "not what was kept under that hash"],
)
def test_what_cannot_be_loaded_changes_nothing(shared: Ground, texts: dict[str, str]) -> None:
    """However it came to be in force: the worker goes on with what it has, and says why."""
    hash_ = secrets.token_hex(32)

    async def work(people: Office) -> None:
        assert people.parts.in_force is not None
        before = (await people.answer())["rules"]
        kept = people.parts.stores.rules
        found = await kept.pointer()
        assert found is not None
        await kept.keep_texts(hash_, texts)
        calendar = Calendar(terms=(Term(number=99, hash=hash_),))
        pointer = found.pointer.model_copy(update={"calendars": {EVERYBODY: calendar}})
        assert await kept.point(pointer, found.seen)
        with pytest.raises(EngineFault, match="not what was kept"):
            await people.parts.in_force.look()
        assert (await people.answer())["rules"] == before
        assert people.parts.in_force.age()["behind"]
        wrong = await kept.pointer()
        assert wrong is not None
        assert await kept.point(found.pointer, wrong.seen)

    in_office(shared, EVERYBODY, work)


def test_a_check_that_does_not_end_is_stopped() -> None:
    """And what it checked is refused; within its budget the shipped rules pass."""
    stopped = asyncio.run(checked_apart(TEXTS, budget_s=0.05))
    assert [each.code for each in stopped.problems] == ["T001"]
    assert "run away" in stopped.problems[0].message
    assert asyncio.run(checked_apart(TEXTS)).problems == []
