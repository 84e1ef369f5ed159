"""How requests were decided in a year is counted from the versions that are stored."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service.domain.authorization import Authorization
from service.domain.decision_metrics import Request, Tally, YearOfDecisions, request_in

RECEIVED, DECIDED = "2026-03-02T10:00:00Z", "2026-03-04T10:00:00Z"
PENDED, GRANTED, DENIED = (
    {"action": each, "decided_at": None if each == "A4" else DECIDED} for each in ("A4", "A1", "A3")
)


def version(number: int = 1, **said: Any) -> Authorization:
    """A version of a request for therapy."""
    given = {
        "authorization_id": "UM-1",
        "version": number,
        "kind": "authorization",
        "setting": "professional",
        "member": {"id": "M-1"},
        "service_type": "PT",
        "effective": {"from": "2026-03-01"},
        "received_at": RECEIVED,
        "decision": GRANTED,
    }
    return Authorization.model_validate({**given, **said})


def request(*versions: dict[str, Any]) -> Request | None:
    """The request of these versions."""
    made = [version(number, **each) for number, each in enumerate(versions, start=1)]
    return request_in(made, UTC)


def line(number: int, **said: Any) -> dict[str, Any]:
    """A line of a request."""
    return {"line": number, **said}


@pytest.mark.parametrize(
    ("versions", "decided", "hours", "in_time", "overturned"),
    [
        ([{}], "approved", 48, True, False),
        ([{"decision": DENIED}], "denied", 48, True, False),
        ([{"decision": PENDED}, {}], "approved", 48, True, False),
        ([{"decision": PENDED}, {"received_at": None}], "approved", 48, True, False),
        ([{"decision": DENIED}, {"decision": PENDED}, {}], "denied", 48, True, True),
        ([{}, {"decision": DENIED}], "approved", 48, True, False),
        ([{"received_at": None}], "approved", None, None, False),
        ([{"received_at": "2026-03-05T00:00:00Z"}], "approved", None, True, False),
        ([{"received_at": "2026-02-20T00:00:00Z"}], "approved", 298, False, False),
        (
            [
                {
                    "received_at": "2026-02-20T00:00:00Z",
                    "decision_extended_to": "2026-03-06T00:00:00Z",
                }
            ],
            "approved",
            298,
            True,
            False,
        ),
        (
            [{"decision": {"action": "A2"}, "lines": [line(1, decision=GRANTED), line(2)]}, {}],
            "approved",
            48,
            True,
            False,
        ),
        (
            [
                {
                    "decision": {"action": "A2"},
                    "lines": [line(1, decision=GRANTED), line(2, decision=DENIED)],
                },
                {},
            ],
            "partly_approved",
            48,
            True,
            True,
        ),
    ],
)
def test_how_a_request_was_decided_first(
    versions: list[dict[str, Any]],
    decided: str,
    hours: float | None,
    in_time: bool | None,
    overturned: bool,
) -> None:
    """By the first version in which all is decided; what comes later may overturn it."""
    found = request(*versions)

    assert found is not None
    assert (found.decided, found.hours, found.in_time, found.overturned) == (
        decided,
        hours,
        in_time,
        overturned,
    )


DRUG = line(1, procedure={"from": "J1745"})


@pytest.mark.parametrize(
    ("said", "services"),
    [
        ({}, ("type PT",)),
        ({"service_type": "88"}, None),
        ({"service_type": None, "service_types": ["91", "92"]}, None),
        ({"service_type": "88", "service_types": ["PT"]}, ("type 88",)),
        ({"kind": "referral"}, None),
        ({"decision": PENDED}, None),
        ({"decision": {"action": "C"}}, None),
        ({"service_type": None, "lines": [DRUG]}, None),
        ({"service_type": None, "lines": [DRUG, line(2)]}, ("not said",)),
        ({"service_type": None}, ("not said",)),
        ({"service_type": None, "lines": [line(1, procedure={"group": "therapy"})]}, ("therapy",)),
        (
            {
                "service_type": None,
                "lines": [
                    line(1, procedure={"from": "97110", "to": "97140"}),
                    line(2, procedure={"from": "97110", "to": "97140"}),
                    line(3, procedure={"from": "E0424"}, service_type="12"),
                    line(4, procedure={"from": "123", "code_system": "NDC"}),
                ],
            },
            ("97110-97140", "type 12"),
        ),
    ],
)
def test_which_services_it_is_for(said: dict[str, Any], services: tuple[str, ...] | None) -> None:
    """By type, else by procedure; drugs do not count."""
    found = request(said)

    assert (found.services if found else None) == services


def year(*counts: tuple[int, dict[str, Any]], zone: Any = UTC) -> YearOfDecisions:
    """A year with so many requests of each kind."""
    counted = YearOfDecisions(2026, zone)
    for count, said in counts:
        for _ in range(count):
            counted.add([version(**said)])
    return counted


def test_shares_and_times_of_a_year() -> None:
    """Standard and expedited apart; a year without any has none."""
    late = {"decision": {**GRANTED, "decided_at": "2026-03-20T10:00:00Z"}}
    counted = year((20, {}), (15, {"decision": DENIED}), (15, late), (12, {"urgency": "U"}))
    standard, expedited = counted.standard.metrics(), counted.expedited.metrics()

    assert standard["decided"] == 50
    assert standard["approved"] == {"count": 35, "percent": 70.0}
    assert standard["denied"] == {"count": 15, "percent": 30.0}
    assert standard["in_time"] == {"count": 35, "percent": 70.0}
    assert (standard["mean_hours"], standard["median_hours"]) == (163.2, 48.0)
    assert (expedited["decided"], expedited["approved"]["count"]) == (12, 12)
    assert Tally().metrics()["approved"] == {"count": 0, "percent": None}
    assert Tally().metrics()["mean_hours"] is None


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        # Ten denied could be told from what was decided and approved: neither is.
        ({"A1": 40, "A3": 10}, (50, None, None)),
        ({"A1": 40, "A3": 11}, (51, 40, 11)),
        ({"A1": 40, "A3": 0}, (40, 40, 0)),
        ({"A1": 6, "A3": 3}, (None, None, None)),
        ({"A1": 10, "A3": 0}, (None, None, 0)),
    ],
)
def test_small_counts_are_not_told(counts: dict[str, int], told: tuple[Any, ...]) -> None:
    """Nor what they could be told from; whoever checks it may see them."""
    counted = year(
        *((count, {"decision": {**GRANTED, "action": each}}) for each, count in counts.items())
    )
    found = counted.standard.metrics()
    assert (found["decided"], found["approved"]["count"], found["denied"]["count"]) == told

    every = counted.standard.metrics(small_cells=True)
    assert [every[each]["count"] for each in ("approved", "denied")] == list(counts.values())


def test_services_with_few_requests_are_told_together() -> None:
    """Never so few of them that one could be known."""
    counted = year(
        (30, {}),
        (12, {"service_type": "12"}),
        (4, {"service_type": "42"}),
        (2, {"service_type": "7"}),
    )

    assert [(name, each["decided"]) for name, each in counted.services()] == [
        ("type PT", 30),
        ("others", 18),
    ]
    assert [name for name, _ in counted.services(small_cells=True)] == [
        "type 12",
        "type 42",
        "type 7",
        "type PT",
    ]


def test_a_decision_counts_in_the_year_of_the_payers_day() -> None:
    """Late on the last evening it is next year elsewhere."""
    last = {"decision": {**GRANTED, "decided_at": "2027-01-01T03:00:00Z"}}

    assert year((1, last)).standard.requests == []
    assert len(year((1, last), zone=ZoneInfo("America/New_York")).standard.requests) == 1
