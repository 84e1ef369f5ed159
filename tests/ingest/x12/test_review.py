"""What a 278 decides: the cases that senders really write."""

import json
from typing import Any

import pytest

from service.domain.authorization import Authorization
from service.domain.effective import effective_action, effective_lines
from service.domain.grant_identity import grant_id
from service.ingest.x12.wire.results import (
    AuthorizationRead,
    ClaimRead,
    Refusal,
    RequestRead,
    Unread,
)
from tests.builders import references
from tests.ingest.x12.edi import (
    GRANTED,
    MESSAGES,
    SERVICE,
    as_json,
    authorization,
    authorizations,
    codes,
    items,
    requests,
    review,
)

DEPENDENT = (
    "HL*8*2*22*1", "NM1*IL*1*DOE*JANE****MI*M0001",
    "HL*3*8*23*1", "NM1*QC*1*DOE*TED", "DMG*D8*20150501*M", "INS*N*19",
)  # fmt: skip


def message(name: str) -> str:
    """A message of the folder."""
    return (MESSAGES / f"{name}.edi").read_text(encoding="utf-8")


def actions(document: dict[str, Any]) -> list[str | None]:
    """The decision in force for every line."""
    read = Authorization.model_validate(document)
    return [effective_action(line, read) for line in read.lines]


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.edi")), ids=lambda path: path.stem)
def test_what_is_read_can_be_pushed_as_json(path: Any) -> None:
    """The document is JSON, and the model takes it back as it is."""
    for each in items(path.read_bytes()):
        if isinstance(each, AuthorizationRead):
            document = json.loads(json.dumps(each.document))
            assert Authorization.model_validate(document) == each.authorization
        if isinstance(each, AuthorizationRead | ClaimRead | RequestRead | Refusal):
            json.dumps(as_json(each))


def test_one_event_with_several_decisions() -> None:
    """A2 over A1 and A3; the denied line's REF*NT holds the approved number, and is no number."""
    document = authorization(message("review-several-decisions"))

    assert actions(document) == ["A1", "A3", "A4"]
    assert [line.get("number") for line in document["lines"]] == ["SD-100", None, None]
    assert document["lines"][1]["decision"]["reasons"] == ["0V", "0W"]
    assert "administrative_reference" not in document


def test_a_modified_admission_counts_what_was_granted() -> None:
    """Seven days asked for, five granted; line A1 under event A6 with the same number."""
    document = authorization(message("review-admission-modified"))

    assert document["limits"] == {"units": "5", "unit": "DY"}
    assert actions(document) == ["A1"]
    assert (document["setting"], document["drg"]) == ("inpatient", "470")
    assert document["diagnoses"][1] == {"code": "25000", "type": "BF"}


def test_services_without_decision_or_dates_have_those_of_their_event() -> None:
    """Three rides of one code, told apart by the modifier alone, each with its quantity."""
    document = authorization(message("review-transport"))
    lines = effective_lines(Authorization.model_validate(document), references())

    assert [line["action"] for line in lines] == ["A1"] * 3
    assert [line["effective"] for line in lines] == [
        {"first": "2026-04-01", "last": "2026-06-30"}
    ] * 3
    assert [line["modifiers"] for line in document["lines"]] == [["RX"], ["PD"], ["DR"]]
    assert [line["limits"]["units"] for line in document["lines"]] == ["5", "8", "14"]


def test_rates_and_renewals_are_decoded() -> None:
    """Three visits a week for two months; eight hours every two months."""
    lines = authorization(message("review-home-health"))["lines"]

    assert lines[0]["limits"] == {
        "unit": "VS",
        "per": {"count": "3", "period": "week", "span": 2, "span_unit": "month"},
    }
    assert lines[1]["limits"] == {
        "units": "8",
        "unit": "HS",
        "renewal": {"reference": "effective.from", "period": 2, "unit": "month"},
    }
    assert lines[1]["procedure"]["to"] == "G0300"


def test_a_pend_a_refusal_and_a_request_are_three_things() -> None:
    """A4 is pended, AAA is nothing, and a request never grants though it has an HCR."""
    found = items(message("review-pended-refused"))
    (pended,) = authorizations(message("review-pended-refused"))
    (refusal,) = (each for each in found if isinstance(each, Refusal))
    (request,) = (each for each in found if isinstance(each, RequestRead))

    assert pended.document["decision"] == {"action": "A4", "reasons": ["0U"]}
    assert pended.document["attached"]["more_to_follow"] is True
    assert "birth_date" not in pended.document["member"]
    assert (refusal.loop, refusal.reasons, refusal.follow_up) == ("2000C", ("72",), "C")
    assert "decision" not in request.document
    assert [line["tooth"] for line in request.document["lines"]] == ["14", "15"]
    assert [line["requested"]["units"] for line in request.document["lines"]] == ["1", "1"]


@pytest.mark.parametrize("action", ["A1", "A2", "A3", "A4", "A6", "CT", "NA", "C"])
def test_every_action_is_kept_at_both_levels(action: str) -> None:
    """Of the event and of the service."""
    kept = [each for each in GRANTED if not each.startswith("HCR")]
    document = authorization(
        review(*kept, f"HCR*{action}*AU1", SERVICE, f"HCR*{action}", "SV1*HC:97110")
    )

    assert document["decision"]["action"] == action
    assert document["lines"][0]["decision"]["action"] == action


@pytest.mark.parametrize("action", ["A5", "86", "X"])
def test_an_unknown_action_stays_unknown(action: str) -> None:
    """Never pended, never approved; the raw value is kept."""
    kept = [each for each in GRANTED if not each.startswith("HCR")]
    document = authorization(review(*kept, f"HCR*{action}*AU1"))

    assert document["attached"]["review_action"] == action
    assert "decision" not in document


@pytest.mark.parametrize(
    ("service", "code"),
    [
        (("HCR*A5", "SV1*HC:97110"), "code-unknown"),
        (("SV1*HC:",), "element-missing"),
        (("SV1*HC:97110**UN*lots",), "number-invalid"),
        (("SV1*HC:97110", "HSD*VS*-3"), "number-invalid"),
        (("SV1*HC:97110", "DTP*472*D8*20261332"), "date-invalid"),
        (("SV1*HC:97110", "DTP*036*D8*soon"), "date-invalid"),
        (("SV1*HC:97110", "SV1*HC:97112"), "repeated"),
        (("SV1*HC:97110", "DTP*007*RD8*20260501-20260401"), "period-reversed"),
        (("AAA*N**15*C", "SV1*HC:97110"), "line-refused"),
    ],
)
def test_what_cannot_be_read_never_widens_a_grant(service: tuple[str, ...], code: str) -> None:
    """The service is left out; alone it would leave an event that covers everything."""
    alone = review(*GRANTED, SERVICE, *service)
    beside = review(*GRANTED, SERVICE, *service, "HL*6*4*SS*0", "SV1*HC:97140")

    assert authorizations(alone) == []
    assert {code, "event-unread"} <= set(codes(alone))
    assert [line["procedure"]["from"] for line in authorization(beside)["lines"]] == ["97140"]


def test_what_is_denied_is_kept_though_it_cannot_be_read() -> None:
    """It grants nothing, so nothing can become wider."""
    document = authorization(
        review(*GRANTED, SERVICE, "HCR*A3", "SV1*HC:97110**UN*lots", "HL*6*4*SS*0", "SV1*HC:97140")
    )

    assert actions(document) == ["A3", "A1"]


@pytest.mark.parametrize("date", ["DTP*036*D8*20269999", "DTP*007*RD8*20260601-20260501"])
def test_an_event_whose_dates_cannot_be_read_grants_nothing(date: str) -> None:
    """It might hold for ever."""
    text = review(*GRANTED, date)

    assert authorizations(text) == []
    assert "event-unread" in codes(text)


def test_a_grant_without_any_date_is_left_out() -> None:
    """It would pay for ever; a service without one beside one that has is left out alone."""
    undated = [each for each in GRANTED if not each.startswith("DTP")]
    text = review(
        *undated, SERVICE, "SV1*HC:97110", "DTP*472*D8*20260301", "HL*6*4*SS*0", "SV1*HC:1"
    )

    assert "no-dates" in codes(review(*undated))
    assert authorizations(review(*undated)) == []
    assert len(authorization(text)["lines"]) == 1


def test_one_day_of_an_event_is_one_day() -> None:
    """AAH as D8 is not open-ended; blanks within a period are dropped."""
    kept = [each for each in GRANTED if not each.startswith("DTP")]

    assert authorization(review(*kept, "DTP*AAH*D8*20260301"))["requested_dates"] == {
        "from": "2026-03-01", "to": "2026-03-01",
    }  # fmt: skip
    assert authorization(review(*kept, "DTP*472*RD8*20141207 -20151206"))["requested_dates"] == {
        "from": "2014-12-07", "to": "2015-12-06",
    }  # fmt: skip


@pytest.mark.parametrize("action", ["A1", "C"])
@pytest.mark.parametrize("place", ["event", "service"])
def test_a_confirmed_cancellation_is_void(action: str, place: str) -> None:
    """UM02 3 answered with A1 or C, of the event or of its services."""
    event = ("TRN*2*T1", "UM*HS*3", "REF*BB*AU1")
    decided = (*event, f"HCR*{action}*AU9")
    service = (SERVICE, f"HCR*{action}*AU9", "SV1*HC:97110")
    read = authorizations(review(*(decided if place == "event" else (*event, *service))))[0]

    assert read.authorization.is_void
    assert read.document["authorization_id"] == grant_id("authorization", "M0001", "AU1")


def test_a_cancelled_service_is_void_alone() -> None:
    """Its own UM02 3 with its own or its event's A1."""
    document = authorization(
        review(*GRANTED, SERVICE, "UM*HS*3", "SV1*HC:97110", "HL*6*4*SS*0", "SV1*HC:97140")
    )

    assert actions(document) == ["C", "A1"]


@pytest.mark.parametrize("action", ["A2", "A6"])
def test_a_cancellation_in_part_is_told_and_not_read(action: str) -> None:
    """Whether it still stands is not clear."""
    text = review("TRN*2*T1", "UM*HS*3", f"HCR*{action}*AU1")
    of_service = review(*GRANTED, SERVICE, "UM*HS*3", f"HCR*{action}", "SV1*HC:1")

    assert (authorizations(text), authorizations(of_service)) == ([], [])
    assert "cancellation-unclear" in codes(text)


@pytest.mark.parametrize(
    ("event", "loop"),
    [
        (("TRN*2*T1", "AAA*N**33*C", "UM*HS*I"), "2000E"),
        (("TRN*2*T1", "UM*HS*I", "NM1*SJ*1*X****XX*1234567893", "AAA*N**43*C"), "2000E"),
        (("TRN*2*T1", "UM*HS*I", SERVICE, "AAA*N**33*N", "SV1*HC:97110"), "2000E"),
    ],
)
def test_a_refusal_to_look_is_no_denial(event: tuple[str, ...], loop: str) -> None:
    """Wherever the AAA stands, no authorization comes of it."""
    (refusal,) = (each for each in items(review(*event)) if isinstance(each, Refusal))

    assert authorizations(review(*event)) == []
    assert (refusal.loop, refusal.trace_numbers) == (loop, ("T1",))
    assert as_json(refusal)["reasons"] == list(refusal.reasons)


def test_a_decision_beside_a_refusal_counts() -> None:
    """It is told, and the authorization is made."""
    text = review(*GRANTED, "AAA*Y**42*C")

    assert authorization(text)["decision"]["action"] == "A1"
    assert "refused-and-decided" in codes(text)


def test_a_response_that_decides_nothing_is_not_read() -> None:
    """Neither HCR nor AAA."""
    text = review("TRN*2*T1", "UM*HS*I")

    assert "no-decision" in codes(text)
    assert [each.loop for each in items(text) if isinstance(each, Unread)] == ["2000E"]


def test_a_message_alone_goes_with_contact_payer() -> None:
    """CT may come with nothing but a text, and a service without a service."""
    document = authorization(
        review("TRN*2*T1", "UM*SC*I", "HCR*CT", "MSG*CALL US", SERVICE,
               "NM1*SJ*2*CLINIC*****XX*1234567893")
    )  # fmt: skip

    assert document["messages"] == [{"code": "2000E", "text": "CALL US"}]
    assert document["kind"] == "referral"
    assert document["lines"][0]["servicing_provider"]["npi"] == "1234567893"


def test_the_id_of_a_dependent_is_the_subscribers() -> None:
    """Birth date and gender are the patient's own."""
    text = review(*GRANTED, member=DEPENDENT)

    assert authorization(text)["member"] == {
        "id": "M0001", "subscriber_id": "M0001", "birth_date": "2015-05-01", "gender": "M",
    }  # fmt: skip
    assert authorization(text)["attached"]["relationship"] == "19"
    assert "dependent" in codes(text)


@pytest.mark.parametrize(
    "member",
    [("HL*3*2*22*1", "NM1*IL*1*DOE*JANE"), ("HL*3*2*22*1", "NM1*IL*1*DOE****MI*A/B"), ()],
)
def test_without_a_member_nothing_is_stored(member: tuple[str, ...]) -> None:
    """An id that is missing or cannot be kept."""
    assert authorizations(review(*GRANTED, member=member)) == []
    assert set(codes(review(*GRANTED, member=member))) & {"no-member", "member-id"}


def test_several_teeth_make_a_line_each() -> None:
    """Units are shared out where they can be."""
    shared = review(*GRANTED, SERVICE, "SV3*AD:D2392*****2", "TOO*JP*14*M", "TOO*JP*15*O")
    odd = review(*GRANTED, SERVICE, "SV3*AD:D2392*****3", "TOO*JP*14", "TOO*JP*15")

    assert [line["limits"]["units"] for line in authorization(shared)["lines"]] == ["1", "1"]
    assert [line["limits"]["units"] for line in authorization(odd)["lines"]] == ["3", "3"]
    assert "teeth-share" in codes(odd)


@pytest.mark.parametrize(
    ("segments", "setting"),
    [
        (("UM*AR*I*2*21:B",), "inpatient"),
        (("UM*HS*I*2*11:A",), "inpatient"),
        (("UM*HS*I*2*13:A",), "outpatient"),
        (("UM*HS*I*2*22:B", SERVICE, "SV2*0420*HC:97110"), "outpatient"),
        (("UM*HS*I*2*22:B", SERVICE, "SV2*0120"), "inpatient"),
        (("UM*HS*I*2*21:B", SERVICE, "SV1*HC:27447"), "professional"),
        (("UM*HS*I*35*11:B",), "dental"),
        (("UM*HS*I*2*11:B", SERVICE, "SV3*AD:D1110"), "dental"),
        (("UM*HS*I*2*11:B", SERVICE, "SV1*AD:D1110"), "dental"),
        (("UM*SC*I*3*11:B",), "professional"),
    ],
)
def test_the_setting_is_told_by_what_was_asked_for(segments: tuple[str, ...], setting: str) -> None:
    """It decides which template finds the authorization."""
    rest = [each for each in GRANTED if not each.startswith("UM")]

    assert authorization(review(*rest, *segments))["setting"] == setting


def test_a_request_gives_what_is_asked_for() -> None:
    """The quantity is requested, nothing is granted, and a request without member is still read."""
    event = ("TRN*1*T1", "UM*HS*I", "HSD*VS*3", SERVICE, "SV1*HC:97110**UN*9")
    (request,) = requests(review(*event, bht="BHT*0007*13*R1*20260220*1504"))
    (bare,) = requests(review(*event, member=(), bht="BHT*0007*13*R1*20260220*1504"))

    assert request.document["requested"] == {"units": "3", "unit": "VS"}
    assert request.document["lines"][0]["requested"] == {"units": "9", "unit": "UN"}
    assert "limits" not in request.document
    assert "member" not in bare.document
