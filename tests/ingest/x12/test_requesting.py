"""Requests that we write are read by our own reader and by pyx12 without findings."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pyx12.x12file import X12Reader as Tokens

from service.domain.request import AuthorizationRequest
from service.ingest.x12._reader import read
from service.ingest.x12.reply.requesting import (
    Address,
    acknowledged,
    write_inquiry,
    write_request,
)
from service.ingest.x12.wire.problem import Problem
from service.ingest.x12.wire.results import InquiryRead, RequestRead, TransactionOutcome
from service.ingest.x12.wire.writing import ControlNumbers, plain
from tests.partners.bed import asked

AT = datetime(2026, 11, 30, 3, 4, 5, tzinfo=UTC)
NUMBERS = ControlNumbers(interchange=999_999_999, group=7)
ADDRESS = Address(sender="CLINIC", receiver="PAYER", payer_id="EP100", payer_name="PAYER")
UNITS = {"units": "2", "unit": "UN"}

REQUESTS: dict[str, dict[str, Any]] = {
    "therapy": {},
    "no name, no birth date": {"member": {"id": "W1"}, "patient_name": None},
    "unknown gender": {"member": {"id": "W1", "birth_date": "1980-02-29", "gender": "X"}},
    "three visits a week": {
        "lines": [
            {
                "line": 1,
                "procedure": {"from": "97110", "to": "97140", "code_system": "CPT"},
                "requested": {
                    "unit": "VS",
                    "per": {"count": "3", "period": "week", "span": 2, "span_unit": "month"},
                },
            }
        ]
    },
    "a stay": {
        "setting": "inpatient",
        "admission": {
            "date": "2026-12-01",
            "discharge_date": "2026-12-05",
            "type": "1",
            "source": "1",
            "patient_status": "30",
        },
        "bill_type": "11",
        "place_of_service": None,
        "facility": {"npi": "1987654328", "organization": True},
        "lines": [{"line": 1, "revenue_code": "0120", "requested": {"units": "4", "unit": "DA"}}],
    },
    "a crown": {
        "setting": "dental",
        "diagnoses": [],
        "lines": [
            {
                "line": 1,
                "procedure": {"from": "D2740"},
                "tooth": "3",
                "surfaces": ["M", "O"],
                "requested": {"units": "1", "unit": "UN"},
            }
        ],
    },
    "a referral": {"kind": "referral", "lines": [], "service_type": "3"},
    "one day": {"requested_dates": {"from": "2026-12-01", "to": "2026-12-01"}},
    "an open end": {"requested_dates": {"from": "2026-12-01"}},
    "a renewal with its use": {
        "certification_type": "R",
        "previous_number": "PA1",
        "previous_reference": "AR1",
        "evidence": [
            {"line": 1, "unit": "UN", "used": "9", "granted": "12"},
            {"unit": "UN", "used": "9"},
        ],
        "note": "more of the same",
    },
    "a cancellation": {"certification_type": "3", "previous_number": "PA1"},
    "documents of all kinds": {
        "documents": [
            {"type": "OZ", "transmission": each, "control_number": f"D{each}", "description": "x"}
            for each in ("AA", "BM", "EL", "EM", "FX", "VO")
        ]
    },
    "99 services": {
        "lines": [
            {"line": at, "procedure": {"from": "97110"}, "requested": UNITS} for at in range(1, 100)
        ]
    },
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_read_without_findings(name: str) -> None:
    """All that was asked for comes back, and nothing of it is granted."""
    request = AuthorizationRequest.model_validate(asked(**REQUESTS[name]))
    text = write_request(request, "AM1", ADDRESS, NUMBERS, AT)

    found = list(read([text.encode()]))
    (asked_for,) = [each for each in found if isinstance(each, RequestRead)]
    assert not any(isinstance(each, Problem) or getattr(each, "problems", ()) for each in found)
    document = asked_for.document
    assert document["trace_numbers"] == ["AM1"]
    assert document["member"]["id"] == request.member.id
    assert document["certification_type"] == request.certification_type
    assert len(document["lines"]) == len(request.lines)
    assert "limits" not in str(document)
    for line, written in zip(request.lines, document["lines"], strict=True):
        sent = line.requested.model_dump(mode="json", exclude_none=True)
        same = {name: written["requested"].get(name) for name in sent if name in ("units", "per")}
        assert same == {name: sent[name] for name in same}
    paper = document.get("attached", {}).get("paperwork", [])
    assert [each[5] for each in paper] == [each.control_number for each in request.documents]
    assert write_request(request, "AM1", ADDRESS, NUMBERS, AT) == text


def test_a_referral_to_a_stay_is_both() -> None:
    """SC says that it is a referral (UM01), its day of admission (DTP*435) that it is a stay."""
    stay = {"setting": "inpatient", "kind": "referral", "admission": {"date": "2026-12-01"}}
    request = AuthorizationRequest.model_validate(asked(**stay))
    text = write_request(request, "AM1", ADDRESS, NUMBERS, AT)
    (found,) = [each for each in read([text.encode()]) if isinstance(each, RequestRead)]

    assert "UM*SC*" in text
    assert (found.document["kind"], found.document["setting"]) == ("referral", "inpatient")
    outside = text.replace("DTP*435*D8*20261201~\n", "").replace("SE*25", "SE*24")
    (other,) = [each for each in read([outside.encode()]) if isinstance(each, RequestRead)]
    assert (other.document["kind"], other.document["setting"]) == ("referral", "outpatient")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MÜLLER", "MULLER"),
        ("Muñoz-Ibáñez", "Munoz-Ibanez"),
        ("Weiß Łukasz Sørensen", "Weiss Lukasz Sorensen"),
        ("Nguyễn", "Nguyen"),
        ("O\u2019Brien \u201cJr\u201d \u2013 2\u20443", 'O\'Brien "Jr" - 2 3'),
        ("\ufb01ne\u2026", "fine..."),
        ("M\u0308", "M"),
        ("Ωμέγα", "     "),
        ("A*B~C\nD", "A B C D"),
        ("", ""),
    ],
)
def test_a_letter_with_an_accent_is_written_without_it(text: str, expected: str) -> None:
    """X12's basic set has none; what has no plain letter below it is a blank."""
    assert plain(text) == expected


def test_a_name_and_a_note_are_written_in_plain_letters() -> None:
    """And no longer than a message takes."""
    told = {"patient_name": {"last": "MÜLLER", "first": "ZOË"}, "note": "ß" * 264}
    request = AuthorizationRequest.model_validate(asked(**told))
    text = write_request(request, "AM1", ADDRESS, NUMBERS, AT)

    assert "NM1*IL*1*MULLER*ZOE*" in text
    assert f"MSG*{'s' * 264}~" in text
    assert text.isascii()


@pytest.mark.parametrize("name", REQUESTS)
def test_pyx12_finds_nothing_wrong(name: str) -> None:
    """Envelopes, counts, control numbers, levels: of a request and of an inquiry about it."""
    request = AuthorizationRequest.model_validate(asked(**REQUESTS[name]))
    for write in (write_request, write_inquiry):
        tokens = Tokens(io.StringIO(write(request, "AM1", ADDRESS, NUMBERS, AT)))
        assert len(list(tokens)) > 10
        assert tokens.pop_errors() == []


def test_an_inquiry_asks_for_the_trace_and_is_read_without_findings() -> None:
    """Of the same person and days."""
    request = AuthorizationRequest.model_validate(asked())
    text = write_inquiry(request, "AM1", ADDRESS, NUMBERS, AT)
    found = list(read([text.encode()]))
    (inquiry,) = [each for each in found if isinstance(each, InquiryRead)]
    (outcome,) = [each for each in found if isinstance(each, TransactionOutcome)]
    assert (inquiry.member_id, [each[0] for each in inquiry.traces]) == ("W123", ["AM1"])
    assert [each.code for each in outcome.problems] == ["inquiry"]
    assert inquiry.problems == ()


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ("AK9*A*1*1*1", True),
        ("AK9*E*1*1*1", True),
        ("AK9*P*1*1*1", True),
        ("AK9*R*1*1*0", False),
        ("TA1*000000001*261130*0304*R*022", False),
        ("TA1*000000001*261130*0304*A*000", None),
        ("BHT*0007*11", None),
    ],
)
def test_an_acknowledgement_says_whether_it_was_taken(body: str, taken: bool | None) -> None:
    """A 999 (AK901) or a TA1 (TA104); an answer says nothing of it."""
    isa = write_request(
        AuthorizationRequest.model_validate(asked()), "AM1", ADDRESS, NUMBERS, AT
    ).partition("~")[0]
    assert acknowledged(f"{isa}~{body}~".encode()) is taken


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xfe", b"{}"])
def test_garbage_acknowledges_nothing(content: bytes) -> None:
    """Whatever bytes come."""
    assert acknowledged(content) is None
