"""Each person's choice of alerts: told once, by the ways that he chose, by several workers."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.application.parts import Stores
from service.settings import Settings
from tests.api.test_alerts import push, use
from tests.ground import Ground
from tests.notices.conftest import Ear, Mailbox
from tests.notices.conftest import ear as ear
from tests.notices.conftest import mailbox as mailbox
from tests.serving import client_of, keys_of, serving

EMAIL = "lee@payer.example"


@pytest.fixture
def settings(ground: Ground, payer: str, mailbox: Mailbox, ear: Ear) -> Settings:
    """A mail server, and a host that may be told."""
    changes: dict[str, Any] = {
        "api_keys": keys_of({payer: payer}),
        "alerts_look_s": 0,
        "alerts_send_s": 0,
        "alerts_smtp_url": SecretStr(mailbox.url),
        "alerts_mail_from": "authmatch@payer.example",
        "alerts_webhook_hosts": [ear.host],
        "alerts_webhook_private": True,
        "alerts_webhook_secret": SecretStr("x"),
    }
    return ground.settings.model_copy(update=changes)


@pytest.fixture
def desk(settings: Settings, payer: str) -> Iterator[httpx.Client]:
    """A caller of a service with these."""
    with serving(settings) as url, client_of(url, payer) as client:
        yield client


def send(ground: Ground, settings: Settings, workers: int = 2) -> None:
    """Have several workers send at once what is new."""

    async def all_send() -> None:
        async def one() -> None:
            async with ground.stores(settings) as stores:
                await stores.alerts.sending.send()

        await asyncio.gather(*(one() for _ in range(workers)))

    asyncio.run(all_send())


def later(ground: Ground, payer: str) -> None:
    """Have the time come at which what failed is tried again."""

    async def scenario(stores: Stores) -> None:
        index = stores.indices.alert_notices
        await stores.elasticsearch.indices.refresh(index=index)
        query = {"bool": {"filter": [{"term": {"payer": payer}}, {"term": {"tries": 1}}]}}
        found = await stores.elasticsearch.search(index=index, query=query)
        for each in found["hits"]["hits"]:
            await stores.elasticsearch.update(
                index=index, id=each["_id"], doc={"next_at": each["_source"]["made_at"]}
            )

    ground.run(scenario)


def choose(desk: httpx.Client, **chosen: Any) -> httpx.Response:
    """Choose."""
    return desk.put("/alerts/choice", json=chosen)


def test_everybody_is_told_once_by_the_ways_he_chose(
    ground: Ground,
    settings: Settings,
    desk: httpx.Client,
    payer: str,
    mailbox: Mailbox,
    ear: Ear,
) -> None:
    """Two people, two workers at once, and again; a server that fails is tried again."""
    assert desk.get("/alerts/choice").json()["kinds"] == []
    lee = {"kinds": ["used", "negative"], "email": EMAIL, "webhook": ear.url, "by": "lee"}
    assert choose(desk, **lee).json() == {
        "person": "lee", "kinds": ["used", "negative"], "email": EMAIL, "webhook": ear.url,
        "calendar": False,
    }  # fmt: skip
    assert choose(desk, kinds=["ending"], email="kim@payer.example", by="kim").is_success
    assert choose(desk, email="max@payer.example", by="max").is_success
    push(desk)
    use(desk, 17)
    assert len(desk.get("/alerts").json()["alerts"]) == 1
    mailbox.answers, ear.statuses = ["451 later"], [503]

    send(ground, settings)
    send(ground, settings)
    assert (mailbox.mails, len(ear.heard)) == ([], 1)
    later(ground, payer)
    for _ in range(2):
        send(ground, settings)

    assert [each.rcpt_tos for each in mailbox.mails] == [[EMAIL]]
    assert len(ear.heard) == 2
    assert ear.heard[0][1]["Authmatch-Notice"] == ear.heard[1][1]["Authmatch-Notice"]


def test_of_what_is_over_nobody_is_told(
    ground: Ground, settings: Settings, desk: httpx.Client, payer: str, mailbox: Mailbox
) -> None:
    """Nor of alerts that were there before he chose."""
    push(desk)
    use(desk, 17)
    desk.get("/alerts")
    assert choose(desk, kinds=["used", "left"], email=EMAIL).is_success
    push(desk, "A2", member={"id": "M-2"}, limits={"units": "4", "unit": "VS"})
    send(ground, settings)
    assert mailbox.mails == []

    push(desk, version=2, limits={"units": "19", "unit": "UN"})
    use(desk, 1, "C2")
    desk.get("/alerts")
    desk.post("/claims/C2/reverse", json={"reason": "x"})
    desk.post("/claims/C1/reverse", json={"reason": "x"})
    send(ground, settings)
    assert mailbox.mails == []


def test_what_cannot_be_delivered_is_given_up(
    ground: Ground, settings: Settings, desk: httpx.Client, payer: str, mailbox: Mailbox
) -> None:
    """A mailbox that is not there is not tried again."""
    assert choose(desk, kinds=["used"], email="nobody@payer.example").is_success
    push(desk)
    use(desk, 17)
    desk.get("/alerts")
    for _ in range(2):
        send(ground, settings, workers=1)

    async def states(stores: Stores) -> list[str]:
        index = stores.indices.alert_notices
        await stores.elasticsearch.indices.refresh(index=index)
        query = {"term": {"payer": payer}}
        found = await stores.elasticsearch.search(index=index, query=query)
        return [
            f"{each['_source']['state']} {each['_source']['tries']} {each['_source']['why']}"
            for each in found["hits"]["hits"]
        ]

    assert ground.run(states) == ["failed 1 the mail server answered 550"]


@pytest.mark.parametrize(
    ("chosen", "path"),
    [
        ({"kinds": ["other"]}, "/kinds/0"),
        ({"email": "lee"}, "/email"),
        ({"webhook": "https://elsewhere.example/"}, "/webhook"),
        ({"webhook": "http://169.254.169.254/latest"}, "/webhook"),
        ({"calendar": True}, "/calendar"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    desk: httpx.Client, chosen: dict[str, Any], path: str
) -> None:
    """With its place; what was chosen before stays."""
    answer = choose(desk, **chosen)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)


def test_a_calendar_is_fetched_by_its_address_alone(desk: httpx.Client, payer: str) -> None:
    """Until there is another one, or none; what it has is of nobody."""
    first, second = (desk.post("/alerts/choice/calendar").json() for _ in range(2))
    push(desk)
    use(desk, 17)
    with httpx.Client(base_url=desk.base_url, trust_env=False) as calendar:
        gone = calendar.get(first["address"])
        found = calendar.get(second["address"])
        wrong = calendar.get(f"/calendars/{'x' * 43}.ics")
        assert desk.delete("/alerts/choice/calendar").json()["calendar"] is False
        ended = calendar.get(second["address"])

    assert [each.status_code for each in (gone, found, wrong, ended)] == [404, 200, 404, 404]
    assert found.headers["content-type"].startswith("text/calendar")
    assert found.text.count("BEGIN:VEVENT") == 1
    assert "M0001" not in found.text
    rows = desk.get("/audit").json()["rows"]
    fetched = [each for each in rows if each["by"].startswith("token:calendar")]
    assert [each["authorizations"] for each in fetched] == [["A1"]]
