"""How much is granted: HSD decoded to a total, a rate or a limit that renews, else SV1, SV2, SV3.

HSD says a quantity (01 kind, 02 number), a rate (03 period, 04 every so many of them) and a span
(05 period, 06 number). Three visits a week for two months is ``VS*3*WK**34*2``. 07 says on which
days, 08 at what time of the day.
"""

from typing import Any

from service.domain import codes
from service.ingest.x12.fields.mapping import Draft, raw
from service.ingest.x12.wire.segment import Segment

PERIODS = {"DA": "day", "WK": "week", "MO": "month", "YR": "year"}
_QUARTER, _QUARTER_MONTHS = "Q1", 3
SPANS = {"7": "day", "35": "week", "34": "month", "21": "year"}
_ANY_TIME = frozenset({"", "F", "G", "Y"})
"""Times of a day (element 679) that are none: as directed, any shift, none."""
_RENEWS_FROM = "effective.from"
_SPAN_MAX = 1000

Limits = dict[str, Any]


def take_hsd(draft: Draft, segment: Segment) -> None:
    """Read HSD: how much, and on which days; what cannot be read is kept as it stands."""
    texts = segment.texts(8)
    _take_pattern(draft, segment)
    unit, count = draft.as_code(texts[0], segment, 1), draft.number(segment, 2)
    if texts[1] and count is None:
        draft.is_unsure = True
    if count is None or unit is None:
        if count is not None:
            draft.unsure("element-missing", segment, 1)
        draft.add("attached.hsd", raw(segment))
        if texts[2] or texts[4] or texts[5]:
            draft.note("quantity-raw", segment)
        return
    limits = _limits(draft, segment, unit, count)
    if limits is None:
        # A period that is not known must not turn a rate into an open grant: the count stands.
        limits = {"units": count, "unit": unit}
        draft.note("quantity-raw", segment)
    if any(texts[2:]):
        draft.add("attached.hsd", raw(segment))
    draft.set("limits", limits, segment)


def _take_pattern(draft: Draft, segment: Segment) -> None:
    """Read the days of the week (HSD07); another pattern, or hours (HSD08), are told and kept."""
    pattern = draft.code(segment, 7)
    if pattern is not None:
        days = codes.days_of_pattern(pattern)
        if days is None:
            draft.note("pattern-raw", segment, 7)
        draft.set("days_of_week", [*days] if days is not None else ["other"], segment)
    if segment.get(8).upper() not in _ANY_TIME:
        draft.note("pattern-raw", segment, 8)


def _limits(draft: Draft, segment: Segment, unit: str, count: str) -> Limits | None:
    period = segment.get(3).upper()
    if not period:
        return {"units": count, "unit": unit}
    every = _whole(draft, segment, 4) if segment.get(4) else 1
    if every is None:
        return None
    name, length = PERIODS.get(period), every
    if period == _QUARTER:
        name, length = "month", _QUARTER_MONTHS * every
    if name is None or length > _SPAN_MAX:
        return None
    if length > 1:
        renewal = {"reference": _RENEWS_FROM, "period": length, "unit": name}
        return {"units": count, "unit": unit, "renewal": renewal}
    rate: Limits = {"count": count, "period": name}
    span, span_unit = _whole(draft, segment, 6), SPANS.get(segment.get(5))
    if span and span_unit:
        rate |= {"span": span, "span_unit": span_unit}
    elif segment.get(5):
        draft.note("quantity-raw", segment, 5)
    return {"unit": unit, "per": rate}


def _whole(draft: Draft, segment: Segment, element: int) -> int | None:
    written = draft.number(segment, element)
    if written is None:
        return None
    whole, _, decimals = written.partition(".")
    if decimals.strip("0") or not 0 < int(whole) <= _SPAN_MAX:
        draft.note("number-invalid", segment, element)
        return None
    return int(whole)


def take_service_quantity(
    draft: Draft, segment: Segment, unit_element: int | None, element: int
) -> None:
    """Read the quantity of a service (SV104, SV205, SV306): the grant where there is no HSD."""
    count = draft.number(segment, element)
    if count is None:
        draft.is_unsure = draft.is_unsure or bool(segment.get(element))
        return
    unit = draft.code(segment, unit_element) if unit_element else None
    draft.notes["service_limits"] = {"units": count, "unit": unit or "UN"}


def limits_of(draft: Draft) -> Limits | None:
    """The limits of a draft: those of HSD, and of the service where HSD has none.

    A rate or a span alone is joined with a total of the same unit.
    """
    limits: Limits | None = draft.fields.get("limits")
    of_service: Limits | None = draft.notes.get("service_limits")
    if limits is None or of_service is None:
        return limits or of_service
    if "units" not in limits and limits["unit"] == of_service["unit"]:
        return {**limits, "units": of_service["units"]}
    return limits


def shared(limits: Limits | None, parts: int) -> tuple[Limits | None, bool]:
    """Divide the units of a line among its teeth; whether they could be divided."""
    if limits is None or "units" not in limits or parts < 2:
        return limits, True
    units = limits["units"]
    if "." in units or int(units) % parts:
        return limits, False
    return {**limits, "units": str(int(units) // parts)}, True
