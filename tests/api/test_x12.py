"""X12 over HTTP: reviews in, acknowledgements out; claims in, answers out."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import Service
from tests.pages import calls_in, fences_of, has
from tests.serving import client_of

SCAN = "authorization.RAD5521.87e2996ba99a8072"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
REVIEW = (EXAMPLES / "authorization.278.x12").read_text(encoding="ascii")
CLAIM = (EXAMPLES / "claim.837").read_text(encoding="ascii")
EDI = {"Content-Type": "application/edi-x12"}
LINES = {"Accept": "application/x-ndjson"}


def send(caller: httpx.Client, text: str, **headers: str) -> httpx.Response:
    """Send an interchange."""
    return caller.post("/x12", content=text.encode(), headers=EDI | headers)


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The lines of a stream."""
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def segments(text: str) -> list[list[str]]:
    """The segments of an answer."""
    return [each.split("*") for each in text.replace("\n", "").split("~") if each]


def test_a_review_is_stored_and_acknowledged(caller: httpx.Client) -> None:
    """A 999 that accepts it, and the TA1 that its sender asked for, back to the sender."""
    answer = send(caller, REVIEW)

    told = {each[0]: each for each in segments(answer.text)}
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/edi-x12")
    assert answer.headers["x-results"] == "created=1"
    assert (told["ISA"][6].strip(), told["ISA"][8].strip()) == ("EXAMPLECLINIC", "EXAMPLEPLAN")
    assert told["TA1"][1:] == ["000000301", "260407", "1015", "A", "000"]
    assert told["AK1"] == ["AK1", "HI", "301", "005010X217"]
    assert told["IK5"] == ["IK5", "A"]
    assert told["AK9"] == ["AK9", "A", "1", "1", "1"]
    stored = caller.get(f"/authorizations/{SCAN}").json()["authorization"]
    assert stored["lines"][0]["procedure"] == {"from": "72148", "code_system": "HCPCS"}


def inquiry(member: str = "M0777", *event: str, payer: str = "EP100") -> str:
    """Ask for authorizations of a member."""
    body = [
        "BHT*0007*28*ASK-1*20260501*0900", "HL*1**20*1", f"NM1*X3*2*EXAMPLE PLAN*****PI*{payer}",
        "HL*2*1*21*1", "NM1*1P*2*EXAMPLE CLINIC*****XX*1999999984", "HL*3*2*22*1",
        f"NM1*IL*1*REED*SAM****MI*{member}", "HL*4*3*EV*0", "TRN*1*ASK-1*9EXAMPLECL", *event,
    ]  # fmt: skip
    head, _, _ = REVIEW.partition("ST*")
    text = "~".join(["ST*278*0001*005010X215", *body, f"SE*{len(body) + 2}*0001", "GE*1*301"])
    return f"{head.replace('X217', 'X215')}{text}~IEA*1*000000301~"


@pytest.mark.parametrize(
    ("asked", "numbers", "refused"),
    [
        (inquiry(), ["RAD-5521"], []),
        (inquiry("M0777", "HCR**RAD 5521"), ["RAD-5521"], []),
        (inquiry("M0777", "REF*BB*OTHER-1"), [], ["AA"]),
        (inquiry("M0777", "DTP*AAH*RD8*20260601-20260630"), ["RAD-5521"], []),
        (inquiry("M0777", "DTP*AAH*D8*20270101"), [], ["AA"]),
        (inquiry("M0001"), [], ["AA"]),
        (inquiry("M0001", "HCR**RAD-5521"), [], ["AA"]),
        (inquiry(""), [], ["75"]),
        (inquiry("---"), [], ["75"]),
    ],
    ids=[
        "all of a member", "a number", "another number", "days", "other days", "nobody's",
        "somebody else's number", "no member",
        "no member but dashes",
    ],
)  # fmt: skip
def test_an_inquiry_is_answered_and_not_stored(
    caller: httpx.Client, asked: str, numbers: list[str], refused: list[str]
) -> None:
    """Behind its acknowledgement, as it stands now; nobody learns of another member."""
    send(caller, REVIEW)

    answer = send(caller, asked)

    told = segments(answer.text)
    assert answer.headers["x-results"] == "noted=1"
    assert [each[1:3] for each in told if each[0] == "BHT"] == [["0007", "11"]]
    assert ["TRN", "2", "ASK-1", "9EXAMPLECL"] in told or not asked.count("*MI*M")
    assert [each[2] for each in told if each[0] == "HCR"] == numbers
    assert [each[3] for each in told if each[0] == "AAA"] == refused
    assert caller.get("/authorizations").json()["total"] == 1


def test_each_acknowledgement_has_a_number_of_its_own(caller: httpx.Client) -> None:
    """The sender keeps them apart by it."""
    twice = segments(send(caller, REVIEW + REVIEW).text)
    later = segments(send(caller, REVIEW).text)

    numbers = [each[13] for each in (*twice, *later) if each[0] == "ISA"]
    assert len(set(numbers)) == 3


def test_results_can_be_had_as_a_stream(caller: httpx.Client) -> None:
    """A line for each event, with its place, and the acknowledgement at the end."""
    undecided = REVIEW.replace("HCR*A1*RAD-5521~\n", "").replace("SE*20", "SE*19")
    text = REVIEW + undecided.replace("000000301", "000000302")

    first, second, *rest = lines_of(send(caller, text, **LINES))

    assert (first["status"], first["interchange"], first["transaction"]) == (
        "created",
        "000000301",
        "0001",
    )
    assert (second["status"], second["interchange"]) == ("rejected", "000000302")
    assert second["reason"] == "a response without a decision (HCR)"
    assert second["dead_letter"]
    assert [each["acknowledgement"][:3] for each in rest] == ["ISA", "ISA"]


@pytest.mark.parametrize("content", ["", "hello", "<?xml version='1.0'?>", "PK\x03\x04"])
def test_what_is_not_x12_is_refused(caller: httpx.Client, content: str) -> None:
    """There is nobody to acknowledge it to."""
    answer = send(caller, content)

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:authmatch:problem:not-x12"


def test_a_bulk_may_be_x12_whatever_it_is_said_to_be(caller: httpx.Client) -> None:
    """Its first bytes tell."""
    for headers in ({}, EDI, {"Content-Type": "application/x-www-form-urlencoded"}):
        (one,) = lines_of(
            caller.post("/authorizations/bulk", content=REVIEW.encode(), headers=headers)
        )
        assert one["authorization_id"] == SCAN


def test_a_claim_is_matched_to_what_came_as_a_review(caller: httpx.Client) -> None:
    """The number on the line is written otherwise, and fits all the same."""
    send(caller, REVIEW)

    (told,) = lines_of(caller.post("/match", content=CLAIM.encode(), headers=EDI))

    assert (told["claim_id"], told["payer_id"], told["responsibility"]) == (
        "CL-2026-402",
        "EP100",
        "P",
    )
    first, second = told["answer"]["lines"]
    assert first["results"][0]["class"] == "exact"
    assert first["results"][0]["chosen"] == [SCAN]
    assert second["results"][0]["class"] == "none"


def test_what_the_walk_through_shows_is_true(caller: httpx.Client) -> None:
    """A 278 and a FHIR bundle are taken in, and a claim of an 837 is matched to both."""
    fences = fences_of("docs/walk-through.md", "## From X12 and FHIR")
    answers = []
    for command in [text for language, text in fences if language == "sh"][:3]:
        (call,) = calls_in(command)
        assert call.method == "POST"
        answers.append(caller.post(call.path, content=call.content, headers=call.headers).text)
    taken, claim = (json.loads(text) for language, text in fences if language == "json")
    (shown,) = (text for language, text in fences if language == "text")

    assert set(shown.splitlines()) <= set(answers[0].splitlines())
    assert has(json.loads(answers[1]), taken), answers[1]
    assert has(json.loads(answers[2]), claim), answers[2]


def test_one_bad_claim_does_not_stop_the_others(caller: httpx.Client) -> None:
    """It is a problem in its place, with the segment and the element."""
    bad = CLAIM.replace("DTP*472*D8*20260421~\n", "").replace("CL-2026-402", "BAD")

    first, second = lines_of(caller.post("/match", content=(bad + CLAIM).encode(), headers=EDI))

    assert first["problem"]["status"] == 422
    assert first["problem"]["detail"] == ("a service line without a date, nor has its claim one")
    assert any(each["segment_index"] for each in first["problems"])
    assert second["claim_id"] == "CL-2026-402"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "there is nothing in it"),
        ("hello", "there is no ISA segment: this is not X12"),
        (REVIEW, "this is no claim: authorizations are pushed, not matched"),
        (CLAIM.replace("005010X222A1", "004010X098A1"), "this is release 004010; 005010 is read"),
        (CLAIM[:700], ""),
    ],
    ids=["nothing", "not X12", "a review", "release 4010", "cut off"],
)
def test_a_file_without_claims_says_why(caller: httpx.Client, content: str, reason: str) -> None:
    """Never an empty answer."""
    told = lines_of(caller.post("/match", content=content.encode(), headers=EDI))

    assert told
    assert all("answer" not in each for each in told)
    assert reason in [each["problem"]["detail"] for each in told] or not reason


def test_a_payer_with_names_takes_only_its_own(service: Service) -> None:
    """In 278 and 837; without names nothing is asked."""
    with client_of(service.url, "key-named") as caller:
        (one,) = lines_of(send(caller, REVIEW.replace("*PI*EP100", "*PI*EP900"), **LINES))[:1]
        (told,) = lines_of(
            caller.post("/match", content=CLAIM.replace("EP100", "EP900").encode(), headers=EDI)
        )
        (own,) = lines_of(caller.post("/match", content=CLAIM.encode(), headers=EDI))

    assert (one["status"], one["reason"]) == ("rejected", "the message is for another payer")
    assert told["problem"]["detail"] == "the message is for another payer"
    assert "answer" in own
