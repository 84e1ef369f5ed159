"""How much is granted: totals, rates, renewals, and what cannot be counted."""

from typing import Any

import pytest

from tests.ingest.x12.edi import GRANTED, SERVICE, authorization, codes, review


def of_event(hsd: str) -> dict[str, Any]:
    """The authorization of an event with this HSD."""
    return authorization(review(*GRANTED, hsd))


@pytest.mark.parametrize(
    ("hsd", "limits"),
    [
        ("HSD*VS*12", {"units": "12", "unit": "VS"}),
        ("HSD*HS*1.5", {"units": "1.5", "unit": "HS"}),
        ("HSD*VS*0", {"units": "0", "unit": "VS"}),
        ("HSD*VS*10***34*3", {"units": "10", "unit": "VS"}),
        ("HSD*VS*3*WK", {"unit": "VS", "per": {"count": "3", "period": "week"}}),
        ("HSD*VS*3*WK*1", {"unit": "VS", "per": {"count": "3", "period": "week"}}),
        (
            "HSD*VS*3*WK**35*8",
            {"unit": "VS", "per": {"count": "3", "period": "week", "span": 8, "span_unit": "week"}},
        ),
        (
            "HSD*UN*2*DA**7*30",
            {"unit": "UN", "per": {"count": "2", "period": "day", "span": 30, "span_unit": "day"}},
        ),
        (
            "HSD*UN*2*MO**34*6",
            {
                "unit": "UN",
                "per": {"count": "2", "period": "month", "span": 6, "span_unit": "month"},
            },
        ),
        (
            "HSD*VS*1*MO*2",
            {"units": "1", "unit": "VS", "renewal": {
                "reference": "effective.from", "period": 2, "unit": "month"}},
        ),
        (
            "HSD*VS*4*Q1",
            {"units": "4", "unit": "VS", "renewal": {
                "reference": "effective.from", "period": 3, "unit": "month"}},
        ),
    ],
)  # fmt: skip
def test_hsd_is_a_total_a_rate_or_a_limit_that_renews(hsd: str, limits: dict[str, Any]) -> None:
    """By its elements 1 to 6."""
    assert of_event(hsd)["limits"] == limits


@pytest.mark.parametrize("span", ["6*4", "26*1", "27*10", "29*2"])
def test_a_span_that_is_no_time_is_kept_as_it_stands(span: str) -> None:
    """Hours, episodes, visits, what remains: the rate counts, the rest is told."""
    document = of_event(f"HSD*VS*3*WK**{span}")

    assert document["limits"] == {"unit": "VS", "per": {"count": "3", "period": "week"}}
    assert document["attached"]["hsd"] == [["VS", "3", "WK", "", *span.split("*")]]
    assert "quantity-raw" in codes(review(*GRANTED, f"HSD*VS*3*WK**{span}"))


@pytest.mark.parametrize("hsd", ["HSD*****29*2", "HSD*****34*6", "HSD"])
def test_a_span_alone_limits_nothing(hsd: str) -> None:
    """It is kept: the dates say how long."""
    document = of_event(hsd)

    assert "limits" not in document
    assert document["attached"]["hsd"] == [hsd.split("*")[1:]]


@pytest.mark.parametrize("hsd", ["HSD*VS*3*XX", "HSD*VS*3*WK*5000", "HSD*VS*3*WK*0.5"])
def test_an_unknown_period_leaves_the_count(hsd: str) -> None:
    """Three visits every so often must not become visits without end."""
    assert of_event(hsd)["limits"] == {"units": "3", "unit": "VS"}


@pytest.mark.parametrize(
    ("segments", "limits"),
    [
        (("SV1*HC:97110**UN*8",), {"units": "8", "unit": "UN"}),
        (("SV1*HC:97110***8",), {"units": "8", "unit": "UN"}),
        (("SV2*0420**60*DA*3",), {"units": "3", "unit": "DA"}),
        (("SV1*HC:97110**UN*8", "HSD*VS*4"), {"units": "4", "unit": "VS"}),
        (
            ("SV1*HC:97110**VS*24", "HSD*VS*3*WK"),
            {"units": "24", "unit": "VS", "per": {"count": "3", "period": "week"}},
        ),
        (
            ("SV1*HC:97110**UN*24", "HSD*VS*3*WK"),
            {"unit": "VS", "per": {"count": "3", "period": "week"}},
        ),
        (("SV1*HC:97110",), None),
    ],
)
def test_the_quantity_of_the_service_counts_where_hsd_has_none(
    segments: tuple[str, ...], limits: dict[str, Any] | None
) -> None:
    """A rate is joined with a total of the same unit only."""
    line = authorization(review(*GRANTED, SERVICE, *segments))["lines"][0]

    assert line.get("limits") == limits


@pytest.mark.parametrize("hsd", ["HSD*VS*many", "HSD**3", "HSD*VS*-1", "HSD*VS*4000000000"])
def test_a_quantity_that_cannot_be_read_grants_nothing(hsd: str) -> None:
    """The event is left out: without its limit it would be without end."""
    assert "event-unread" in codes(review(*GRANTED, hsd))
