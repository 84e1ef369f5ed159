"""Answers a 278 inquiry (005010X215, BHT02 28) with the authorizations that were found for it.

The answer goes from the receiver of the inquiry to its sender. It has the levels of the inquiry
with their parties, its trace numbers (TRN01 2), and an event for each authorization. No clock and
no counter here: the numbers and the time are given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from service.domain import codes
from service.domain.authorization import Authorization, AuthorizationLine, Diagnosis, Limits, Scope
from service.domain.provider import AuthorizedProvider
from service.domain.values import DateSpan
from service.ingest.x12.fields.quantities import PERIODS, SPANS
from service.ingest.x12.fields.services import SYSTEMS
from service.ingest.x12.wire.results import InquiryRead, Level
from service.ingest.x12.wire.segment import components
from service.ingest.x12.wire.writing import (
    ControlNumbers,
    Form,
    Repeated,
    Written,
    plain,
    write_answer,
)

_FORM = Form("HI", "278", "005010X215")
_CORRECT_AND_RESUBMIT = "C"

_NOT_FOUND = "AA"
"""Reject reason (element 901) AA: no such authorization. The member is known, and was looked up."""

_SUBSCRIBER_UNKNOWN, _PATIENT_UNKNOWN = "75", "67"
"""Reject reasons of whom we do not know: said at the level of that person, not of the event."""

_ORDER = ("20", "21", "22", "23")
_PATIENTS = frozenset({"22", "23"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An inquiry with what was found for it; a member who is not known has nothing."""

    inquiry: InquiryRead
    found: Sequence[Authorization] = ()
    is_member_known: bool = True


def answer(answers: Sequence[Answer], numbers: ControlNumbers, at: datetime) -> str:
    """Write one interchange with an answer to each of some inquiries of one sender."""
    sets = [(each.inquiry.transaction.group, list(_set(each, at))) for each in answers]
    return write_answer(sets[0][0].interchange, numbers, at, _FORM, sets)


def _set(answer: Answer, at: datetime) -> Iterator[Written]:
    inquiry = answer.inquiry
    reference = inquiry.transaction.reference
    yield ["BHT", "0007", "11", reference, f"{at:%Y%m%d}", f"{at:%H%M%S}", "18"]
    levels = Levels()
    asked = sorted((each for each in inquiry.levels if each.kind in _ORDER), key=_rank)
    person = next((each.kind for each in reversed(asked) if each.kind in _PATIENTS), None)
    for each in asked:
        is_last = each is asked[-1]
        has_more = not is_last or (answer.is_member_known or person is None)
        yield levels.open(each.kind, has_more=has_more)
        yield from _parties(each)
        if not answer.is_member_known and each.kind == person:
            code = _PATIENT_UNKNOWN if person == "23" else _SUBSCRIBER_UNKNOWN
            yield ["AAA", "N", "", code, _CORRECT_AND_RESUBMIT]
    if answer.is_member_known or person is None:
        yield from _events(answer, levels)


def _events(answer: Answer, levels: "Levels") -> Iterator[Written]:
    traces = [["TRN", "2", number, originator] for number, originator in answer.inquiry.traces]
    if not answer.found:
        yield levels.open("EV", has_more=False)
        yield from traces
        yield ["AAA", "N", "", _NOT_FOUND, _CORRECT_AND_RESUBMIT]
    for each in answer.found:
        lines = [line for line in each.lines if line.removed_on is None and not _is_group(line)]
        yield levels.open("EV", has_more=bool(lines))
        yield from traces
        yield from _written_event(each)
        for line in lines:
            yield levels.open("SS", has_more=False)
            yield from written_service(each, line)


def _is_group(line: AuthorizationLine) -> bool:
    """Whether a line is scoped by a group of codes: written without it, it would grant all."""
    return line.procedure is not None and line.procedure.group is not None


class Levels:
    """Numbers the HL segments, each under the last one that is higher."""

    def __init__(self) -> None:
        self._count = 0
        self._above: list[tuple[int, int]] = []

    def open(self, kind: str, *, has_more: bool) -> Written:
        """Write the HL of a level; ``has_more`` where another one is under it."""
        rank = (*_ORDER, "EV", "SS").index(kind)
        self._count += 1
        while self._above and self._above[-1][0] >= rank:
            self._above.pop()
        parent = str(self._above[-1][1]) if self._above else ""
        self._above.append((rank, self._count))
        return ["HL", str(self._count), parent, kind, "1" if has_more else "0"]


def _rank(level: Level) -> int:
    return _ORDER.index(level.kind)


def _parties(level: Level) -> Iterator[Written]:
    for segment in level.parties:
        places = range(1, len(segment.elements))
        yield [segment.id, *(components(segment.get(n), segment.delimiters) for n in places)]


_PERIODS = {name: code for code, name in PERIODS.items()}
_SPANS = {name: code for code, name in SPANS.items()}
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
    valid, asked = scope.effective or DateSpan(), scope.requested_dates or DateSpan()
    yield from _day("102", scope.certification_date)
    if valid.from_ and valid.to:
        yield _period("007", valid.from_, valid.to)
    else:
        yield from _day("007", valid.from_)
        yield from _day("036", valid.to)
    if asked.from_ and asked.to and asked.from_ != asked.to:
        yield _period("472", asked.from_, asked.to)
    else:
        yield from _day("472", asked.from_ or asked.to)
    if scope.admission:
        yield from _day("435", scope.admission.date)
        yield from _day("096", scope.admission.discharge_date)


def _period(qualifier: str, first: date, last: date) -> Written:
    return ["DTP", qualifier, "RD8", f"{first:%Y%m%d}-{last:%Y%m%d}"]


def _day(qualifier: str, day: date | None) -> Iterator[Written]:
    if day:
        yield ["DTP", qualifier, "D8", f"{day:%Y%m%d}"]


def stay(authorization: Authorization) -> Iterator[Written]:
    """Write CL1."""
    admission = authorization.admission
    if admission and (admission.type or admission.source or admission.patient_status):
        told = (admission.type, admission.source, admission.patient_status)
        yield ["CL1", *(each or "" for each in told)]


def quantities(scope: Scope, in_service: Limits | None) -> Iterator[Written]:
    """Write HSD: a rate, a limit that renews, a total that the service does not say, the days."""
    counted = _counted(scope.limits, in_service)
    pattern = codes.pattern_of_days(scope.days_of_week)
    if pattern:
        yield ["HSD", *counted, *[""] * (6 - len(counted)), pattern]
    elif counted:
        yield ["HSD", *counted]


def _counted(limits: Limits | None, in_service: Limits | None) -> list[str]:
    if limits is None:
        return []
    unit = limits.unit or ""
    if limits.renewal is not None and limits.units is not None:
        every = limits.renewal
        units = format(limits.units, "f")
        return [unit, units, _PERIODS[every.unit], str(every.period)]
    if limits.per is not None:
        rate = limits.per
        span = [_SPANS[rate.span_unit], str(rate.span)] if rate.span and rate.span_unit else []
        return [unit, format(rate.count, "f"), _PERIODS[rate.period], "", *span]
    if limits.units is not None and in_service is None:
        return [unit, format(limits.units, "f")]
    return []


def messages(limits: Limits | None) -> Iterator[Written]:
    """Tell in words the limits that a 278 has no element for."""
    if limits is not None and limits.amount is not None:
        yield ["MSG", f"UP TO {limits.amount:f} {limits.currency}"]
    if limits is not None and limits.service_days is not None:
        yield ["MSG", f"UP TO {limits.service_days:f} DAYS OF SERVICE"]


def providers(scope: Scope) -> Iterator[Written]:
    """Write all who may give a service, and all places where it may be given."""
    for role, parties in (("SJ", scope.servicing_providers), ("FA", scope.facilities)):
        for each in parties:
            yield from provider(role, each)


def provider(role: str, party: AuthorizedProvider | None) -> Iterator[Written]:
    """Write NM1 with REF*EI and PRV; a name with a comma is that of a person."""
    if party is None or not (party.npi or party.tin or party.name):
        return
    last, _, first = (party.name or "").partition(", ")
    kind = "1" if first and not party.organization else "2"
    identifier = ["XX", party.npi] if party.npi else ["24", party.tin] if party.tin else []
    yield ["NM1", role, kind, last, first, "", "", "", *identifier]
    if party.npi and party.tin:
        yield ["REF", "EI", party.tin]
    for taxonomy in party.taxonomy:
        yield ["PRV", "PE", "PXC", taxonomy]


_REFERRAL, _ADMISSION, _SERVICES = "SC", "AR", "HS"
_PRINCIPAL, _OTHER = "ABK", "ABF"
_DIAGNOSES_A_SEGMENT = 12
_QUALIFIERS = {system: qualifier for qualifier, system in SYSTEMS.items()}
_RAW_ACTION = "review_action"
TEXT_CHARACTERS_MAX = 264


def _written_event(authorization: Authorization) -> Iterator[Written]:
    """Write what the whole authorization says (2000E)."""
    yield certification(authorization, category_of(authorization))
    yield from decision(authorization, authorization.attached.get(_RAW_ACTION))
    yield from _numbers(authorization, authorization.previous_numbers)
    if authorization.administrative_reference:
        yield ["REF", "NT", authorization.administrative_reference]
    yield from days(authorization)
    yield from health(authorization)
    yield from quantities(authorization, None)
    yield from stay(authorization)
    yield from _texts(authorization)
    yield from providers(authorization)
    yield from provider("DN", authorization.requesting_provider)


def written_service(authorization: Authorization, line: AuthorizationLine) -> Iterator[Written]:
    """Write what a line says itself (2000F): the rest it has from its event."""
    if line.code:
        yield ["TRN", "1", line.code]
    category = line.attached.get("category")
    if any((line.certification_type, line.service_type, line.place_of_service, line.bill_type)):
        yield certification(line, str(category) if category else category_of(authorization))
    yield from decision(line, line.attached.get(_RAW_ACTION))
    yield from _numbers(line, ())
    yield from days(line)
    form = _form(authorization, line)
    in_service = _of_service(line.limits, form)
    yield from _service(form, line, in_service)
    yield from quantities(line, in_service)
    if line.tooth:
        yield ["TOO", "JP", line.tooth, list(line.surfaces)]
    yield from messages(line.limits)
    yield from providers(line)


def category_of(authorization: Authorization) -> str:
    """Give UM01: as it was sent, else by what the authorization is."""
    sent = authorization.attached.get("category")
    if isinstance(sent, str):
        return sent
    if authorization.kind == "referral":
        return _REFERRAL
    return _ADMISSION if authorization.setting == "inpatient" else _SERVICES


def certification(scope: Scope, category: str) -> Written:
    """Write UM: category, certification and service type, place, urgency."""
    place: list[str] = []
    if scope.bill_type:
        place = [scope.bill_type, "A"]
    elif scope.place_of_service:
        place = [scope.place_of_service, "B"]
    kinds = [scope.certification_type or "", scope.service_type or ""]
    return ["UM", category, *kinds, place, "", scope.urgency or ""]


def _numbers(scope: Scope, previous: tuple[str, ...]) -> Iterator[Written]:
    for number in previous:
        yield ["REF", "BB", number]
    for number in scope.other_numbers:
        yield ["REF", "G1", number]


def health(authorization: Authorization) -> Iterator[Written]:
    """Write HI: the first diagnosis without a type is the principal one."""
    items = [_diagnosis(each, place) for place, each in enumerate(authorization.diagnoses)]
    if authorization.drg:
        items.append(["DR", authorization.drg])
    for start in range(0, len(items), _DIAGNOSES_A_SEGMENT):
        yield ["HI", *items[start : start + _DIAGNOSES_A_SEGMENT]]


def _diagnosis(diagnosis: Diagnosis, place: int) -> list[str]:
    kind = diagnosis.type or (_OTHER if place else _PRINCIPAL)
    return [kind, codes.bare(diagnosis.code)]


def _texts(authorization: Authorization) -> Iterator[Written]:
    for message in authorization.messages:
        if message.text:
            yield ["MSG", plain(message.text)[:TEXT_CHARACTERS_MAX]]
    yield from messages(authorization.limits)
    groups = [each.procedure.group for each in authorization.lines if each.procedure]
    for group in dict.fromkeys(filter(None, groups)):
        # A group of codes has no place in a 278: it is told, and no line is made of it.
        yield ["MSG", plain(f"SERVICES {group}")[:TEXT_CHARACTERS_MAX]]


def _form(authorization: Authorization, line: AuthorizationLine) -> str:
    """Tell which segment writes a service, so that its setting can be told from it again."""
    if authorization.setting == "dental" or line.tooth:
        return "SV3"
    if line.revenue_code or authorization.setting in ("inpatient", "outpatient"):
        return "SV2"
    return "SV1"


def _of_service(limits: Limits | None, form: str) -> Limits | None:
    """The limits whose units the service itself says: a plain count, or beside a rate."""
    if limits is None or limits.units is None or limits.renewal is not None:
        return None
    return limits if form != "SV3" or limits.unit == "UN" else None


def _service(form: str, line: AuthorizationLine, limits: Limits | None) -> Iterator[Written]:
    composite = _procedure(line)
    if not composite and not line.revenue_code and not line.oral_cavity:
        return
    price = format(line.unit_price, "f") if line.unit_price is not None else ""
    unit = limits.unit or "" if limits else ""
    units = format(limits.units, "f") if limits and limits.units is not None else ""
    if form == "SV3":
        yield ["SV3", composite, price, "", list(line.oral_cavity), "", units]
    elif form == "SV2":
        yield ["SV2", line.revenue_code or "", composite, price, unit, units]
    else:
        yield ["SV1", composite, price, unit, units]


def _procedure(line: AuthorizationLine) -> list[str]:
    """Write qualifier, code, up to four modifiers, description, last code of a range."""
    procedure = line.procedure
    if procedure is None or procedure.from_ is None:
        return []
    system = codes.code_system(codes.bare(procedure.from_), procedure.code_system)
    modifiers = [*line.modifiers[:4], "", "", "", ""][:4]
    qualifier = _QUALIFIERS.get(system, system[:2])
    return [qualifier, procedure.from_, *modifiers, "", procedure.to or ""]
