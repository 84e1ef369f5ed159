"""What the ledger says is compared with what Redis holds, field by field and as digests."""

from service.accounting.books.rows import HeldDebit, HeldRow
from service.accounting.replay.ledger_check import Digest, compare_fields, holds_all
from service.accounting.replay.ledger_page import Difference


def test_fields_are_compared_both_ways() -> None:
    """What is missing, what is too much, and what differs."""
    found = list(
        compare_fields(
            "accounts A1", {"a": "1", "b": "2", "d": "5"}, {"b": "3", "c": "4", "d": "5"}
        )
    )

    assert found == [
        Difference(what="accounts A1", field="a", expected="1", found="nothing"),
        Difference(what="accounts A1", field="b", expected="2", found="3"),
        Difference(what="accounts A1", field="c", expected="nothing", found="4"),
    ]


def condensed(*hashes: tuple[str, dict[str, str]]) -> str:
    """The digest of these."""
    digest = Digest()
    for name, fields in hashes:
        digest.add(name, fields)
    return str(digest)


def test_a_digest_does_not_depend_on_the_order() -> None:
    """But on every name and value."""
    one, other = ("a", {"x": "1", "y": "2"}), ("b", {"z": "3"})

    assert condensed(one, other) == condensed(other, ("a", {"y": "2", "x": "1"}))
    assert condensed(one) != condensed(("a", {"x": "1", "y": "3"}))
    assert condensed(one) != condensed(("c", {"x": "1", "y": "2"}))
    assert len(condensed()) == len(condensed(one, other)) == 64


def test_claims_hold_all_that_accounts_say_or_not() -> None:
    """Of one authorization; what is given back counts nothing."""
    debit = HeldDebit(account="H", units=3, amount=5, numerator=1, denominator=1)
    rows = [
        HeldRow(
            line=1,
            part=1,
            kind="authorization",
            authorization_id=name,
            authorization_line=0,
            origin="automatic",
            units=3,
            amount=5,
            debits=(debit,),
        )
        for name in ("A1", "A2")
    ]
    fields = {"H.uu": "3", "H.mu": "5", "H.ur": "0", "H.ul": "9"}

    assert holds_all("A1", fields, [("used", rows), ("reversed", rows)])
    assert not holds_all("A1", fields, [("reserved", rows)])
    assert not holds_all("A1", fields, [])
    assert holds_all("A1", {}, [])
