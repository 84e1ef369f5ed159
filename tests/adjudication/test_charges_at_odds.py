"""Charges where something else happens to them, their authorization, or at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.adjudication.desk import Desk
from tests.adjudication.holdings import check_holdings
from tests.adjudication.test_charges import (
    NEEDED,
    attach,
    charge,
    check,
    claim,
    detach,
    granted,
    held,
)
from tests.adjudication.test_versions_in_any_order import differences
from tests.api.bodies import claim_body


@pytest.mark.parametrize("step", ["finalize", "release", "reverse", "adjust"])
def test_no_step_of_a_claim_is_taken_with_a_charge(desk: Desk, step: str) -> None:
    """Else it would hold what nobody attached, and a check would not see it."""
    granted(desk)
    attach(desk, charge())
    lines = {"lines": [{"line": 1, "units": "2"}]} if step == "adjust" else {}

    refused = desk.change(step, "charge:CH-1", **lines)

    assert refused.status_code == 409
    assert "this is a charge" in refused.json()["detail"]
    assert held(desk) == ("0", "4")


@pytest.mark.parametrize("frequency", ["7", "8"])
def test_no_claim_replaces_or_voids_a_charge(desk: Desk, frequency: str) -> None:
    """It would be replaced for ever, and could not be attached any more."""
    granted(desk)
    attach(desk, charge())

    refused = claim(desk, "C-2", frequency=frequency, original_claim_id="charge:CH-1")

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "/original_claim_id"
    assert held(desk) == ("0", "4")
    assert attach(desk, charge(units=5)).status_code == 200


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ({"decision": {"action": "A3"}}, "it is denied"),
        ({"decision": {"action": "A4"}}, "it is not decided"),
        ({"effective": {"from": "2026-04-01", "to": "2026-05-01"}}, "begins after the service"),
        ({"units": 3}, "amended to 4"),
        ({"line": {"procedure": {"from": "99213"}}}, "does not cover the code"),
        (None, "no authorization in force"),
    ],
)
def test_what_is_attached_clears_only_while_it_is_valid(
    desk: Desk, version: dict[str, Any] | None, said: str
) -> None:
    """Seed 000: an active, valid authorization is attached. The units stay held until detached."""
    granted(desk)
    attach(desk, charge())
    assert check(desk, charge())["attached"]["valid"] is True
    if version is None:
        desk.withdraw("A1", 2)
    else:
        granted(desk, **{"version": 2, **version})

    found, again = check(desk, charge()), attach(desk, charge())

    assert (found["auth_required"], found["attached"]["valid"]) == (True, False)
    assert again.status_code == (422 if version is None else 409)
    assert said in again.json()["detail"]
    assert held(desk) == ("0", "4")
    granted(desk, "A2")
    assert attach(desk, charge(), "A2").status_code == 200
    assert check(desk, charge())["auth_required"] is False
    assert (held(desk), held(desk, "A2")) == (("0", "0"), ("0", "4"))
    check_holdings(desk)
    assert differences(desk) == []


def test_a_charge_whose_claim_was_reversed_holds_nothing_to_detach(desk: Desk) -> None:
    """There is no claim left to reverse."""
    granted(desk)
    attach(desk, charge())
    claim(desk, charges=["CH-1"])
    assert "billed by C-1: reverse that claim" in detach(desk).json()["detail"]
    desk.change("reverse", "C-1")

    done = detach(desk)

    assert (done.status_code, done.json()["changed"]) == (200, False)


OTHER: dict[str, Any] = {"member": {"id": "M0002"}}


def test_a_charge_of_another_member_is_not_looked_at(desk: Desk) -> None:
    """What is attached to it is not told, and a claim that names it takes nothing from it."""
    granted(desk)
    granted(desk, "A2", **OTHER)
    attach(desk, charge(**OTHER), "A2")

    found, refused = check(desk, charge()), attach(desk, charge())
    claim(desk, charges=["CH-1"])

    assert (found["auth_required"], found["attached"]) == (True, None)
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["path"] == "/charge/charge_id"
    assert "another member" in refused.json()["detail"]
    assert (held(desk), held(desk, "A2")) == (("4", "0"), ("0", "4"))
    detach(desk)
    assert attach(desk, charge()).status_code == 409
    check_holdings(desk)
    assert differences(desk) == []


def test_a_claim_that_names_a_charge_by_mistake_keeps_it_from_nobody(desk: Desk) -> None:
    """A charge is that of the member for whom it is attached; claims of others do not bill it."""
    granted(desk, units=20)
    granted(desk, "A2", **OTHER)
    claim(desk, "C-9", charges=["CH-1"], **OTHER)
    assert (check(desk, charge())["attached"], held(desk, "A2")) == (None, ("4", "0"))
    claim(desk, "C-1", charges=["CH-1"])
    assert check(desk, charge())["attached"]["billed_by"] == ["C-1"]
    assert check(desk, charge(**OTHER))["attached"]["billed_by"] == ["C-9"]
    refused = attach(desk, charge())
    assert (refused.status_code, "C-9" in refused.text) == (409, False)
    desk.change("reverse", "C-1")

    assert attach(desk, charge()).status_code == 200

    assert (held(desk), held(desk, "A2")) == (("0", "4"), ("4", "0"))
    assert check(desk, charge())["auth_required"] is False
    check_holdings(desk)
    assert differences(desk) == []
    claim(desk, "C-9", charges=["CH-1"], version=2, **OTHER)
    assert (held(desk), held(desk, "A2")) == (("0", "4"), ("4", "0"))
    claim(desk, "C-2", charges=["CH-1"])
    assert held(desk) == ("4", "0")
    assert check(desk, charge())["attached"]["billed_by"] == ["C-2"]
    check_holdings(desk)
    assert differences(desk) == []


def test_members_who_name_or_attach_one_charge_at_once(desk: Desk) -> None:
    """It is attached for one of them at most, and nothing is counted twice."""
    granted(desk, units=100)
    granted(desk, "A2", 100, **OTHER)

    def step(which: int) -> int:
        own, other = {0: {}, 1: OTHER}[which % 2], which // 2
        if which < 16:
            return int(claim(desk, f"C-{which}", 1, charges=["CH-1"], **own).status_code)
        return int(attach(desk, charge(units=other, **own), f"A{which % 2 + 1}").status_code)

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(step, range(20))) <= {200, 409}
    assert (held(desk)[0], held(desk, "A2")[0]) == ("8", "8")
    assert "0" in (held(desk)[1], held(desk, "A2")[1])
    check_holdings(desk)
    assert differences(desk) == []


@pytest.mark.parametrize(
    ("named", "left"), [(["CH-1"], "10"), ([], "6"), (["CH-9"], "6"), (["CH-1", "CH-9"], "10")]
)
def test_a_match_shows_what_an_adjudication_would_find(
    desk: Desk, named: list[str], left: str
) -> None:
    """What the charges hold that the claim names is free for it, and nothing is moved."""
    granted(desk)
    attach(desk, charge())
    asked = claim_body(claim_id="C-1", authorization_numbers=[])
    asked["lines"][0] |= {"charge_ids": named, "units": "9", "benefit": NEEDED}

    answer = desk.client().post("/match", json=asked, params={"balances": True})

    ((balance,),) = [
        candidate["balances"]
        for result in answer.json()["lines"][0]["results"]
        for candidate in result["candidates"]
    ]
    assert balance["remaining"] == left
    assert held(desk) == ("0", "4")
    done = claim(desk, units=9, charges=named).json()["lines"][0]
    assert done["disposition"] == ("pay" if left == "10" else "cut_back")


def test_what_a_claim_replaces_is_free_in_its_match(desk: Desk) -> None:
    """As when it is adjudicated; so is what it holds itself. Of another's claim nothing is."""
    granted(desk)
    claim(desk, units=7)
    for name, of, left in (("C-2", "C-1", "10"), ("C-1", "C-1", "10"), ("C-2", "C-8", "3")):
        asked = claim_body(claim_id=name, frequency="7", original_claim_id=of)
        answer = desk.client().post("/match", json=asked, params={"balances": True})
        results = answer.json()["lines"][0]["results"]
        found = [each["balances"][0] for one in results for each in one["candidates"]]
        assert [each["remaining"] for each in found] == [left]
    granted(desk, "A2", **OTHER)
    asked = claim_body(claim_id="C-1", frequency="7", original_claim_id="C-1", **OTHER)
    answer = desk.client().post("/match", json=asked, params={"balances": True})
    results = answer.json()["lines"][0]["results"]
    found = [each["balances"][0] for one in results for each in one["candidates"]]
    assert [(each["used"], each["remaining"]) for each in found] == [("0", "10")]


def test_the_number_of_what_is_attached_is_put_on_its_claim(desk: Desk) -> None:
    """Its last units are those of the charge, and so of the claim that names it."""
    granted(desk, units=4)
    granted(desk, "A2", units=9, certification_date="2026-03-31")
    attach(desk, charge())
    asked = claim_body(claim_id="C-1", authorization_numbers=[])
    asked["lines"][0] |= {"charge_ids": ["CH-1"], "units": "4", "benefit": NEEDED}

    told = desk.client().post("/claims/populate", json=asked).json()["numbers"]

    done = claim(desk, charges=["CH-1"]).json()["lines"][0]["adjudicated_authorizations"]
    assert [each["authorization_id"] for each in done] == [told[0]["authorization_id"]] == ["A1"]


@pytest.mark.parametrize("path", ["check", "attach"])
@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"units": "0"}, "/units"),
        ({"units": "0.000"}, "/units"),
        ({"charge_id": "."}, "/charge_id"),
        ({"charge_id": ".."}, "/charge_id"),
    ],
)
def test_what_cannot_be_attached_is_no_charge(
    desk: Desk, path: str, wrong: dict[str, Any], place: str
) -> None:
    """Nothing would be reserved; an address that ends in a dot or two is another one."""
    asked = charge() | wrong
    body = asked if path == "check" else {"charge": asked, "authorization_id": "A1"}
    refused = desk.client().post(f"/charges/{path}", json=body)
    assert refused.status_code == 422
    at = f"/charge{place}" if path == "attach" else place
    assert [each["path"] for each in refused.json()["errors"]] == [at]


@pytest.mark.parametrize("name", ["...", ".a", "a.", "-", ".-."])
def test_other_names_with_dots_are_detached(desk: Desk, name: str) -> None:
    """Only a dot or two alone are left out of an address."""
    granted(desk)
    assert attach(desk, charge(name)).status_code == 200
    assert detach(desk, name).json()["changed"] is True


def test_what_a_charge_holds_itself_is_none_to_reverse(desk: Desk) -> None:
    """Its own units are free for it."""
    granted(desk)
    attach(desk, charge(units=6))
    granted(desk, units=4, version=2)

    refused = attach(desk, charge(units=5)).json()["detail"]

    assert "amended to 5" in refused
    assert "charge:CH-1" not in refused


def test_many_claims_may_name_one_charge_at_once(desk: Desk) -> None:
    """The first takes its units; that the others billed it, too, is in nobody's way."""
    granted(desk, units=30)
    attach(desk, charge())
    with ThreadPoolExecutor(24) as pool:
        names = [f"C-{number}" for number in range(24)]
        answers = pool.map(lambda name: claim(desk, name, 1, charges=["CH-1"]), names)

        assert {each.status_code for each in answers} == {200}
    assert held(desk) == ("24", "0")
    assert len(check(desk, charge())["attached"]["billed_by"]) == 24
    check_holdings(desk)
    assert differences(desk) == []


def test_a_charge_is_never_held_beside_the_claim_that_bills_it(desk: Desk) -> None:
    """Whichever comes first, at the same moment."""
    granted(desk, units=100)
    for number in range(6):
        name = f"CH-{number}"

        def step(which: int, name: str = name, number: int = number) -> int:
            if which == 2:
                done = claim(desk, f"C-{number}", 4, charges=[name])
            else:
                done = attach(desk, charge(name, which + 1))
            return int(done.status_code)

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(step, range(4))) <= {200, 409}
        assert held(desk) == (f"{4 * (number + 1)}", "0")
    check_holdings(desk)
    assert differences(desk) == []


def test_a_charge_stays_attached_where_its_member_is_merged(desk: Desk) -> None:
    """It is the same charge under any id of the person."""
    granted(desk)
    attach(desk, charge(), reason="agreed")
    asked = {"into": "M0001", "by": "nurse", "reason": "one person"}
    merged = desk.client().post("/members/M0009/merge", json=asked)
    assert merged.status_code == 200, merged.text

    for name in ("M0001", "M0009"):
        again = charge(member={"id": name})
        found = check(desk, again)
        assert (found["auth_required"], found["attached"]["same"]) == (False, True)
        assert attach(desk, again).json()["replayed"] is True
    assert held(desk) == ("0", "4")
    claim(desk, charges=["CH-1"], member={"id": "M0009"})
    assert held(desk) == ("4", "0")
    check_holdings(desk)
