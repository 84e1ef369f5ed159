"""An inquiry is read as what it asks for, and its answer is read as what was found."""

from datetime import UTC, datetime
from typing import Any

import pytest

from service.domain.authorization import Authorization
from service.ingest.x12.reply.answering import Answer, answer
from service.ingest.x12.wire.results import (
    AskedDays,
    AskedService,
    AuthorizationRead,
    GroupOutcome,
    InquiryRead,
    Refusal,
)
from service.ingest.x12.wire.writing import ControlNumbers
from tests.ingest.x12.edi import (
    MESSAGES,
    authorizations,
    codes,
    interchange,
    items,
    review,
    sets,
    transaction,
)

AT = datetime(2026, 4, 1, 8, 30, 15, tzinfo=UTC)
NUMBERS = ControlNumbers(interchange=77, group=8, transaction=3)
ASKS = "BHT*0007*28*ASK-9*20260401*0830"
X215 = "005010X215"
SERVICE = "HL*5*4*SS*0"
DEPENDENT = (
    "HL*9*2*22*1", "NM1*IL*1*DOE*JANE****MI*M0001", "DMG*D8*19800502*F",
    "HL*3*9*23*1", "NM1*QC*1*DOE*TED", "DMG*D8*20150101*M", "INS*N*19",
)  # fmt: skip


def inquiries(text: str) -> list[InquiryRead]:
    """Read the inquiries of a message."""
    return [each for each in items(text) if isinstance(each, InquiryRead)]


def inquiry(*event: str, **more: Any) -> InquiryRead:
    """Read an inquiry with these segments."""
    (read,) = inquiries(review(*event, bht=ASKS, guide=X215, **more))
    return read


ASKED = inquiry("TRN*1*ASK-TRACE*9012345678", "UM*HS", "REF*BB*AU1")


def test_an_inquiry_says_what_it_asks_for() -> None:
    """Member, numbers, days, services, provider, traces."""
    read = inquiry(
        "TRN*1*ASK-1*9012345678", "UM*HS**42", "HCR**AU-7", "REF*BB*AU-6", "REF*NT*ADM-5",
        "DTP*AAH*RD8*20260301-20260331", "DTP*435*D8*20260310",
        "NM1*SJ*2*CLINIC*****XX*1234567893", SERVICE, "SV1*HC:97110:GP", "DTP*472*D8*20260305",
        "HL*6*4*SS*0", "SV2*0420",
    )  # fmt: skip

    assert (read.member_id, read.birth_date, read.gender) == ("M0001", "1980-05-02", "F")
    assert (read.payer_id, read.category, read.service_type) == ("P100", "HS", "42")
    assert read.numbers == ("AU-7", "ADM-5", "AU-6")
    assert read.days == (
        AskedDays("2026-03-01", "2026-03-31"),
        AskedDays("2026-03-10", None),
        AskedDays("2026-03-05", "2026-03-05"),
    )
    assert read.services == (
        AskedService("97110", ("GP",), None),
        AskedService(None, (), "0420"),
    )
    assert read.provider_npis == ("1234567893",)
    assert read.traces == (("ASK-1", "9012345678"),)


def test_an_inquiry_is_no_authorization_and_no_fault() -> None:
    """Whatever it holds: it is read, and accepted."""
    text = review("TRN*1*T1", "UM*HS", "HCR*A1*AU1", "DTP*472*D8*20260301", bht=ASKS, guide=X215)
    (one,) = sets(text)

    assert authorizations(text) == []
    assert (one.read, one.unread, one.refusal, one.is_accepted) == (1, 0, None, True)
    assert codes(text) == ["inquiry"]


def test_an_inquiry_may_ask_for_all_of_a_member() -> None:
    """Without an event: of the dependent where there is one."""
    without = review(bht=ASKS, guide=X215).replace("HL*4*3*EV*1~", "")
    of_child = review(bht=ASKS, guide=X215, member=DEPENDENT).replace("HL*4*3*EV*1~", "")

    assert [(each.member_id, each.birth_date) for each in inquiries(without)] == [
        ("M0001", "1980-05-02")
    ]
    assert [(each.member_id, each.birth_date) for each in inquiries(of_child)] == [
        ("M0001", "2015-01-01")
    ]


READ = [
    pytest.param(each, id=f"{path.stem} {each.document['authorization_id']}")
    for path in sorted(MESSAGES.glob("review*.edi"))
    for each in authorizations(path.read_bytes())
]
KEPT = (
    "number", "decision", "limits", "effective", "requested_dates", "admission", "diagnoses",
    "certification_date", "certification_type", "service_type", "urgency", "place_of_service",
    "bill_type", "other_numbers", "drg",
)  # fmt: skip
OF_LINE = (*KEPT, "procedure", "modifiers", "revenue_code", "tooth", "surfaces", "oral_cavity",
           "unit_price", "code")  # fmt: skip


def kept(document: dict[str, Any]) -> list[Any]:
    """What an answer must say of an authorization: all that decides about a claim."""
    lines = [{name: line.get(name) for name in OF_LINE} for line in document["lines"]]
    whole = {name: document.get(name) for name in (*KEPT, "setting", "kind", "previous_numbers")}
    return [whole, lines]


def told(*found: Authorization) -> list[AuthorizationRead]:
    """Answer the inquiry, and read the answer."""
    return authorizations(answer([Answer(inquiry=ASKED, found=found)], NUMBERS, AT))


@pytest.mark.parametrize("read", READ)
def test_an_answer_is_read_as_what_was_found(read: AuthorizationRead) -> None:
    """278 to model to 278 to model: number, decision, lines, quantities and days stay."""
    (again,) = told(read.authorization)

    assert kept(again.document) == kept(read.document)
    assert again.document["trace_numbers"] == ["ASK-TRACE"]


FULL: dict[str, Any] = {
    "authorization_id": "A-1", "version": 1, "kind": "referral", "setting": "outpatient",
    "member": {"id": "M0001"}, "number": "R~1*2", "previous_numbers": ["R-0"],
    "administrative_reference": "ADM", "decision": {"action": "A6", "reasons": ["0V", "0W"]},
    "effective": {"from": "2026-01-01"}, "certification_date": "2026-01-02",
    "diagnoses": [{"code": f"M54.{n}"} for n in range(14)], "drg": "470",
    "limits": {"units": "10", "unit": "VS"}, "messages": [{"text": "CALL ~US"}],
    "servicing_provider": {"npi": "1234567893", "tin": "741234567", "name": "ROE, ANN",
                           "taxonomy": ["225100000X"]},
    "facility": {"tin": "741234568", "name": "SITE", "organization": True},
    "lines": [
        {"line": 1, "procedure": {"from": "97110", "to": "97140"}, "modifiers": ["GP", "59"],
         "revenue_code": "0420", "unit_price": "12.5", "decision": {"action": "A1"},
         "limits": {"units": "8", "unit": "UN", "per": {"count": "2", "period": "week"}}},
        {"line": 2, "procedure": {"from": "D2392"}, "tooth": "14", "surfaces": ["M", "O"],
         "oral_cavity": ["10", "20"], "limits": {"units": "1", "unit": "UN"}},
        {"line": 3, "procedure": {"from": "97140"}, "limits": {
            "units": "4", "unit": "UN",
            "renewal": {"reference": "effective.from", "period": 2, "unit": "month"}}},
        {"line": 4, "procedure": {"group": "rehab"}},
        {"line": 5, "procedure": {"from": "97112"}, "removed_on": "2026-02-01"},
        {"line": 6, "requested_dates": {"to": "2026-03-01"}, "effective": {"to": "2026-05-01"},
         "limits": {"amount": "240.00", "service_days": "5"}},
    ],
}  # fmt: skip


def test_all_that_has_a_place_in_a_278_is_written() -> None:
    """And what has none is told in words: a group, an amount, days of service."""
    text = answer([Answer(inquiry=ASKED, found=[Authorization.model_validate(FULL)])], NUMBERS, AT)
    (read,) = authorizations(text)
    document = read.document
    lines = document["lines"]

    assert (document["number"], document["kind"]) == ("R 1 2", "referral")
    assert document["decision"] == {"action": "A6", "reasons": ["0V", "0W"]}
    assert [each["code"] for each in document["diagnoses"]] == [f"M54{n}" for n in range(14)]
    assert (document["drg"], document["effective"]) == ("470", {"from": "2026-01-01"})
    assert document["servicing_provider"] == FULL["servicing_provider"]
    assert document["facility"] == FULL["facility"]
    assert [each["text"] for each in document["messages"]] == [
        "CALL  US", "SERVICES rehab", "UP TO 240.00 USD", "UP TO 5 DAYS OF SERVICE",
    ]  # fmt: skip
    assert len(lines) == 4
    assert lines[0]["procedure"] == {"from": "97110", "to": "97140", "code_system": "HCPCS"}
    assert [each.get("limits") for each in lines] == [
        {"unit": "UN", "per": {"count": "2", "period": "week"}, "units": "8"},
        {"units": "1", "unit": "UN"},
        FULL["lines"][2]["limits"],
        None,
    ]
    assert (lines[1]["tooth"], lines[1]["surfaces"]) == ("14", ["M", "O"])
    assert lines[1]["oral_cavity"] == ["10", "20"]
    assert lines[3]["effective"] == {"to": "2026-05-01"}


@pytest.mark.parametrize(
    ("of_dependent", "known", "reason", "loop"),
    [
        (False, True, "AA", "2000E"),
        (True, True, "AA", "2000E"),
        (False, False, "75", "2000C"),
        (True, False, "67", "2000D"),
    ],
)
def test_what_is_not_found_is_a_refusal_to_look(
    of_dependent: bool, known: bool, reason: str, loop: str
) -> None:
    """Of an authorization at the event, of a person at its own level."""
    asked = inquiry("TRN*1*T1", **({"member": DEPENDENT} if of_dependent else {}))
    text = answer([Answer(inquiry=asked, is_member_known=known)], NUMBERS, AT)
    (refusal,) = (each for each in items(text) if isinstance(each, Refusal))

    assert authorizations(text) == []
    assert (refusal.reasons, refusal.follow_up, refusal.loop) == ((reason,), "C", loop)
    assert refusal.trace_numbers == (("T1",) if known else ())


def test_an_answer_has_the_levels_and_envelopes_of_its_inquiry() -> None:
    """Back to whom asked, about whom was asked; every HL under the one above it."""
    found = Authorization.model_validate(FULL)
    asked = inquiry("TRN*1*T1*9012345678", "UM*HS", member=DEPENDENT)
    text = answer([Answer(inquiry=asked, found=[found, found])], NUMBERS, AT)
    segments = text.replace("\n", "").split("~")

    assert segments[0][32:66] == "ZZ*RECEIVER       *ZZ*SENDER         *"[:34]
    assert segments[1:5] == [
        "GS*HI*RECEIVER*SENDER*20260401*0830*8*X*005010X215", "ST*278*0003*005010X215",
        "BHT*0007*11*ASK-9*20260401*083015*18", "HL*1**20*1",
    ]  # fmt: skip
    assert [each for each in segments if each.startswith("HL*")] == [
        "HL*1**20*1", "HL*2*1*21*1", "HL*3*2*22*1", "HL*4*3*23*1",
        "HL*5*4*EV*1", "HL*6*5*SS*0", "HL*7*5*SS*0", "HL*8*5*SS*0", "HL*9*5*SS*0",
        "HL*10*4*EV*1", "HL*11*10*SS*0", "HL*12*10*SS*0", "HL*13*10*SS*0", "HL*14*10*SS*0",
    ]  # fmt: skip
    assert "NM1*QC*1*DOE*TED" in segments
    assert segments.count("TRN*2*T1*9012345678") == 2
    assert codes(text) == ["dependent", "number-repeated"]


def test_inquiries_of_one_interchange_are_answered_in_one() -> None:
    """Each in its own set, in their order."""
    body = review("TRN*1*T1", bht=ASKS, guide=X215).split("~")[3:-4]
    asked = inquiries(
        interchange(
            transaction(*body, st03=X215),
            transaction(*body, st03=X215, number="0002"),
            guide=X215,
        )
    )
    text = answer([Answer(inquiry=each) for each in asked], NUMBERS, AT)

    assert [each.transaction.control_number for each in sets(text)] == ["0003", "0004"]
    assert [each.problems for each in items(text) if isinstance(each, GroupOutcome)] == [()]
