"""How requests were decided in a year, as it is published: the same figures in every form."""

import csv
import io
from typing import Any

import httpx

from tests.api.bodies import authorization_body

PATH = "/prior-authorization-metrics"


def push(caller: httpx.Client, name: str, version: int, action: str, **said: Any) -> None:
    """Push a version of a request that was received in March and decided two days later."""
    decided = None if action == "A4" else "2026-03-04T10:00:00Z"
    body = authorization_body(
        authorization_id=name,
        number=name,
        version=version,
        decision={"action": action, "decided_at": decided},
        received_at="2026-03-02T10:00:00Z",
        service_type="PT",
        distinct=True,
        **said,
    )
    assert caller.put(f"/authorizations/{name}", json=body).is_success


def test_a_year_of_decisions_in_every_form(caller: httpx.Client) -> None:
    """From versions that were replaced, too; withdrawn ones are left out, small counts not told."""
    for number in range(11):
        push(caller, f"A{number}", 1, "A4")
        push(caller, f"A{number}", 2, "A1")
    push(caller, "B1", 1, "A3")
    push(caller, "B1", 2, "A1")
    push(caller, "B2", 1, "A3", urgency="U")
    push(caller, "C1", 1, "A1")
    caller.delete("/authorizations/C1", params={"version": 2})
    push(caller, "D1", 1, "A4")

    every = caller.get(PATH, params={"year": 2026, "small_cells": True}).json()
    shown = caller.get(PATH, params={"year": 2026}).json()
    rows = caller.get(PATH, params={"year": 2026, "form": "csv"})
    page = caller.get(PATH, params={"year": 2026, "form": "html"})

    standard = every["standard"]
    assert (standard["decided"], standard["approved"]["count"], standard["denied"]["count"]) == (
        *(13, 12, 1),
    )
    assert standard["approved_after_appeal"]["count"] == 1
    assert (standard["mean_hours"], standard["median_hours"]) == (48.0, 48.0)
    assert every["expedited"]["denied"]["count"] == 1
    assert [(each["service"], each["decided"]) for each in every["services"]] == [("type PT", 14)]
    assert shown["standard"]["decided"] == 13
    assert shown["standard"]["approved"] == {"count": None, "percent": None}
    assert shown["expedited"]["decided"] is None
    table = list(csv.DictReader(io.StringIO(rows.text)))
    assert [each["requests"] for each in table] == ["standard", "expedited", "type PT"]
    assert (table[0]["decided"], table[0]["approved_count"]) == ("13", "")
    assert page.headers["content-type"].startswith("text/html")
    assert "Prior authorization metrics 2026" in page.text
    assert "fewer than 11" in page.text
    assert caller.get(PATH, params={"year": 2025}).json()["standard"]["decided"] == 0
    assert caller.get(PATH, params={"year": 2026}).json() == shown
    assert caller.get(PATH, params={"year": 10_000}).status_code == 422
    assert caller.get(PATH, params={"year": 2026, "form": "pdf"}).status_code == 422
