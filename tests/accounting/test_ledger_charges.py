"""A claim takes the place of the charges that it names: the ledger is replayed so."""

from typing import Any

from service.accounting.replay.ledger import Replayed
from tests.accounting.test_ledger import books, draw, move, reserved, row, seen, used, written

HOLD = draw("charge:CH1", k="attach", s="reserved", r=[move(row(), (used(0), reserved(4)))])
BACK = move(row(), (reserved(4), used(0)))
CLAIM: dict[str, Any] = {"am": [], "cb": [["charge:CH1", "2", "C1", "1"]], "cg": [BACK]}


def test_what_a_charge_held_is_given_back_before_the_claim_is_drawn() -> None:
    """The charge is billed, and its claims are kept."""
    made = books(HOLD, draw(**CLAIM, q=[["A1", "2"]]))

    assert made.differences == []
    assert made.accounts["A1"]["H.uu"] == "12000000"
    assert made.accounts["A1"]["H.ur"] == "0"
    charge = made.claims["charge:CH1"]
    assert (charge["s"], charge["mv"], charge["bb"], charge["n"]) == ("billed", "[]", "C1", "2")
    assert made.claims["C1"]["mv"] == written([row()])


def test_a_charge_that_was_never_attached_is_known_by_its_claim() -> None:
    """An attachment that comes later must not count a second time."""
    made = books(draw(cb=[["charge:CH1", "1", "C1", "0"]], cg=[]))

    assert made.differences == []
    charge = {"id": "charge:CH1", "m": "7:x", "n": "1", "v": "0", "s": "billed", "mv": "[]"}
    assert made.claims["charge:CH1"] == charge | {"bb": "C1"}


def test_a_charge_that_others_only_named_is_that_of_whom_it_is_attached_for() -> None:
    """Who billed it before is no matter then; of one that was attached it never changes."""
    named = draw("C9", m="7:y", cb=[["charge:CH1", "1", "C9", "0"]], cg=[], r=[])
    again = {"n": "2", "q": written([["A1", "2"]])}
    made = books(named, HOLD | again)

    assert made.differences == []
    assert made.claims["charge:CH1"]["m"] == "7:x"
    assert "bb" not in made.claims["charge:CH1"]
    other = books(HOLD, HOLD | again | {"m": "7:y"})
    assert ("claim charge:CH1", "m") in [(what, field) for what, field, *_ in seen(other)]


def test_a_charge_gives_back_what_it_held_and_nothing_else() -> None:
    """Else the ledger says so."""
    made = books(HOLD, draw(**CLAIM | {"cg": []}, q=[["A1", "2"]]))

    assert ("claim charge:CH1", "mv") in [(what, field) for what, field, *_ in seen(made)]


def test_a_part_of_the_book_keeps_what_is_its_own() -> None:
    """Neither the claim nor its charge are of it."""
    part = Replayed(mine=lambda name: name == "A1")
    for number, entry in enumerate((HOLD, draw(**CLAIM, q=[["A1", "2"]])), start=1):
        part.take(f"{number}-0", entry)

    assert part.differences == []
    assert part.claims == {}
    assert part.accounts["A1"]["H.uu"] == "12000000"
