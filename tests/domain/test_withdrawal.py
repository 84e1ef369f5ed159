"""A withdrawal as text: written down while it waits, and read again."""

import pytest

from service.domain.submission import read_withdrawal, write_withdrawal


def test_a_withdrawal_is_read_as_it_was_written() -> None:
    """The id and the version."""
    assert read_withdrawal(write_withdrawal("A1", 7)) == ("A1", 7)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"authorization_id": "A1", "version": 7}',
        b'{"authorization_id": "A1", "version": 7, "withdraw": "yes"}',
        b'{"authorization_id": 1, "version": 7, "withdraw": true}',
        b'{"authorization_id": "A1", "version": true, "withdraw": true}',
        b'{"authorization_id": "A1", "version": 0, "withdraw": true}',
    ],
)
def test_anything_else_is_no_withdrawal(content: bytes) -> None:
    """It is read as an authorization then."""
    assert read_withdrawal(content) is None
