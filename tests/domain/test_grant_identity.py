"""What a grant is known by, whatever message brings it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.grant_identity import (
    Identity,
    Signs,
    grant_id,
    identity_of,
    is_change,
    is_made,
    is_name,
    named_id,
    person_of,
    version_at,
)

KIND, MOTHER = "authorization", "M1"
TRACE = ("trace", "1999999984", "T-1")
OTHER = ("response", "K-1")
OF_NUMBER = grant_id(KIND, MOTHER, "AU-1")
OF_TRACE, OF_OTHER = (named_id(KIND, MOTHER, each) for each in (TRACE, OTHER))
OF_CHANGE, OF_OTHER_CHANGE = (named_id(KIND, MOTHER, ("change", *each)) for each in (TRACE, OTHER))
OLD = grant_id(KIND, MOTHER, "OLD")


def signs(**told: Any) -> Signs:
    """What an approval of the mother with a number and two other names says."""
    said = {"kind": KIND, "person": MOTHER, "actions": {"A1"}, "number": "AU-1"}
    return Signs(**(said | {"names": (TRACE, OTHER)} | told))


@pytest.mark.parametrize(
    ("told", "own", "aliases", "supersedes"),
    [
        ({}, OF_NUMBER, (OF_TRACE, OF_OTHER), None),
        ({"number": " 00au 1"}, OF_NUMBER, (OF_TRACE, OF_OTHER), None),
        ({"actions": {"A3"}}, OF_NUMBER, (OF_TRACE, OF_OTHER), None),
        ({"number": None}, OF_TRACE, (OF_OTHER,), None),
        ({"number": "--", "actions": {"A4"}}, OF_TRACE, (OF_OTHER,), None),
        ({"number": None, "names": (("trace", "1", "-"), OTHER)}, OF_OTHER, (), None),
        # A revision stands for the number before it; an extension stands beside it.
        ({"certification": "S", "previous": "OLD"}, OF_NUMBER,
         (OF_TRACE, OF_OTHER, OF_CHANGE, OF_OTHER_CHANGE), OLD),
        ({"certification": "S", "previous": "AU-1", "names": ()}, OF_NUMBER, (), None),
        ({"certification": "4", "previous": "OLD", "names": ()}, OF_NUMBER, (), None),
        ({"certification": "I", "previous": "OLD", "names": ()}, OF_NUMBER, (), None),
        # So does an update of a request, by the number or by the trace of the earlier one.
        ({"replaced": ("trace", "", "T-0"), "names": ()}, OF_NUMBER, (),
         named_id(KIND, MOTHER, ("trace", "", "T-0"))),
        ({"replaced": ("trace", "", "T-0"), "previous": "OLD", "names": ()}, OF_NUMBER, (), OLD),
        ({"replaced": TRACE}, OF_NUMBER, (OF_TRACE, OF_OTHER), None),
        # What is not granted of a change has an id of its own, and stands for nothing.
        ({"certification": "S", "previous": "OLD", "actions": {"A3"}}, OF_CHANGE,
         (OF_OTHER_CHANGE,), None),
        ({"replaced": ("trace", "", "T-0"), "actions": {"A4"}}, OF_CHANGE,
         (OF_OTHER_CHANGE,), None),
        # A cancellation is of the number that it names.
        ({"certification": "3", "previous": "OLD", "actions": {"C"}, "names": ()}, OLD, (), None),
        ({"certification": "3", "actions": {"C"}, "names": ()}, OF_NUMBER, (), None),
        ({"certification": "S", "previous": "OLD", "actions": {"C"}, "names": ()}, OF_NUMBER, (),
         None),
        ({"number": None, "actions": {"C"}}, OF_TRACE, (OF_OTHER,), None),
    ],
)  # fmt: skip
def test_a_grant_is_known_by_its_number_else_by_what_joins_its_messages(
    told: dict[str, Any], own: str, aliases: tuple[str, ...], supersedes: str | None
) -> None:
    """And its other names lead to it."""
    found = identity_of(signs(**told))

    assert found == Identity(own, aliases, supersedes, own in (OF_NUMBER, OLD))


def test_without_any_name_there_is_no_identity() -> None:
    """It could not be found again."""
    assert identity_of(signs(number=None, names=())) is None


@pytest.mark.parametrize(
    "other",
    [
        {"person": "M1N"},
        {"kind": "referral"},
        {"number": "AU-2"},
        {"person": person_of("M1", is_shared=True, birth_date="2026-03-01", gender="F")},
    ],
)
def test_kind_person_and_number_tell_grants_apart(other: dict[str, Any]) -> None:
    """A number that mother and newborn share is two grants."""
    assert identity_of(signs()) != identity_of(signs(**other))


def test_those_who_share_a_member_id_are_told_by_birth_date_and_gender() -> None:
    """Of the subscriber the id is enough, so that a message without its birth date fits too."""
    born = "2026-03-01"
    daughter = person_of("M1", is_shared=True, birth_date=born, gender="F")

    assert person_of("m-1", birth_date=born, gender="F") == person_of("M1")
    assert daughter != person_of("M1")
    assert daughter != person_of("M1", is_shared=True, birth_date=born, gender="M")


@given(st.text(min_size=1), st.text(), st.sampled_from(["authorization", "referral"]))
def test_an_id_can_stand_in_an_address_and_shows_no_member(
    number: str, member: str, kind: str
) -> None:
    """Whatever the number is, and however long."""
    member = f"CANARY{member}"
    for made in (grant_id(kind, member, number), named_id(kind, member, ("trace", "", number))):
        assert re.fullmatch(r"[!-.0-{}~]{1,64}", made)
        assert "CANARY" not in made or "CANARY" in number.upper()


def test_the_id_of_a_change_is_known_as_one() -> None:
    """No other is, of ours or of a sender."""
    assert is_change(OF_CHANGE)
    assert not any(map(is_change, (OF_NUMBER, OF_TRACE, "UM-1", "change", "")))
    assert all(map(is_made, (OF_NUMBER, f"{OF_NUMBER}-2", OF_TRACE, OF_CHANGE)))
    assert not any(map(is_made, ("UM-1", "authorization.AU1", "a.b.0123456789abcdef")))
    assert all(map(is_name, (OF_TRACE, OF_OTHER, OF_CHANGE)))
    assert not any(map(is_name, (OF_NUMBER, "UM-1", "trace", "")))


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_versions_rise_with_time_then_decision_then_count() -> None:
    """A later time beats all, and a decision the pend of its time."""
    rising = [
        version_at(NOON - timedelta(milliseconds=1), {"C"}, 249),
        version_at(NOON, {None}, 0),
        version_at(NOON, {"A4"}, 0),
        version_at(NOON, {"A4", None}, 249),
        version_at(NOON, {"A1", "A4"}, 0),
        version_at(NOON, {"A3"}, 1),
        version_at(NOON, {"C"}, 0),
        version_at(datetime.max.replace(tzinfo=UTC), {"C"}, 10**9),
    ]

    assert rising == sorted(set(rising), key=lambda each: each or 0)
    assert all(each and each < 2**53 for each in rising)


@pytest.mark.parametrize("made_at", [None, datetime(1970, 1, 1, tzinfo=UTC)])
def test_without_a_usable_time_there_is_no_version(made_at: datetime | None) -> None:
    """Nothing tells whether it is newer."""
    assert version_at(made_at, {"A1"}, 7) is None
