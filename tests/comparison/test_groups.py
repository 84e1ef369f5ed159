"""Comparisons through a reference table: in a group, in one group, of another rank."""

from typing import Any

import pytest

from service.comparison._codes import ABOVE, BELOW, IN_GROUP, SAME_GROUP
from service.comparison.comparison import MATCH_NOTHING, Comparison, How
from service.domain.reference import GroupTable

TABLE = GroupTable.model_validate(
    {
        "kind": "groups",
        "id": "wards",
        "version": "1",
        "form": "revenue",
        "ordered": True,
        "groups": {
            "low": {"members": ["0100", "0101"]},
            "middle": {"members": ["0110..0119", "0101"]},
            "high": {"members": ["0200"]},
        },
    }
)
HOW = How(groups=TABLE)


@pytest.mark.parametrize(
    ("comparison", "billed", "authorized", "fits"),
    [
        (IN_GROUP, "0110", "middle", True),
        (IN_GROUP, "0110", "high", False),
        (IN_GROUP, "0101", "low", True),
        (IN_GROUP, "0101", "middle", True),
        (IN_GROUP, "9999", "middle", False),
        (IN_GROUP, "0110", None, False),
        (SAME_GROUP, "0100", "0101", True),
        (SAME_GROUP, "0110", "0119", True),
        (SAME_GROUP, "0110", "0101", True),
        (SAME_GROUP, "0110", "0200", False),
        (SAME_GROUP, "9999", "9999", False),
        (BELOW, "0100", "high", True),
        (BELOW, "0200", "low", False),
        (BELOW, "0110", "middle", False),
        (BELOW, "0101", "middle", False),
        (BELOW, "9999", "high", False),
        (ABOVE, "0200", "middle", True),
        (ABOVE, "0100", "high", False),
        (ABOVE, "0101", "low", False),
        (ABOVE, "9999", "low", False),
    ],
)
def test_codes_set_against_groups(
    comparison: Comparison, billed: str, authorized: str | None, fits: bool
) -> None:
    """A group that holds the code; a code beside it; a rank under or over the authorized one."""
    line: dict[str, Any] = {} if authorized is None else {"x": authorized}
    value = comparison.read((billed,), HOW)

    assert fits == comparison.fits(line, "x", value, HOW)


@pytest.mark.parametrize(
    ("comparison", "billed", "clause"),
    [
        (IN_GROUP, "0101", {"terms": {"f": ["low", "middle"]}}),
        (IN_GROUP, "9999", MATCH_NOTHING),
        (SAME_GROUP, "0100", {"bool": {"should": [{"terms": {"f": ["0100", "0101"]}}]}}),
        (
            SAME_GROUP,
            "0110",
            {
                "bool": {
                    "should": [
                        {"terms": {"f": ["0101"]}},
                        {"range": {"f": {"gte": "0110", "lte": "0119"}}},
                    ]
                }
            },
        ),
        (SAME_GROUP, "9999", MATCH_NOTHING),
        (BELOW, "0110", {"terms": {"f": ["high"]}}),
        (ABOVE, "0110", {"terms": {"f": ["low"]}}),
        (ABOVE, "0100", MATCH_NOTHING),
    ],
)
def test_the_clause_of_a_group(comparison: Comparison, billed: str, clause: dict[str, Any]) -> None:
    """Names of groups, or their members; nothing where no group holds the code."""
    assert clause == comparison.clause("f", comparison.read((billed,), HOW), HOW)


@pytest.mark.parametrize("comparison", [IN_GROUP, SAME_GROUP, BELOW, ABOVE])
def test_without_a_code_there_is_nothing_to_compare(comparison: Comparison) -> None:
    """Which is another thing than a code of no group."""
    assert comparison.read((None,), HOW) is None
    assert comparison.read(("9999",), HOW) == ()


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (IN_GROUP, "in middle of wards; high authorized"),
        (SAME_GROUP, "high authorized, in one group of wards or not"),
        (BELOW, "high authorized, another rank of wards billed"),
    ],
)
def test_why_a_group_does_not_fit(comparison: Comparison, words: str) -> None:
    """The table is named, so that ops knows where to look."""
    value = ("middle",) if comparison is IN_GROUP else comparison.read(("0110",), HOW)

    assert words == comparison.why({"x": "high"}, "x", value, HOW)


def test_a_comparison_of_groups_needs_its_table() -> None:
    """A template without it is refused; here it is a fault."""
    with pytest.raises(ValueError, match="needs a group table"):
        IN_GROUP.read(("0110",), How())
