"""What each line of an authorization really says: its own values, else those of the header.

A header field cannot be seen from inside a nested document, so every line carries all that a
criterion may name. The keys are the names of the field dictionary; an absent key is unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from service.domain import codes
from service.domain.authorization import (
    VOID_ACTION,
    Admission,
    Authorization,
    AuthorizationLine,
    Diagnosis,
    Procedure,
    Scope,
)
from service.domain.provider import AuthorizedProvider
from service.domain.reference import StoredReferences, attached_values
from service.domain.values import DateSpan

LineValues = dict[str, Any]
"""Field name to value; ``line`` is the number, ``effective`` has ``first`` and ``last`` day.

An end that is open is not there.
"""

_PROVIDER = ("npi", "tin", "specialty", "group_scope", "provider_group")
PRINCIPAL_TYPES = frozenset({"ABK", "BK"})


def effective_lines(
    authorization: Authorization, references: StoredReferences, numbers: list[str] | None = None
) -> list[LineValues]:
    """The effective values of every line; a header without lines gives one line 0.

    A line that was cancelled, or removed before it began, covers nothing and is left out.
    ``numbers`` are those of ``numbers_of``, where more are inherited than its own.
    """
    numbers = numbers_of(authorization) if numbers is None else numbers
    said = _said(authorization)
    always: LineValues = {"kind": authorization.kind}
    if authorization.member.birth_date:
        always["member.birth_date"] = authorization.member.birth_date.isoformat()
    if numbers:
        always["numbers_all"] = numbers
    attached = attached_values(authorization.attached, references.attached, prefix="attached.")
    inherited = _Inherited(authorization, said, always | _flat(said) | attached)
    if not authorization.lines:
        return [_line_values(authorization, inherited, references)]
    return [
        _line_values(line, inherited, references)
        for line in authorization.lines
        if not _is_without_effect(line, authorization)
    ]


def settings_of(authorization: Authorization, line: Scope) -> str | list[str]:
    """The setting of a line of an authorization, or all of them where it has several."""
    others = line.other_settings or authorization.other_settings
    every = dict.fromkeys((authorization.setting, *others))
    return authorization.setting if len(every) == 1 else [*every]


def _is_without_effect(line: AuthorizationLine, header: Authorization) -> bool:
    """Whether a line covers nothing: it was cancelled, or removed before its first day."""
    if line.decision is not None and line.decision.action == VOID_ACTION:
        return True
    if line.removed_on is None:
        return False
    first, _ = _first_days(line, header)
    return first is not None and line.removed_on < first


def numbers_of(authorization: Authorization, inherited: Iterable[str] = ()) -> list[str]:
    """Every number under which the authorization can be found, normalised and sorted."""
    raw = [*authorization.previous_numbers]
    for scope in (authorization, *authorization.lines):
        if scope.number:
            raw.append(scope.number)
        raw += scope.other_numbers
    return sorted({*map(codes.authorization_number, raw), *inherited})


class _Inherited(NamedTuple):
    """What a line has of its header: its groups of values, and all values of a line without own."""

    header: Authorization
    said: dict[str, LineValues]
    values: LineValues


def _said(scope: Scope) -> dict[str, LineValues]:
    """What a header or a line says itself, by group; a group is taken whole or not at all."""
    said: dict[str, LineValues] = {}
    given = scope.model_fields_set
    if given.isdisjoint(_GROUPED):
        return said
    for name, read in _READERS.items():
        if name in given and (value := getattr(scope, name)):
            said[name] = read(name, value)
    if scope.service_type or scope.service_types:
        said["service_type"] = {"service_type": _service_types(scope)}
    if scope.servicing_providers:
        said["servicing_provider"] = _providers("servicing_provider", scope.servicing_providers)
    if scope.facilities:
        said["facility"] = _providers("facility", scope.facilities)
    return said


def _flat(said: Mapping[str, LineValues]) -> LineValues:
    values: LineValues = {}
    for each in said.values():
        values |= each
    return values


def _line_values(line: Scope, inherited: _Inherited, references: StoredReferences) -> LineValues:
    header = inherited.header
    values: LineValues = {"line": 0, **inherited.values}
    if isinstance(line, AuthorizationLine):
        values["line"] = line.line
        own = _said(line)
        for group in own.keys() & inherited.said.keys():
            for name in inherited.said[group]:
                del values[name]
        values |= _flat(own)
        if line.attached:
            values |= attached_values(line.attached, references.attached, prefix="attached.")
        values |= _service(line, references)
    action = effective_action(line, header)
    if action is not None:
        values["action"] = action
    values["setting"] = settings_of(header, line)
    values["effective"] = _effective(line, header)
    return values


def effective_action(line: Scope, header: Authorization) -> str | None:
    """The decision in force for a line.

    A line inherits the header's, but not a partial certification: under A2 each line has its own
    decision, so that a line without one is still pended (A4).
    """
    if line.decision is not None and line.decision.action is not None:
        return line.decision.action
    inherited = header.decision.action if header.decision else None
    return "A4" if inherited == "A2" else inherited


def _effective(line: Scope, header: Authorization) -> dict[str, str]:
    """The first and the last day of validity, as far as they are known."""
    days = zip(("first", "last"), _days(line, header), strict=True)
    return {name: day.isoformat() for name, day in days if day}


def _days(line: Scope, header: Authorization) -> tuple[date | None, date | None]:
    """First and last day of validity; a stay or requested dates stand in where not sent."""
    first, last = _first_days(line, header)
    removed = line.removed_on if isinstance(line, AuthorizationLine) else None
    if removed is not None and (last is None or removed < last):
        last = removed
    return first, last


def effective_days(line: Scope, header: Authorization) -> DateSpan | None:
    """The days on which a line (or a header alone) is valid; None where it never is."""
    if isinstance(line, AuthorizationLine) and _is_without_effect(line, header):
        return None
    first, last = _days(line, header)
    return DateSpan.model_construct(from_=first, to=last)


def _first_days(line: Scope, header: Authorization) -> tuple[date | None, date | None]:
    for span in (line.effective, header.effective):
        if span and (span.from_ or span.to):
            return span.from_, span.to
    admission = line.admission or header.admission
    if admission and admission.date:
        return admission.date, admission.discharge_date
    for span in (line.requested_dates, header.requested_dates):
        if span and (span.from_ or span.to):
            return span.from_, span.to
    return None, None


def _plain(name: str, value: str) -> LineValues:
    return {name: value}


def _day(name: str, day: date) -> LineValues:
    return {name: day.isoformat()}


def _code(write: Callable[[str], str]) -> Callable[[str, str], LineValues]:
    return lambda name, code: _given({name: write(code)})


def _provider(name: str, provider: AuthorizedProvider) -> LineValues:
    values: LineValues = {}
    for part in _PROVIDER:
        value = getattr(provider, part)
        if value:
            values[f"{name}.{part}"] = value
    if provider.taxonomy:
        values[f"{name}.taxonomy"] = list(provider.taxonomy)
    return values


def _providers(name: str, providers: Sequence[AuthorizedProvider]) -> LineValues:
    """The values of all providers of one role: any of them may give the service."""
    if len(providers) == 1:
        return _of_role(name, providers[0])
    found: dict[str, list[str]] = {}
    for each in providers:
        for field, value in _of_role(name, each).items():
            known = found.setdefault(field, [])
            known += [one for one in _listed(value) if one not in known]
    return {field: each if len(each) > 1 else each[0] for field, each in found.items()}


def _of_role(name: str, provider: AuthorizedProvider) -> LineValues:
    """The values of a provider, with those by which what an organization bills is told."""
    values = _provider(name, provider)
    if provider.organization and name == "servicing_provider":
        number = "npi" if provider.npi else "tin"
        if own := getattr(provider, number):
            values[f"{name}.organization_{number}"] = own
    return values


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _admission(name: str, admission: Admission) -> LineValues:
    return _given(
        {
            f"{name}.date": codes.day(admission.date),
            f"{name}.type": admission.type,
            f"{name}.source": admission.source,
        }
    )


def _diagnoses(name: str, diagnoses: Sequence[Diagnosis]) -> LineValues:
    principal = diagnoses[0].code
    for each in diagnoses:
        if each.type in PRINCIPAL_TYPES:
            principal = each.code
            break
    return {
        name: sorted({codes.diagnosis(each.code) for each in diagnoses}),
        "principal_diagnosis": codes.diagnosis(principal),
    }


def _days_of_week(name: str, days: Sequence[str]) -> LineValues:
    return {name: sorted(set(days))}


_READERS: Mapping[str, Callable[[str, Any], LineValues]] = {
    "certification_date": _day,
    "certification_type": _plain,
    "urgency": _plain,
    "level_of_care": _plain,
    "drg": _code(codes.drg),
    "place_of_service": _code(codes.place_of_service),
    "bill_type": _code(codes.bill_type_class),
    "requesting_provider": _provider,
    "days_of_week": _days_of_week,
    "admission": _admission,
    "diagnoses": _diagnoses,
}
"""What a line has of its own or of its header, each whole: the group, and how it is written."""

_GROUPED = frozenset(
    {
        *_READERS,
        "service_type",
        "service_types",
        "servicing_provider",
        "other_servicing_providers",
        "facility",
        "other_facilities",
    }
)


def _service(line: AuthorizationLine, references: StoredReferences) -> LineValues:
    values = _procedure(line.procedure) if line.procedure else {}
    if line.modifiers:
        modifiers = sorted({codes.bare(modifier) for modifier in line.modifiers})
        plain = references.informational_modifiers
        significant = [each for each in modifiers if each not in plain]
        values["modifiers"] = modifiers
        if significant:
            values["modifiers_significant"] = significant
            values["modifiers_significant_count"] = len(significant)
    if line.revenue_code:
        values["revenue_code"] = codes.revenue_code(line.revenue_code)
    if line.tooth:
        values["tooth"] = codes.tooth(line.tooth)
    if line.surfaces:
        values["surfaces"] = surfaces = sorted({codes.bare(surface) for surface in line.surfaces})
        values["surfaces_count"] = len(surfaces)
    if line.oral_cavity:
        values["oral_cavity"] = sorted({codes.oral_cavity(area) for area in line.oral_cavity})
    return values


def _procedure(procedure: Procedure) -> LineValues:
    if procedure.from_ is None:
        return {"procedure.group": procedure.group} if procedure.group else {}
    first = codes.bare(procedure.from_)
    return {
        "procedure.from": first,
        "procedure.to": codes.bare(procedure.to) if procedure.to else first,
        "procedure.shape": codes.procedure_shape(first, procedure.code_system),
    }


def _service_types(scope: Scope) -> list[str]:
    own = [scope.service_type] if scope.service_type else []
    return sorted({codes.bare(each) for each in (*own, *scope.service_types)})


def _given(values: LineValues) -> LineValues:
    return {name: value for name, value in values.items() if value not in (None, [], "")}
