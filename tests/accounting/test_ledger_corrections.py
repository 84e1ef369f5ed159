"""A correction by hand, replayed: beside what claims hold, and never below nothing."""

import pytest

from service.accounting.books.books import CorrectionRefused
from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_check import check_holdings
from tests.accounting.test_ledger import ONE, Fields, books, change, draw, move, row, texts, used


def correct(units: int, before: int, after: int, number: int = 2, **changes: str) -> Fields:
    """An entry that adds units to what is used of H of A1, of which so many are used."""
    balances = [[str(each * ONE) for each in used(told)] for told in (before, after)]
    moved = {"n": "H", "b": balances[0], "f": balances[1]}
    fields = {
        "k": "correct",
        "a": "A1",
        "v": "1",
        "ci": "K1",
        "cf": "f",
        "ch": "h",
        "cr": ["H", str(units * ONE), "0", "0"],
        "am": [],
        "r": [{"row": {"l": 0}, "moved": [moved]}],
        "q": [["A1", str(number)]],
    }
    return texts(fields | changes)


def test_a_correction_stands_beside_what_claims_hold() -> None:
    """That it was made is kept with the accounts."""
    made = books(draw(), correct(3, 4, 7))

    assert made.differences == []
    assert (
        made.accounts["A1"] | {"H.uu": str(4 * ONE), "H.uc": str(3 * ONE), "c:f": "h"}
        == (made.accounts["A1"])
    )
    assert check_holdings(made) == []


def test_a_first_correction_brings_the_limits_of_its_version() -> None:
    """As the first claim does; it may be more than is granted."""
    limits = [["H", str(2 * ONE), "", "", "UN"]]
    amended = {"a": "A1", "v": "1", "b": texts({"b": limits})["b"], "sh": "s", "ln": "", "gh": ""}
    entry = correct(3, 0, 3, number=1) | texts({"am": [amended]})
    made = books(entry)

    assert made.differences == []
    assert made.accounts["A1"]["H.ul"] == str(2 * ONE)


def test_what_was_taken_off_lapses_with_the_use() -> None:
    """When the claim gives its units back."""
    undone = move(row(), (used(1), used(0)))
    made = books(draw(), correct(-3, 4, 1), change(u=[undone], q=[["A1", "3"]]))

    assert made.differences == []
    assert (made.accounts["A1"]["H.uu"], made.accounts["A1"]["H.uc"]) == ("0", "0")


def test_a_wrong_balance_of_a_correction_is_told() -> None:
    """The ledger says that five were used before."""
    made = books(draw(), correct(3, 5, 8))

    assert [(each.what, each.field) for each in made.differences] == [
        ("authorization A1", "H corrected")
    ]


def test_a_correction_of_another_shelf_is_left_out() -> None:
    """Where a part of a book is replayed."""
    replayed = Replayed(mine=lambda name: name != "A1")
    replayed.take("1-0", correct(3, 0, 3))

    assert (replayed.accounts, replayed.differences) == ({}, [])


@pytest.mark.parametrize("measure", ["units", None])
def test_a_refusal_says_of_what(measure: str | None) -> None:
    """Or that the id was used for another one."""
    assert CorrectionRefused(measure).measure == measure  # type: ignore[arg-type]
