"""When two authorizations of a person grant the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.effective import effective_lines
from service.domain.grant_overlap import (
    claimed_numbers,
    compared_lines,
    do_overlap,
    do_overlap_by_provider,
    is_granted,
)
from tests.builders import build_authorization, references

Fields = dict[str, Any]
THERAPY: Fields = {"procedure": {"from": "97110"}, "modifiers": ["GP"]}
RANGE: Fields = {"procedure": {"from": "97110", "to": "97140"}}


def lines_of(query: str = "professional", line: Fields | None = None, **header: Any) -> Any:
    """What is compared of an authorization of one line."""
    made = build_authorization(query, **header)
    only = made.model_copy(update={"lines": ()}) if line == {} else None
    fitted = only or build_authorization(query, lines=[line or THERAPY], **header)
    return compared_lines(effective_lines(fitted, references()))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, {}, True),
        ({"line": THERAPY}, {"line": RANGE}, True),
        ({"line": RANGE}, {"line": {"procedure": {"from": "97139"}}}, True),
        ({"line": RANGE}, {"line": {"procedure": {"from": "97150"}}}, False),
        ({"line": THERAPY}, {"line": {"procedure": {"from": "D2391"}}}, False),
        ({"line": THERAPY}, {"line": {"procedure": {"group": "therapy"}}}, True),
        ({"line": {"procedure": {"group": "therapy"}}}, {"line": {"procedure": {"group": "x"}}},
         False),
        # What both say tells them apart; what one does not say restricts nothing.
        ({"line": THERAPY}, {"line": THERAPY | {"modifiers": ["GO"]}}, False),
        ({"line": THERAPY}, {"line": THERAPY | {"modifiers": ["GO", "GP"]}}, True),
        ({"line": THERAPY}, {"line": THERAPY | {"modifiers": []}}, True),
        ({"line": THERAPY | {"revenue_code": "420"}}, {"line": THERAPY | {"revenue_code": "0430"}},
         False),
        ({"line": THERAPY | {"tooth": "3"}}, {"line": THERAPY | {"tooth": "14"}}, False),
        ({"line": THERAPY | {"tooth": "3"}}, {"line": THERAPY}, True),
        ({"line": THERAPY | {"surfaces": ["O"]}}, {"line": THERAPY | {"surfaces": ["B"]}}, False),
        ({"member": {"id": "M1", "birth_date": "1980-01-01"}},
         {"member": {"id": "M1", "birth_date": "2026-03-01"}}, False),
        ({"member": {"id": "M1", "birth_date": "1980-01-01"}}, {"member": {"id": "M1"}}, True),
        # Days: both ends are included, and one that is not there is open.
        ({}, {"effective": {"from": "2026-05-31", "to": "2026-07-01"}}, True),
        ({}, {"effective": {"from": "2026-06-01"}}, False),
        ({}, {"effective": {"to": "2026-02-28"}}, False),
        ({}, {"effective": {"from": "2026-04-01"}}, True),
        # A stay is for any service of its setting, and of its type.
        ({"query": "inpatient", "line": {}}, {}, False),
        ({"query": "inpatient", "line": {}}, {"query": "inpatient", "line": {}}, True),
        ({"query": "inpatient", "line": {}, "service_type": "69"},
         {"query": "inpatient", "line": {}, "service_type": "68"}, False),
        ({"line": {}}, {"line": THERAPY}, True),
        ({"line": {}, "service_type": "69"}, {"line": THERAPY, "service_type": "PT"}, True),
        # One procedure is one, whatever the setting.
        ({"line": THERAPY}, {"line": THERAPY, "setting": "outpatient"}, True),
        # What is cancelled grants nothing.
        ({"line": THERAPY | {"decision": {"action": "C"}}}, {"line": THERAPY}, False),
        ({"line": THERAPY | {"decision": {"action": "A3"}}}, {"line": THERAPY}, True),
    ],
)  # fmt: skip
def test_the_same_service_on_the_same_days(one: Fields, other: Fields, expected: bool) -> None:
    """The same in both directions."""
    found = lines_of(**one), lines_of(**other)

    assert do_overlap(*found) is expected
    assert do_overlap(*reversed(found)) is expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, True),
        ({"servicing_provider": {"npi": "1999999984"}}, False),
        ({"servicing_provider": {"npi": "1999999984", "tin": "741234567"}}, True),
        ({"servicing_provider": None}, True),
        ({"line": {"procedure": {"from": "70551"}}}, False),
        ({"effective": {"from": "2027-01-01"}}, False),
    ],
)
def test_by_the_same_provider(other: Fields, expected: bool) -> None:
    """One of its ids is enough, and any provider is this one as well."""
    assert do_overlap_by_provider(lines_of(), lines_of(**other)) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({}, ("AU1",)),
        ({"number": "00au-1", "previous_numbers": ["OLD"]}, ("AU1",)),
        ({"other_numbers": ["REF 2"], "lines": [{"number": "L1"}, {"other_numbers": ["L2"]}]},
         ("AU1", "L1", "L2", "REF2")),
        ({"number": None}, ()),
        ({"decision": {"action": "A3"}}, ("AU1",)),
        ({"decision": {"action": "C"}}, ()),
        # A change that was not granted is of the number, and does not have it.
        ({"certification_type": "S"}, ("AU1",)),
        ({"certification_type": "S", "decision": {"action": "A3"}}, ()),
        ({"certification_type": "I", "decision": {"action": "A3"}}, ("AU1",)),
        ({"authorization_id": "authorization.change.0123456789abcdef"}, ()),
    ],
)  # fmt: skip
def test_the_numbers_that_a_grant_claims(header: Fields, expected: tuple[str, ...]) -> None:
    """Its own, of the whole and of its lines."""
    assert claimed_numbers(build_authorization(**header)) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({}, True),
        ({"decision": {"action": "A3"}}, False),
        ({"decision": None, "lines": [{"decision": {"action": "A6"}}, {}]}, True),
        ({"decision": {"action": "A2"}}, False),
        ({"decision": {"action": "C"}, "lines": [{"decision": {"action": "A1"}}]}, False),
    ],
)
def test_whether_anything_was_granted(header: Fields, expected: bool) -> None:
    """Of the whole or of a line; nothing of what was cancelled."""
    assert is_granted(build_authorization(**header)) is expected


CODES = st.sampled_from(["97110", "97112", "97140", "70551"])
MORE = st.fixed_dictionaries(
    {"procedure": st.builds(lambda code: {"from": code}, CODES)},
    optional={"modifiers": st.lists(st.sampled_from(["GP", "GO"]), max_size=2, unique=True)},
)


@given(MORE, MORE)
def test_what_overlaps_does_so_both_ways_and_with_itself(one: Fields, other: Fields) -> None:
    """Whoever comes first."""
    found = lines_of(line=one), lines_of(line=other)

    assert do_overlap(*found) is do_overlap(*reversed(found))
    assert do_overlap(found[0], found[0])
