"""The plain values: days, quantities, identifiers; anything else is refused with a reason."""

from contextlib import nullcontext
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service.domain.values import (
    Code,
    DateSpan,
    Day,
    Identifier,
    Npi,
    Quantity,
    Tin,
    is_identifier,
)

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.lists(st.text(max_size=3), max_size=2)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True)
    | st.from_regex(r"-?[0-9]{0,20}(\.[0-9]{0,8})?(e[0-9]{1,3})?", fullmatch=True)
)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        (date(2026, 3, 1), date(2026, 3, 1)),
        ("1900-01-01", date(1900, 1, 1)),
        ("2028-02-29", date(2028, 2, 29)),
    ],
)
def test_a_day_is_read(written: Any, day: date) -> None:
    """As ISO text, or as a date."""
    assert day == TypeAdapter(Day).validate_python(written)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-02-30", "not a day of the calendar"),
        ("20260301", "YYYY-MM-DD"),
        ("2026-3-1", "YYYY-MM-DD"),
        ("2026-03-01T00:00:00", "YYYY-MM-DD"),
        (datetime(2026, 3, 1), "YYYY-MM-DD"),  # noqa: DTZ001 - a time of day is no day
        (20260301, "YYYY-MM-DD"),
        (None, "YYYY-MM-DD"),
        ("1899-12-31", "before 1900-01-01"),
    ],
)
def test_what_is_no_day(written: Any, reason: str) -> None:
    """Elasticsearch would take 2026-02-30 for the second of March."""
    with pytest.raises(ValidationError, match=reason):
        TypeAdapter(Day).validate_python(written)


@pytest.mark.parametrize(
    ("written", "number", "plain"),
    [
        ("4", Decimal("4"), "4"),
        (" 240.00 ", Decimal("240.00"), "240.00"),
        (0, Decimal(0), "0"),
        (Decimal("1.5"), Decimal("1.5"), "1.5"),
        ("999999999999999.999999", Decimal("999999999999999.999999"), "999999999999999.999999"),
    ],
)
def test_a_quantity_is_read_and_written(written: Any, number: Decimal, plain: str) -> None:
    """As a decimal, without an exponent; what was written stays exact."""
    adapter = TypeAdapter(Quantity)
    read = adapter.validate_python(written)

    assert (number, plain) == (read, adapter.dump_python(read))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (1.5, "decimal string"),
        (True, "decimal string"),
        ("many", "decimal string"),
        (None, "decimal string"),
        ("NaN", "decimal string"),
        ("Infinity", "decimal string"),
        ("-1", "not negative"),
        ("1000000000000000", "at most 15 digits"),
        ("1E+15", "decimal string"),
        ("1_000", "decimal string"),
        ("\u0661", "decimal string"),
        ("0.0000001", "6 decimals"),
    ],
)
def test_what_is_no_quantity(written: Any, reason: str) -> None:
    """A float has already lost what was written."""
    with pytest.raises(ValidationError, match=reason):
        TypeAdapter(Quantity).validate_python(written)


@given(ANYTHING, st.sampled_from([Day, Quantity, Code, Identifier, Npi, Tin]))
def test_reading_a_value_never_fails_otherwise(value: Any, kind: Any) -> None:
    """Whatever is sent is read, or refused as a wrong value."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValueError as refused:
        assert isinstance(refused, ValidationError)


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        (Code, " gp ", "GP"),
        (Code, "--", None),
        (Code, "", None),
        (Tin, "74-1234567", "741234567"),
        (Tin, "74123456", None),
        (Tin, 741234567, None),
        (Npi, "1234567893", "1234567893"),
        (Npi, "123456789", None),
        (Identifier, " UM-1 ", "UM-1"),
        (Identifier, "UM 1", None),
        (Identifier, "a/b", None),
    ],
)
def test_codes_and_identifiers(kind: Any, written: Any, read: str | None) -> None:
    """Upper case and trimmed; an identifier can stand in an address."""
    if read is None:
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(written)
    else:
        assert read == TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize(
    ("first", "last", "is_right"),
    [
        ("2026-03-01", "2026-03-01", True),
        ("2026-03-01", None, True),
        (None, "2026-03-01", True),
        (None, None, True),
        ("2026-03-02", "2026-03-01", False),
    ],
)
def test_a_span_ends_after_it_starts(first: str | None, last: str | None, is_right: bool) -> None:
    """Each end may be open."""
    if is_right:
        span = DateSpan.model_validate({"from": first, "to": last})
        assert (first, last) == tuple(each and each.isoformat() for each in (span.from_, span.to))
    else:
        with pytest.raises(ValidationError, match="before it starts"):
            DateSpan.model_validate({"from": first, "to": last})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A-1", True),
        (".a", True),
        ("a..", True),
        ("...", True),
        ("x" * 100, True),
        ("x" * 101, False),
        (".", False),
        ("..", False),
        ("", False),
        ("a/b", False),
        ("a|b", False),
        ("a b", False),
        ("é", False),
    ],
)
def test_an_id_travels_in_addresses(text: str, expected: bool) -> None:
    """A dot or two alone would be left out of one."""
    assert is_identifier(text) is expected
    with nullcontext() if expected else pytest.raises(ValidationError):
        assert TypeAdapter(Identifier).validate_python(text) == text
