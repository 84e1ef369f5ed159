"""Each row of the 837 mapping, and the claims that senders really write."""

from typing import Any

import pytest

from service.domain.claim import Claim
from service.ingest.x12.claim.claims import written_id
from service.ingest.x12.claim.rows import CLAIM, LINE
from service.ingest.x12.fields.policy import (
    ClaimKeys,
    ReadingPolicy,
    provider_claim_id,
    wire_claim_id,
)
from tests.ingest.x12.edi import (
    DENTAL,
    DIAGNOSIS,
    INSTITUTIONAL,
    LINES,
    MESSAGES,
    PROFESSIONAL,
    at,
    claim,
    claim_document,
    claim_segments,
    claims,
    codes,
    interchange,
    transaction,
)

PRO, INST, DENT = PROFESSIONAL, INSTITUTIONAL, DENTAL
NUMBERS = {"G1": "authorization", "9F": "referral", "G3": "predetermination"}

CLAIM_CASES: dict[str, tuple[str, tuple[str, ...], str, Any]] = {
    "CLM CLM01": (PRO, (), "claim_id", "C1"),
    "CLM CLM05-1, CLM05-2": (INST, (), "bill_type", "0131"),
    "CLM CLM05-3": (PRO, (), "frequency", "1"),
    "CLM CLM19": (PRO, (), "place_of_service", "11"),
    **{
        f"REF {mark} REF02": (
            PRO, (f"REF*{mark}*N 1",), "authorization_numbers", [{"kind": kind, "value": "N 1"}],
        )
        for mark, kind in NUMBERS.items()
    },
    "REF F8 REF02": (PRO, ("REF*F8*ICN 7",), "original_claim_id", "ICN%207"),
    "DTP 434 472 DTP03": (
        INST, ("DTP*434*RD8*20260310-20260315",), "statement",
        {"from": "2026-03-10", "to": "2026-03-15"},
    ),
    "DTP 435 DTP03": (INST, ("DTP*435*DT*202603101430",), "admission.date", "2026-03-10"),
    "DTP 096 DTP03": (PRO, ("DTP*096*D8*20260315",), "discharge_date", "2026-03-15"),
    "HI HI01 to HI12": (INST, ("HI*ABK:M1711", "HI*DR:470"), "drg", "470"),
    "CL1 CL101 to CL103": (
        INST, ("CL1*1*7*01",), "admission", {"type": "1", "source": "7", "patient_status": "01"},
    ),
}  # fmt: skip

LINE_CASES: dict[str, tuple[str, tuple[str, ...], str, Any]] = {
    "LX LX01": (PRO, ("LX*7", "SV1*HC:1"), "line", 7),
    "SV1 SV101": (PRO, ("LX*1", "SV1*HC:97110:GP:59:::therapy"), "modifiers", ["GP", "59"]),
    "SV1 SV102": (PRO, ("LX*1", "SV1*HC:1*60."), "charge", "60"),
    "SV1 SV103": (PRO, ("LX*1", "SV1*HC:1*60*MJ*15"), "unit", "MJ"),
    "SV1 SV104": (PRO, ("LX*1", "SV1*HC:1*60*UN*.5"), "units", "0.5"),
    "SV1 SV105": (PRO, ("LX*1", "SV1*HC:1*60*UN*1*12"), "place_of_service", "12"),
    "SV1 SV107": (PRO, ("LX*1", "SV1*HC:1*60*UN*1***2:1"), "diagnosis_pointers", [2, 1]),
    "SV1 SV109": (PRO, ("LX*1", "SV1*HC:1*60*UN*1*****Y"), "procedure", "1"),
    "REF 6R REF02": (PRO, ("LX*1", "SV1*HC:1", "REF*6R*CH-1"), "charge_ids", None),
    "SV2 SV201": (INST, ("LX*1", "SV2*0120**1*DA*1"), "revenue_code", "0120"),
    "SV2 SV202": (INST, ("LX*1", "SV2*0420*HC:97110:GP*1"), "procedure", "97110"),
    "SV2 SV203": (INST, ("LX*1", "SV2*0120**1200.00*DA*1"), "charge", "1200.00"),
    "SV2 SV204": (INST, ("LX*1", "SV2*0120**1*DA*1"), "unit", "DA"),
    "SV2 SV205": (INST, ("LX*1", "SV2*0120**1*DA*5"), "units", "5"),
    "SV3 SV301": (DENT, ("LX*1", "SV3*AD:D2392"), "code_system", "CDT"),
    "SV3 SV302": (DENT, ("LX*1", "SV3*AD:D2392*99"), "charge", "99"),
    "SV3 SV303": (DENT, ("LX*1", "SV3*AD:D2392*99*22"), "place_of_service", "22"),
    "SV3 SV304": (DENT, ("LX*1", "SV3*AD:D4341*99**10:20"), "oral_cavity", ["10", "20"]),
    "SV3 SV306": (DENT, ("LX*1", "SV3*AD:D2392*99****2"), "units", "2"),
    "SV3 SV311": (DENT, ("LX*1", "SV3*AD:D2392*99****1*****B"), "diagnosis_pointers", [2]),
    "TOO TOO02, TOO03": (
        DENT, ("LX*1", "SV3*AD:D2392", "TOO*JP*14*M:O", "TOO*JP*15"), "teeth",
        [{"tooth": "14", "surfaces": ["M", "O"]}, {"tooth": "15"}],
    ),
    "DTP 472 DTP03": (
        PRO, ("LX*1", "SV1*HC:1", "DTP*472*RD8*20260301-20260303"), "to", "2026-03-03",
    ),
    **{
        f"REF {mark} REF02": (
            PRO, ("LX*1", "SV1*HC:1", f"REF*{mark}*N1"), "authorization_numbers",
            [{"kind": kind, "value": "N1"}],
        )
        for mark, kind in NUMBERS.items()
    },
}  # fmt: skip


def key(row: Any) -> str:
    """The row as a person names it."""
    return " ".join((row.segment, *row.on, row.elements))


def message(name: str) -> str:
    """A message of the folder."""
    return (MESSAGES / f"{name}.edi").read_text(encoding="utf-8")


def test_every_row_has_its_message() -> None:
    """A row without one would be documented and never tried."""
    assert {key(row) for row in CLAIM.rows} == set(CLAIM_CASES)
    assert {key(row) for row in LINE.rows} == set(LINE_CASES)


@pytest.mark.parametrize("name", sorted(CLAIM_CASES))
def test_an_element_of_the_claim_fills_its_field(name: str) -> None:
    """With the usual lines of its guide."""
    guide, segments, path, expected = CLAIM_CASES[name]

    assert at(claim_document(claim(*segments, *LINES[guide], guide=guide)), path) == expected


@pytest.mark.parametrize("name", sorted(LINE_CASES))
def test_an_element_of_the_line_fills_its_field(name: str) -> None:
    """The line stands alone; its claim has a date."""
    guide, segments, path, expected = LINE_CASES[name]
    dated = [] if any(each.startswith("DTP") for each in segments) else ["DTP*472*D8*20260312"]
    document = claim_document(claim(DIAGNOSIS, *segments, *dated, guide=guide))

    assert at(document["lines"][0], path) == expected


def test_a_file_of_several_subscribers_patients_and_payers() -> None:
    """Each claim alone, with whom it is for and for which payer."""
    first, second, third = claims(message("claim-professional"))

    assert [each.document["claim_id"] for each in (first, second, third)] == [
        "A%201%2F7", "A2", "A3",
    ]  # fmt: skip
    assert [each.document["member"]["id"] for each in (first, second, third)] == [
        "M0001", "M0001", "M0002",
    ]  # fmt: skip
    assert third.document["member"]["birth_date"] == "2015-05-01"
    assert [each.payer_id for each in (first, second, third)] == ["EP100"] * 3
    assert [each.responsibility for each in (first, second, third)] == ["P", "P", "S"]
    assert (second.document["frequency"], second.document["original_claim_id"]) == ("7", "ICN77")
    assert "authorization_numbers" not in third.document, "another payer's number is not ours"


def test_the_providers_of_a_claim_have_their_roles() -> None:
    """Billing, rendering (of the claim and of a line), referring, and the place."""
    document = claims(message("claim-professional"))[0].document

    assert document["billing_provider"] == {
        "npi": "1122334455", "tin": "741234567", "name": "EXAMPLE CLINIC",
        "taxonomy": ["225100000X"],
    }  # fmt: skip
    assert document["rendering_provider"]["npi"] == "1234567893"
    assert document["referring_provider"]["npi"] == "1999999984"
    assert document["facility"]["npi"] == "1477777776"
    assert document["lines"][1]["rendering_provider"]["npi"] == "1477777776"
    assert document["lines"][1]["authorization_numbers"] == [
        {"kind": "authorization", "value": "AU-00124"}
    ]


def test_an_id_that_is_not_where_its_qualifier_says_is_told() -> None:
    """The NPI stands one element before its place, as in NM1*85*2*CLINIC****XX*1234567893."""
    text = claim(*LINES[PROFESSIONAL]).replace("CLINIC*****XX*", "CLINIC****XX*")

    assert "npi" not in claim_document(text)["billing_provider"]
    assert "element-missing" in codes(text)


def test_an_inpatient_claim_has_its_stay() -> None:
    """Hour of discharge: the day is the end of the statement."""
    document = claim_document(message("claim-institutional"))

    assert document["bill_type"] == "0111"
    assert document["statement"] == {"from": "2026-03-10", "to": "2026-03-15"}
    assert document["discharge_date"] == "2026-03-15"
    assert document["admission"]["date"] == "2026-03-10"
    assert document["emergency"] is True
    assert [each["code"] for each in document["diagnoses"]] == ["M1711"]
    assert [each["value"] for each in document["authorization_numbers"]] == ["AM-5", "AM-6"]


def test_a_patient_who_is_still_there_is_not_discharged() -> None:
    """Patient status 30, whatever the hour."""
    stay = ("DTP*434*RD8*20260310-20260315", "DTP*096*TM*1100", "CL1*3*1*30")
    document = claim_document(claim(*stay, *LINES[INST], guide=INST))

    assert "discharge_date" not in document


def test_a_dental_claim_has_teeth_areas_and_dates_of_the_whole() -> None:
    """A bare count is units; without one it was done once."""
    lines = claim_document(message("claim-dental"))["lines"]

    assert [line["units"] for line in lines] == ["1", "1", "1"]
    assert [line["unit"] for line in lines] == ["UN"] * 3
    assert "from" not in lines[0]


@pytest.mark.parametrize(
    ("guide", "kind"), [(PRO, "professional"), (INST, "institutional"), (DENT, "dental")]
)
def test_the_type_is_told_by_st03_then_gs08_then_the_lines(guide: str, kind: str) -> None:
    """Where both are missing or of another guide, the lines tell."""
    text = claim(*LINES[guide], guide=guide)
    without = text.replace(f"*0001*{guide}", "*0001").replace(f"*X*{guide}", "*X*005010X279A1")

    assert claim_document(text)["type"] == kind
    assert claim_document(text.replace(f"*0001*{guide}", "*0001"))["type"] == kind
    assert claim_document(without)["type"] == kind
    assert {"guide-mismatch", "guide-missing"} <= set(codes(without))


def test_lines_of_another_type_win_over_the_guide() -> None:
    """ST03 says professional, the lines are institutional."""
    text = claim(*LINES[INST], guide=PRO)

    assert claim_document(text)["type"] == "institutional"
    assert {"claim-type", "facility-code"} <= set(codes(text))


def test_without_a_guide_and_without_services_the_bill_type_tells() -> None:
    """CLM05-2 A is institutional."""
    text = claim("LX*1", "DTP*472*D8*20260312", clm="CLM*C1*1***13:A:1", guide="005010")
    other = claim("LX*1", "DTP*472*D8*20260312", clm="CLM*C1*1***11:B:1", guide="005010")

    assert claim_document(text)["type"] == "institutional"
    assert claim_document(other)["type"] == "professional"
    assert "no-service" in codes(text)


@pytest.mark.parametrize(
    ("segments", "code"),
    [
        (("LX*1", "SV1*HC:1*60*UN*two", "DTP*472*D8*20260312"), "number-invalid"),
        (("LX*1", "SV1*HC:1*-60*UN*2", "DTP*472*D8*20260312"), "number-invalid"),
        (("LX*1", "SV1*HC:1*60*UN*2", "DTP*472*D8*20260231"), "date-invalid"),
        (("LX*1", "SV1*HC:1*60*UN*2", "DTP*472*RD8*20260312-20260311"), "period-reversed"),
        (("LX*1", "SV1*HC:1*60*UN*2"), "no-service-date"),
        ((), "no-lines"),
    ],
)
def test_a_claim_that_would_be_judged_on_wrong_figures_is_left_out(
    segments: tuple[str, ...], code: str
) -> None:
    """With the reason; the claim behind it is read."""
    both = [*segments, "CLM*C2*1***11:B:1", *LINES[PRO]]

    assert [each.document["claim_id"] for each in claims(claim(*both))] == ["C2"]
    assert {code, "claim-unread"} <= set(codes(claim(*segments)))


@pytest.mark.parametrize("clm", ["CLM**1***11:B:1", "CLM*" + "9" * 101 + "*1***11:B:1"])
def test_a_claim_without_an_id_is_left_out(clm: str) -> None:
    """None, or one that cannot be kept."""
    assert "no-claim-id" in codes(claim(*LINES[PRO], clm=clm))


def test_a_frequency_that_cannot_be_read_is_not_guessed() -> None:
    """7 and 8 take an earlier claim back."""
    assert claims(claim(*LINES[PRO], clm="CLM*C1*1***11:B:17")) == []


def test_numbers_that_are_no_authorizations_are_passed_over() -> None:
    """An exception code, a trace, a medical record; the same number twice is one."""
    numbers = ("REF*4N*3", "REF*D9*T1", "REF*EA*R1", "REF*G1*A1", "REF*G1*A1", "REF*G1", "REF*G1*-")
    document = claim_document(claim(*numbers, *LINES[PRO]))

    assert document["authorization_numbers"] == [{"kind": "authorization", "value": "A1"}]


def test_a_number_behind_a_provider_is_still_the_claims() -> None:
    """Some senders write REF*G1 after NM1."""
    document = claim_document(claim("NM1*82*1*ROE", "REF*G1*A1", *LINES[PRO]))

    assert document["authorization_numbers"][0]["value"] == "A1"


def test_pointers_beyond_the_diagnoses_are_left_out() -> None:
    """Told, and the claim is read."""
    text = claim("HI*ABK:M5450", "LX*1", "SV1*HC:1*60*UN*2***1:4:x!", "DTP*472*D8*20260312")

    assert claim_document(text)["lines"][0]["diagnosis_pointers"] == [1]
    assert "pointer" in codes(text)


def test_line_numbers_are_unique() -> None:
    """The next free one where LX01 is none or stands twice."""
    one = ("SV1*HC:1*1*UN*1", "DTP*472*D8*20260312")
    text = claim("LX*1", *one, "LX*1", *one, "LX*x", *one)

    assert [line["line"] for line in claim_document(text)["lines"]] == [1, 2, 3]
    assert "line-number" in codes(text)


def test_a_claim_under_a_subscriber_that_announces_a_patient_is_read() -> None:
    """HL04 says 1, and no HL*23 follows; or the patient stands under the subscriber's HL."""
    text = claim(*LINES[PRO], patient=("NM1*QC*1*DOE*TED", "DMG*D8*20150501*M"))

    assert claim_document(claim(*LINES[PRO]))["member"]["birth_date"] == "1980-05-02"
    assert claim_document(text)["member"]["birth_date"] == "2015-05-01"


def test_a_claim_without_its_levels_is_read_as_far_as_it_goes() -> None:
    """No HL at all: no member, so it is left out and told."""
    segments = [each for each in claim_segments(*LINES[PRO]) if not each.startswith("HL")]
    text = interchange(transaction(*segments, set_id="837"), guide=PRO)

    assert "no-member" in codes(text)


@pytest.mark.parametrize(
    ("text", "is_predetermination"),
    [
        (claim(*LINES[DENT], guide=DENT, clm="CLM*C1*1***11:B:1*Y*A*Y*Y" + "*" * 10 + "PB"), True),
        (claim(*LINES[PRO], guide="005010X291"), True),
        (claim(*LINES[PRO]), False),
    ],
)
def test_a_predetermination_is_marked(text: str, is_predetermination: bool) -> None:
    """It bills nothing."""
    (read,) = claims(text)

    assert read.is_predetermination == is_predetermination
    assert read.use == "CH"


def test_too_many_lines_do_not_fit_the_model() -> None:
    """A thousand lines: the claim is left out, without a word of it."""
    lines = [each for number in range(1, 1001)
             for each in (f"LX*{number}", "SV1*HC:1*1*UN*1", "DTP*472*D8*20260312")]  # fmt: skip

    assert {"not-accepted", "claim-unread"} <= set(codes(claim(*lines)))


def test_the_receiver_stands_for_a_missing_payer() -> None:
    """1000B, where there is no 2010BB."""
    text = claim(*LINES[PRO]).replace("NM1*PR*2*PLAN*****PI*P100~", "")
    (read,) = claims(text)

    assert (read.payer_id, read.payer_name) == ("R1", "PLAN")


def test_the_id_of_a_claim_is_written_so_that_it_travels() -> None:
    """Blanks, slashes and bars as %20, and nothing collides with what was written so."""
    assert written_id(" A 1/2|3%é ") == "A%201%2F2%7C3%25%C3%A9"
    assert (written_id("  "), written_id("x" * 101)) == (None, None)
    assert (written_id("."), written_id(".."), written_id("...")) == ("%2E", "%2E%2E", "...")


@pytest.mark.parametrize(
    ("number", "charges", "found"),
    [
        ("CH-1", ("CH-1",), []),
        ("CH 1/2", ("CH%201%2F2",), []),
        ("..", ("%2E%2E",), []),
        ("charge:1", ("charge:1",), []),
        ("X" * 90, ("X" * 90,), []),
        ("X" * 91, (), ["code-invalid"]),
        ("", (), ["code-invalid"]),
    ],
)
def test_a_control_number_of_a_line_may_be_its_charge(
    number: str, charges: tuple[str, ...], found: list[str]
) -> None:
    """REF*6R, where the payer says so: else it need be unique within its claim alone."""
    text = claim(DIAGNOSIS, *LINES[PRO], f"REF*6R*{number}" if number else "REF*6R**X")
    (read,) = claims(text, ReadingPolicy(charge_ids="line-control-number"))
    (plain,) = claims(text)

    assert [each.charge_ids for each in read.claim.lines][-1] == charges
    assert [each.code for each in read.problems] == found
    assert ([each.charge_ids for each in plain.claim.lines][-1], plain.problems) == ((), ())


def test_a_payer_may_tell_the_claims_of_its_providers_apart() -> None:
    """CLM01 is unique within a provider only."""
    keys = ClaimKeys(number="C1", billing_npi="1", billing_tin="2")
    bare = ClaimKeys(number="C1", billing_npi=None, billing_tin=None)
    (read,) = claims(claim(*LINES[PRO]), ReadingPolicy(claim_id_of=provider_claim_id))

    assert (wire_claim_id(keys), provider_claim_id(keys)) == ("C1", "1.C1")
    assert provider_claim_id(bare) == "C1"
    assert read.claim == Claim.model_validate(read.document)
    assert read.claim.claim_id == "1234567893.C1"
