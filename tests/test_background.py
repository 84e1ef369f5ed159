"""Work beside the requests pauses longer after each fault, and never so long that it fails."""

import pytest

from service.background import backoff_s


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [(0, 0.5, 1.0), (1, 1.0, 2.0), (2, 2.0, 4.0), (3, 4.0, 8.0), (4, 4.0, 8.0), (5_000, 4.0, 8.0)],
)
def test_each_fault_doubles_the_pause_up_to_the_longest(
    failures: int, least: float, most: float
) -> None:
    """Also in an outage of hours, in which the number of faults outgrows a float's exponent."""
    assert least <= backoff_s(failures, first_s=1.0, most_s=8.0) <= most
