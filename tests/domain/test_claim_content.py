"""Two claims that say the same are the same, whoever asks for them, and under whichever id."""

from typing import Any

import pytest

from service.domain.adjudication import Adjudication, content_of, fingerprint, fingerprints_as
from service.domain.person import Person
from tests.builders import build_claim


def claim(member: str = "M0001", **more: Any) -> Adjudication:
    """The usual claim of a member."""
    usual = build_claim().model_dump(mode="json", by_alias=True)
    return Adjudication.model_validate({**usual, "member": {"id": member}, **more})


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, True),
        ({"by": "jo", "reason": "a call"}, True),
        ({"attached": {"b": "1", "a": "2"}}, False),
        ({"stage": "preliminary"}, False),
    ],
)
def test_the_content_of_a_claim(changes: Any, is_same: bool) -> None:
    """Who asks and why is no part of it."""
    assert (content_of(claim(**changes)) == content_of(claim())) == is_same


def test_the_order_of_what_is_attached_does_not_matter() -> None:
    """It is the sender's own."""
    one, other = ({"a": "2", "b": "1"}, {"b": "1", "a": "2"})

    assert content_of(claim(attached=one)) == content_of(claim(attached=other))


def test_a_claim_is_known_under_the_former_ids_of_its_person() -> None:
    """But its own id is no other one, and who was never merged had none."""
    person = Person(given="M0001", member="M2", former=("M1", "M0001"))
    marks = {name: fingerprint(content_of(claim(name))) for name in ("M0001", "M1", "M2")}

    assert set(fingerprints_as(claim(), person)) == {marks["M1"], marks["M2"]}
    assert list(fingerprints_as(claim(), None)) == []
    assert len(set(marks.values())) == 3
