"""What is known of a claim that was adjudicated before."""

import pytest

from service.accounting.books.claim_state import ClaimState


@pytest.mark.parametrize(
    ("entries", "entry", "stands"),
    [
        ({2: "5-0"}, "5-0", True),
        ({2: "5-1"}, "5-0", False),
        ({1: "5-0"}, "5-0", False),
    ],
    ids=["it", "another one", "an older version's"],
)
def test_the_adjudication_in_force_is_known_by_its_entry(
    entries: dict[int, str], entry: str, stands: bool
) -> None:
    """That of the version in force."""
    state = ClaimState(claim_id="C1", version=2, entries=entries)

    assert state.stands_as(entry) is stands
