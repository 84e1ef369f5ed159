"""One form of member ids, whatever way one was written."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service.domain.claim import ClaimMember
from service.domain.member_ids import MemberId, use_member_id_form, written_member_id
from service.domain.person import MemberMergeBody
from tests.builders import build_authorization

read = TypeAdapter[str](MemberId).validate_python


@pytest.fixture
def as_sent() -> Iterator[None]:
    """The other form, for one test."""
    use_member_id_form("as_sent")
    yield
    use_member_id_form("plain")


@pytest.mark.parametrize(
    "text", ["M0001", "m0001", " M 0001 ", "M-00-01", "m\u20130001", "m\t0001"]
)
def test_one_card_is_one_member_however_it_is_typed(text: str) -> None:
    """On a claim, an authorization and a merge alike."""
    assert ClaimMember(id=text, mother_member_id=text).id == "M0001"
    assert build_authorization(member={"id": text}).member.id == "M0001"
    assert MemberMergeBody(into=text).into == "M0001"


@pytest.mark.parametrize(
    ("text", "kept"), [("W123.01", "W123.01"), ("a_b", "A_B"), ("0001", "0001")]
)
def test_what_tells_members_apart_stays(text: str, kept: str) -> None:
    """Zeros and the suffix of a family: they are no way of writing."""
    assert read(text) == kept


@pytest.mark.parametrize("text", ["", " - ", "a/b", "a|b", "M" * 101, 1, None])
def test_what_cannot_be_an_id_is_refused(text: object) -> None:
    """Also where nothing is left of it."""
    with pytest.raises(ValidationError):
        read(text)


@pytest.mark.usefixtures("as_sent")
def test_an_installation_may_keep_ids_as_they_are_sent() -> None:
    """Blanks alone are dropped then, for an id travels in addresses."""
    assert read("m-00 01") == "m-0001"


@given(st.text(alphabet="aB0-. \u2013", max_size=12))
def test_the_form_of_a_form_is_itself(text: str) -> None:
    """So that an id may be read as often as it goes from hand to hand."""
    assert written_member_id(written_member_id(text)) == written_member_id(text)
