"""Charges: what they need, what is valid for them, and that nothing of them is counted twice."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.adjudication.desk import Desk
from tests.adjudication.holdings import check_holdings
from tests.adjudication.test_versions_in_any_order import differences

Fields = dict[str, Any]

NEEDED: Fields = {"authorization_required": True}


def charge(name: str = "CH-1", units: int = 4, **said: Any) -> Fields:
    """A charge of some units of therapy in March."""
    usual = {"charge_id": name, "member": {"id": "M0001"}, "procedure": "97112"}
    usual |= {"from": "2026-03-12", "units": str(units), "unit": "UN", "benefit": NEEDED}
    return usual | said


def granted(desk: Desk, name: str = "A1", units: int = 10, **said: Any) -> None:
    """Push an authorization of so many units; it covers the usual charge."""
    limits = {"limits": {"units": str(units), "unit": "UN"}}
    pushed = desk.push(**{"authorization_id": name, "number": f"N-{name}", **limits, **said})
    assert pushed.is_success, pushed.text


def check(desk: Desk, asked: Fields, **params: Any) -> Fields:
    """What is said of a charge."""
    answer = desk.client().post("/charges/check", json=asked, params=params)
    assert answer.status_code == 200, answer.text
    found: Fields = answer.json()
    return found


def attach(desk: Desk, asked: Fields, to: str = "A1", **said: Any) -> Any:
    """Attach an authorization; its charge is among what is held."""
    desk.claims[f"charge:{asked['charge_id']}"] = None
    body = {"charge": asked, "authorization_id": to, **said}
    return desk.client().post("/charges/attach", json=body)


def detach(desk: Desk, name: str = "CH-1") -> Any:
    """Detach what is attached."""
    return desk.client().post(f"/charges/{name}/detach", json={})


def claim(
    desk: Desk, name: str = "C-1", units: int = 4, charges: Iterable[str] = (), **more: Any
) -> Any:
    """Adjudicate a claim that bills these charges."""
    line = {"units": units, "charge_ids": list(charges), "benefit": NEEDED}
    return desk.adjudicate(claim_id=name, line=line, authorization_numbers=[], **more)


def held(desk: Desk, name: str = "A1") -> tuple[str, str]:
    """What is used and reserved of it."""
    units = desk.accounts(name)[0]["units"]
    return units["used"], units["reserved"]


def shown(answer: Fields) -> dict[str, str | None]:
    """The authorizations in their order, each with why it is not valid."""
    return {each["authorization_id"]: each["reason"] for each in answer["authorizations"]}


def test_attaching_clears_what_is_required_and_takes_the_units_at_once(desk: Desk) -> None:
    """Seed 000, Validation: auth_required is cleared, used_units moves in the same step."""
    granted(desk)
    before = check(desk, charge())
    done = attach(desk, charge())
    after = check(desk, charge())

    assert (before["auth_required"], before["attached"]) == (True, None)
    assert done.status_code == 200, done.text
    assert done.json()["authorizations"][0]["number"] == "N-A1"
    assert after["auth_required"] is False
    assert after["attached"]["authorizations"] == [
        {"authorization_id": "A1", "number": "N-A1", "line": 1, "units": "4"}
    ]
    assert held(desk) == ("0", "4")
    again = attach(desk, charge())
    assert (again.status_code, again.json()["replayed"]) == (200, True)
    assert held(desk) == ("0", "4")
    # A charge that was changed is to be attached anew; that takes the place of what it had.
    assert check(desk, charge(units=6))["auth_required"] is True
    assert attach(desk, charge(units=6)).status_code == 200
    assert held(desk) == ("0", "6")
    check_holdings(desk)


def test_candidates_are_valid_for_the_day_the_most_left_first(desk: Desk) -> None:
    """Seed 000: active, within, used and units at most approved, the code covered or none named."""
    granted(desk, "LITTLE", 5)
    granted(desk, "MUCH", 30)
    granted(desk, "OPEN", 8, line={"procedure": None})
    granted(desk, "SHORT", 3)
    granted(desk, "SPENT", 0)
    granted(desk, "ENDED", effective={"from": "2026-01-01", "to": "2026-03-11"})
    granted(desk, "LATER", effective={"from": "2026-03-13", "to": "2026-12-31"})
    granted(desk, "DENIED", decision={"action": "A3"})
    granted(desk, "PENDED", decision={"action": "A4"})
    granted(desk, "OTHER", line={"procedure": {"from": "99213"}})
    granted(desk, "VISITS", limits={"units": "9", "unit": "DA"})
    granted(desk, "REFERS", kind="referral")
    granted(desk, "GONE")
    desk.withdraw("GONE", 2)
    granted(desk, "OURS", member={"id": "M0099"})

    valid, everything = check(desk, charge()), check(desk, charge(), show_all=True)

    assert list(shown(valid)) == ["MUCH", "OPEN", "LITTLE"]
    assert [each["remaining"] for each in valid["authorizations"]] == ["30", "8", "5"]
    assert shown(everything) == {
        **{"MUCH": None, "OPEN": None, "LITTLE": None},
        **{"SHORT": "units_exceeded", "SPENT": "exhausted", "ENDED": "expired"},
        **{"LATER": "upcoming", "DENIED": "denied", "PENDED": "pending", "OTHER": "code"},
        **{"VISITS": "unit_kinds", "REFERS": "kind", "GONE": "void"},
    }
    assert all(each["why"] for each in everything["authorizations"] if each["reason"])
    refused = {
        name: attach(desk, charge(), name).status_code
        for name, why in shown(everything).items()
        if why is not None
    }
    assert set(refused.values()) <= {409, 422}, refused
    assert attach(desk, charge(), "OURS").status_code == 422
    assert attach(desk, charge(), "NOBODY").status_code == 422


def test_used_above_approved_says_what_to_reverse_and_what_to_amend(desk: Desk) -> None:
    """Seed 000, Troubleshooting: a prior claim consumed too many."""
    granted(desk, units=10)
    claim(desk, units=9)
    granted(desk, units=6, version=2)

    refused = attach(desk, charge(units=2))
    (told,) = check(desk, charge(units=2), show_all=True)["authorizations"]

    assert refused.status_code == 409
    for said in ("9 are used", "2 are asked for", "amended to 11", "reverse one of C-1 (9 used)"):
        assert said in refused.json()["detail"]
    assert told["short"] == [{"account": "H", "measure": "units", "wanted": "2", "amend_to": "11"}]
    assert told["reverse"] == [{"claim_id": "C-1", "status": "used", "units": "9"}]
    assert told["remaining"] == "-3"
    granted(desk, units=11, version=3)
    assert attach(desk, charge(units=2)).status_code == 200


@pytest.mark.parametrize(
    ("charges", "is_attached", "expected"),
    [
        (["CH-1"], True, ("4", "0")),
        (["CH-1"], False, ("4", "0")),
        ([], True, ("4", "4")),
        (["CH-9"], True, ("4", "4")),
    ],
)
def test_the_claim_that_names_a_charge_takes_its_place(
    desk: Desk, charges: list[str], is_attached: bool, expected: tuple[str, str]
) -> None:
    """In one step: the last units are the charge's, and its claim has them."""
    granted(desk, units=8 if expected[1] != "0" else 4)
    if is_attached:
        attach(desk, charge())
    done = claim(desk, charges=charges).json()

    assert done["lines"][0]["disposition"] == "pay"
    assert held(desk) == expected
    returned = [each["of"] for each in done.get("returned", ())]
    assert returned == (["charge"] if charges == ["CH-1"] and is_attached else [])
    assert claim(desk, charges=charges).json()["replayed"] is True
    assert held(desk) == expected
    if charges == ["CH-1"]:
        # An attachment that comes later than its claim does not count a second time.
        assert attach(desk, charge()).status_code == 409
        assert detach(desk).status_code == 409
        assert check(desk, charge())["attached"]["billed_by"] == ["C-1"]
        history = desk.read("/claims/charge:CH-1/history")["entries"]
        assert history[0]["claim_id"] == "C-1"
    check_holdings(desk)
    assert differences(desk) == []


@pytest.mark.parametrize("step", ["reverse", "void", "replaced"])
def test_a_claim_that_is_undone_gives_back_and_revives_no_charge(desk: Desk, step: str) -> None:
    """Then the charge may be attached anew."""
    granted(desk)
    attach(desk, charge())
    claim(desk, charges=["CH-1"])
    if step == "reverse":
        desk.change("reverse", "C-1")
    elif step == "void":
        claim(desk, "C-2", frequency="8", original_claim_id="C-1", charges=["CH-1"])
    else:
        claim(desk, "C-2", 3, frequency="7", original_claim_id="C-1", charges=["CH-1"])
    expected = ("3", "0") if step == "replaced" else ("0", "0")

    assert held(desk) == expected
    if step == "replaced":
        assert check(desk, charge())["attached"]["billed_by"] == ["C-2"]
        assert attach(desk, charge()).status_code == 409
        desk.change("reverse", "C-2")
    assert check(desk, charge())["auth_required"] is True
    assert attach(desk, charge()).status_code == 200
    assert held(desk) == ("0", "4")
    check_holdings(desk)
    assert differences(desk) == []


def test_a_charge_that_is_detached_gives_its_units_back(desk: Desk) -> None:
    """As often as it is said; what was never attached is not known, and not yet billed."""
    granted(desk)
    assert detach(desk).status_code == 404
    attach(desk, charge(), by="clerk 7", reason="agreed")
    first, again = detach(desk), detach(desk)

    assert (first.json()["changed"], again.json()["changed"]) == (True, False)
    assert held(desk) == ("0", "0")
    assert check(desk, charge())["auth_required"] is True
    kinds = [each["kind"] for each in desk.read("/authorizations/A1/ledger")["entries"]]
    assert kinds == ["detach", "attach"]
    assert attach(desk, charge()).json()["replayed"] is False
    assert held(desk) == ("0", "4")


def test_units_are_utilized_by_claims_and_not_by_charges(desk: Desk) -> None:
    """PDex: what a charge reserves is not used; the claim's is, as soon as it was adjudicated."""
    granted(desk)

    def utilized() -> Any:
        (total,) = [
            each
            for each in desk.read("/fhir/ClaimResponse/A1")["total"]
            if each["category"]["coding"][0]["code"] == "utilized"
        ]
        return total["extension"][0]["valueQuantity"]["value"]

    attach(desk, charge())
    before = utilized()
    claim(desk, units=3, charges=["CH-1"])

    assert (before, utilized()) == (0, 3)
    (steps,) = [
        [step["units"] for step in each["steps"]]
        for each in desk.read("/authorizations/A1/utilization", by="week")["accounts"]
        if each["account"] == "H"
    ]
    assert steps == ["3"]


def test_a_charge_that_needs_nothing_gets_nothing(desk: Desk) -> None:
    """And one whose authorization ended in the middle needs another (seed 000)."""
    granted(desk)
    free = charge(benefit={"authorization_required": False})

    assert check(desk, free)["auth_required"] is False
    assert attach(desk, free).status_code == 422
    both = charge(benefit={"requested_type": "authorization_and_referral"})
    assert "Referral" in attach(desk, both).json()["detail"]
    late: Fields = {**charge(), "from": "2026-05-30", "to": "2026-06-02"}
    assert shown(check(desk, late, show_all=True)) == {"A1": "expired"}
    assert attach(desk, late).status_code == 409
    assert held(desk) == ("0", "0")


def test_ids_of_charges_are_no_claims_ids(desk: Desk) -> None:
    """Nor may two people have the same charge."""
    granted(desk)
    granted(desk, "A2", member={"id": "M0002"})
    attach(desk, charge())

    assert desk.adjudicate(claim_id="charge:CH-1").status_code == 422
    assert attach(desk, charge(member={"id": "M0002"}), "A2").status_code == 409
    other = claim(desk, charges=["CH-1"], member={"id": "M0002"}).json()
    assert other["lines"][0]["disposition"] == "pay"
    assert (held(desk), held(desk, "A2")) == (("0", "4"), ("4", "0"))
    assert desk.client().get("/claims/charge:CH-9").status_code == 404


STEPS = st.one_of(
    st.tuples(st.just("attach"), st.sampled_from("ab"), st.integers(1, 5)),
    st.tuples(st.just("detach"), st.sampled_from("ab"), st.just(0)),
    st.tuples(st.just("check"), st.sampled_from("ab"), st.integers(1, 5)),
    st.tuples(st.just("claim"), st.sampled_from(["x:a", "y:ab", "z:", "y:ab"]), st.integers(1, 5)),
    st.tuples(st.just("reverse"), st.sampled_from("xyz"), st.just(0)),
    st.tuples(st.just("readjudicate"), st.sampled_from(["x:a", "y:ab"]), st.integers(1, 5)),
)


class Model:
    """What charges and claims hold of ten units, by a second arithmetic."""

    def __init__(self, desk: Desk, number: int) -> None:
        self.desk, self.name, self.number = desk, f"A{number}", number
        self.held: dict[str, int] = {}
        self.used: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        self.billed: dict[str, set[str]] = {"a": set(), "b": set()}
        granted(desk, self.name, member={"id": f"M{number}"})

    @property
    def free(self) -> int:
        """What is left."""
        return 10 - sum(self.held.values()) - sum(self.used.values())

    def charge(self, which: str, units: int) -> Fields:
        """A charge of this round."""
        return charge(f"{which}-{self.number}", units, member={"id": f"M{self.number}"})

    def attach(self, which: str, units: int) -> None:
        """All of it, or nothing; not while a claim that billed it holds something."""
        may = self.free + self.held.get(which, 0) >= units
        may = may and not any(self.used.get(each) for each in self.billed[which])
        answer = attach(self.desk, self.charge(which, units), self.name)
        assert answer.status_code == (200 if may else 409), answer.text
        if may:
            self.held[which] = units

    def check(self, which: str, units: int) -> None:
        """It says what attaching would do, and moves nothing."""
        valid = shown(check(self.desk, self.charge(which, units)))
        assert bool(valid) == (self.free + self.held.get(which, 0) >= units)

    def detach(self, which: str, _: int) -> None:
        """Gives back."""
        answer = detach(self.desk, f"{which}-{self.number}")
        assert answer.status_code in (200, 404, 409)
        self.held.pop(which, None)

    def claim(self, named: str, units: int, **switches: Any) -> None:
        """Takes the place of its charges, and draws what is left; the same again is a replay."""
        which, _, charges = named.partition(":")
        units = self.sent.setdefault(which, units)
        if which in self.billed_once and not switches:
            expected = self.used.get(which, 0)
        else:
            self.used.pop(which, None)
            for each in charges:
                self.held.pop(each, None)
                self.billed[each].add(which)
            expected = self.used[which] = min(self.free, units)
        answer = claim(
            self.desk,
            f"{which}-{self.number}",
            units,
            [f"{each}-{self.number}" for each in charges],
            member={"id": f"M{self.number}"},
            **switches,
        )
        assert answer.status_code == 200, answer.text
        self.used[which] = expected

    @property
    def billed_once(self) -> set[str]:
        """The claims that were sent."""
        return set(self.used)

    def readjudicate(self, named: str, units: int) -> None:
        """Runs a claim again."""
        self.claim(named, units, readjudicate=True)

    def reverse(self, which: str, _: int) -> None:
        """Gives back, and revives nothing."""
        self.desk.change("reverse", f"{which}-{self.number}")
        if which in self.used:
            self.used[which] = 0


@pytest.fixture
def rounds() -> Any:
    """The number of a round: each has an authorization and a member of its own."""
    return iter(range(1, 10_000))


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=12))
def test_no_order_of_steps_loses_or_doubles_units(desk: Desk, rounds: Any, steps: Any) -> None:
    """Used and reserved are what claims and charges hold, whatever came, and how often."""
    model = Model(desk, next(rounds))
    for step, which, units in steps:
        getattr(model, step)(which, units)
        used, reserved = sum(model.used.values()), sum(model.held.values())
        assert held(desk, model.name) == (str(used), str(reserved)), steps
    assert differences(desk) == []
