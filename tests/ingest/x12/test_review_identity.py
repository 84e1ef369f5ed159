"""Under which id and version a 278 response is stored, and what it stands for."""

import pytest

from service.ingest.x12.fields.people import Patient, family_member_id, wire_member_id
from service.ingest.x12.fields.policy import ReadingPolicy
from service.ingest.x12.wire.results import AuthorizationRead
from tests.ingest.x12.edi import (
    GRANTED,
    SERVICE,
    authorization,
    authorizations,
    codes,
    interchange,
    items,
    review,
    transaction,
)

BY_TRACE = "x12.P100.trn.9012345678.T1"
TRACE = "TRN*2*T1*9012345678"
DATES = "DTP*AAH*D8*20260301"


@pytest.mark.parametrize(
    ("segments", "authorization_id", "supersedes"),
    [
        (("UM*HS*I", "HCR*A1*AU-1"), "x12.P100.AU1", BY_TRACE),
        (("UM*HS*I", "HCR*A3*AU-1"), "x12.P100.AU1", BY_TRACE),
        (("UM*HS*I", "HCR*A4", "REF*NT*AD1"), BY_TRACE, None),
        (("UM*HS*I", SERVICE, "HCR*A1*AU 2", "SV1*HC:1"), "x12.P100.AU2", BY_TRACE),
        # A revision stands for what it revises; an extension stands beside it.
        (("UM*HS*S", "HCR*A1*NEW", "REF*BB*OLD"), "x12.P100.NEW", "x12.P100.OLD"),
        (("UM*HS*S", "HCR*A1*OLD", "REF*BB*OLD"), "x12.P100.OLD", None),
        (("UM*HS*4", "HCR*A1*NEW", "REF*BB*OLD"), "x12.P100.NEW", BY_TRACE),
        # What grants nothing does not replace what stands.
        (("UM*HS*S", "HCR*A3*OLD", "REF*BB*OLD"), BY_TRACE, None),
        (("UM*HS*4", "HCR*A4*OLD", "REF*BB*OLD"), BY_TRACE, None),
        (("UM*HS*3", "HCR*A3*OLD", "REF*BB*OLD"), BY_TRACE, None),
        # A cancellation is of the number that it names.
        (("UM*HS*3", "HCR*A1*NEW", "REF*BB*OLD"), "x12.P100.OLD", None),
        (("UM*HS*3", "HCR*A1*OLD"), "x12.P100.OLD", None),
        (("UM*HS*I", "HCR*C", "REF*BB*OLD"), "x12.P100.OLD", None),
    ],
)
def test_the_number_names_the_authorization(
    segments: tuple[str, ...], authorization_id: str, supersedes: str | None
) -> None:
    """And the trace number what has none, or must not replace another one."""
    document = authorization(review(TRACE, DATES, *segments))

    assert document["authorization_id"] == authorization_id
    assert document.get("supersedes") == supersedes


def test_without_trace_the_administrative_reference_names_a_pend() -> None:
    """And without that nothing does."""
    pended = review("UM*HS*I", "HCR*A4", "REF*NT*AD-1")
    nameless = review("UM*HS*I", "HCR*A4")

    assert authorization(pended)["authorization_id"] == "x12.P100.ref.AD1"
    assert authorizations(nameless) == []
    assert "no-identity" in codes(nameless)


def test_the_requesters_own_trace_number_comes_first() -> None:
    """It is the same in all answers to one request."""
    document = authorization(review("TRN*1*OURS*5", TRACE, "UM*HS*I", "HCR*A4"))

    assert document["authorization_id"] == BY_TRACE
    assert document["trace_numbers"] == ["OURS", "T1"]


def test_a_long_number_keeps_its_beginning_and_a_hash() -> None:
    """Two long numbers that begin alike are told apart."""
    kept = [each for each in GRANTED if not each.startswith("HCR")]
    ids = [
        authorization(review(*kept, f"HCR*A1*{'N' * 60}{end}"))["authorization_id"] for end in "12"
    ]

    assert ids[0] != ids[1]
    assert all(each.startswith("x12.P100.NNNN") and len(each) < 60 for each in ids)


def test_two_events_with_one_number_are_both_kept() -> None:
    """Their ids differ; the number finds both."""
    text = review(*GRANTED, "HL*7*3*EV*0", *GRANTED)
    documents = [each.document for each in authorizations(text)]

    assert [each["authorization_id"] for each in documents] == ["x12.P100.AU1", "x12.P100.AU1-2"]
    assert {each["number"] for each in documents} == {"AU1"}
    assert "number-repeated" in codes(text)


def version(bht: str, action: str = "A1", isa: str = "000000905") -> int:
    """The version of a response made at this time."""
    kept = [each for each in GRANTED if not each.startswith("HCR")]
    text = review(*kept, f"HCR*{action}*AU1", bht=bht).replace("000000905", isa)
    return int(authorization(text)["version"])


def test_versions_rise_with_time_decision_and_file() -> None:
    """A later time; in one minute the decision beats its pend, and the later file the earlier."""
    at = "BHT*0007*11*R*20260220*1504*18"
    rising = [
        version("BHT*0007*11*R*20260220*1503*18", "C"),
        version(at, "A4"),
        version(at, "A1"),
        version(at, "A1", isa="000000906"),
        version(at, "C"),
        version("BHT*0007*11*R*20260220*150401*18", "A4"),
        version("BHT*0007*11*R*20260220*15040150*18", "A4"),
    ]

    assert rising == sorted(set(rising))
    assert rising[-1] < 2**53


@pytest.mark.parametrize(
    ("bht", "made_at"),
    [
        ("BHT*0007*11*R*20260220*150405", "2026-02-20T15:04:05Z"),
        ("BHT*0007*11*R*260220*1504", "2026-02-20T15:04:00Z"),
        ("BHT*0007*11*R*20260220*nine", "2026-02-20T00:00:00Z"),
        ("BHT*0007*11*R**", "2026-03-01T12:00:00Z"),
    ],
)
def test_the_time_is_that_of_the_message_else_of_its_envelope(bht: str, made_at: str) -> None:
    """X12 has no time zone: it is taken as UTC."""
    assert authorization(review(*GRANTED, bht=bht))["source"]["event_time"] == made_at


def test_without_any_time_it_is_the_first_version() -> None:
    """And that is told."""
    text = review(*GRANTED, bht="BHT*0007*11*R").replace("20260301*1200*17", "x*y*17")
    text = text.replace("*260301*1200*", "*------*----*")

    assert authorization(text)["version"] == 1
    assert "no-event-time" in codes(text)


def test_the_sender_stands_in_the_id() -> None:
    """The payer's id, else the group's sender."""
    body = review(*GRANTED)
    nameless = body.replace("NM1*X3*2*PLAN*****PI*P100", "NM1*X3*2*PLAN")

    assert authorization(nameless)["authorization_id"] == "x12.SENDER.AU1"
    assert authorization(body)["source"] == {
        "system": "P100", "event_time": "2026-02-20T15:04:00Z", "reference": "REF1",
    }  # fmt: skip


def test_a_payer_may_resolve_persons_itself() -> None:
    """The id of the member is made by a function of the payer's."""
    policy = ReadingPolicy(member_id_of=lambda patient: f"P-{patient.gender}")
    found = items(review(*GRANTED), policy)
    (read,) = (each for each in found if isinstance(each, AuthorizationRead))

    assert read.document["member"]["id"] == "P-F"
    assert (read.payer_id, read.payer_name) == ("P100", "PLAN")


def test_dependents_can_be_told_apart() -> None:
    """By birth date and gender, where the message says them and no own id."""
    child = Patient(subscriber_id="M1", birth_date="2015-05-01", gender="M", is_dependent=True)

    assert (wire_member_id(child), family_member_id(child)) == ("M1", "M1.20150501M")
    assert family_member_id(Patient(subscriber_id="M1", birth_date="2015-05-01")) == "M1"
    assert family_member_id(Patient(subscriber_id="M1", own_id="M1-2", is_dependent=True)) == "M1-2"


def test_each_transaction_set_has_its_own_numbers() -> None:
    """The same number in two sets of a file is the same authorization, the later one newer."""
    one = review(*GRANTED)
    body = one[one.index("BHT") : one.index("SE*")].rstrip("~").split("~")
    text = interchange(transaction(*body), transaction(*body, number="0002"))
    first, second = (each.document for each in authorizations(text))

    assert first["authorization_id"] == second["authorization_id"]
    assert first["version"] < second["version"]
