"""Under which id and version a 278 response is stored, and what it stands for."""

import pytest

from service.domain.grant_identity import grant_id, named_id
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

NAMES = (("trace", "1999999984", "T1"), ("reference", "AD1"))
BY_TRACE, BY_REFERENCE = (named_id("authorization", "M0001", each) for each in NAMES)
A_CHANGE = named_id("authorization", "M0001", ("change", *NAMES[0]))
AU1, AU2, NEW, OLD = (
    grant_id("authorization", "M0001", each) for each in ("AU1", "AU2", "NEW", "OLD")
)
TRACE = "TRN*2*T1*9012345678"
DATES = "DTP*AAH*D8*20260301"


@pytest.mark.parametrize(
    ("segments", "authorization_id", "aliases", "supersedes"),
    [
        (("UM*HS*I", "HCR*A1*AU-1"), AU1, [BY_TRACE], None),
        (("UM*HS*I", "HCR*A3*AU-1"), AU1, [BY_TRACE], None),
        (("UM*HS*I", "HCR*A4", "REF*NT*AD1"), BY_TRACE, [BY_REFERENCE], None),
        (("UM*HS*I", SERVICE, "HCR*A1*AU 2", "SV1*HC:1"), AU2, [BY_TRACE], None),
        # A revision stands for what it revises; an extension stands beside it.
        (("UM*HS*S", "HCR*A1*NEW", "REF*BB*OLD"), NEW, [BY_TRACE, A_CHANGE], OLD),
        (("UM*HS*S", "HCR*A1*OLD", "REF*BB*OLD"), OLD, [BY_TRACE, A_CHANGE], None),
        (("UM*HS*4", "HCR*A1*NEW", "REF*BB*OLD"), NEW, [BY_TRACE, A_CHANGE], None),
        # What grants nothing does not replace what stands.
        (("UM*HS*S", "HCR*A3*OLD", "REF*BB*OLD"), A_CHANGE, None, None),
        (("UM*HS*4", "HCR*A4*OLD", "REF*BB*OLD"), A_CHANGE, None, None),
        (("UM*HS*3", "HCR*A3*OLD", "REF*BB*OLD"), A_CHANGE, None, None),
        # A cancellation is of the number that it names.
        (("UM*HS*3", "HCR*A1*NEW", "REF*BB*OLD"), OLD, [BY_TRACE, A_CHANGE], None),
        (("UM*HS*3", "HCR*A1*OLD"), OLD, [BY_TRACE, A_CHANGE], None),
        (("UM*HS*I", "HCR*C", "REF*BB*OLD"), OLD, [BY_TRACE], None),
    ],
)
def test_the_number_names_the_authorization(
    segments: tuple[str, ...],
    authorization_id: str,
    aliases: list[str] | None,
    supersedes: str | None,
) -> None:
    """And the trace number what has none, or must not replace another one."""
    document = authorization(review(TRACE, DATES, *segments))

    assert document["authorization_id"] == authorization_id
    assert document.get("aliases") == aliases
    assert document.get("supersedes") == supersedes


def test_without_trace_the_administrative_reference_names_a_pend() -> None:
    """And without that nothing does."""
    pended = review("UM*HS*I", "HCR*A4", "REF*NT*AD-1")
    nameless = review("UM*HS*I", "HCR*A4")

    assert authorization(pended)["authorization_id"] == BY_REFERENCE
    assert authorizations(nameless) == []
    assert "no-identity" in codes(nameless)


NEWBORN = (
    "HL*9*2*22*1", "NM1*IL*1*DOE*JANE****MI*M0001",
    "HL*3*9*23*1", "NM1*QC*1*DOE*BABY", "DMG*D8*20260301*M",
)  # fmt: skip


@pytest.mark.parametrize(
    ("message", "is_the_same"),
    [
        (review(*GRANTED), True),
        (review(*GRANTED).replace("PI*P100", "PI*OTHER").replace("*SENDER*", "*CLEARING*"), True),
        (review(*GRANTED, bht="BHT*0007*11*OTHER*20260221*0900"), True),
        (review(*GRANTED).replace("HCR*A1*AU1", "HCR*A2*00au-1"), True),
        (review(*GRANTED, member=("HL*3*2*22*1", "NM1*IL*1*DOE*JANE****MI*M0001")), True),
        (review(*GRANTED).replace("*T1*", "*T2*"), True),
        (review(*GRANTED).replace("UM*HS", "UM*SC"), False),
        (review(*GRANTED).replace("*AU1", "*AU2"), False),
        (review(*GRANTED).replace("MI*M0001", "MI*M0001N"), False),
        (review(*GRANTED, member=NEWBORN), False),
    ],
    ids=["again", "by a clearing house", "later", "as typed", "without birth date", "another trace",
         "a referral", "another number", "the newborn's own id", "the newborn on the mother's id"],
)  # fmt: skip
def test_only_kind_person_and_number_are_in_the_id(message: str, is_the_same: bool) -> None:
    """Never who sent it, for which payer, or when."""
    assert (authorization(message)["authorization_id"] == AU1) is is_the_same


def test_the_requesters_own_trace_number_comes_first() -> None:
    """It is the same in all answers to one request."""
    document = authorization(review("TRN*1*OURS*5", TRACE, "UM*HS*I", "HCR*A4"))

    assert document["authorization_id"] == BY_TRACE
    assert document["trace_numbers"] == ["OURS", "T1"]


def test_two_events_with_one_number_are_both_kept() -> None:
    """Their ids differ; the number finds both."""
    text = review(*GRANTED, "HL*7*3*EV*0", *GRANTED)
    documents = [each.document for each in authorizations(text)]

    assert [each["authorization_id"] for each in documents] == [AU1, f"{AU1}-2"]
    assert ["aliases" in each for each in documents] == [True, False]
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
        ("BHT*0007*11*R*20260301", "2026-03-01T12:00:00Z"),
        ("BHT*0007*11*R*20260301*0000", "2026-03-01T12:00:00Z"),
        ("BHT*0007*11*R*20260302", "2026-03-02T00:00:00Z"),
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


def test_the_sender_is_told_beside_the_id() -> None:
    """The payer's id, else the group's sender."""
    nameless = review(*GRANTED).replace("NM1*X3*2*PLAN*****PI*P100", "NM1*X3*2*PLAN")

    assert authorization(nameless)["source"]["system"] == "SENDER"
    assert authorization(review(*GRANTED))["source"] == {
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
