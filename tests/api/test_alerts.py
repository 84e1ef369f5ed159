"""Alerts of authorizations: each once, as units move and days pass, and gone with its cause."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.application.parts import Stores
from service.domain.engine_fault import EngineFault
from tests.api.bodies import Fields, authorization_body, claim_body
from tests.api.conftest import Service
from tests.ground import Ground, version_of
from tests.ground import push as push_all
from tests.movements import Mover, bounds
from tests.serving import client_of

TODAY = datetime.now(UTC).date()
TWENTY: Fields = {"units": "20", "unit": "UN"}
WIDE: Fields = {"from": "2026-01-01", "to": f"{TODAY.year + 2}-12-31"}


def day(days: int) -> str:
    """The day so many days from today."""
    return (TODAY + timedelta(days=days)).isoformat()


def push(caller: httpx.Client, name: str = "A1", version: int = 1, **changes: Any) -> None:
    """An authorization of twenty units for long, or otherwise."""
    given = {"effective": WIDE, "limits": TWENTY, **changes}
    number = "AU-1" if name == "A1" else f"N-{name}"
    body = authorization_body(authorization_id=name, version=version, number=number, **given)
    answer = caller.put(f"/authorizations/{name}", json=body)
    assert answer.status_code in (200, 201), answer.text


def use(caller: httpx.Client, units: int, claim: str = "C1", **changes: Any) -> Fields:
    """A claim of so many units; one of another member has no number."""
    body = claim_body(claim_id=claim, **changes)
    body["lines"][0] |= {"units": str(units)}
    for scope in (body, body["lines"][0]) if "member" in changes else ():
        scope.pop("authorization_numbers", None)
    answer = caller.post("/adjudicate", json=body)
    assert answer.status_code == 200, answer.text
    found: Fields = answer.json()
    return found


def alerts(caller: httpx.Client, **wanted: str) -> list[Fields]:
    """The alerts that are listed."""
    answer = caller.get("/alerts", params=wanted)
    assert answer.status_code == 200, answer.text
    found: list[Fields] = answer.json()["alerts"]
    return found


def kinds(caller: httpx.Client, **wanted: str) -> list[str]:
    """The kinds of the same."""
    return sorted(each["kind"] for each in alerts(caller, **wanted))


def test_above_80_percent_there_is_one_alert(caller: httpx.Client) -> None:
    """At once after the claim; more use changes its figures; what comes back ends it."""
    push(caller)
    use(caller, 16)
    assert kinds(caller) == []
    use(caller, 1, "C2")

    (first,) = alerts(caller)
    assert (first["kind"], first["authorization_id"], first["account"]) == ("used", "A1", "H")
    assert first["says"] == "17 of 20 UN used or reserved, and the period is not over"
    use(caller, 1, "C3")
    (again,) = alerts(caller, kind="used", authorization="A1", member=first["member_id"])
    assert again == {**first, "committed": "18", "left": "2", "says": again["says"]}
    for claim in ("C1", "C2", "C3"):
        assert caller.post(f"/claims/{claim}/reverse", json={"reason": "a test"}).is_success
    assert kinds(caller) == []
    assert kinds(caller, state="over") == ["used"]
    use(caller, 17, "C4")
    (back,) = alerts(caller)
    assert back["alert_id"] == first["alert_id"]


@pytest.mark.parametrize(
    ("limits", "units", "then", "expected"),
    [
        ({"units": "4", "unit": "VS"}, 1, {}, ["left"]),
        (
            {"units": "20", "unit": "UN"},
            12,
            {"limits": {"units": "10", "unit": "UN"}},
            ["negative"],
        ),
        ({"units": "20", "unit": "UN"}, 18, {"limits": {"units": "30", "unit": "UN"}}, []),
        ({"units": "20", "unit": "UN"}, 18, {"effective": {"to": "2026-06-30"}}, []),
        ({"units": "20", "unit": "UN"}, 18, {"decision": {"action": "C"}}, []),
    ],
    ids=["sessions left", "lowered below what is used", "amended", "its days are over", "void"],
)
def test_alerts_follow_the_authorization(
    caller: httpx.Client, limits: Fields, units: int, then: Fields, expected: list[str]
) -> None:
    """In whatever way it comes about, or is not so any more."""
    push(caller, limits=limits)
    line = {**claim_body()["lines"][0], "units": str(units), "unit": limits["unit"]}
    caller.post("/adjudicate", json=claim_body(lines=[line]))
    assert then == {} or len(kinds(caller)) <= 1
    if then:
        push(caller, version=2, **{"limits": limits, **then})

    assert kinds(caller) == expected


def test_a_dismissed_alert_stays_so_until_it_is_news_again(caller: httpx.Client) -> None:
    """Whoever dismisses says why; with a higher limit the same is another alert."""
    push(caller)
    use(caller, 18)
    (alert,) = alerts(caller)
    path = f"/alerts/{alert['alert_id']}/dismiss"

    assert caller.post(path, json={}).status_code == 422
    done = caller.post(path, json={"reason": "a renewal is asked for"})
    twice = caller.post(path, json={"reason": "again"})
    nobody = caller.post(f"/alerts/{'0' * 24}/dismiss", json={"reason": "x"})

    assert (done.status_code, twice.status_code, nobody.status_code) == (200, 409, 404)
    assert (done.json()["state"], done.json()["why"]) == ("dismissed", "a renewal is asked for")
    use(caller, 1, "C2")
    assert kinds(caller) == []
    assert kinds(caller, state="dismissed") == ["used"]
    push(caller, version=2, limits={"units": "22", "unit": "UN"})
    use(caller, 1, "C3")
    (other,) = alerts(caller)
    assert other["alert_id"] != alert["alert_id"]
    caller.post("/claims/C1/reverse", json={"reason": "a test"})
    gone = caller.post(f"/alerts/{other['alert_id']}/dismiss", json={"reason": "x"})
    assert (gone.status_code, kinds(caller, state="over")) == (409, ["used"])


def test_what_is_not_a_filter_is_refused(caller: httpx.Client) -> None:
    """With the place."""
    wrong = [{"kind": "other"}, {"state": "gone"}, {"size": "0"}, {"after": "x"}]
    assert [caller.get("/alerts", params=each).status_code for each in wrong] == [422] * 4


def test_alerts_of_days_are_found_once_by_all_workers(ground: Ground, service: Service) -> None:
    """Two look at once, and again: what ends in a month, is pended, is to be asked for."""
    key = service.keys.pop()
    payer = key.replace("key", "payer")
    with client_of(service.url, key) as caller:
        push(caller, "E1", effective={"from": "2026-01-01", "to": day(20)})
        push(caller, "E2", effective={"from": "2026-01-01", "to": day(40)})
        push(caller, "E3", effective={"from": "2026-01-01", "to": day(-1)})
        push(
            caller, "E4", effective={"from": "2026-01-01", "to": day(20)}, decision={"action": "A3"}
        )
        pended: Any = {"decision": {"action": "A4"}}
        push(caller, "P1", **pended, received_at=f"{day(-9)}T10:00:00Z")
        push(caller, "P2", **pended, attached={"follow_up_on": day(0)})
        push(caller, "P3", **pended)
        soon = f"{datetime.now(UTC) - timedelta(hours=60):%Y-%m-%dT%H:%M:%SZ}"
        push(caller, "P4", **pended, received_at=soon, urgency="U")

        async def look(stores: Stores) -> list[int]:
            async with ground.stores() as others:
                both = [each.alerts.evaluating.look(payer) for each in (stores, others)]
                found = await asyncio.gather(*both)
            return [sum(found), await stores.alerts.evaluating.look(payer)]

        assert ground.run(look) == [5, 0]
        due = {("P1", "decision-due"), ("P4", "decision-due")}
        told = {(each["authorization_id"], each["kind"]) for each in alerts(caller)}
        assert told == {("E1", "ending"), ("P1", "pended"), ("P2", "follow-up")} | due
        push(caller, "P1", version=2, effective=WIDE)
        push(caller, "E1", version=2, effective=WIDE)
        assert kinds(caller) == ["decision-due", "follow-up"]


def test_a_page_goes_on_by_its_cursor(caller: httpx.Client) -> None:
    """Each alert is on one page; those of another payer on none."""
    for number in range(5):
        push(caller, f"B{number}", member={"id": f"M{number}"})
        use(caller, 18, f"C{number}", member={"id": f"M{number}"})
    seen, after = [], None
    for _ in range(3):
        params = {"size": 2, **({"after": after} if after else {})}
        page = caller.get("/alerts", params=params).json()
        seen += [each["authorization_id"] for each in page["alerts"]]
        after = page["next"]

    assert sorted(seen) == [f"B{number}" for number in range(5)]
    assert (after, page["total"]) == (None, 5)


async def used_of_ten(stores: Stores, payer: str, used: Mapping[str, int]) -> None:
    """Authorizations of ten units each, of which so many are used, and nobody has looked yet."""
    given: Any = {"effective": WIDE, "limits": {"units": "10", "unit": "UN"}}
    await push_all(stores, payer, *(version_of(authorization_id=each, **given) for each in used))
    for name, units in used.items():
        await Mover(stores, payer).draw(f"C-{name}", units, of={name: bounds()})


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 500])
def test_what_moved_is_looked_at_in_parts_and_raised_once(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """However many at a time: those that are near are alerts, once; of nothing there is none."""
    monkeypatch.setattr("service.stores.alerts._evaluating.AT_ONCE", at_once)
    used = {"A1": 9, "A2": 1, "A3": 9, "A4": 9, "A5": 2, "A6": 9, "A7": 9}

    async def moved(stores: Stores) -> list[int]:
        await used_of_ten(stores, payer, used)
        parts: list[list[str]] = [[], ["A2"], list(used), list(used)]
        return [await stores.alerts.evaluating.moved(payer, each) for each in parts]

    assert ground.run(moved) == [0, 0, 5, 0]


def test_alerts_that_cannot_be_kept_are_a_fault_and_found_again(
    own: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While others are looked at, too: whoever asked is told, and the next look has all."""
    monkeypatch.setattr("service.stores.alerts._evaluating.AT_ONCE", 1)
    names = [f"A{number}" for number in range(6)]

    async def close(stores: Stores, is_closed: bool | None) -> None:
        await stores.elasticsearch.indices.put_settings(
            index=stores.indices.alerts, settings={"index.blocks.write": is_closed}
        )

    async def moved(stores: Stores) -> int:
        await used_of_ten(stores, payer, dict.fromkeys(names, 9))
        await close(stores, True)
        with pytest.raises(EngineFault):
            await stores.alerts.evaluating.moved(payer, names)
        await close(stores, None)
        return await stores.alerts.evaluating.moved(payer, names)

    assert own.run(moved) == len(names)
