"""Notifications (X216), decisions without days, without names, or that deny: what they grant."""

from typing import Any

import pytest

from service.ingest.x12.fields.policy import ReadingPolicy, UndatedGrants
from service.ingest.x12.wire.results import AuthorizationRead
from tests.ingest.x12.edi import (
    GRANTED,
    SERVICE,
    authorization,
    authorizations,
    codes,
    interchange,
    items,
    requests,
    review,
    sets,
)

NOTICE = "005010X216"
STAY = ("TRN*2*RQ1*9012345678", "UM*AR*I*1*21:B", "DTP*435*D8*20260301")


def notice(*event: str, purpose: str = "14") -> str:
    """A notification of an event."""
    return review(*event, bht=f"BHT*0007*{purpose}*N1*20260301*0900*18", guide=NOTICE)


@pytest.mark.parametrize("purpose", ["14", "CN", "11", ""])
def test_a_notification_is_stored_as_one(purpose: str) -> None:
    """Nothing is decided: no action is needed, and a duty to notify is met by it."""
    document = authorization(notice(*STAY, purpose=purpose))

    assert (document["kind"], document["decision"]) == ("notification", {"action": "NA"})
    assert document["admission"] == {"date": "2026-03-01"}
    assert document["authorization_id"].startswith("notification.")
    assert sets(notice(*STAY))[0].is_accepted


def test_a_notification_of_a_decision_keeps_it() -> None:
    """With its number; the authorization of that number is another thing."""
    told = authorization(notice(*GRANTED, SERVICE, "SV1*HC:97110*60*UN*2"))
    decided = authorization(review(*GRANTED, SERVICE, "SV1*HC:97110*60*UN*2"))

    assert (told["kind"], told["decision"]["action"], told["number"]) == (
        "notification", "A1", "AU1",
    )  # fmt: skip
    assert told["authorization_id"] != decided["authorization_id"]
    assert told["lines"] == decided["lines"]


def test_a_notification_is_taken_back() -> None:
    """UM02 3 under the same trace is a newer version, and void."""
    first = authorization(notice(*STAY))
    last = authorization(notice(STAY[0], "UM*AR*3*1*21:B", STAY[2]).replace("*0900*18", "*0910*18"))

    assert last["decision"]["action"] == "C"
    assert last["authorization_id"] in (first["authorization_id"], *first.get("aliases", ())) or (
        first["authorization_id"] in last.get("aliases", ())
    )
    assert last["version"] > first["version"]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (STAY[:2], "no-dates"), (STAY[1:], "no-identity"), ((*STAY, "AAA*N**33*C"), "refused"),
    ],
)  # fmt: skip
def test_a_notification_that_says_too_little_is_not_stored(
    event: tuple[str, ...], code: str
) -> None:
    """Without a day it would meet every duty for ever."""
    assert authorizations(notice(*event)) == []
    assert code in codes(notice(*event))


@pytest.mark.parametrize("purpose", ["06", "08", "44"])
def test_the_answer_to_a_notification_is_not_stored(purpose: str) -> None:
    """It confirms, or refuses, and decides nothing."""
    text = notice(*STAY, purpose=purpose)

    assert authorizations(text) == []
    assert sets(text)[0].is_accepted


UNDATED = GRANTED[:3]
ASKED = review(
    "TRN*1*T1*9012345678", "UM*HS*I*1*11:B", "DTP*472*RD8*20260401-20260430",
    bht="BHT*0007*13*REF1*20260210*0900",
)  # fmt: skip
OTHERS = ASKED.replace("*MI*M0001", "*MI*M0002")


def read(text: str, undated: UndatedGrants) -> list[dict[str, Any]]:
    """The authorizations of a message by a policy."""
    found = items(text, ReadingPolicy(undated_grants=undated))
    return [each.document for each in found if isinstance(each, AuthorizationRead)]


@pytest.mark.parametrize("before", ["", ASKED])
def test_a_grant_without_a_day_is_left_out(before: str) -> None:
    """By default, though its request is there; the 999 says at which decision."""
    assert read(before + review(*UNDATED), "refuse") == []


@pytest.mark.parametrize("service", [(), (SERVICE, "SV1*HC:97110*60*UN*2")])
def test_a_grant_without_a_day_may_have_those_of_its_request(service: tuple[str, ...]) -> None:
    """Joined by the trace number and the member, and told."""
    response = review(*UNDATED, *service)
    (document,) = read(ASKED + response, "requested")

    assert document["requested_dates"] == {"from": "2026-04-01", "to": "2026-04-30"}
    assert read(response, "requested") == []
    assert read(OTHERS + response, "requested") == []
    assert read(ASKED.replace("T1", "T2") + response, "requested") == []


def test_a_grant_with_a_day_keeps_it() -> None:
    """What was granted counts, not what was asked for."""
    (document,) = read(ASKED + review(*GRANTED), "requested")

    assert document["requested_dates"] == {"from": "2026-03-01", "to": "2026-05-31"}


@pytest.mark.parametrize("service", [(), (SERVICE, "SV1*HC:97110*60*UN*2")])
def test_a_grant_without_a_day_may_be_held_as_pended(service: tuple[str, ...]) -> None:
    """So that an examiner finds it."""
    (document,) = read(review(*UNDATED, *service), "pended")
    scopes = document["lines"] or [document]

    assert [each["decision"]["action"] for each in scopes] == ["A4"]
    assert document["number"] == "AU1"


DENIED = ("UM*HS*I*1*11:B", "HCR*A3**0U", "DTP*472*D8*20260301", "HSD*VS*6")


def test_a_denial_without_number_and_trace_is_known_by_its_message_and_event() -> None:
    """The same again is the same; another event or message is another."""
    first, again = authorization(review(*DENIED)), authorization(review(*DENIED))
    other = authorization(review(*DENIED, bht="BHT*0007*11*REF2*20260220*1504*18"))

    assert first["authorization_id"] == again["authorization_id"]
    assert first["authorization_id"] != other["authorization_id"]
    assert authorizations(review("HCR*A1", *DENIED[2:])) == []
    assert "no-identity" in codes(review("HCR*A1", *DENIED[2:]))


def test_what_is_denied_grants_no_quantity() -> None:
    """What its line or its event names is what was requested."""
    lines = authorization(
        review(*GRANTED, SERVICE, "HCR*A3*AU1", "SV1*HC:97110", "HSD*VS*3",
               SERVICE, "SV1*HC:97112", "HSD*VS*4")
    )["lines"]  # fmt: skip
    event = authorization(review("TRN*2*T1", *DENIED))

    assert ("limits" in lines[0], lines[0]["requested"]["units"]) == (False, "3")
    assert lines[1]["limits"]["units"] == "4"
    assert ("limits" in event, event["requested"]["units"]) == (False, "6")
    mixed = authorization(review(*GRANTED[:2], "HCR*A3*AU1", "DTP*472*D8*20260301", "HSD*VS*6",
                                 SERVICE, "HCR*A1*AU1", "SV1*HC:97112"))  # fmt: skip
    assert mixed["limits"]["units"] == "6"


@pytest.mark.parametrize("role", ["DK", "P3", "DQ"])
def test_who_orders_gives_no_service(role: str) -> None:
    """Named alone it is told, and the service may be anybody's."""
    text = review(*GRANTED, f"NM1*{role}*1*ROE*RICHARD****XX*1234567893")

    assert "servicing_provider" not in authorization(text)
    assert "provider-left-out" in codes(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (interchange(review(*GRANTED, guide="005010X217").partition("~ST*")[2].join(["ST*", ""])
                     .partition("GE*")[0], group="HC"), "group-mismatch"),
        (review(*GRANTED).replace("*X*005010X217", "*X*005010X222A1"), "guide-mismatch"),
        (review(*GRANTED).replace("*X*005010X217", "*X*005010X215"), "guide-mismatch"),
    ],
)  # fmt: skip
def test_an_envelope_of_another_transaction_is_told(text: str, code: str) -> None:
    """GS01 or GS08; what the set itself says counts."""
    assert authorization(text)["number"] == "AU1"
    assert code in codes(text)
    assert requests(text) == []
