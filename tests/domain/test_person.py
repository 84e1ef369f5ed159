"""Who a member is: one person, under one id or several that were merged."""

from service.domain.person import Person


def test_a_member_who_was_never_merged_has_one_id() -> None:
    """And is kept under it."""
    person = Person.of("M1")

    assert (person.members, person.ids, person.is_merged) == (("M1",), ("M1",), False)


def test_a_merged_member_is_looked_for_under_all_ids() -> None:
    """Authorizations stand under the one that stays, or are on their way; pushes may carry any."""
    person = Person(given="M1", member="M2", also=("M3",), former=("M1", "M3"))

    assert person.members == ("M2", "M3")
    assert person.ids == ("M2", "M3", "M1")
    assert person.is_merged
    assert person.is_where(Person(given="M2", member="M2", also=("M3",)))
    assert not person.is_where(Person.of("M2"))
