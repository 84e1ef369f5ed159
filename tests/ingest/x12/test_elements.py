"""Single elements: days, numbers, codes, ids."""

from datetime import UTC, datetime

import pytest

from service.domain.moment import DAY, INSTANT, MINUTE, SECOND, Moment
from service.ingest.x12.wire.elements import Span, as_day, as_moment, as_number, as_span
from tests.ingest.x12.edi import GRANTED, authorization, claim, claim_document, codes, review


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("20260301", "2026-03-01", "2026-03-01"),
        ("202603011430", "2026-03-01", "2026-03-01"),
        ("20260301143059", "2026-03-01", "2026-03-01"),
        ("260301", "2026-03-01", "2026-03-01"),
        ("510301", "1951-03-01", "1951-03-01"),
        ("2026-03-01", "2026-03-01", "2026-03-01"),
        ("20260301-20260305", "2026-03-01", "2026-03-05"),
        ("20141207 -20151206", "2014-12-07", "2015-12-06"),
        ("202603011430-202603021500", "2026-03-01", "2026-03-02"),
        ("2026030114", "2026-03-01", "2026-03-01"),
    ],
)
def test_days_and_periods_are_read_by_their_shape(text: str, first: str, last: str) -> None:
    """Whatever the format says."""
    assert as_span(text) == Span(first, last, is_range=first != last)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "20260231", "18991231", "195xxxxx", "20260301-", "-20260301", "20260301-soon",
     "\u0662\u0660\u0662\u0666\u0660\u0663\u0660\u0661", "2026030", "1"],
)  # fmt: skip
def test_what_is_no_day_is_none(text: str) -> None:
    """Masked, cut, before 1900, not in the calendar."""
    assert as_span(text) is None


def test_a_day_has_eight_digits() -> None:
    """Of the calendar."""
    assert as_day("20260301") == "2026-03-01"
    assert as_day("2026030") is None
    assert as_day("\uff12\uff10\uff12\uff16\uff10\uff13\uff10\uff11") is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1", "1"), ("007", "7"), ("1.00", "1.00"), (".5", "0.5"), ("60.", "60"), ("+2", "2"),
        ("0", "0"), ("0.1234560000", "0.123456"), ("", None), (".", None), ("-1", None),
        ("1,000", None), ("1E3", None), ("1.1234567", None), ("9" * 16, None), ("4000000000", None),
        ("\u0663", None),
    ],
)  # fmt: skip
def test_numbers_are_decimals_of_at_least_zero(text: str, written: str | None) -> None:
    """As X12 writes them."""
    assert as_number(text) == written


def test_a_moment_is_utc() -> None:
    """A time that cannot be read is midnight; without a day there is none."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert as_moment("20260301", "15040507") == Moment(
        at.replace(hour=15, minute=4, second=5, microsecond=70_000), INSTANT
    )
    assert as_moment("20260301", "150405") == Moment(
        at.replace(hour=15, minute=4, second=5), SECOND
    )
    assert as_moment("20260301", "1504") == Moment(at.replace(hour=15, minute=4), MINUTE)
    assert as_moment("991231", "9") == Moment(datetime(1999, 12, 31, tzinfo=UTC), DAY)
    assert as_moment("20260301", "\uff12\uff12\uff10\uff10") == Moment(at, DAY)
    assert as_moment("20260301", "0000") == Moment(at, DAY)
    assert as_moment("x", "1200") is None


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("DTP*102*RD8*20260301", "date-format"),
        ("DTP*102*D8*20260301-20260302", "date-format"),
        ("DTP*102*D8", "element-missing"),
        ("DTP*102*D8*195xxxxx", "date-invalid"),
    ],
)
def test_a_date_of_another_format_is_told(date: str, code: str) -> None:
    """And read, where it can be."""
    assert code in codes(review(*GRANTED, date))


@pytest.mark.parametrize(
    ("segments", "expected", "code"),
    [
        (("NM1*SJ*1*ROE*R****XX*1234567893",), {"npi": "1234567893", "name": "ROE, R"}, None),
        (("NM1*SJ*1*ROE*****24*74-1234567",), {"tin": "741234567", "name": "ROE"}, None),
        (("NM1*SJ*1*ROE*****34*741234567",), {"tin": "741234567", "name": "ROE"}, None),
        (("NM1*SJ*1*ROE*****46*SUB1",), {"name": "ROE"}, "provider-unidentified"),
        (("NM1*SJ*1*ROE*****XX*123",), {"name": "ROE"}, "npi-invalid"),
        (("NM1*SJ*1*ROE*****24*12",), {"name": "ROE"}, "tin-invalid"),
        (("NM1*SJ*1*ROE****XX*1234567893", "REF*EI*741234567"),
         {"tin": "741234567", "name": "ROE"}, "element-missing"),
        (
            ("NM1*SJ*1*ROE", "REF*SY*741234567", "REF*EI*1", "REF*HPI*1234567893",
             "PRV*PE*PXC*207Q00000X"),
            {"npi": "1234567893", "tin": "741234567", "name": "ROE", "taxonomy": ["207Q00000X"]},
            None,
        ),
    ],
)  # fmt: skip
def test_a_provider_has_the_id_that_its_qualifier_says(
    segments: tuple[str, ...], expected: dict[str, object], code: str | None
) -> None:
    """Ids are not always NPIs."""
    text = review(*GRANTED, *segments)

    assert authorization(text)["servicing_provider"] == expected
    assert code is None or code in codes(text)


@pytest.mark.parametrize(
    ("um", "party", "servicing", "facility"),
    [
        ("UM*HS*I**11:B", "NM1*FA*2*H*****XX*1234567893", True, True),
        ("UM*AR*I**21:B", "NM1*FA*2*H*****XX*1234567893", False, True),
        ("UM*AR*I**21:B", "NM1*SJ*2*H*****XX*1234567893", True, True),
        ("UM*AR*I**21:B", "NM1*SJ*1*D*****XX*1234567893", True, False),
        ("UM*HS*I**11:B", "NM1*SJ*2*H*****XX*1234567893", True, False),
    ],
)
def test_the_one_provider_that_is_named_stands_for_the_other(
    um: str, party: str, servicing: bool, facility: bool
) -> None:
    """A facility alone serves; an organization that serves a stay is its place."""
    rest = [each for each in GRANTED if not each.startswith("UM")]
    document = authorization(review(*rest, um, party))

    assert ("servicing_provider" in document, "facility" in document) == (servicing, facility)


def test_one_who_refers_is_the_one_who_asks() -> None:
    """Named in the event; else the requester of 2000B, with the taxonomy of its level."""
    named = authorization(review(*GRANTED, "NM1*DN*1*DOC*****XX*1477777776"))
    text = review(*GRANTED).replace("HL*3*2*22", "PRV*RF*PXC*207Q00000X~HL*3*2*22")

    assert named["requesting_provider"]["npi"] == "1477777776"
    assert authorization(text)["requesting_provider"]["taxonomy"] == ["207Q00000X"]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("HC:97110", {"procedure": "97110", "code_system": "HCPCS"}),
        ("97110", {"procedure": "97110", "code_system": None}),
        ("ER:X1", {"procedure": "X1", "code_system": "ER"}),
        ("TOOLONG:X1", {"procedure": "X1", "code_system": None}),
    ],
)
def test_a_procedure_has_its_system(service: str, expected: dict[str, str | None]) -> None:
    """The qualifier of the composite, by our names where we have one."""
    text = claim("LX*1", f"SV1*{service}*1*UN*1", "DTP*472*D8*20260312")
    line = claim_document(text)["lines"][0]

    assert {name: line.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("HC:97110:::::text:97100", "range-invalid"),
        ("HC:97110:::::text:D1110", "range-invalid"),
        ("HC:97110:--", "code-invalid"),
    ],
)
def test_what_is_wrong_with_a_procedure_is_told(service: str, code: str) -> None:
    """A range that is none has its first code."""
    text = review(*GRANTED, "HL*5*4*SS*0", f"SV1*{service}")

    assert authorization(text)["lines"][0]["procedure"] == {"from": "97110", "code_system": "HCPCS"}
    assert code in codes(text)
