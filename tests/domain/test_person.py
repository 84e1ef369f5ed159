"""Who a member is: one person, under one id or several that were merged."""

from service.domain.person import Person


def test_a_member_who_was_never_merged_has_one_id() -> None:
    """And is kept under it."""
    person = Person.of("M1")

    assert (person.member, person.ids, person.is_merged) == ("M1", ("M1",), False)


def test_a_merged_member_is_looked_for_under_all_ids() -> None:
    """The one that stays first, each once."""
    person = Person(given="M1", member="M2", former=("M3", "M1"))

    assert person.ids == ("M2", "M1", "M3")
    assert person.is_merged
    assert not Person(given="M2", member="M2", former=("M1",)).is_merged
