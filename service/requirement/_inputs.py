"""What decision tables may read of a claim line: the dictionary of columns, and their values.

Codes are written as `service.domain.codes` writes them. Absent is null, and then not known; empty
is what claims of this type do not have (837P, 837I, 837D), so that there is none. A line without a
place of service takes that of its claim; one without pointers takes all diagnoses of its claim.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from service.domain import codes
from service.domain.claim import Claim, ServiceLine
from service.domain.code_groups import PROCEDURE_GROUPS
from service.domain.reference import AttachedFields, AttachedType, References
from service.requirement._cells import InputColumn, Kind, Value

SPECIALTIES = "specialty-parents"
AUTHORIZATION_KINDS = frozenset({"authorization", "referral", "notification"})
_ATTACHED = ("claim.attached.", "line.attached.")
_INSTITUTIONAL, _DENTAL = "institutional", "dental"
COUNTED = "counted."
"""Columns that count what was billed, this line included."""
NONE = ""
"""A text that there is none of, which is known."""
_ATTACHED_TYPES: Mapping[AttachedType, tuple[Kind, type]] = {
    "keyword": ("text", str),
    "long": ("number", int),
    "date": ("text", str),
    "boolean": ("boolean", bool),
}


class Question(NamedTuple):
    """What a table is asked about: one line of a claim, and the kind looked for, if known."""

    claim: Claim
    line: ServiceLine
    references: References
    requested: str | None = None
    counted: Mapping[str, int | float | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Inputs(Mapping[str, Value]):
    """The columns of a question, each worked out only when a table reads it."""

    question: Question

    def __getitem__(self, column: str) -> Value:
        reader = _READERS.get(column)
        if reader is not None:
            return reader(self.question)
        for prefix in _ATTACHED:
            if column.startswith(prefix):
                return _attached(self.question, prefix, column.removeprefix(prefix))
        counter = column.removeprefix(COUNTED)
        if counter != column and counter in self.question.references.counters.counters:
            return self.question.counted.get(counter, 0)
        raise KeyError(column)

    def __iter__(self) -> Iterator[str]:
        yield from _READERS
        for prefix in _ATTACHED:
            yield from (prefix + name for name in self.question.references.attached.fields)
        yield from (COUNTED + name for name in self.question.references.counters.counters)

    def __len__(self) -> int:
        references = self.question.references
        attached = len(_ATTACHED) * len(references.attached.fields)
        return len(_READERS) + attached + len(references.counters.counters)


def columns(references: References) -> dict[str, InputColumn]:
    """Every column that tables may read, with its meaning, for these reference tables."""
    known = dict(_COLUMNS)
    for column, table in (
        ("line.procedure_groups", PROCEDURE_GROUPS),
        ("line.specialties", SPECIALTIES),
    ):
        if table in references.groups:
            names = frozenset(references.groups[table].groups)
            known[column] = InputColumn(title=known[column].title, kind="texts", values=names)
    for prefix in _ATTACHED:
        known.update(_attached_columns(prefix, references.attached))
    for name, counter in references.counters.counters.items():
        title = counter.title or f"What counters.yaml counts as {name}"
        known[COUNTED + name] = InputColumn(title=f"{title.rstrip('.')}.", kind="number")
    return known


def _attached_columns(prefix: str, attached: AttachedFields) -> Iterator[tuple[str, InputColumn]]:
    for name, kind in attached.fields.items():
        title = f"Attached {name} ({kind}); null when it is of another type."
        days = ("2026-01-31",) if kind == "date" else ()
        yield prefix + name, InputColumn(title=title, kind=_ATTACHED_TYPES[kind][0], tried=days)


def _attached(question: Question, prefix: str, name: str) -> Value:
    """Read attached data; a value of another type than declared is taken for absent."""
    side = question.claim if prefix == _ATTACHED[0] else question.line
    value = side.attached.get(name)
    _, wanted = _ATTACHED_TYPES[question.references.attached.fields[name]]
    return value if type(value) is wanted and isinstance(value, str | int) else None


def _number(value: Decimal | None) -> Value:
    """A quantity as zen counts: whole where it is whole."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _procedure(question: Question) -> Value:
    """The procedure; an institutional line with a revenue code may have none (SV202)."""
    line = question.line
    if line.procedure is None and question.claim.type == _INSTITUTIONAL and line.revenue_code:
        return NONE
    return codes.written(codes.bare, line.procedure)


def _procedure_groups(question: Question) -> Value:
    table = question.references.groups.get(PROCEDURE_GROUPS)
    if question.line.procedure is None:
        return None if _procedure(question) is None else ()
    return table.groups_of(codes.bare(question.line.procedure)) if table else ()


def _specialties(question: Question) -> Value:
    """The specialties of the rendering provider; of the billing one where none is named.

    Not known of a provider without any taxonomy or specialty.
    """
    table = question.references.groups.get(SPECIALTIES)
    if table is None:
        return ()
    claim = question.claim
    provider = (
        question.line.rendering_provider or claim.rendering_provider or claim.billing_provider
    )
    own = (*provider.taxonomy, *((provider.specialty,) if provider.specialty else ()))
    if not own:
        return None
    return tuple(dict.fromkeys(name for code in own for name in table.groups_of(code)))


def _diagnoses(question: Question) -> Value:
    """The diagnoses; a dental claim may have none (HI)."""
    all_of = question.claim.diagnoses
    if not all_of and question.claim.type != _DENTAL:
        return None
    pointed = [all_of[pointer - 1] for pointer in question.line.diagnosis_pointers]
    return tuple(codes.diagnosis(one.code) for one in pointed or all_of)


def _bill_type(question: Question) -> Value:
    claim = question.claim
    return _given(codes.bill_type_class, claim.bill_type, known=claim.type != _INSTITUTIONAL)


def _claim_place(question: Question) -> Value:
    return _place(question, question.claim.place_of_service)


def _line_place(question: Question) -> Value:
    return _place(question, question.line.place_of_service or question.claim.place_of_service)


def _place(question: Question, place: str | None) -> Value:
    """A place of service; of an institutional claim its bill type says the facility (CLM05)."""
    return _given(codes.place_of_service, place, known=question.claim.type == _INSTITUTIONAL)


def _revenue_code(question: Question) -> Value:
    revenue = question.line.revenue_code
    return _given(codes.revenue_code, revenue, known=question.claim.type != _INSTITUTIONAL)


def _given(write: Callable[[str], str], code: str | None, *, known: bool) -> Value:
    """A code as it is compared; empty where it is absent and ``known`` that there is none."""
    return NONE if code is None and known else codes.written(write, code)


def _is_accommodation(question: Question) -> Value:
    revenue = _revenue_code(question)
    return None if revenue is None else "0100" <= str(revenue) <= "0219"


def _has_admission(question: Question) -> bool:
    admission = question.claim.admission
    return admission is not None and admission.date is not None


_text = partial(InputColumn, kind="text")
_texts = partial(InputColumn, kind="texts")
_boolean = partial(InputColumn, kind="boolean")
_numeric = partial(InputColumn, kind="number")

_COLUMNS: Mapping[str, InputColumn] = {
    "claim.type": _text(
        title="Professional (837P), institutional (837I) or dental (837D).",
        values=frozenset({"professional", "institutional", "dental"}),
    ),
    "claim.bill_type": _text(
        title="Facility and class: the first two digits of the bill type, without a leading 0.",
        written=codes.bill_type_class,
    ),
    "claim.frequency": _text(
        title="Claim frequency (CLM05-3): 1 whole, 2 to 4 interim, 7 replaces, 8 voids."
    ),
    "claim.emergency": _boolean(title="The services were an emergency."),
    "claim.network": _text(
        title="Whether the provider is in or out of the network.", values=frozenset({"in", "out"})
    ),
    "claim.place_of_service": _text(
        title="Place of service of the claim, two digits.", written=codes.place_of_service
    ),
    "claim.has_admission": _boolean(title="The claim has an admission date (DTP*435)."),
    "line.procedure": _text(title="Procedure code, without punctuation.", written=codes.bare),
    "line.procedure_groups": _texts(
        title="The groups of queries/reference/procedure-groups.yaml that hold the code."
    ),
    "line.modifiers": _texts(title="Modifiers, in the order of the claim.", written=codes.bare),
    "line.revenue_code": _text(title="Revenue code, four digits.", written=codes.revenue_code),
    "line.place_of_service": _text(
        title="Place of service of the line, else of the claim; two digits.",
        written=codes.place_of_service,
    ),
    "line.units": _numeric(title="Units billed, in the line's unit of measure."),
    "line.charge": _numeric(title="Amount billed for the line."),
    "line.diagnoses": _texts(
        title="Diagnoses that the line points to, else all of the claim; with their dot."
    ),
    "line.specialties": _texts(
        title="Specialties (specialty-parents.yaml) of the rendering, else billing provider."
    ),
    "line.accommodation": _boolean(
        title="The line bills room and board: revenue code 0100 to 0219."
    ),
    "requested.type": _text(title="What is looked for.", values=AUTHORIZATION_KINDS),
}


_READERS: Mapping[str, Callable[[Question], Value]] = {
    **{name: attrgetter(name) for name in _COLUMNS},
    "claim.bill_type": _bill_type,
    "claim.place_of_service": _claim_place,
    "claim.has_admission": _has_admission,
    "line.procedure": _procedure,
    "line.procedure_groups": _procedure_groups,
    "line.revenue_code": _revenue_code,
    "line.modifiers": lambda asked: tuple(map(codes.bare, asked.line.modifiers)),
    "line.place_of_service": _line_place,
    "line.units": lambda asked: _number(asked.line.units),
    "line.charge": lambda asked: _number(asked.line.charge),
    "line.diagnoses": _diagnoses,
    "line.specialties": _specialties,
    "line.accommodation": _is_accommodation,
    "requested.type": lambda asked: asked.requested,
}
