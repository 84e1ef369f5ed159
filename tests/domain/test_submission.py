"""What is kept of something that cannot be taken."""

import pytest

from service.domain.submission import DeadLetter


@pytest.mark.parametrize(("size", "is_whole"), [(3, True), (4, False)])
def test_a_letter_knows_whether_all_of_it_was_kept(size: int, is_whole: bool) -> None:
    """Only then can it be tried again as it came."""
    letter = DeadLetter(
        format="json",
        content=b"{x}",
        content_bytes=size,
        code="unreadable",
        reason="not JSON",
        origin="a file",
    )

    assert letter.is_whole is is_whole
