"""Each row of the 278 mapping, by a message that is about it alone."""

# ruff: noqa: E501 - a row of a table is one line

from typing import Any

import pytest

from service.ingest.x12.review.rows import EVENT
from service.ingest.x12.review.rows import SERVICE as SERVICE_ROWS
from tests.ingest.x12.edi import GRANTED, SERVICE, at, authorization, codes, review

Case = tuple[tuple[str, ...], str, Any]

EVENT_CASES: dict[str, Case] = {
    "UM UM01": (("UM*SC*I",), "kind", "referral"),
    "UM UM02": (("UM*HS*R",), "certification_type", "R"),
    "UM UM03": (("UM*HS*I*42",), "service_type", "42"),
    "UM UM04": (("UM*HS*I**13:A",), "bill_type", "13"),
    "UM UM06": (("UM*HS*I***E*U",), "urgency", "U"),
    "HCR HCR01": (("HCR*A6*AU1",), "decision.action", "A6"),
    "HCR HCR02": (("HCR*A1*AU 7/8",), "number", "AU 7/8"),
    "HCR HCR03": (("HCR*A3**0v^0W^0V",), "decision.reasons", ["0V", "0W"]),
    "HCR HCR04": (("HCR*A1*AU1**Y",), "attached.second_opinion", "Y"),
    "REF BB REF02": (("REF*BB*OLD1", "REF*BB*OLD2"), "previous_numbers", ["OLD1", "OLD2"]),
    "REF NT REF02": (("REF*NT*AD1",), "administrative_reference", "AD1"),
    "REF 9F G1 REF02": (("REF*9F*N1", "REF*G1*N2"), "other_numbers", ["N1", "N2"]),
    "REF REF": (("REF*EJ*ACCT9",), "attached.references", [["EJ", "ACCT9"]]),
    "DTP 007 DTP03": (("DTP*007*D8*20260401",), "effective", {"from": "2026-04-01"}),
    "DTP 036 DTP03": (
        ("DTP*007*D8*20260401", "DTP*036*D8*20260430"),
        "effective",
        {"from": "2026-04-01", "to": "2026-04-30"},
    ),
    "DTP 472 AAH DTP03": (
        ("DTP*AAH*D8*20260401",),
        "requested_dates",
        {"from": "2026-04-01", "to": "2026-04-01"},
    ),
    "DTP 102 DTP03": (("DTP*102*D8*20260220",), "certification_date", "2026-02-20"),
    "DTP 435 DTP03": (
        ("DTP*435*RD8*20260401-20260404",),
        "admission",
        {"date": "2026-04-01", "discharge_date": "2026-04-04"},
    ),
    "DTP 096 DTP03": (("DTP*096*D8*20260404",), "admission.discharge_date", "2026-04-04"),
    "DTP DTP": (("DTP*439*D8*20260101",), "attached.dates", [["439", "D8", "20260101"]]),
    "HI HI01 to HI12": (
        ("HI*BF:41090:D8:20050125*ABK:m54.50*ABJ:M5450*LOI:12345-6*DR:470",),
        "diagnoses",
        [{"code": "41090", "type": "BF"}, {"code": "M54.50", "type": "ABK"}],
    ),
    "HSD HSD01 to HSD08": (("HSD*DY*5",), "limits", {"units": "5", "unit": "DY"}),
    "CL1 CL101": (("CL1*3",), "admission.type", "3"),
    "CL1 CL102": (("CL1**7",), "admission.source", "7"),
    "CL1 CL103": (("CL1***30",), "admission.patient_status", "30"),
    "PWK PWK": (("PWK*77*FX",), "attached.paperwork", [["77", "FX"]]),
    "CRC CRC": (("CRC*07*Y*01",), "attached.conditions", [["07", "Y", "01"]]),
    **{
        f"{name} {name}": ((f"{name}*LB*150",), f"attached.{name.lower()}", [["LB", "150"]])
        for name in ("CR1", "CR2", "CR4", "CR5", "CR6", "CR7", "CR8")
    },
    "MSG MSG01": (
        ("MSG*CALL US", "MSG*TODAY"),
        "messages",
        [{"code": "2000E", "text": "CALL US"}, {"code": "2000E", "text": "TODAY"}],
    ),
    "TRN TRN02": (
        ("TRN*1*OURS*5", "TRN*2*THEIRS*6"),
        "requester_reference",
        "THEIRS",
    ),
}

SERVICE_CASES: dict[str, Case] = {
    "UM UM01": (("UM*HS",), "attached.category", "HS"),
    "TRN TRN02": (("TRN*2*L1*9", "TRN*2*L2*9"), "code", "L1"),
    "SV1 SV101, SV103, SV104": (
        ("SV1*HC:97110:GP:59:::pt:97140**HS*4",),
        "procedure",
        {"from": "97110", "to": "97140", "code_system": "HCPCS"},
    ),
    "SV1 SV102": (("SV1*HC:97110*60.50",), "unit_price", "60.50"),
    "SV1 SV120": (("SV1*HC:99304" + "*" * 19 + "2",), "attached.level_of_care", "2"),
    "SV2 SV201": (("SV2*0420",), "revenue_code", "0420"),
    "SV2 SV202, SV204, SV205": (
        ("SV2*0420*HC:97110**DA*3",),
        "limits",
        {"units": "3", "unit": "DA"},
    ),
    "SV2 SV203": (("SV2*0120**1200",), "unit_price", "1200"),
    "SV2 SV210": (("SV2*0120********4",), "revenue_code", "0120"),
    "SV3 SV301, SV306": (
        ("SV3*AD:D2392*****2",),
        "limits",
        {"units": "2", "unit": "UN"},
    ),
    "SV3 SV302": (("SV3*AD:D2392*120",), "unit_price", "120"),
    "SV3 SV304": (("SV3*AD:D4341***10:20",), "oral_cavity", ["10", "20"]),
    "TOO TOO02, TOO03": (("SV3*AD:D2392", "TOO*JP*14*M:O"), "surfaces", ["M", "O"]),
}

NOT_A_FIELD = {"AAA AAA03, AAA04"}
SHARED_ROWS = {row for row in EVENT.rows if row in SERVICE_ROWS.rows}


def key(row: Any) -> str:
    """The row as a person names it."""
    return " ".join((row.segment, *row.on, row.elements))


def test_every_row_has_its_message() -> None:
    """A row without one would be documented and never tried."""
    assert {key(row) for row in EVENT.rows} - NOT_A_FIELD == set(EVENT_CASES)
    own = {key(row) for row in SERVICE_ROWS.rows if row not in SHARED_ROWS}
    assert own == set(SERVICE_CASES)


def test_rows_that_stand_in_both_loops_are_the_same() -> None:
    """A service reads what its event reads, but for its own kind and trace number."""
    alone = [row for row in EVENT.rows if row not in SHARED_ROWS]

    assert [key(row) for row in alone] == ["UM UM01", "TRN TRN02"]


@pytest.mark.parametrize("name", sorted(EVENT_CASES))
def test_an_element_of_the_event_fills_its_field(name: str) -> None:
    """The segments of the case stand in place of those of the same kind."""
    segments, path, expected = EVENT_CASES[name]
    own = {each.split("*")[0] for each in segments}
    rest = [each for each in GRANTED if each.split("*")[0] not in own or "DTP" in each]
    dates = [each for each in rest if not (path == "requested_dates" and "DTP" in each)]

    assert at(authorization(review(*dates, *segments)), path) == expected


@pytest.mark.parametrize("name", sorted(SERVICE_CASES))
def test_an_element_of_the_service_fills_its_field(name: str) -> None:
    """Each service is the only line of a granted event."""
    segments, path, expected = SERVICE_CASES[name]
    line = authorization(review(*GRANTED, SERVICE, *segments))["lines"][0]

    assert at(line, path) == expected


def test_a_service_says_what_its_event_says_too() -> None:
    """The line's own value stands on the line; the header keeps its own."""
    read = authorization(
        review(
            *GRANTED, "HSD*VS*10", SERVICE, "UM*HS*I*2*22:B", "HCR*A6*AU2*01",
            "REF*NT*AD2", "REF*BB*OLD", "DTP*472*D8*20260310", "DTP*102*D8*20260221",
            "HI*LOI:12345-6", "SV1*HC:97110", "HSD*VS*4", "MSG*LESS",
        )
    )  # fmt: skip

    assert read["limits"] == {"units": "10", "unit": "VS"}
    assert read["previous_numbers"] == ["OLD"]
    assert read["messages"] == [{"code": "2000F", "text": "LESS"}]
    assert read["lines"] == [
        {
            "line": 1,
            "certification_type": "I",
            "service_type": "2",
            "place_of_service": "22",
            "decision": {"action": "A6", "reasons": ["01"]},
            "number": "AU2",
            "requested_dates": {"from": "2026-03-10", "to": "2026-03-10"},
            "certification_date": "2026-02-21",
            "procedure": {"from": "97110", "code_system": "HCPCS"},
            "limits": {"units": "4", "unit": "VS"},
            "attached": {
                "category": "HS",
                "administrative_reference": "AD2",
                "health_codes": [["LOI", "12345-6"]],
            },
        }
    ]


@pytest.mark.parametrize(
    ("segment", "code"),
    [
        ("UM*HS*I**11:Q", "facility-code"),
        ("HCR*A1*---", "code-invalid"),
        ("REF*BB*--", "code-invalid"),
        ("TRN*2", "element-missing"),
        ("HI*BK:", "element-missing"),
        ("TOO*JP", "element-missing"),
        ("UM*HS*" + "X" * 31, "code-invalid"),
        ("REF*NT*" + "N" * 201, "element-too-long"),
        ("HSD*****29*2", "quantity-raw"),
    ],
)
def test_an_element_that_cannot_be_kept_is_told(segment: str, code: str) -> None:
    """With its place, and the authorization stands."""
    kept = [each for each in GRANTED if each.split("*")[0] != segment.split("*")[0]]
    read = review(
        *kept,
        *(["HCR*A1*AU1"] if segment.startswith("HCR") else []),
        segment,
        SERVICE,
        "SV1*HC:97110",
        *([segment] if segment.startswith("TOO") else []),
    )

    assert code in codes(read)
    assert authorization(read)["decision"]["action"] == "A1"


WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]


@pytest.mark.parametrize(
    ("segments", "expected", "told"),
    [
        (("HSD*VS*5*WK*1*34*3*A",), WEEKDAYS, False),
        (("HSD*VS*1****K",), None, False),
        (("HSD*VS*1*****K",), ["sunday"], False),
        (("HSD*VS*1*****SZ*G",), ["tuesday", "thursday", "friday"], False),
        (("HSD*VS*1*****WE",), ["saturday", "sunday"], False),
        (("HSD*VS*1*****C",), None, False),
        (("HSD*VS*1*****N",), None, False),
        (("HSD*VS*1*****1",), ["other"], True),
        (("HSD*VS*1*****ZZ",), ["other"], True),
        (("HSD*VS*1*****D*E",), ["monday"], True),
        (("HSD*******D",), ["monday"], False),
        (("HSD*VS*1*****D", "HSD*VS*2*****F"), ["monday"], False),
    ],
)
def test_the_days_of_a_pattern_of_service(
    segments: tuple[str, ...], expected: list[str] | None, told: bool
) -> None:
    """Of another pattern it is told that no day fits for sure; the segment is kept with it."""
    read = review(*GRANTED, *segments)
    found = authorization(read)

    assert found.get("days_of_week") == expected
    assert ("pattern-raw" in codes(read)) is told
    assert not told or found["attached"]["hsd"]


@pytest.mark.parametrize(
    ("parties", "others", "told"),
    [
        (("NM1*SJ*1*A*B****XX*1111111112", "NM1*SJ*1*C*D****XX*1111111120"), ["1111111120"], False),
        (("NM1*SJ*1*A*B****XX*1111111112", "NM1*SJ*1*A*B****XX*1111111112"), None, False),
        (("NM1*SJ*1*A*B****XX*1111111112", "NM1*72*1*C*D****XX*1111111120"), None, True),
    ],
)
def test_all_providers_of_the_first_role_are_kept(
    parties: tuple[str, ...], others: list[str] | None, told: bool
) -> None:
    """Those of a role that comes later are told."""
    read = review(*GRANTED, *parties)
    found = authorization(read)
    kept = found.get("other_servicing_providers")

    assert found["servicing_provider"]["npi"] == "1111111112"
    assert (kept and [each["npi"] for each in kept]) == others
    assert ("provider-left-out" in codes(read)) is told


HOUSE_AND_SURGEON = ("NM1*FA*2*HOUSE*****XX*1477777779", "NM1*SJ*1*A*B****XX*1111111112")


@pytest.mark.parametrize(
    ("segments", "services", "expected"),
    [
        (("UM*HS*I*2*22:B", *HOUSE_AND_SURGEON), ("SV1*HC:27447**UN*1",), ["professional", "outpatient"]),
        (("UM*HS*I*2*21:B", *HOUSE_AND_SURGEON), ("SV1*HC:27447**UN*1",), ["professional", "inpatient"]),
        (("UM*HS*I*2*24:B", HOUSE_AND_SURGEON[0]), ("SV1*HC:27447",), ["professional", "outpatient"]),
        (("UM*HS*I*2*22:B", HOUSE_AND_SURGEON[1]), ("SV1*HC:27447",), ["professional"]),
        (("UM*HS*I*2*13:A", *HOUSE_AND_SURGEON), ("SV2*0360*HC:27447",), ["outpatient", "professional"]),
        (("UM*HS*I*2*13:A", *HOUSE_AND_SURGEON), ("SV2*0360",), ["outpatient"]),
        (("UM*HS*I*2*13:A", HOUSE_AND_SURGEON[0]), ("SV2*0360*HC:27447",), ["outpatient"]),
        (("UM*AR*I*2", HOUSE_AND_SURGEON[0]), ("SV1*HC:27447",), ["inpatient", "professional"]),
        (("UM*AR*I*2", *HOUSE_AND_SURGEON), ("SV2*0120",), ["inpatient"]),
        (("UM*HS*I*35", *HOUSE_AND_SURGEON), ("SV3*AD:D2392",), ["dental"]),
    ],
)  # fmt: skip
def test_an_event_is_for_the_claims_of_all_that_it_names(
    segments: tuple[str, ...], services: tuple[str, ...], expected: list[str]
) -> None:
    """A facility, a surgeon, and a procedure of a stay; a service without one is not the surgeon's."""
    kept = [each for each in GRANTED if each.split("*")[0] != "UM"]
    found = authorization(review(*kept, *segments, SERVICE, *services))
    (line,) = found["lines"]
    others = line.get("other_settings") or found.get("other_settings") or []

    assert [found["setting"], *others] == expected


def test_more_providers_than_can_be_kept_are_told() -> None:
    """The authorization stands with the first of them."""
    crowd = [f"NM1*SJ*1*A*B****XX*{1111111112 + each}" for each in range(30)]
    read = review(*GRANTED, *crowd)

    assert len(authorization(read)["other_servicing_providers"]) == 20
    assert "provider-left-out" in codes(read)


@pytest.mark.parametrize(("kind", "expected"), [("1", None), ("2", True)])
def test_an_organization_is_told_from_a_person(kind: str, expected: bool | None) -> None:
    """By NM102."""
    read = review(*GRANTED, f"NM1*SJ*{kind}*A*****XX*1111111112")

    assert authorization(read)["servicing_provider"].get("organization") is expected


def test_a_segment_that_stands_twice_counts_once() -> None:
    """The first counts, and the second is told."""
    text = review(*GRANTED, "HCR*A1*AU9")

    assert authorization(text)["decision"]["action"] == "A1"
    assert "repeated" in codes(text)


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        (("HCR*A3*AU9",), "A4"),
        (("HCR*A3*AU9", "HCR*A1*AU9"), "A4"),
        (("HCR*A1*AU9",), "A1"),
        (("HCR*CT*AU9",), "A4"),
    ],
)
def test_two_decisions_that_disagree_are_pended(decisions: tuple[str, ...], expected: str) -> None:
    """Nothing is paid by one of them, and it is told."""
    text = review(*GRANTED, *decisions)

    assert authorization(text)["decision"]["action"] == expected
    assert ("decisions-differ" in codes(text)) is (expected == "A4")
