"""What is said when two member ids are one person."""

import pytest
from pydantic import ValidationError

from service.domain.person import MemberMergeBody


def test_only_the_other_member_is_needed() -> None:
    """Who and why are for the audit."""
    assert MemberMergeBody(into="M2").by is None
    with pytest.raises(ValidationError):
        MemberMergeBody(into="a/b")
