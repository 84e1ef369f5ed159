"""Writes what an event and a service both say: decision, days, stay, quantities, providers."""

from collections.abc import Iterator
from datetime import date

from service.domain.authorization import Authorization, Limits, Scope
from service.domain.provider import AuthorizedProvider
from service.domain.values import DateSpan
from service.ingest.x12.wire.writing import Repeated, Written

_PERIODS = {"day": "DA", "week": "WK", "month": "MO", "year": "YR"}
_SPANS = {"day": "7", "week": "35", "month": "34", "year": "21"}
_REASONS_MAX = 5


def decision(scope: Scope, raw_action: object) -> Iterator[Written]:
    """Write HCR: the action, also one that is not known to us, the number, the reasons."""
    decided = scope.decision
    action = (decided.action if decided else None) or (
        raw_action if isinstance(raw_action, str) else ""
    )
    if not action and not scope.number:
        return
    reasons = list(decided.reasons[:_REASONS_MAX]) if decided else []
    yield ["HCR", action, scope.number or "", Repeated(reasons)]


def days(scope: Scope) -> Iterator[Written]:
    """Write the certification date, the validity, the days of service and of a stay."""
    if scope.certification_date:
        yield _day("102", scope.certification_date)
    yield from _validity(scope.effective)
    asked = scope.requested_dates
    if asked and (asked.from_ or asked.to):
        first, last = asked.from_ or asked.to, asked.to or asked.from_
        yield _period("472", first, last)
    admission = scope.admission
    if admission and admission.date:
        yield _day("435", admission.date)
    if admission and admission.discharge_date:
        yield _day("096", admission.discharge_date)


def stay(authorization: Authorization) -> Iterator[Written]:
    """Write CL1."""
    admission = authorization.admission
    if admission and (admission.type or admission.source or admission.patient_status):
        codes = (admission.type, admission.source, admission.patient_status)
        yield ["CL1", *(each or "" for each in codes)]


def quantities(limits: Limits | None, in_service: Limits | None) -> Iterator[Written]:
    """Write HSD: a rate, a limit that renews, and a total where the service does not say it."""
    if limits is None:
        return
    unit = limits.unit or ""
    if limits.renewal is not None and limits.units is not None:
        every = limits.renewal
        units = format(limits.units, "f")
        yield ["HSD", unit, units, _PERIODS[every.unit], str(every.period)]
    elif limits.per is not None:
        rate = limits.per
        span = [_SPANS[rate.span_unit], str(rate.span)] if rate.span and rate.span_unit else []
        yield ["HSD", unit, format(rate.count, "f"), _PERIODS[rate.period], "", *span]
    elif limits.units is not None and in_service is None:
        yield ["HSD", unit, format(limits.units, "f")]


def messages(limits: Limits | None) -> Iterator[Written]:
    """Tell in words the limits that a 278 has no element for."""
    if limits is not None and limits.amount is not None:
        yield ["MSG", f"UP TO {limits.amount:f} {limits.currency}"]
    if limits is not None and limits.service_days is not None:
        yield ["MSG", f"UP TO {limits.service_days:f} DAYS OF SERVICE"]


def provider(role: str, party: AuthorizedProvider | None) -> Iterator[Written]:
    """Write NM1 with REF*EI and PRV; a name with a comma is that of a person."""
    if party is None or not (party.npi or party.tin or party.name):
        return
    last, _, first = (party.name or "").partition(", ")
    kind = "1" if first else "2"
    identifier = ["XX", party.npi] if party.npi else ["24", party.tin] if party.tin else []
    yield ["NM1", role, kind, last, first, "", "", "", *identifier]
    if party.npi and party.tin:
        yield ["REF", "EI", party.tin]
    for taxonomy in party.taxonomy:
        yield ["PRV", "PE", "PXC", taxonomy]


def _validity(span: DateSpan | None) -> Iterator[Written]:
    if span is None:
        return
    if span.from_ and span.to:
        yield ["DTP", "007", "RD8", f"{span.from_:%Y%m%d}-{span.to:%Y%m%d}"]
    elif span.from_:
        yield _day("007", span.from_)
    elif span.to:
        yield _day("036", span.to)


def _period(qualifier: str, first: date | None, last: date | None) -> Written:
    if first and last and first != last:
        return ["DTP", qualifier, "RD8", f"{first:%Y%m%d}-{last:%Y%m%d}"]
    return _day(qualifier, first or last)


def _day(qualifier: str, day: date | None) -> Written:
    return ["DTP", qualifier, "D8", f"{day:%Y%m%d}" if day else ""]
