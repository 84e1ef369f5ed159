"""A way through the claims of a member that wait."""

import pytest

from service.domain.late_pass import ANY, LatePass


@pytest.mark.parametrize(
    ("arrived", "ids"), [({"A1": "1", "A2": "2"}, {"A1", "A2"}), ({"A1": "1", ANY: "2"}, None)]
)
def test_it_is_for_those_that_arrived_or_for_any(
    arrived: dict[str, str], ids: set[str] | None
) -> None:
    """Where too many arrived to name them, any may help."""
    found = LatePass(payer="p", owner="7:x", arrived=arrived).ids

    assert (None if found is None else set(found)) == ids
