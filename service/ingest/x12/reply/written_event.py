"""Writes an authorization as the event and the services of a 278 response."""

from collections.abc import Iterator

from service.domain import codes
from service.domain.authorization import Authorization, AuthorizationLine, Diagnosis, Limits, Scope
from service.ingest.x12.reply.written_scope import (
    days,
    decision,
    messages,
    provider,
    quantities,
    stay,
)
from service.ingest.x12.wire.writing import Written

_REFERRAL, _ADMISSION, _SERVICES = "SC", "AR", "HS"
_PRINCIPAL, _OTHER = "ABK", "ABF"
_DIAGNOSES_A_SEGMENT = 12
_QUALIFIERS = {"HCPCS": "HC", "CDT": "AD", "NDC": "N4"}
_RAW_ACTION = "review_action"
_TEXT_CHARACTERS_MAX = 264


def written_event(authorization: Authorization) -> Iterator[Written]:
    """Write what the whole authorization says (2000E)."""
    yield _certification(authorization, _category(authorization))
    yield from decision(authorization, authorization.attached.get(_RAW_ACTION))
    yield from _numbers(authorization, authorization.previous_numbers)
    if authorization.administrative_reference:
        yield ["REF", "NT", authorization.administrative_reference]
    yield from days(authorization)
    yield from _health(authorization)
    yield from quantities(authorization.limits, None)
    yield from stay(authorization)
    yield from _texts(authorization)
    for role, party in (
        ("SJ", authorization.servicing_provider),
        ("FA", authorization.facility),
        ("DN", authorization.requesting_provider),
    ):
        yield from provider(role, party)


def written_service(authorization: Authorization, line: AuthorizationLine) -> Iterator[Written]:
    """Write what a line says itself (2000F): the rest it has from its event."""
    if line.code:
        yield ["TRN", "1", line.code]
    category = line.attached.get("category")
    if any((line.certification_type, line.service_type, line.place_of_service, line.bill_type)):
        yield _certification(line, str(category) if category else _category(authorization))
    yield from decision(line, line.attached.get(_RAW_ACTION))
    yield from _numbers(line, ())
    yield from days(line)
    form = _form(authorization, line)
    in_service = _of_service(line.limits, form)
    yield from _service(form, line, in_service)
    yield from quantities(line.limits, in_service)
    if line.tooth:
        yield ["TOO", "JP", line.tooth, list(line.surfaces)]
    yield from messages(line.limits)
    for role, party in (("SJ", line.servicing_provider), ("FA", line.facility)):
        yield from provider(role, party)


def _category(authorization: Authorization) -> str:
    """Give UM01: as it was sent, else by what the authorization is."""
    sent = authorization.attached.get("category")
    if isinstance(sent, str):
        return sent
    if authorization.kind == "referral":
        return _REFERRAL
    return _ADMISSION if authorization.setting == "inpatient" else _SERVICES


def _certification(scope: Scope, category: str) -> Written:
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


def _health(authorization: Authorization) -> Iterator[Written]:
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
            yield ["MSG", message.text[:_TEXT_CHARACTERS_MAX]]
    yield from messages(authorization.limits)
    groups = [each.procedure.group for each in authorization.lines if each.procedure]
    for group in dict.fromkeys(filter(None, groups)):
        # A group of codes has no place in a 278: it is told, and no line is made of it.
        yield ["MSG", f"SERVICES {group}"[:_TEXT_CHARACTERS_MAX]]


def _form(authorization: Authorization, line: AuthorizationLine) -> str:
    """Tell which segment writes a service, so that its setting can be told from it again."""
    if authorization.setting == "dental" or line.tooth:
        return "SV3"
    if line.revenue_code or authorization.setting in ("inpatient", "outpatient"):
        return "SV2"
    return "SV1"


def _of_service(limits: Limits | None, form: str) -> Limits | None:
    """Give the limits whose units the service itself says: a plain count, or beside a rate."""
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
