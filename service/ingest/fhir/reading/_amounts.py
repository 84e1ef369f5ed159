"""How much was asked for and how much was granted: quantities, rates and money."""

from typing import Any

from service.domain import codes
from service.domain.values import WEEKDAYS
from service.ingest.fhir.base import primitives, terms
from service.ingest.fhir.base.node import NOTHING, Node
from service.ingest.fhir.base.primitives import codings, plain
from service.ingest.fhir.reading._case import Item

_ANY_TIME = frozenset({"F", "G", "Y"})
"""Delivery patterns (X12 element 679) that are none: as directed, any shift, none."""
_NO_DAYS = "not days of the week: no service fits it for sure"
_GRANTED_AMOUNTS = frozenset({"eligible", "benefit"})
_PERIODS = {"d": "day", "wk": "week", "mo": "month", "a": "year"}
_PERIOD_WORDS = {"day": "day", "week": "week", "month": "month", "year": "year"}


def granted(item: Item) -> dict[str, Any]:
    """Read the quantity that was granted; nothing where nothing was certified.

    Of the added item, else of the detail, else (what was asked for is certified) of the request. A
    partial or modified certification that does not say how much is bounded by the request too.
    """
    if not item.is_granting:
        return {}
    detail = NOTHING if item.detail_is_requested else item.detail.extension("quantity")
    for node in (item.added.get("quantity"), detail):
        if found := terms.units(node):
            return _with_rate(item, found)
    if item.action in ("A2", "A6") and not item.added:
        message = "it does not say how much was granted: at most what was asked for is paid"
        item.node.warn("modified-without-grant", message)
    return _with_rate(item, asked(item))


def asked(item: Item) -> dict[str, Any]:
    """Read the quantity that was asked for, of the request, else of the detail that repeats it."""
    if found := terms.units(item.asked.get("quantity")):
        return found
    repeats = item.detail_is_requested or not item.is_granting
    if repeats and (found := terms.units(item.detail.extension("quantity"))):
        return found
    order = item.case.documents.resolve(item.asked.extension("requestedService"))
    if order.get("occurrenceTiming"):
        return {}  # the quantity of an order that repeats is that of one period, not a total
    return terms.units(_ordered(order))


def _with_rate(item: Item, total: dict[str, Any]) -> dict[str, Any]:
    """Add how often; a rate of other units than the quantity cannot stand beside it."""
    rate = _rate(item)
    if total and rate and rate["unit"] != total["unit"]:
        message = "the timing counts other units than the quantity: it is left out"
        item.node.warn("value-invalid", message)
        return total
    return rate | total


def days_of_week(item: Item) -> list[str]:
    """Read on which days: of the timing's days and of its pattern, where both are, those of both.

    Another pattern is no day of the week, so that no service fits it for sure; it is told.
    """
    named, pattern = _named_days(item), _days_of_pattern(item)
    if named and pattern:
        return [each for each in named if each in pattern] or ["other"]
    return named or pattern


def _named_days(item: Item) -> list[str]:
    nodes = _order(item).at("occurrenceTiming", "repeat").many("dayOfWeek")
    named = {plain(each.value).lower(): each for each in nodes}
    known = {each[:3]: each for each in WEEKDAYS}
    for name, node in named.items():
        if name not in known:
            node.warn("pattern-left-out", _NO_DAYS)
    return list(dict.fromkeys(known.get(name, "other") for name in named))


def _days_of_pattern(item: Item) -> list[str]:
    node = _pattern(item, "calendar")
    days = codes.days_of_pattern(primitives.concept_code(node) or "") if node else ()
    if days is None:
        node.warn("pattern-left-out", _NO_DAYS)
        return ["other"]
    return [*days]


def _pattern(item: Item, kind: str) -> Node:
    """The extension for a calendar pattern (X12 element 678) or a delivery pattern (679)."""
    order = _order(item)
    parts = (order.get("occurrenceTiming"), order, item.added, item.answer, item.asked)
    names = (f"timing{kind}pattern", f"{kind}Pattern")
    found = (part.extension(name) for part in parts for name in names)
    return next(filter(None, found), NOTHING)


def patterns(item: Item) -> dict[str, str]:
    """Read the patterns as they were sent, for what is kept beside; a time of the day is told."""
    repeat = _order(item).at("occurrenceTiming", "repeat")
    time = _pattern(item, "delivery")
    for node in (time, repeat.get("timeOfDay"), repeat.get("when")):
        if node and primitives.concept_code(node) not in _ANY_TIME:
            node.warn("pattern-left-out", "a time of the day cannot be compared: kept as sent")
    sent = {
        "calendar_pattern": primitives.concept_code(_pattern(item, "calendar")),
        "delivery_pattern": primitives.concept_code(time),
    }
    return {name: code for name, code in sent.items() if code}


def _order(item: Item) -> Node:
    """The order that was authorized, else the one that was requested."""
    reference = (
        item.added.extension("requestedService")
        or item.detail.extension("authorizedService")
        or item.asked.extension("requestedService")
    )
    return item.case.documents.resolve(reference)


def _rate(item: Item) -> dict[str, Any]:
    """Read how often: of the order."""
    order = _order(item)
    repeat = order.at("occurrenceTiming", "repeat")
    if not repeat:
        return {}
    period = _PERIODS.get(str(repeat.get("periodUnit").value))
    times = repeat.get("frequency") or _ordered(order).get("value")
    count = primitives.quantity(times)
    if not period or count is None or primitives.sequence(repeat.get("period")) not in (None, 1):
        message = "only so many a day, week, month or year can be kept: the timing is left out"
        repeat.warn("value-invalid", message)
        return {}
    unit = terms.unit(_ordered(order))
    return {"per": {"count": count, "period": period} | _span(repeat), "unit": unit}


def _span(repeat: Node) -> dict[str, Any]:
    bounds = repeat.get("boundsDuration")
    length = primitives.sequence(bounds.get("value"))
    sent = str(bounds.get("code").value or bounds.get("unit").value)
    unit = _PERIODS.get(sent) or _PERIOD_WORDS.get(sent.lower().removesuffix("s"))
    return {"span": length, "span_unit": unit} if length and unit else {}


def _ordered(order: Node) -> Node:
    return order.get("quantityQuantity") or order.at("dispenseRequest", "quantity")


def limits(item: Item) -> dict[str, Any]:
    """Read quantity and rate; the unit of the quantity is that of the rate too."""
    found = granted(item)
    return {key: found[key] for key in ("units", "unit", "per") if key in found}


def granted_amount(item: Item) -> dict[str, str]:
    """Read the money that was granted: the net of an added item, or an eligible amount."""
    if not item.is_granting:
        return {}
    if found := terms.money(item.added.get("net")):
        return found
    adjudications = [*item.added.many("adjudication"), *item.answer.many("adjudication")]
    for each in adjudications:
        kinds = {one.code.lower() for one in codings(each.get("category"))}
        if kinds & _GRANTED_AMOUNTS and (found := terms.money(each.get("amount"))):
            return found
    return {}


def asked_amount(item: Item) -> dict[str, str]:
    """Read the money that was asked for."""
    return terms.money(item.asked.get("net"))


def unit_price(item: Item) -> str | None:
    """Read the price of one unit: of the added item, else of the detail, else of the request."""
    parts = (
        item.added.get("unitPrice"),
        item.detail.extension("unitPrice"),
        item.asked.get("unitPrice"),
    )
    read = (terms.money(each).get("amount") for each in parts if each)
    return next(filter(None, read), None)
