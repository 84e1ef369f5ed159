"""The lines of an authorization as items and added items."""

from service.domain import codes
from service.domain.authorization import (
    Authorization,
    AuthorizationLine,
    Decision,
    Limits,
)
from service.domain.effective import effective_action
from service.domain.provider import AuthorizedProvider
from service.domain.values import DateSpan
from service.ingest.fhir.base.vocabulary import (
    BILL_TYPE,
    ICD9,
    ICD10,
    PLACE,
    PROCEDURES,
    REVENUE,
    SURFACE,
    TERMINOLOGY,
    TOOTH,
    X12,
    Json,
    concept,
    extension,
    money,
    quantity,
    without_nothing,
)
from service.ingest.fhir.writing.contained import Contained

_MODIFIED = "A6"
_ROLES = {"Practitioner": "SJ", "Organization": "FA"}
_ICD9_TYPES = frozenset({"BK", "BF", "BJ"})


def item(
    line: AuthorizationLine,
    authorization: Authorization,
    contained: Contained,
    balances: list[Json],
) -> Json:
    """Write the item of a line; of a modified one it says what was asked for."""
    action = effective_action(line, authorization)
    is_modified = action == _MODIFIED
    limits = line.requested if is_modified else line.limits
    found = _dates(line, authorization)
    found += [
        extension("communicatedDiagnosis", valueCodeableConcept=diagnosis(each.code, each.type))
        for each in line.diagnoses
    ]
    if not is_modified:
        found += _providers(line, contained)
    detail = _detail(line, limits, with_service=not is_modified)
    if detail:
        found.append(extension("itemAuthorizedDetail", extension=detail))
    return without_nothing(
        {
            "extension": found,
            "itemSequence": line.line,
            "adjudication": [
                adjudication(line.decision or Decision(), action, line.number),
                *_eligible(None if is_modified else line.limits),
                *balances,
            ],
        }
    )


def added_item(
    line: AuthorizationLine, authorization: Authorization, contained: Contained
) -> Json | None:
    """Write what was granted in place of what was asked for; None where nothing was modified."""
    action = effective_action(line, authorization)
    if action != _MODIFIED:
        return None
    found = _dates(line, authorization)
    for name, code, element in (
        ("itemCategory", line.service_type, "1365"),
        ("certificationType", line.certification_type, "1322"),
    ):
        if code is not None:
            found.append(extension(name, valueCodeableConcept=concept(f"{X12}{element}", code)))
    if line.procedure and line.procedure.to:
        last = _procedure(line.procedure.to, line.procedure.code_system)
        found.append(extension("productOrServiceCodeEnd", valueCodeableConcept=last))
    if line.revenue_code:
        revenue = concept(REVENUE, line.revenue_code)
        found.append(extension("revenueCode", valueCodeableConcept=revenue))
    provider = contained.provider(line.servicing_provider, "Practitioner")
    limits = line.limits
    return without_nothing(
        {
            "extension": found,
            "itemSequence": [line.line],
            "provider": [provider] if provider else None,
            "productOrService": service(line)
            or concept(f"{TERMINOLOGY}data-absent-reason", "not-applicable"),
            "modifier": [concept(PROCEDURES["HCPCS"], each) for each in line.modifiers],
            "bodySite": concept(TOOTH, line.tooth) if line.tooth else None,
            "subSite": [concept(SURFACE, each) for each in line.surfaces],
            "locationCodeableConcept": place(line, authorization),
            "quantity": _quantity(limits),
            "unitPrice": money(line.unit_price) if line.unit_price is not None else None,
            "net": _amount(limits),
            "adjudication": [adjudication(line.decision or Decision(), action, line.number)],
        }
    )


def adjudication(decision: Decision, action: str | None, review_number: str | None) -> Json:
    """Write a review: action, number, reasons."""
    parts: list[Json] = []
    if review_number:
        parts.append({"url": "number", "valueString": review_number})
    if action:
        code = concept(f"{X12}306", action)
        parts.append(extension("reviewActionCode", valueCodeableConcept=code))
    for each in decision.reasons:
        parts.append({"url": "reasonCode", "valueCodeableConcept": concept(f"{X12}886", each)})
    review = [extension("reviewAction", extension=parts)] if parts else []
    category = concept(f"{TERMINOLOGY}adjudication", "submitted")
    return without_nothing({"extension": review, "category": category})


def provider_extension(provider: AuthorizedProvider, kind: str, contained: Contained) -> Json:
    """Write who was authorized, with its role."""
    role = extension(
        "authorizedProviderType", valueCodeableConcept=concept(f"{X12}98", _ROLES[kind])
    )
    reference = {"url": "provider", "valueReference": contained.provider(provider, kind)}
    return extension("itemAuthorizedProvider", extension=[reference, role])


def period(span: DateSpan | None) -> Json | None:
    """Write days as a Period."""
    if span is None:
        return None
    days = {"start": span.from_, "end": span.to}
    return {name: each.isoformat() for name, each in days.items() if each} or None


def _providers(line: AuthorizationLine, contained: Contained) -> list[Json]:
    named = ((line.servicing_provider, "Practitioner"), (line.facility, "Organization"))
    return [provider_extension(each, kind, contained) for each, kind in named if each is not None]


def _dates(line: AuthorizationLine, header: Authorization) -> list[Json]:
    found: list[Json] = []
    if issued_on := line.certification_date or header.certification_date:
        found.append(extension("itemPreAuthIssueDate", valueDate=issued_on.isoformat()))
    for name, span in (
        ("itemPreAuthPeriod", line.effective),
        ("itemRequestedServiceDate", line.requested_dates),
    ):
        if written := period(span):
            found.append(extension(name, valuePeriod=written))
    stay = line.admission
    for name, on in (
        ("admissionDates", stay.date if stay else None),
        ("dischargeDate", stay.discharge_date if stay else None),
    ):
        if on is not None:
            found.append(extension(name, valueDate=on.isoformat()))
    found += [extension("authorizationNumber", valueString=each) for each in line.other_numbers[:1]]
    return found


def _detail(line: AuthorizationLine, limits: Limits | None, *, with_service: bool) -> list[Json]:
    found: list[Json] = []
    if with_service:
        if named := service(line):
            found.append({"url": "productOrServiceCode", "valueCodeableConcept": named})
        if line.procedure and line.procedure.to:
            last = _procedure(line.procedure.to, line.procedure.code_system)
            found.append(extension("productOrServiceCodeEnd", valueCodeableConcept=last))
        for each in line.modifiers:
            code = concept(PROCEDURES["HCPCS"], each)
            found.append({"url": "modifier", "valueCodeableConcept": code})
        if line.unit_price is not None:
            found.append({"url": "unitPrice", "valueMoney": money(line.unit_price)})
        if line.revenue_code:
            revenue = concept(REVENUE, line.revenue_code)
            found.append(extension("revenueCode", valueCodeableConcept=revenue))
    if written := _quantity(limits):
        found.append({"url": "quantity", "valueQuantity": written})
    return found


def _quantity(limits: Limits | None) -> Json | None:
    if limits is None or limits.units is None:
        return None
    return quantity(limits.units, limits.unit)


def _amount(limits: Limits | None) -> Json | None:
    if limits is None or limits.amount is None:
        return None
    return money(limits.amount, limits.currency)


def _eligible(limits: Limits | None) -> list[Json]:
    amount = _amount(limits)
    category = concept(f"{TERMINOLOGY}adjudication", "eligible")
    return [{"category": category, "amount": amount}] if amount else []


def service(line: AuthorizationLine) -> Json | None:
    """Write what the line is for: procedure, group of procedures, or type of service."""
    if line.procedure and line.procedure.from_:
        return _procedure(line.procedure.from_, line.procedure.code_system)
    if line.procedure and line.procedure.group:
        return {"text": line.procedure.group}
    return concept(f"{X12}1365", line.service_type) if line.service_type else None


def _procedure(code: str, declared: str | None) -> Json:
    system = codes.code_system(code, declared)
    name = "CPT" if system == "HCPCS" and code[:1].isdigit() else system
    return concept(PROCEDURES.get(name, f"urn:authmatch:code-system:{name}"), code)


def diagnosis(code: str, type_: str | None) -> Json:
    """Write a diagnosis; its type tells ICD-9 from ICD-10."""
    system = ICD9 if type_ in _ICD9_TYPES else ICD10
    return concept(system, codes.diagnosis(code) if system == ICD10 else code)


def place(line: AuthorizationLine, header: Authorization) -> Json | None:
    """Write where: the place of service or the bill type, of the line or else of the header."""
    if place_of_service := line.place_of_service or header.place_of_service:
        return concept(PLACE, codes.place_of_service(place_of_service))
    bill_type = line.bill_type or header.bill_type
    return concept(BILL_TYPE, bill_type) if bill_type else None
