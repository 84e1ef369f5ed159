"""A draft beside the rules in force: how lines come out, and which cannot be compared."""

import pytest

from service.tuning.shadow import NOT_NEEDED, OTHER, SAME, Outcomes, compare


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {}, []),
        (("exact", ("A",)), ("exact", ("A",)), SAME),
        (("exact", ("A",)), ("exact", ("B",)), OTHER),
        (("exact", ("A",)), ("exact", ("A", "B")), OTHER),
        (("exact", ("A",)), ("none", ()), "exact > none"),
        (("none", ()), ("non-exact", ("A",)), "none > non-exact"),
        (("none", ()), None, f"none > {NOT_NEEDED}"),
        (None, ("exact", ("A",)), f"{NOT_NEEDED} > exact"),
    ],
)
def test_a_line_comes_out(before: object, after: object, found: object) -> None:
    """The same, with another authorization, or from one class to another."""

    def of(outcome: object) -> Outcomes:
        return {(1, "authorization"): outcome} if outcome else {}  # type: ignore[dict-item]

    expected = [(1, found)] if found else []
    assert compare(of(before), of(after)) == expected


def test_lines_and_kinds_are_compared_each_alone() -> None:
    """In the order of the claim."""
    one, other = ("exact", ("A",)), ("none", ())
    before: Outcomes = {(2, "authorization"): one, (1, "referral"): one, (1, "authorization"): one}
    after: Outcomes = {**before, (1, "referral"): other}

    assert compare(before, after) == [(1, SAME), (1, "exact > none"), (2, SAME)]
