"""A part of a book is replayed from the entries that are about it alone."""

from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_check import check_holdings
from tests.accounting.replaying import replay
from tests.accounting.test_ledger import (
    UNDONE,
    change,
    debit,
    draw,
    move,
    reserved,
    row,
    seen,
    used,
    written,
)


def test_a_part_of_a_book_is_replayed_from_the_entries_that_are_about_it() -> None:
    """What it makes is what the whole makes of it; the sums of claims come out in it, too."""
    other = row("A2", debit(2))
    both = draw(
        r=[move(row(), (used(0), used(4))), move(other, (used(0), used(2)))],
        am=[], q=[["A1", "1"], ["A2", "1"]], wt="1",
    )  # fmt: skip
    more = draw("C2", am=[], q=[["A1", "2"]], r=[move(row(), (used(4), used(8)))])
    undone = change(u=[UNDONE | {"moved": move(row(), (used(8), used(4)))["moved"]},
                       move(other, (used(2), used(0)))],
                    q=[["A1", "3"], ["A2", "2"]])  # fmt: skip
    entries = [("1-0", both), ("2-0", more), ("3-0", undone)]
    whole = replay(entries)
    for names in ({"A1"}, {"A2"}, {"C1"}, {"C2", "A2"}, set()):
        part = Replayed(names.__contains__, lambda owner: owner == "7:x")
        for entry in entries:
            part.take(*entry)

        assert part.differences == []
        assert check_holdings(part) == []
        for kind in ("accounts", "tokens", "claims"):
            made = getattr(whole, kind)
            assert getattr(part, kind) == {name: made[name] for name in names & set(made)}
        assert part.waiting == whole.waiting
    assert whole.differences == []


def test_what_contradicts_itself_in_a_part_is_named_there() -> None:
    """A claim of another part keeps what it held of an authorization of this one."""
    part = Replayed({"A1"}.__contains__, lambda _: False)
    part.take("1-0", draw(s="reserved", r=[move(row(), (used(0), reserved(4)))]))
    part.take("2-0", change(u=[], q=[]))

    assert ("claim C1", "mv", written([row()]), "[]") in seen(part)
