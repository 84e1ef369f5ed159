"""Whatever versions come, in whatever order, beside claims: no unit is lost or doubled."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from service.application.parts import Stores
from tests.adjudication.desk import Desk
from tests.adjudication.holdings import check_holdings
from tests.ground import seeds

Fields = dict[str, Any]

YEAR = {"from": "2026-01-01", "to": "2026-06-30"}
SERVICES = ("97110", "97140", "97530")
DAYS = ("2026-02-10", "2026-03-10", "2026-04-10")


def units(count: int, unit: str = "UN", **more: Any) -> Fields:
    """Limits of a line, so wide that nothing is cut back."""
    return {"limits": {"units": str(count), "unit": unit, **more}}


def line(code: str, limits: Fields, **days: str) -> Fields:
    """A line of an authorization."""
    return {"procedure": {"from": code}, **limits} | ({"effective": days} if days else {})


WEEKLY: Fields = {"per": {"count": "90", "period": "week"}}
MONTHLY: Fields = {"renewal": {"reference": "calendar", "period": 1, "unit": "month"}}
VERSIONS: tuple[Fields, ...] = (
    {"lines": [line(code, units(100)) for code in SERVICES]},
    {"lines": [line(code, units(100)) for code in reversed(SERVICES)]},
    {"lines": [line(code, units(100, "HS")) for code in SERVICES]},
    {"lines": [line(code, units(100, **WEEKLY)) for code in (*SERVICES[1:], SERVICES[0])]},
    {
        "lines": [
            *(line(code, units(100, **MONTHLY)) for code in SERVICES[1:]),
            line(SERVICES[0], units(100), **{"from": "2026-03-01", "to": "2026-06-30"}),
            line(SERVICES[0], units(100), **{"from": "2026-01-01", "to": "2026-02-28"}),
        ]
    },
    {
        "certification_type": "4",
        "effective": {"from": "2026-07-01", "to": "2026-07-31"},
        "lines": [line(SERVICES[0], units(10)), line("97112", units(10))],
    },
    {"lines": [line(SERVICES[2], units(100, service_days="60")), line(SERVICES[0], units(100))]},
    {
        "certification_type": "4",
        "effective": {"from": "2026-08-01", "to": "2026-08-31"},
        "lines": [line(SERVICES[1], units(10))],
    },
)


def push(desk: Desk, number: int) -> None:
    """Push the version of this number."""
    answer = desk.push(
        authorization_id="A1", version=number + 1, **{"effective": YEAR, **VERSIONS[number]}
    )
    assert answer.is_success, answer.text


def claims(desk: Desk, chance: random.Random, names: Iterator[int]) -> None:
    """Adjudicate a few claims, and reverse one of those before."""
    for _ in range(2):
        lines = [
            {"procedure": code, "from": day, "to": day, "units": str(chance.randint(1, 4))}
            for code, day in zip(chance.sample(SERVICES, 2), chance.sample(DAYS, 2), strict=True)
        ]
        made: Fields = {"claim_id": f"C-{next(names)}", "authorization_numbers": [], "lines": lines}
        assert desk.adjudicate(**made).is_success
    if chance.random() < 0.4:
        desk.change("reverse", chance.choice(sorted(desk.claims)))


def balances(desk: Desk) -> dict[str, tuple[str, str]]:
    """What is used of each account on which anything is."""
    return {
        each["account"]: (each["units"]["used"], each["amount"]["used"])
        for each in desk.accounts("A1")
        if Decimal(each["units"]["used"]) and not each["ended_on"]
    }


def differences(desk: Desk) -> list[Any]:
    """What reconcile finds."""
    found: list[Any] = []

    async def run(stores: Stores) -> None:
        found.extend((await stores.reconciliation.run([desk.payer])).differences)

    desk.ground.run(run)
    return found


@pytest.mark.parametrize("seed", seeds(1, 14))
def test_no_order_of_versions_loses_or_doubles_use(desk: Desk, seed: int) -> None:
    """Orders, measures, splits, extensions, repeated and late; accounts are what claims hold."""
    chance = random.Random(seed)
    names = iter(range(1, 100))
    order = list(range(len(VERSIONS)))
    chance.shuffle(order)
    for number in order:
        push(desk, number)
        claims(desk, chance, names)
    for number in chance.sample(order, 2):  # sent again
        push(desk, number)
    check_holdings(desk)
    assert differences(desk) == []
    stands = balances(desk)

    # The last version once more, under a newer number, counts the same from what claims hold.
    body = desk.read("/authorizations/A1")
    source = body["authorization"] | {"version": 99, "certification_type": None}
    source["lines"] = list(reversed(source["lines"]))
    assert desk.client().put("/authorizations/A1", json=source).is_success
    source |= {"version": 100, "lines": list(reversed(source["lines"]))}
    assert desk.client().put("/authorizations/A1", json=source).is_success
    assert balances(desk) == stands
    check_holdings(desk)
    assert differences(desk) == []


def test_claims_beside_pushes_draw_no_more_than_was_granted(desk: Desk) -> None:
    """Lines change places all the time, while many want the last units."""
    lines = [line("97110", units(12)), line("97140", units(5))]

    def pushed(version: int) -> httpx.Response:
        mine = lines if version % 2 else lines[::-1]
        return desk.push(authorization_id="A1", version=version, effective=YEAR, lines=mine)

    def claimed(number: int) -> httpx.Response:
        wanted = [
            {"procedure": code, "from": "2026-03-10", "to": "2026-03-10", "units": "1"}
            for code in ("97110", "97140")
        ]
        return desk.adjudicate(claim_id=f"C-{number}", authorization_numbers=[], lines=wanted)

    assert pushed(1).is_success
    with ThreadPoolExecutor(6) as pool:
        pushes = pool.submit(lambda: [pushed(version) for version in range(2, 12)])
        answers = list(pool.map(claimed, range(24)))
        assert all(each.is_success for each in pushes.result())
    answered = [each.json() for each in answers if each.is_success]
    for place, most in ((0, 12), (1, 5)):
        paid = sum(Decimal(each["lines"][place]["approved"]["units"]) for each in answered)
        assert paid <= most
    used = {each["account"]: each["units"]["used"] for each in desk.accounts("A1")}
    assert (used["L1"], used["L2"]) == ("12", "5")
    check_holdings(desk)
    assert differences(desk) == []


def test_what_was_corrected_by_hand_goes_with_its_service(desk: Desk) -> None:
    """To another line and number, in another unit, and back; what claims hold goes with it."""
    first, second = line("97110", units(12)), line("97140", units(5))
    desk.push(authorization_id="A1", effective=YEAR, lines=[first, second])
    for number, (account, count) in enumerate((("L1", "6"), ("L2", "3"), ("L1", "-2"))):
        told = {"correction_id": f"K{number}", "account": account, "units": count, "reason": "so"}
        address = "/authorizations/A1/accumulators/corrections"
        assert desk.client().post(address, json=told).is_success
    body = {"procedure": "97110", "from": "2026-03-10", "to": "2026-03-10", "units": "4"}
    desk.adjudicate(claim_id="C-1", authorization_numbers=[], lines=[body])

    hours = line("97110", units(3, "HS"))
    for version, (lines, expected) in enumerate(
        (
            ([second, first], {"L1": "3", "L2": "8"}),
            ([second, hours], {"L1": "3", "L2": "2"}),
            ([second], {"L1": "3"}),
            ([hours, second], {"L1": "2", "L2": "3"}),
            ([first, second], {"L1": "8", "L2": "3"}),
        ),
        start=2,
    ):
        desk.push(authorization_id="A1", version=version, effective=YEAR, lines=lines)
        used = {name: each for name, (each, _) in balances(desk).items() if name != "H"}
        assert used == expected
        assert differences(desk) == []

    again: Fields = {
        "number": "N2",
        "supersedes": "A1",
        "effective": YEAR,
        "lines": [second, first],
    }
    desk.push(authorization_id="A2", **again)
    used = {each["account"]: each["units"]["used"] for each in desk.accounts("A2")}
    assert (used["L1"], used["L2"]) == ("3", "8")
    assert balances(desk) == {}
    assert differences(desk) == []


HOURS = line("97110", units(9, "HS"))
MANUAL = line("97140", units(9))


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (({"lines": [MANUAL]}, {"lines": [MANUAL, line("97110", units(99))]}), {"L2": "26"}),
        (({"lines": [], **units(9, "HS")},), {"H": "6.5"}),
        (({"lines": [], **units(9, "HS")}, {"lines": [HOURS]}), {"L1": "6.5"}),
        (({"certification_type": "4", "lines": [HOURS]},), {"L1": "6.5"}),
    ],
)
def test_an_opening_balance_is_never_granted_again(
    desk: Desk, versions: tuple[Fields, ...], expected: dict[str, str]
) -> None:
    """Six hours, beside two quarters of an hour that a claim drew."""
    desk.push(authorization_id="A1", version=1, effective=YEAR, lines=[HOURS, MANUAL])
    body = {"correction_id": "K1", "account": "L1", "units": "6", "reason": "opening"}
    path = "/authorizations/A1/accumulators/corrections"
    assert desk.client().post(path, json=body).status_code == 200
    sent = {"procedure": "97110", "from": DAYS[0], "to": DAYS[0], "units": "2"}
    desk.adjudicate(claim_id="C-1", authorization_numbers=[], lines=[sent])
    for number, fields in enumerate(versions, start=2):
        pushed = {"effective": YEAR, **fields, "authorization_id": "A1", "version": number}
        assert desk.push(**pushed).is_success

    stands = {each["account"]: each["units"]["used"] for each in desk.accounts("A1")}
    assert {name: stands[name] for name in expected} == expected
    assert differences(desk) == []
