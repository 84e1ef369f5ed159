"""What stands where an authorization number belongs, and is none."""

import pytest
from pydantic import ValidationError

from service.domain.claim_values import header_values, line_values
from service.domain.number_forms import NumberForms
from tests.builders import build_claim, references

OWN = NumberForms.model_validate(
    {"own": "AU[0-9]+", "none": [{"id": "w", "title": "t", "words": ["AU0"]}]}
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NONE", "word"),
        ("n/a", "word"),
        ("Not required", "word"),
        ("no-auth required", "word"),
        ("0", "word"),
        ("10D1234567", "clia"),
        ("01d-1234567", "clia"),
        ("10D12345678", None),
        ("110D1234567", None),
        ("G123456", "ide"),
        ("G1234567", None),
        ("75001", None),
        ("NONE1", None),
        ("AU-00123", None),
    ],
)
def test_what_is_shipped_as_no_number(text: str, expected: str | None) -> None:
    """Words, laboratories and devices; what may be a number is one."""
    assert references().numbers.no_number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("au-17", None), ("17", "other-form"), ("AU17X", "other-form"), ("au 0", "w")],
)
def test_a_payer_may_say_what_form_its_numbers_have(text: str, expected: str | None) -> None:
    """What has another is none; without such a form any text is a number."""
    assert OWN.no_number(text) == expected
    assert NumberForms().no_number(text) is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"none": [{"id": "a", "title": "A"}]}, "words or a pattern are needed"),
        ({"none": [{"id": "A B", "title": "A", "words": ["X"]}]}, "should match pattern"),
        ({"own": "[0-9"}, "not a regular expression"),
    ],
)
def test_a_file_that_says_nothing_clear_is_refused(row: dict[str, object], reason: str) -> None:
    """With the reason, before it is in force."""
    with pytest.raises(ValidationError, match=reason):
        NumberForms.model_validate(row)


def test_files_are_told_apart_as_they_are() -> None:
    """So that what is known of one is never said of another."""
    assert OWN == OWN != NumberForms()
    assert len({OWN, OWN, NumberForms()}) == 2


@pytest.mark.parametrize(
    ("submitted", "expected"),
    [
        (["AU-17"], {"numbers.authorization": ("AU17",)}),
        (["NONE", "AU-17", "au 17"], {"numbers.authorization": ("AU17",)}),
        (["NONE"], {}),
        ([], {}),
    ],
)
def test_what_is_no_number_is_no_value_of_a_line(
    submitted: list[str], expected: dict[str, tuple[str, ...]]
) -> None:
    """A number that was submitted twice is one."""
    claim = build_claim(authorization_numbers=[{"value": each} for each in submitted])
    tables = references()
    header = header_values(claim, tables.attached)
    values = line_values(claim, claim.lines[0], header, tables.attached, tables.numbers)

    assert {name: each for name, each in values.items() if name.startswith("num")} == expected
