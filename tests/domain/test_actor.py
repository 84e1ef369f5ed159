"""Who may be one person with whom."""

import pytest

from service.domain.actor import Actor


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("session:lee", ""), ("session:lee", ""), True),
        (("session:lee", ""), ("session:lee", "kim"), True),
        (("session:lee", ""), ("session:kim", ""), False),
        (("key:desk", "lee"), ("key:desk", "kim"), False),
        (("key:desk", "lee"), ("key:desk", "lee"), True),
        (("key:desk", "lee"), ("key:other", "lee"), True),
        (("key:desk", "lee"), ("session:lee", ""), False),
    ],
)
def test_two_are_one_unless_it_is_known_that_they_are_not(
    one: tuple[str, str], other: tuple[str, str], *, expected: bool
) -> None:
    """The same credential is one person, but where it names two."""
    first, second = (Actor(by=by, on_behalf_of=name) for by, name in (one, other))
    assert first.may_be(second) is second.may_be(first) is expected
