"""The same content is written the same, however its sender wrote it."""

from typing import Any

import pytest
from pydantic import BaseModel

from service.domain.canonical import canonical_json


class Paper(BaseModel):
    """A model with a field of free content."""

    name: str = "A"
    note: str | None = None
    attached: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"name": "B"}, {"name": "B", "note": None}, True),
        ({"name": "A"}, {}, True),
        ({"attached": {"x": 1, "y": 2}}, {"attached": {"y": 2, "x": 1}}, True),
        ({"attached": {"x": 1}}, {"attached": {"x": 2}}, False),
        ({"name": "B"}, {"name": "C"}, False),
    ],
)
def test_order_and_absence_do_not_matter(
    one: dict[str, Any], other: dict[str, Any], is_same: bool
) -> None:
    """What was said does."""
    written = [canonical_json(Paper(**each), free=("attached",)) for each in (one, other)]

    assert (written[0] == written[1]) is is_same


def test_what_is_left_out_does_not_count() -> None:
    """A field that says who asked, not what."""
    papers = [Paper(note=each) for each in ("jo", "kim")]

    assert len({canonical_json(each, free=(), without={"note"}) for each in papers}) == 1
