"""Teeth: two numberings, of which claims here use one."""

import pytest

from service.ingest.fhir import read
from service.ingest.fhir.reading._services import universal
from tests.ingest.fhir.papers import coded, codes, item, packed, request, response


@pytest.mark.parametrize(
    ("quadrant", "numbers"),
    [
        (1, "8 7 6 5 4 3 2 1"),
        (2, "9 10 11 12 13 14 15 16"),
        (3, "24 23 22 21 20 19 18 17"),
        (4, "25 26 27 28 29 30 31 32"),
        (5, "E D C B A"),
        (6, "F G H I J"),
        (7, "O N M L K"),
        (8, "P Q R S T"),
    ],
)
def test_a_tooth_of_two_digits_has_one_universal_number(quadrant: int, numbers: str) -> None:
    """From the middle outwards, eight permanent or five primary ones in a quadrant."""
    found = [universal(f"{quadrant}{place}") for place in range(10)]

    assert [each for each in found if each] == numbers.split()
    assert found[0] is None


@pytest.mark.parametrize("code", ["", "1", "111", "x1", "91", "00", "²1", "5 "])
def test_what_is_no_tooth_has_none(code: str) -> None:
    """Nothing is guessed."""
    assert universal(code) is None


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("99", "http://terminology.hl7.org/CodeSystem/ex-tooth"),
        ("160654D", "http://ada.org/snodent"),
    ],
)
def test_a_tooth_that_is_not_known_is_left_out_and_said(code: str, system: str) -> None:
    """The line is read without it."""
    reading = read(
        packed(response(item()), request({"sequence": 1, "bodySite": coded(code, system)}))
    )

    assert "tooth" not in reading.authorizations[0].document["lines"][0]
    assert codes(reading, "warning") == ["value-invalid"]
