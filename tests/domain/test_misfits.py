"""What does not fit a model is said with its place, and never with its value."""

import pytest
from pydantic import ValidationError

from service.domain.claim import Claim
from service.domain.misfits import MISFITS_MAX, misfits, pointer


def test_a_path_is_a_json_pointer() -> None:
    """Marks of its own are written otherwise (RFC 6901)."""
    assert pointer(["lines", 0, "a/b~c"]) == "/lines/0/a~1b~0c"


@pytest.mark.parametrize(
    ("content", "reason", "count"),
    [
        ('{"claim_id": "C1", "type": "secret", "member": {"id": "M1"}, "lines": []}', "/type: ", 2),
        ("[]", "/: ", 1),
        ("{" + ", ".join(f'"x{n}": 1' for n in range(30)) + "}", "/claim_id: ", MISFITS_MAX),
    ],
)
def test_the_first_is_said_in_one_line_and_then_each(content: str, reason: str, count: int) -> None:
    """Of very many only some."""
    with pytest.raises(ValidationError) as caught:
        Claim.model_validate_json(content)

    said, places = misfits(caught.value)

    assert said.startswith(reason)
    assert (" more)" in said) is (count > 1)
    assert len(places) == count
    assert "secret" not in f"{said}{places}"
