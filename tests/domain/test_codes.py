"""One written form for every code and number, whatever way it was sent."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import codes

WRITERS: list[Callable[[str], str]] = [
    codes.bare,
    codes.authorization_number,
    codes.diagnosis,
    codes.revenue_code,
    codes.place_of_service,
    codes.bill_type_class,
    codes.drg,
    codes.tooth,
    codes.oral_cavity,
]


@pytest.mark.parametrize(
    ("write", "sent", "written"),
    [
        (codes.authorization_number, " au-00 123 ", "AU00123"),
        (codes.authorization_number, "000123", "123"),
        (codes.authorization_number, "\u00e9-12", "E12"),
        (codes.authorization_number, "e\u0301-12", "E12"),
        (codes.authorization_number, "0", "0"),
        (codes.authorization_number, "000", "0"),
        (codes.authorization_number, "--", ""),
        (codes.diagnosis, "m5450", "M54.50"),
        (codes.diagnosis, "M54.50", "M54.50"),
        (codes.diagnosis, "I10", "I10"),
        (codes.revenue_code, "611", "0611"),
        (codes.revenue_code, "0611", "0611"),
        (codes.place_of_service, "2", "02"),
        (codes.place_of_service, "11", "11"),
        (codes.bill_type_class, "0131", "13"),
        (codes.bill_type_class, "131", "13"),
        (codes.bill_type_class, "13", "13"),
        (codes.drg, "64", "064"),
        (codes.tooth, "08", "8"),
        (codes.tooth, "a", "A"),
        (codes.tooth, "0", "0"),
        (codes.oral_cavity, "1", "01"),
        (codes.oral_cavity, "ur", "UR"),
        (codes.oral_cavity, "l", "L"),
    ],
)
def test_how_a_code_is_written(write: Callable[[str], str], sent: str, written: str) -> None:
    """Case, punctuation and leading zeros never keep two equal codes apart."""
    assert written == write(sent)


@given(st.sampled_from(WRITERS), st.text(max_size=12) | st.from_regex(r"[0-9A-Z .\-]{0,8}"))
def test_writing_twice_changes_nothing(write: Callable[[str], str], text: str) -> None:
    """What was normalised when stored is normalised again when read."""
    assert write(text) == write(write(text))


@pytest.mark.parametrize(
    ("code", "declared", "shape"),
    [
        ("97110", None, "HCPCS:99999"),
        ("97110", "CPT", "HCPCS:99999"),
        ("97110", " hc ", "HCPCS:99999"),
        ("G0283", "HCPCS", "HCPCS:A9999"),
        ("D2740", None, "CDT:A9999"),
        ("D2740", "HC", "CDT:A9999"),
        ("0SR9019", None, "ICD10PCS:9AA9999"),
        ("0SR9019", "ICD-10-PCS", "ICD10PCS:9AA9999"),
        ("00002322702", "N4", "NDC:99999999999"),
        ("12345", "home made", "HOMEMADE:99999"),
    ],
)
def test_a_code_has_its_system_and_shape(code: str, declared: str | None, shape: str) -> None:
    """CPT and HCPCS level II are one system, a dental code is dental under any name."""
    assert shape == codes.procedure_shape(code, declared)


def test_an_id_of_fhir_is_the_text_or_its_hash() -> None:
    """FHIR allows letters, digits, dashes and dots, 64 at the most."""
    assert codes.fhir_id("UM-55012") == "UM-55012"
    assert len(codes.fhir_id("UM 55012/1")) == 64
    assert codes.fhir_id("a" * 65) != codes.fhir_id("a" * 66)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("A", ("monday", "tuesday", "wednesday", "thursday", "friday")),
        ("K", ("sunday",)),
        ("SX", ("wednesday", "thursday")),
        ("SA", ("monday", "thursday", "friday", "saturday", "sunday")),
        ("Y", ()),
        ("6", None),
        ("", None),
    ],
)
def test_the_days_of_a_calendar_pattern(pattern: str, expected: tuple[str, ...] | None) -> None:
    """X12 element 678: no days are no restriction, and a code of weeks is none of days."""
    assert codes.days_of_pattern(pattern) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["friday", "monday", "tuesday", "wednesday", "thursday"], "A"),
        (["sunday", "saturday"], "WE"),
        (["monday", "sunday"], None),
        (["other"], None),
        ([], None),
    ],
)
def test_the_calendar_pattern_of_days(days: list[str], expected: str | None) -> None:
    """The first code that names just these."""
    assert codes.pattern_of_days(days) == expected
