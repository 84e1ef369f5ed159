"""A claim line as templates see it: field name to normalised value; an absent key is unknown."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from service.domain import codes
from service.domain.claim import (
    AuthorizationKind,
    Claim,
    ServiceLine,
    SubmittedNumber,
    kinds_meeting,
)
from service.domain.effective import PRINCIPAL_TYPES
from service.domain.number_forms import NumberForms
from service.domain.provider import ClaimProvider
from service.domain.reference import AttachedFields, attached_values
from service.domain.values import WEEKDAYS

ClaimValue = str | tuple[str, ...]
ClaimValues = dict[str, ClaimValue]

_SCOPES = {"in": ("either", "in"), "out": ("either", "out")}
_ROLES = ("billing_provider", "referring_provider", "facility")


def header_values(claim: Claim, attached: AttachedFields) -> ClaimValues:
    """What all lines of a claim share."""
    values: dict[str, ClaimValue | None] = {
        "type": claim.type,
        "frequency": claim.frequency,
        "network": claim.network,
        "network_scopes": _SCOPES.get(claim.network or "", ()),
        "member.birth_date": codes.day(claim.member.birth_date),
        "bill_type": codes.written(codes.bill_type_class, claim.bill_type),
        "drg": codes.written(codes.drg, claim.drg),
        "diagnoses": _distinct(codes.diagnosis, [each.code for each in claim.diagnoses]),
        "principal_diagnosis": codes.written(codes.diagnosis, _principal(claim)),
        "discharge_date": codes.day(claim.discharge_date),
    }
    if claim.admission:
        values["admission.date"] = codes.day(claim.admission.date)
        values["admission.type"] = claim.admission.type
        values["admission.source"] = claim.admission.source
    for role in _ROLES:
        values |= _provider(role, getattr(claim, role))
    values |= _attached(claim.attached, attached, "attached.")
    return {name: value for name, value in values.items() if value}


def line_values(
    claim: Claim,
    line: ServiceLine,
    header: ClaimValues,
    attached: AttachedFields,
    forms: NumberForms | None = None,
) -> ClaimValues:
    """The values of one line, those of its claim (``header_values``) included.

    What is no number by the ``forms`` is left out.
    """
    first, last = days_of(claim, line)
    procedure = codes.written(codes.bare, line.procedure)
    teeth = _distinct(codes.tooth, [each.tooth for each in line.teeth])
    values: dict[str, ClaimValue | None] = {
        "line.from": first.isoformat(),
        "line.to": last.isoformat(),
        "line.days_of_week": _days_of_week(first, last),
        "line.procedure": procedure,
        "line.procedure_shape": procedure and codes.procedure_shape(procedure, line.code_system),
        "line.modifiers": _distinct(codes.bare, line.modifiers),
        "line.revenue_code": codes.written(codes.revenue_code, line.revenue_code),
        "line.place_of_service": codes.written(
            codes.place_of_service, line.place_of_service or claim.place_of_service
        ),
        "line.diagnoses": _pointed(claim, line) or header.get("diagnoses"),
        "line.teeth": teeth,
        "line.tooth": teeth[0] if len(teeth) == 1 else None,
        "line.surfaces": _distinct(codes.bare, [s for each in line.teeth for s in each.surfaces]),
        "line.oral_cavity": _distinct(codes.oral_cavity, line.oral_cavity),
        # Where no rendering provider is named, the billing one rendered it (837 loop 2310B).
        **_provider(
            "rendering_provider",
            line.rendering_provider or claim.rendering_provider or claim.billing_provider,
        ),
        **_numbers(claim, line, forms),
        **_attached(line.attached, attached, "line.attached."),
    }
    return header | {name: value for name, value in values.items() if value}


def asked_for(kind: AuthorizationKind) -> ClaimValues:
    """What is looked for, as templates see it."""
    return {"requested_type": kind, "requested_types": kinds_meeting(kind)}


def days_of(claim: Claim, line: ServiceLine) -> tuple[date, date]:
    """First and last day of a line's service: its own, else those of statement or stay.

    Raises ValueError where none of them is known."""
    if line.from_:
        return line.from_, line.to or line.from_
    admitted = claim.admission.date if claim.admission else None
    first = claim.statement.from_ or admitted
    if first is None:
        raise ValueError(f"line {line.line} has no date of service")
    last = claim.statement.to or (claim.discharge_date if not claim.statement.from_ else None)
    return first, max(first, last or first)


def _days_of_week(first: date, last: date) -> tuple[str, ...]:
    if first == last:
        return (WEEKDAYS[first.weekday()],)
    days = min((last - first).days + 1, len(WEEKDAYS))
    return tuple(WEEKDAYS[(first.weekday() + each) % len(WEEKDAYS)] for each in range(days))


def submitted_numbers(claim: Claim, line: ServiceLine) -> list[tuple[SubmittedNumber, str]]:
    """The numbers that hold for a line, each with its level, ``line`` or ``claim``.

    A number of the line wins over those of the claim of the same kind.
    """
    own = {number.kind for number in line.authorization_numbers}
    return [
        *[(each, "line") for each in line.authorization_numbers],
        *[(each, "claim") for each in claim.authorization_numbers if each.kind not in own],
    ]


def _numbers(claim: Claim, line: ServiceLine, forms: NumberForms | None) -> dict[str, ClaimValue]:
    numbers: dict[str, dict[str, None]] = {}
    for each, _ in submitted_numbers(claim, line):
        if forms is None or forms.no_number(each.value) is None:
            number = codes.authorization_number(each.value)
            numbers.setdefault(f"numbers.{each.kind}", {})[number] = None
    return {name: tuple(each) for name, each in numbers.items()}


def _principal(claim: Claim) -> str | None:
    typed = (each.code for each in claim.diagnoses if each.type in PRINCIPAL_TYPES)
    return next(typed, claim.diagnoses[0].code if claim.diagnoses else None)


def _pointed(claim: Claim, line: ServiceLine) -> tuple[str, ...]:
    pointed = [claim.diagnoses[pointer - 1].code for pointer in line.diagnosis_pointers]
    return _distinct(codes.diagnosis, pointed)


def _provider(role: str, provider: ClaimProvider | None) -> dict[str, ClaimValue | None]:
    if provider is None:
        return {}
    return {
        f"{role}.npi": provider.npi,
        f"{role}.tin": provider.tin,
        f"{role}.taxonomy": provider.taxonomy,
        f"{role}.specialty": provider.specialty,
        f"{role}.groups": provider.groups,
    }


def _attached(
    given: Mapping[str, object], declared: AttachedFields, prefix: str
) -> dict[str, ClaimValue | None]:
    values = attached_values(given, declared, prefix=prefix) if given else {}
    return {
        name: tuple(map(codes.as_text, value)) if isinstance(value, list) else codes.as_text(value)
        for name, value in values.items()
    }


def _distinct(write: Callable[[str], str], texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(write, texts))) if texts else ()
