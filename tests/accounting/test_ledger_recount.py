"""A recount has claims hold what they do on other accounts; the ledger is replayed with it."""

from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_check import check_holdings
from tests.accounting.test_ledger import (
    ONE,
    UNDONE,
    Fields,
    Json,
    books,
    debit,
    draw,
    move,
    row,
    seen,
    texts,
    used,
    written,
)


def recount(**changes: Json) -> Fields:
    """An entry that counts 4 units of C1 on L2, in another version."""
    told = row("A1", debit(account="L2"))
    fields = {
        "k": "recount",
        "a": "A1",
        "v": "2",
        "am": [{"a": "A1", "v": "2", "b": "[]", "sh": "s2", "ln": "l2", "gh": "", "ut": "2"}],
        "cs": [["C1", "2", "7:x", "used", "1", "1"]],
        "u": [UNDONE],
        "r": [move(told, (used(0), used(4)))],
        "q": [["A1", "2"]],
    }
    return texts(fields | changes)


def test_a_recount_has_claims_hold_what_they_do_on_other_accounts() -> None:
    """What a claim holds in all, its versions and its answers stay as they are."""
    made = books(draw(), recount())

    assert made.differences == []
    account = made.accounts["A1"]
    assert (account["H.uu"], account["L2.uu"]) == ("0", str(4 * ONE))
    assert [account[name] for name in ("v", "st", "sh", "ln", "gh", "ut")] == [
        *("2", "open", "s2", "l2", "", "2")
    ]
    claim = made.claims["C1"]
    assert (claim["n"], claim["s"], claim["e:1"]) == ("2", "used", "1-0")
    assert claim["mv"] == written([row("A1", debit(account="L2"))])
    assert check_holdings(made) == []


def test_a_recount_may_find_more_used_than_is_allowed() -> None:
    """A limit of a week is added, of which more was used already."""
    amended = {"a": "A1", "v": "2", "b": written([["L2", str(ONE), "", "", "UN"]]), "sh": "s2"}
    assert books(draw(), recount(am=[amended])).differences == []


def test_use_goes_over_to_another_authorization() -> None:
    """The one on which it was drawn takes no new claims."""
    told = row("A2", debit())
    entry = recount(
        a="A2",
        am=[
            {"a": "A2", "v": "1", "b": written([["H", str(9 * ONE), "", "", "UN"]]), "sh": "s"},
            {"a": "A1", "v": "1", "b": "[]", "st": "moved"},
        ],
        r=[move(told, (used(0), used(4)))],
        q=[["A2", "1"], ["A1", "2"]],
    )
    made = books(draw(), entry)

    assert made.differences == []
    assert (made.accounts["A1"]["st"], made.accounts["A1"]["H.uu"]) == ("moved", "0")
    assert made.accounts["A2"]["H.uu"] == str(4 * ONE)


def test_a_recount_that_is_not_true_is_seen() -> None:
    """Rows that the claim did not hold, a count that does not follow."""
    other = move(row("A1", debit(3)), (used(4), used(1)))
    assert ("claim C1", "mv", written([row()]), written([row("A1", debit(3))])) in seen(
        books(draw(), recount(u=[other]))
    )
    assert ("claim C1", "n", "2", "7") in seen(
        books(draw(), recount(cs=[["C1", "7", "7:x", "used", "1", "1"]]))
    )


def test_what_was_corrected_goes_with_the_line() -> None:
    """Before rows are counted anew: what took use off goes before the use is gone."""
    corrected = {
        **{"k": "correct", "a": "A1", "v": "1", "am": [], "ci": "K-1", "cf": "f", "ch": "h"},
        "cr": ["H", str(-3 * ONE), "0", "0"],
        "r": [move({"a": "A1", "d": [debit()]}, (used(4), used(1)))],
        "q": [["A1", "2"]],
    }
    told = row("A1", debit(account="L2"))
    entry = recount(
        cd=[["A1", "H", str(3 * ONE), "0", "0"], ["A1", "L2", str(-3 * ONE), "0", "0"]],
        r=[move(told, (used(0), used(1)))],
        q=[["A1", "3"]],
    )
    made = books(draw(), texts(corrected), entry)

    assert made.differences == []
    assert (made.accounts["A1"]["L2.uu"], made.accounts["A1"]["L2.uc"]) == (
        str(4 * ONE),
        str(-3 * ONE),
    )


def test_a_correction_that_goes_with_its_line_is_left_out_of_another_shelf() -> None:
    """Where a part of a book is replayed."""
    replayed = Replayed(mine=lambda name: name != "A1")
    replayed.take("1-0", draw())
    replayed.take("2-0", recount(cd=[["A1", "L1", str(-ONE), "0", "0"]]))

    assert "A1" not in replayed.accounts
