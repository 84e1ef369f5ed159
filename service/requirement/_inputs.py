"""What decision tables may read of a claim line: the dictionary of columns, and their values.

Codes are written as `service.domain.codes` writes them; absent is null. A line without a place of
service takes that of its claim; a line without pointers takes all diagnoses of its claim.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from operator import attrgetter

from service.domain import codes
from service.domain.claim import Claim, ServiceLine
from service.domain.code_groups import PROCEDURE_GROUPS
from service.domain.reference import AttachedFields, AttachedType, References
from service.requirement._cells import InputColumn, Kind, Value

SPECIALTIES = "specialty-parents"
AUTHORIZATION_KINDS = frozenset({"authorization", "referral", "notification"})
_ATTACHED = ("claim.attached.", "line.attached.")
_ATTACHED_TYPES: Mapping[AttachedType, tuple[Kind, type]] = {
    "keyword": ("text", str),
    "long": ("number", int),
    "date": ("text", str),
    "boolean": ("boolean", bool),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a table is asked about: one line of a claim, and the kind looked for, if known."""

    claim: Claim
    line: ServiceLine
    references: References
    requested: str | None = None


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
        raise KeyError(column)

    def __iter__(self) -> Iterator[str]:
        yield from _READERS
        for prefix in _ATTACHED:
            yield from (prefix + name for name in self.question.references.attached.fields)

    def __len__(self) -> int:
        return len(_READERS) + len(_ATTACHED) * len(self.question.references.attached.fields)


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


def _procedure_groups(question: Question) -> Value:
    table = question.references.groups.get(PROCEDURE_GROUPS)
    if table is None or not question.line.procedure:
        return ()
    return table.groups_of(codes.bare(question.line.procedure))


def _specialties(question: Question) -> Value:
    """The specialties of the rendering provider; of the billing one where none is named."""
    table = question.references.groups.get(SPECIALTIES)
    if table is None:
        return ()
    claim = question.claim
    provider = (
        question.line.rendering_provider or claim.rendering_provider or claim.billing_provider
    )
    own = (*provider.taxonomy, *((provider.specialty,) if provider.specialty else ()))
    return tuple(dict.fromkeys(name for code in own for name in table.groups_of(code)))


def _diagnoses(question: Question) -> Value:
    all_of = question.claim.diagnoses
    pointed = [all_of[pointer - 1] for pointer in question.line.diagnosis_pointers]
    return tuple(codes.diagnosis(one.code) for one in pointed or all_of)


def _place_of_service(question: Question) -> Value:
    place = question.line.place_of_service or question.claim.place_of_service
    return codes.written(codes.place_of_service, place)


def _is_accommodation(question: Question) -> bool:
    return "0100" <= codes.revenue_code(question.line.revenue_code or "0") <= "0219"


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


def _as_named(name: str, column: InputColumn) -> Callable[[Question], Value]:
    """Reads a column that a claim or its line holds under this very name, as it is compared."""
    read, write = attrgetter(name), column.written
    return read if write is None else lambda asked: codes.written(write, read(asked))


_READERS: Mapping[str, Callable[[Question], Value]] = {
    **{name: _as_named(name, column) for name, column in _COLUMNS.items()},
    "claim.has_admission": _has_admission,
    "line.procedure_groups": _procedure_groups,
    "line.modifiers": lambda asked: tuple(map(codes.bare, asked.line.modifiers)),
    "line.place_of_service": _place_of_service,
    "line.units": lambda asked: _number(asked.line.units),
    "line.charge": lambda asked: _number(asked.line.charge),
    "line.diagnoses": _diagnoses,
    "line.specialties": _specialties,
    "line.accommodation": _is_accommodation,
    "requested.type": lambda asked: asked.requested,
}
