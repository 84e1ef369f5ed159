"""What each line of an authorization really says: its own values, else those of the header.

A header field cannot be seen from inside a nested document, so every line carries all that a
criterion may name. The keys are the names of the field dictionary; an absent key is unknown.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from service.domain import codes
from service.domain.authorization import (
    VOID_ACTION,
    Authorization,
    AuthorizationLine,
    Procedure,
    Scope,
)
from service.domain.provider import AuthorizedProvider
from service.domain.reference import AttachedFields, References
from service.domain.values import DateSpan

LineValues = dict[str, Any]
"""Field name to value; ``line`` is the number, ``effective`` a range with gte and lte."""

PRINCIPAL_TYPES = frozenset({"ABK", "BK"})
_KEYWORD_CHARACTERS_MAX = 256
_OBJECTS = ("servicing_provider", "requesting_provider", "facility")


def effective_lines(
    authorization: Authorization,
    references: References,
    *,
    inherited_numbers: Iterable[str] = (),
) -> list[LineValues]:
    """Give the effective values of every line; a header without lines gives one line 0.

    A line that was cancelled, or removed before it began, covers nothing and is left out.
    ``inherited_numbers`` are those of authorizations that this one supersedes.
    """
    numbers = numbers_of(authorization, inherited_numbers)
    if not authorization.lines:
        return [_line_values(authorization, authorization, numbers, references)]
    return [
        _line_values(line, authorization, numbers, references)
        for line in authorization.lines
        if not _is_without_effect(line, authorization)
    ]


def _is_without_effect(line: AuthorizationLine, header: Authorization) -> bool:
    """Whether a line covers nothing: it was cancelled, or removed before its first day."""
    if line.decision is not None and line.decision.action == VOID_ACTION:
        return True
    first = _first_span(line, header).from_
    return line.removed_on is not None and first is not None and line.removed_on < first


def numbers_of(authorization: Authorization, inherited: Iterable[str] = ()) -> list[str]:
    """Give every number under which the authorization can be found, normalised and sorted."""
    raw = [*authorization.previous_numbers]
    for scope in (authorization, *authorization.lines):
        raw += [*([scope.number] if scope.number else []), *scope.other_numbers]
    return sorted({codes.authorization_number(number) for number in raw} | set(inherited))


def _line_values(
    line: Scope, header: Authorization, numbers: list[str], references: References
) -> LineValues:
    values: LineValues = {
        "line": line.line if isinstance(line, AuthorizationLine) else 0,
        "kind": header.kind,
        "setting": header.setting,
        "numbers_all": numbers,
        "action": effective_action(line, header),
        "effective": _effective(line, header),
        "certification_date": _iso(line.certification_date or header.certification_date),
        "service_type": _service_types(line) or _service_types(header),
        "certification_type": line.certification_type or header.certification_type,
        "urgency": line.urgency or header.urgency,
        "level_of_care": line.level_of_care or header.level_of_care,
        "drg": _written(codes.drg, line.drg or header.drg),
        "place_of_service": _written(
            codes.place_of_service, line.place_of_service or header.place_of_service
        ),
        "bill_type": _written(codes.bill_type_class, line.bill_type or header.bill_type),
    }
    for name in _OBJECTS:
        values |= _provider(name, getattr(line, name) or getattr(header, name))
    values |= _admission(line, header)
    values |= _diagnoses(line, header)
    values |= attached_values(
        {**header.attached, **line.attached}, references.attached, prefix="attached."
    )
    if isinstance(line, AuthorizationLine):
        values |= _service(line, references)
    return {name: value for name, value in values.items() if value not in (None, [], "")}


def effective_action(line: Scope, header: Authorization) -> str | None:
    """Give the decision in force for a line.

    A line inherits the header's, but not a partial certification: under A2 each line has its own
    decision, so that a line without one is still pended (A4).
    """
    if line.decision is not None and line.decision.action is not None:
        return line.decision.action
    inherited = header.decision.action if header.decision else None
    return "A4" if inherited == "A2" else inherited


def _effective(line: Scope, header: Authorization) -> dict[str, str]:
    """Give the days of validity as a range of Elasticsearch."""
    first, last = _days(line, header)
    window: dict[str, str] = {}
    if first:
        window["gte"] = first.isoformat()
    if last:
        window["lte"] = last.isoformat()
    return window


def _days(line: Scope, header: Authorization) -> tuple[date | None, date | None]:
    """Give first and last day of validity; a stay or requested dates stand in where not sent."""
    span = _first_span(line, header)
    removed = line.removed_on if isinstance(line, AuthorizationLine) else None
    return span.from_, min(filter(None, (span.to, removed)), default=None)


def effective_days(line: Scope, header: Authorization) -> DateSpan | None:
    """Give the days on which a line (or a header alone) is valid; None where it never is."""
    if isinstance(line, AuthorizationLine) and _is_without_effect(line, header):
        return None
    first, last = _days(line, header)
    return DateSpan.model_construct(from_=first, to=last)


def _first_span(line: Scope, header: Authorization) -> DateSpan:
    for span in (line.effective, header.effective):
        if span and (span.from_ or span.to):
            return span
    admission = line.admission or header.admission
    if admission and admission.date:
        return DateSpan(from_=admission.date, to=admission.discharge_date)
    for span in (line.requested_dates, header.requested_dates):
        if span and (span.from_ or span.to):
            return span
    return DateSpan()


def _provider(name: str, provider: AuthorizedProvider | None) -> LineValues:
    if provider is None:
        return {}
    return {
        f"{name}.npi": provider.npi,
        f"{name}.tin": provider.tin,
        f"{name}.taxonomy": list(provider.taxonomy),
        f"{name}.specialty": provider.specialty,
        f"{name}.group_scope": provider.group_scope,
        f"{name}.provider_group": provider.provider_group,
    }


def _admission(line: Scope, header: Authorization) -> LineValues:
    admission = line.admission or header.admission
    if admission is None:
        return {}
    return {
        "admission.date": _iso(admission.date),
        "admission.type": admission.type,
        "admission.source": admission.source,
    }


def _diagnoses(line: Scope, header: Authorization) -> LineValues:
    diagnoses = line.diagnoses or header.diagnoses
    principal = next(
        (each.code for each in diagnoses if each.type in PRINCIPAL_TYPES),
        diagnoses[0].code if diagnoses else None,
    )
    return {
        "diagnoses": sorted({codes.diagnosis(each.code) for each in diagnoses}),
        "principal_diagnosis": _written(codes.diagnosis, principal),
    }


def _service(line: AuthorizationLine, references: References) -> LineValues:
    modifiers = sorted({codes.bare(modifier) for modifier in line.modifiers})
    significant = [each for each in modifiers if each not in references.informational_modifiers]
    surfaces = sorted({codes.bare(surface) for surface in line.surfaces})
    return {
        **_procedure(line.procedure),
        "modifiers": modifiers,
        "modifiers_significant": significant,
        "modifiers_significant_count": len(significant) or None,
        "revenue_code": _written(codes.revenue_code, line.revenue_code),
        "tooth": _written(codes.tooth, line.tooth),
        "surfaces": surfaces,
        "surfaces_count": len(surfaces) or None,
        "oral_cavity": sorted({codes.oral_cavity(area) for area in line.oral_cavity}),
    }


def _procedure(procedure: Procedure | None) -> LineValues:
    if procedure is None:
        return {}
    if procedure.from_ is None:
        return {"procedure.group": procedure.group}
    first = codes.bare(procedure.from_)
    return {
        "procedure.from": first,
        "procedure.to": codes.bare(procedure.to) if procedure.to else first,
        "procedure.shape": codes.procedure_shape(first, procedure.code_system),
    }


def _service_types(scope: Scope) -> list[str]:
    own = [scope.service_type] if scope.service_type else []
    return sorted({codes.bare(each) for each in (*own, *scope.service_types)})


def attached_values(
    attached: Mapping[str, Any], declared: AttachedFields, *, prefix: str
) -> LineValues:
    """Give the declared attached-data fields; the others stay in the source only.

    A value of another type than declared is not indexed: it could not be compared.
    """
    values: LineValues = {}
    if not attached:
        return values
    for name, kind in declared.fields.items():
        value = attached.get(name)
        many = [each for each in (value if isinstance(value, list) else [value]) if _is(each, kind)]
        if many:
            values[f"{prefix}{name}"] = many if isinstance(value, list) else many[0]
    return values


def _is(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "long":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and -(2**63) <= value < 2**63
    if not isinstance(value, str):
        return False
    return _is_day(value) if kind == "date" else len(value) <= _KEYWORD_CHARACTERS_MAX


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _written(write: Any, text: str | None) -> str | None:
    return write(text) if text else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
