"""The ledger is replayed by its own arithmetic, and what it says of itself is checked by that."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from service.accounting.replay.ledger import Replayed, entry_order
from service.accounting.replay.ledger_check import check_holdings
from service.accounting.replay.ledger_page import read_moves
from tests.accounting.replaying import replay

ONE = 3_000_000
Json = Any
Fields = dict[str, str]


def written(value: Json) -> str:
    """JSON as the scripts write it: without spaces."""
    return json.dumps(value, separators=(",", ":"))


def row(authorization: str = "A1", *debits: list[str]) -> dict[str, Json]:
    """A row of claim line 1."""
    return {"a": authorization, "l": 1, "d": list(debits or (debit(),))}


def debit(
    units: int = 4, amount: int = 0, account: str = "H", visits: str = "", days: str = ""
) -> list[str]:
    """What a row takes of an account, in whole units."""
    taken = "0" if visits else str(units * ONE)
    return [account, taken, str(amount * ONE), "0", "1", "1", visits, days]


def move(row: Mapping[str, Json], *balances: tuple[list[int], list[int]]) -> Json:
    """A row with the balances that each debit met and left, in whole units."""
    moved = [
        {"n": each[0], "b": [str(n * ONE) for n in before], "f": [str(n * ONE) for n in after]}
        for each, (before, after) in zip(row["d"], balances, strict=True)
    ]
    return {"row": row, "moved": moved}


def used(units: int, amount: int = 0, days: int = 0) -> list[int]:
    """Balances of which nothing is reserved."""
    return [units, 0, amount, 0, days, 0]


def reserved(units: int) -> list[int]:
    """Balances of units of which all are reserved."""
    return [0, units, 0, 0, 0, 0]


def draw(claim: str = "C1", **changes: Json) -> Fields:
    """An entry that draws 4 units of H of A1, of which 10 may be used."""
    fields = {
        "k": "apply",
        "c": claim,
        "v": "1",
        "oc": "",
        "os": "",
        "s": "used",
        "n": "1",
        "m": "7:x",
        "fp": "fp",
        "r": [move(row(), (used(0), used(4)))],
        "u": [],
        "o": [],
        "am": [{"a": "A1", "v": "1", "b": written([["H", str(10 * ONE), "", "", "UN"]])}],
        "q": [["A1", "1"]],
        "b": "",
    }
    return texts(fields | changes)


def change(**changes: Json) -> Fields:
    """An entry that makes C1 hold other rows."""
    fields = {
        "k": "reverse",
        "c": "C1",
        "v": "1",
        "n": "2",
        "s": "reversed",
        "m": "7:x",
        "r": [],
        "u": [],
    }
    return texts(fields | {"q": []} | changes)


def texts(fields: Mapping[str, Json]) -> Fields:
    """All fields as texts."""
    return {name: each if isinstance(each, str) else written(each) for name, each in fields.items()}


def books(*entries: Fields) -> Replayed:
    """Replay these entries."""
    return replay((f"{number}-0", each) for number, each in enumerate(entries, start=1))


def seen(replayed: Replayed) -> list[tuple[str, str, str, str]]:
    """The differences of a ledger, without where they were seen."""
    return [(each.what, each.field, each.expected, each.found) for each in replayed.differences]


UNDONE = move(row(), (used(4), used(0)))
REVERSAL = change(u=[UNDONE], q=[["A1", "2"]])


def test_a_draw_makes_accounts_and_a_claim() -> None:
    """Only what is more than nothing becomes a field."""
    made = books(draw())

    assert made.differences == []
    assert made.accounts == {
        "A1": {
            "id": "A1",
            "n": "1",
            "v": "1",
            "st": "open",
            "H.ul": str(10 * ONE),
            "H.k": "UN",
            "H.uu": str(4 * ONE),
        }
    }
    assert made.tokens == {}
    assert made.claims == {
        "C1": {
            "id": "C1",
            "m": "7:x",
            "n": "1",
            "v": "1",
            "s": "used",
            "mv": written([row()]),
            "fp:1": "fp",
            "e:1": "1-0",
        }
    }
    assert (made.last, made.count) == ("1-0", 1)


def test_what_was_given_back_stays_as_a_zero() -> None:
    """The claim keeps its version and holds nothing."""
    made = books(draw(), REVERSAL)

    assert made.differences == []
    assert made.accounts["A1"]["H.uu"] == "0"
    assert made.accounts["A1"]["n"] == "2"
    assert made.claims["C1"] | {"e:1": ""} == {
        **{"id": "C1", "m": "7:x", "n": "2", "v": "1", "s": "reversed", "mv": "[]"},
        **{"fp:1": "fp", "e:1": ""},
    }


def test_a_replacement_takes_the_place_of_its_original() -> None:
    """What the original had is drawn anew; without any change of balances no account changes."""
    made = books(
        draw(),
        draw("C2", oc="C1", on="2", om="7:x", os="replaced", o=[UNDONE], am=[], q=[]),
        draw("C3", oc="C-unknown", on="1", om="7:x", os="reversed", r=[], am=[], q=[]),
    )

    assert made.differences == []
    assert made.claims["C1"]["s"] == "replaced"
    assert made.claims["C1"]["by"] == "C2"
    assert made.claims["C1"]["mv"] == "[]"
    assert made.claims["C-unknown"] == {
        **{"m": "7:x", "n": "1", "s": "reversed", "mv": "[]", "by": "C3"}
    }
    assert made.accounts["A1"]["n"] == "1"
    assert made.claims["C2"]["mv"] == written([row()])


def test_what_was_reserved_becomes_used() -> None:
    """A change posts its rows in the new state."""
    made = books(
        draw(s="reserved", r=[move(row(), (used(0), reserved(4)))]),
        change(
            s="used",
            u=[move(row(), (reserved(4), used(0)))],
            r=[move(row(), (used(0), used(4)))],
            q=[["A1", "2"]],
        ),
    )

    assert made.differences == []
    assert made.accounts["A1"]["H.ur"] == "0"
    assert made.accounts["A1"]["H.uu"] == str(4 * ONE)


def test_the_rows_of_a_claim_are_kept_byte_by_byte() -> None:
    """Whatever the order of their keys, and the way a character is written."""
    text = r'[{"moved":[],"row":{"d":{},"a":"A\/1"}},{"row":{"a":"\u00e9","d":[]},"moved":{}}]'
    made = books(draw(r=text, am=[], q=[]))

    assert made.claims["C1"]["mv"] == r'[{"d":{},"a":"A\/1"},{"a":"\u00e9","d":[]}]'
    assert [each.row["a"] for each in read_moves(text)] == ["A/1", "é"]
    assert made.differences == []


def test_a_shared_visit_and_day_cost_once() -> None:
    """Used if anybody uses it, else reserved; it vanishes with the last who held it."""
    with_day = row("A1", debit(visits="V1", days="D1,D2"))
    first = draw(r=[move(with_day, (used(0), used(1, 0, 2)))])
    second = draw(
        "C2", s="reserved", am=[], q=[["A1", "2"]],
        r=[move(with_day, (used(1, 0, 2), used(1, 0, 2)))],
    )  # fmt: skip
    shared = books(first, second)
    reversed_ = change(u=[move(with_day, (used(1, 0, 2), [0, 1, 0, 0, 0, 2]))], q=[["A1", "3"]])
    released = change(
        c="C2", s="released", u=[move(with_day, ([0, 1, 0, 0, 0, 2], used(0)))], q=[["A1", "4"]]
    )
    left = books(first, second, reversed_)
    gone = books(first, second, reversed_, released)

    assert [each.differences for each in (shared, left, gone)] == [[], [], []]
    assert shared.tokens == {"A1": {"H|u|V1": "1:1", "H|d|D1": "1:1", "H|d|D2": "1:1"}}
    assert left.tokens["A1"]["H|u|V1"] == "0:1"
    assert left.accounts["A1"]["H.ur"] == str(ONE)
    assert gone.tokens == {}
    assert [check_holdings(each) for each in (shared, left, gone)] == [[], [], []]


def test_two_rows_of_one_entry_share_a_visit() -> None:
    """The second costs nothing."""
    visit = row("A1", debit(visits="V1"))
    made = books(draw(r=[move(visit, (used(0), used(1))), move(visit, (used(1), used(1)))]))

    assert made.differences == []
    assert made.tokens == {"A1": {"H|u|V1": "2:0"}}


def test_a_push_takes_limits_and_leaves_balances() -> None:
    """Also one that lowers a limit below what is used: then nothing grows any more."""
    lowered = {
        "k": "amend", "a": "A1", "v": "2", "q": [["A1", "2"]],
        "set": [["H.ul", str(2 * ONE)], ["L1.end", "2026-01-01"], ["n", "2"], ["v", "2"]],
        "del": ["H.k", "H.dl"],
    }  # fmt: skip
    again = draw(
        v="2", n="2", am=[], q=[["A1", "3"]], u=[UNDONE],
        r=[move(row("A1", debit(2)), (used(0), used(2)))],
    )  # fmt: skip
    made = books(draw(), texts(lowered), again)

    assert made.differences == []
    assert made.accounts["A1"] == {
        **{"id": "A1", "n": "3", "v": "2", "st": "open", "L1.end": "2026-01-01"},
        **{"H.ul": str(2 * ONE), "H.uu": str(2 * ONE)},
    }
    assert {"fp:1", "fp:2", "e:1", "e:2"} < set(made.claims["C1"])


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (
            [draw(r=[move(row(), (used(1), used(4)))])],
            ("authorization A1", "H b", written(["0"] * 6), written([str(ONE), *["0"] * 5])),
        ),
        (
            [draw(r=[move(row(), (used(0), used(5)))])],
            ("authorization A1", "H f", written([str(4 * ONE), *["0"] * 5]),
             written([str(5 * ONE), *["0"] * 5])),
        ),
        ([draw(q=[["A1", "2"]])], ("authorization A1", "sequence", "1", "2")),
        ([draw(q=[])], ("authorization A1", "sequence", "1", "null")),
        ([draw(q=[["A1", "1"], ["A2", "1"]])], ("authorization A2", "sequence", "null", "1")),
        ([draw(), change(u=[UNDONE], m="8:y", q=[["A1", "2"]])],
         ("claim C1", "m", "7:x", "8:y")),
        ([draw(), change(u=[UNDONE], v="3", q=[["A1", "2"]])], ("claim C1", "v", "1", "3")),
        ([draw(), change(s="used")], ("claim C1", "mv", written([row()]), "[]")),
        ([change(u=[UNDONE], v="1")], ("claim C1", "mv", "[]", written([row()]))),
        (
            [texts({"k": "amend", "a": "A1", "v": "1", "set": [["n", "4"]], "del": [],
                    "q": [["A1", "1"]]})],
            ("authorization A1", "n", "1", "4"),
        ),
        (
            [draw(r=[move(row("A1", debit(11)), (used(0), used(11)))])],
            ("authorization A1", "H.u", f"{10 * ONE} or less", str(11 * ONE)),
        ),
    ],
    ids=[
        "balance-before", "balance-after", "sequence", "change-not-numbered", "number-for-nothing",
        "owner", "version", "rows-not-given-back", "rows-that-nobody-had", "number-of-a-push",
        "more-than-the-limit",
    ],
)  # fmt: skip
def test_what_an_entry_gets_wrong_is_named(
    entries: list[Fields], expected: tuple[str, str, str, str]
) -> None:
    """With what the replay makes of it."""
    assert expected in seen(books(*entries))


def test_a_balance_below_zero_is_named() -> None:
    """More was given back than was drawn; also a row that does not say what it moved."""
    more = row("A1", debit(6))
    bare = {"row": more, "moved": []}
    found = seen(books(draw(), change(u=[bare], q=[["A1", "2"]])))

    assert ("authorization A1", "H.uu", "0 or more", str(-2 * ONE)) in found
    assert ("authorization A1", "moved", "1", "0") in found


def test_accounts_that_were_never_matched_are_made_all_the_same() -> None:
    """As the scripts would: version 0, open."""
    made = books(draw(am=[]))

    assert made.accounts["A1"] == {
        **{"id": "A1", "n": "1", "v": "0", "st": "open", "H.uu": str(4 * ONE)}
    }


def test_an_authorization_that_is_only_matched_changes_too() -> None:
    """Its limits were taken, and nothing was drawn."""
    made = books(draw(r=[]))

    assert made.differences == []
    assert made.accounts["A1"]["n"] == "1"
    assert "H.uu" not in made.accounts["A1"]


@pytest.mark.parametrize("entry_id", ["1-0", "0-9"])
def test_entries_come_in_order(entry_id: str) -> None:
    """The same entry twice would count twice."""
    made = books(draw())

    with pytest.raises(ValueError, match="does not follow 1-0"):
        made.take(entry_id, draw())
    assert entry_order("10-0") > entry_order("9-11") > entry_order("9-2")


def test_balances_are_the_sum_of_what_claims_hold() -> None:
    """Reserved or used, with visits and days; a claim that gave all back counts nothing."""
    made = books(
        draw(),
        draw("C2", s="reserved", am=[], q=[["A1", "2"]],
             r=[move(row(), (used(4), [4, 4, 0, 0, 0, 0]))]),
        draw("C3", am=[], q=[["A1", "3"]],
             r=[move(row("A1", debit(1, 60)), ([4, 4, 0, 0, 0, 0], [5, 4, 60, 0, 0, 0]))]),
    )  # fmt: skip
    assert made.differences == []
    assert check_holdings(made) == []
    assert check_holdings(books(draw(), REVERSAL)) == []

    made.accounts["A1"]["H.uu"] = str(7 * ONE)
    made.accounts["A9"] = {"H.uu": "0", "v": "1"}
    made.tokens["A1"] = {"H|u|V1": "0:2"}
    assert [
        (each.what, each.field, each.expected, each.found) for each in check_holdings(made)
    ] == [
        ("authorization A1", "H.uu, of claims", str(5 * ONE), str(7 * ONE)),
        ("authorization A1", "H|u|V1 reserved, of claims", "0", "2"),
    ]


def test_claims_that_wait_stand_under_their_member() -> None:
    """Until one is reversed; a member without any has no entry."""
    waiting = draw(wt="1")
    other = draw("C2", am=[], q=[["A1", "2"]], wt="1", r=[move(row(), (used(4), used(8)))])
    undone = change(u=[move(row(), (used(8), used(4)))], q=[["A1", "3"]])

    assert books(waiting).waiting == {"7:x": {"C1": "0"}}
    assert books(waiting, other).waiting == {"7:x": {"C1": "0", "C2": "0"}}
    assert books(waiting, other, undone).waiting == {"7:x": {"C2": "0"}}
    assert books(draw()).waiting == {}
