"""What a decision table reads of a claim line."""

from collections.abc import Callable
from typing import Any

import pytest

from service.domain.claim import Claim
from service.domain.reference import References
from service.requirement._cells import Value
from service.requirement._inputs import Inputs, Question, columns

ATTACHED = {"region": "west", "risk_level": 3, "pilot": True, "review_due": 5, "color": "red"}


def asked(claim: Claim, references: References, requested: str | None = None) -> Inputs:
    """Ask about the first line of a claim."""
    return Inputs(
        Question(claim=claim, line=claim.lines[0], references=references, requested=requested)
    )


@pytest.mark.parametrize(
    ("column", "line", "claim", "value"),
    [
        ("claim.type", {}, {}, "professional"),
        ("claim.bill_type", {}, {"bill_type": "0131"}, "13"),
        ("claim.bill_type", {}, {"type": "institutional"}, None),
        ("claim.bill_type", {}, {}, ""),
        ("claim.bill_type", {}, {"type": "dental"}, ""),
        ("claim.frequency", {}, {"frequency": "7"}, "7"),
        ("claim.emergency", {}, {}, False),
        ("claim.network", {}, {"network": "out"}, "out"),
        ("claim.network", {}, {"network": None}, None),
        ("claim.place_of_service", {}, {"place_of_service": "2"}, "02"),
        ("claim.place_of_service", {}, {"place_of_service": None}, None),
        ("claim.place_of_service", {}, {"type": "institutional", "place_of_service": None}, ""),
        ("claim.has_admission", {}, {}, False),
        ("claim.has_admission", {}, {"admission": {"type": "1"}}, False),
        ("claim.has_admission", {}, {"admission": {"date": "2026-03-01"}}, True),
        ("line.procedure", {"procedure": "d2740 "}, {}, "D2740"),
        ("line.procedure", {}, {}, None),
        ("line.procedure", {"revenue_code": "0300"}, {}, None),
        ("line.procedure", {}, {"type": "institutional"}, None),
        ("line.procedure", {"revenue_code": "0300"}, {"type": "institutional"}, ""),
        ("line.procedure_groups", {"procedure": "97112"}, {}, ("therapy", "treatment")),
        ("line.procedure_groups", {}, {}, None),
        ("line.procedure_groups", {"revenue_code": "0300"}, {"type": "institutional"}, ()),
        ("line.modifiers", {"modifiers": ["gp", "59"]}, {}, ("GP", "59")),
        ("line.revenue_code", {"revenue_code": "450"}, {}, "0450"),
        ("line.revenue_code", {}, {}, ""),
        ("line.revenue_code", {}, {"type": "institutional"}, None),
        ("line.place_of_service", {"place_of_service": "22"}, {"place_of_service": "11"}, "22"),
        ("line.place_of_service", {}, {"place_of_service": "11"}, "11"),
        ("line.place_of_service", {}, {"place_of_service": None}, None),
        ("line.units", {"units": "4"}, {}, 4),
        ("line.units", {"units": "1.5"}, {}, 1.5),
        ("line.charge", {}, {}, None),
        ("line.diagnoses", {"diagnosis_pointers": [2]},
         {"diagnoses": [{"code": "M5450"}, {"code": "O80"}]}, ("O80",)),
        ("line.diagnoses", {}, {"diagnoses": [{"code": "M5450"}]}, ("M54.50",)),
        ("line.diagnoses", {}, {"diagnoses": []}, None),
        ("line.diagnoses", {}, {"type": "dental", "diagnoses": []}, ()),
        ("line.specialties", {}, {}, None),
        ("line.specialties", {}, {"billing_provider": {"specialty": "ZZ"}}, ()),
        ("line.units", {}, {}, None),
        ("line.modifiers", {}, {}, ()),
        ("line.specialties", {}, {"billing_provider": {"specialty": "65",
         "taxonomy": ["225100000X"]}}, ("physical-therapy",)),
        ("line.specialties", {}, {"billing_provider": {"specialty": "65"},
         "rendering_provider": {"specialty": "06"}}, ("cardiology",)),
        ("line.specialties", {"rendering_provider": {"specialty": "39"}},
         {"rendering_provider": {"specialty": "06"}}, ("nephrology",)),
        ("line.accommodation", {"revenue_code": "210"}, {}, True),
        ("line.accommodation", {"revenue_code": "0300"}, {}, False),
        ("line.accommodation", {}, {}, False),
        ("line.accommodation", {}, {"type": "institutional"}, None),
        ("claim.attached.region", {}, {"attached": ATTACHED}, "west"),
        ("claim.attached.risk_level", {}, {"attached": ATTACHED}, 3),
        ("claim.attached.pilot", {}, {"attached": ATTACHED}, True),
        ("claim.attached.review_due", {}, {"attached": ATTACHED}, None),
        ("line.attached.region", {}, {"attached": ATTACHED}, None),
        ("line.attached.region", {"attached": ATTACHED}, {}, "west"),
    ],
)  # fmt: skip
def test_a_column_holds_its_value_of_the_line(
    references: References,
    build_claim: Callable[..., Claim],
    column: str,
    line: dict[str, Any],
    claim: dict[str, Any],
    value: Value,
) -> None:
    """Codes are normalised; attached data of another type than declared is absent."""
    found = asked(build_claim(line, **claim), references)[column]

    assert (value, type(value)) == (found, type(found))


def test_the_requested_type_is_a_column(
    references: References, build_claim: Callable[..., Claim]
) -> None:
    """What is looked for is known to the table that chooses the template."""
    assert asked(build_claim(), references, "referral")["requested.type"] == "referral"


def test_the_dictionary_names_every_column(
    references: References, build_claim: Callable[..., Claim]
) -> None:
    """Each column that can be read is described, and the other way round."""
    inputs = asked(build_claim(), references)
    known = columns(references)

    assert set(known) == set(inputs)
    assert len(known) == len(inputs)
    assert all(column.title.endswith(".") for column in known.values())


def test_an_unknown_column_is_no_value(
    references: References, build_claim: Callable[..., Claim]
) -> None:
    """A name outside the dictionary is an error of the caller."""
    with pytest.raises(KeyError):
        asked(build_claim(), references)["claim.color"]


def test_without_reference_tables_there_are_no_groups(build_claim: Callable[..., Claim]) -> None:
    """Columns that come from reference tables are empty without them, and take any text."""
    inputs = asked(build_claim({"procedure": "97112"}), References())

    assert (inputs["line.procedure_groups"], inputs["line.specialties"]) == ((), ())
    assert columns(References())["line.procedure_groups"].values is None
