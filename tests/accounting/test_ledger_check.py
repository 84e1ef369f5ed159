"""What the ledger says is compared with what Redis holds, field by field and as digests."""

from service.accounting.replay.ledger_check import compare_fields, digest, digest_of_all
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


def test_a_digest_does_not_depend_on_the_order() -> None:
    """But on every value."""
    assert digest({"a": {"x": "1", "y": "2"}, "b": {}}) == digest(
        {"b": {}, "a": {"y": "2", "x": "1"}}
    )
    assert digest({"a": "1"}) != digest({"a": "2"})
    assert digest_of_all([("p", "1"), ("q", "2")]) == digest_of_all([("q", "2"), ("p", "1")])
