"""A claim, and what a template sees of each of its lines."""

# ruff: noqa: E501 - a row of a table is one line

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.claim import Claim
from service.domain.claim_values import days_of, submitted_numbers
from tests.builders import build_claim, values_of

Fields = dict[str, Any]

NO_DAY: Fields = {"from": None}


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ({"line": {"from": "2026-03-02", "to": "2026-03-01"}}, "before it starts"),
        ({"line": {"from": None, "to": "2026-03-01"}}, "needs its first day"),
        ({"line": NO_DAY}, "has no date of service"),
        ({"line": NO_DAY, "admission": {"type": "3"}}, "has no date of service"),
        ({"line": {"diagnosis_pointers": [2]}}, "points to diagnosis 2 of 1"),
        ({"lines": [{"line": 7}, {"line": 7}]}, "line 7 stands twice"),
        ({"lines": []}, "at least 1 item"),
        ({"line": {"units": 1.5}}, "decimal string"),
        ({"line": {"units": "-1"}}, "not negative"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_does_not_hold_together_is_refused(claim: Fields, reason: str) -> None:
    """With the reason, and before anything is matched."""
    with pytest.raises(ValidationError, match=reason):
        build_claim(**claim)


@pytest.mark.parametrize(
    ("line", "claim", "days"),
    [
        ({"from": "2026-03-12"}, {}, "2026-03-12 2026-03-12"),
        ({"from": "2026-03-12", "to": "2026-03-14"}, {}, "2026-03-12 2026-03-14"),
        (NO_DAY, {"statement": {"from": "2026-03-01", "to": "2026-03-31"}}, "2026-03-01 2026-03-31"),
        (NO_DAY, {"statement": {"from": "2026-03-01"}, "discharge_date": "2026-03-09"}, "2026-03-01 2026-03-01"),
        (NO_DAY, {"admission": {"date": "2026-03-05"}, "discharge_date": "2026-03-09"}, "2026-03-05 2026-03-09"),
        (NO_DAY, {"admission": {"date": "2026-03-05"}}, "2026-03-05 2026-03-05"),
        (NO_DAY, {"admission": {"date": "2026-03-05"}, "discharge_date": "2026-03-01"}, "2026-03-05 2026-03-05"),
    ],
)  # fmt: skip
def test_the_days_of_a_line(line: Fields, claim: Fields, days: str) -> None:
    """Its own, else those of the statement, else those of the stay."""
    made = build_claim(line=line, **claim)

    assert days == " ".join(day.isoformat() for day in days_of(made, made.lines[0]))


def test_a_line_without_any_day_is_a_fault() -> None:
    """The claim refuses it, so that only a claim that was not checked can have one."""
    claim = build_claim()
    line = claim.lines[0].model_copy(update={"from_": None})

    with pytest.raises(ValueError, match="line 1 has no date of service"):
        days_of(claim, line)


def build_rich_claim() -> Claim:
    """Make a claim that says much, in the ways that senders write it."""
    return build_claim(
        "inpatient",
        type="institutional",
        network="in",
        diagnoses=[{"code": "i10"}, {"code": "m1611", "type": "BK"}],
        admission={"date": "2026-03-12", "type": "3", "source": "1"},
        discharge_date="2026-03-16",
        referring_provider={"npi": "1999999984", "groups": ["PCP-7"]},
        attached={"region": "TX", "risk_level": 3, "pilot": True, "colour": "red"},
        line={
            "procedure": " 0sr9019 ",
            "modifiers": ["lt", "LT"],
            "revenue_code": "120",
            "teeth": [{"tooth": "08", "surfaces": ["m"]}, {"tooth": "9", "surfaces": ["M", "o"]}],
            "oral_cavity": ["1"],
            "attached": {"region": ["CA", "NV"]},
        },
    )


def test_what_a_template_sees_of_a_line() -> None:
    """Every field in its written form; what is not known is absent."""
    assert values_of(build_rich_claim()) == {
        "type": "institutional",
        "requested_type": "authorization",
        "requested_types": ("authorization",),
        "frequency": "1",
        "network": "in",
        "network_scopes": ("either", "in"),
        "bill_type": "11",
        "drg": "470",
        "diagnoses": ("I10", "M16.11"),
        "principal_diagnosis": "M16.11",
        "admission.date": "2026-03-12",
        "admission.type": "3",
        "admission.source": "1",
        "discharge_date": "2026-03-16",
        "billing_provider.npi": "1477777776",
        "billing_provider.tin": "751112223",
        "rendering_provider.npi": "1477777776",
        "rendering_provider.tin": "751112223",
        "referring_provider.npi": "1999999984",
        "referring_provider.groups": ("PCP-7",),
        "numbers.authorization": ("AU1",),
        "attached.region": "TX",
        "attached.risk_level": "3",
        "attached.pilot": "true",
        "line.attached.region": ("CA", "NV"),
        "line.from": "2026-03-12",
        "line.to": "2026-03-16",
        "line.days_of_week": ("thursday", "friday", "saturday", "sunday", "monday"),
        "line.procedure": "0SR9019",
        "line.procedure_shape": "ICD10PCS:9AA9999",
        "line.modifiers": ("LT",),
        "line.revenue_code": "0120",
        "line.diagnoses": ("I10", "M16.11"),
        "line.teeth": ("8", "9"),
        "line.surfaces": ("M", "O"),
        "line.oral_cavity": ("01",),
    }


@pytest.mark.parametrize(
    ("claim", "line", "npi"),
    [
        ({"rendering_provider": {"npi": "1111111112"}}, {}, "1111111112"),
        (
            {"rendering_provider": {"npi": "1111111112"}},
            {"rendering_provider": {"npi": "1222222220"}},
            "1222222220",
        ),
        ({"rendering_provider": None}, {}, "1122334455"),
    ],
)
def test_who_rendered_a_service(claim: Fields, line: Fields, npi: str) -> None:
    """The provider of the line, else of the claim, else the billing one."""
    assert npi == values_of(build_claim(**claim, line=line))["rendering_provider.npi"]


@pytest.mark.parametrize(
    ("diagnoses", "principal"),
    [
        ([("A00", None), ("B00", None)], "A00"),
        ([("A00", "ABF"), ("B00", "ABK")], "B00"),
        ([("A00", "BF"), ("B00", "BK")], "B00"),
        ([], None),
    ],
)
def test_the_principal_diagnosis(
    diagnoses: list[tuple[str, str | None]], principal: str | None
) -> None:
    """The one of that type, else the first."""
    claim = build_claim(diagnoses=[{"code": code, "type": kind} for code, kind in diagnoses])

    assert principal == values_of(claim).get("principal_diagnosis")


def test_a_line_points_to_its_diagnoses() -> None:
    """In the order of its pointers; without any, all of the claim count."""
    claim = build_claim(
        diagnoses=[{"code": "A00"}, {"code": "B00"}, {"code": "C00"}],
        lines=[{"diagnosis_pointers": [3, 1]}, {}],
    )

    assert [values_of(claim, line=line)["line.diagnoses"] for line in (1, 2)] == [
        ("C00", "A00"),
        ("A00", "B00", "C00"),
    ]


@pytest.mark.parametrize(("teeth", "tooth"), [(["14"], "14"), (["14", "15"], None), ([], None)])
def test_one_tooth_or_none(teeth: list[str], tooth: str | None) -> None:
    """A line with several teeth has no one tooth that could be equal."""
    claim = build_claim("dental", line={"teeth": [{"tooth": each} for each in teeth]})

    assert tooth == values_of(claim).get("line.tooth")


def test_case_21_numbers_of_the_line_win_over_those_of_the_claim() -> None:
    """Case 21: by kind; the level is kept."""
    claim = build_claim(
        authorization_numbers=[{"value": "AU-1"}, {"kind": "referral", "value": "RF-1"}],
        line={"authorization_numbers": [{"value": "AU-2"}]},
    )

    assert [
        (number.value, level) for number, level in submitted_numbers(claim, claim.lines[0])
    ] == [("AU-2", "line"), ("RF-1", "claim")]
    assert {"AU2", "RF1"} == {
        number
        for kind in ("authorization", "referral")
        for number in values_of(claim)[f"numbers.{kind}"]
    }
