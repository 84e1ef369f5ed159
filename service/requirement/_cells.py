"""Columns and cells of a decision table: what they read, whether they can be trusted and fit.

zen takes a cell that fails (a typing error, a text compared as a number) for one that does not fit,
and goes on to the next row: a mistake would read as "not required". So every cell is compiled and
tried on sample values when the table is loaded, and judged a second time whenever zen is asked.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

import zen

from service.requirement.faults import TableProblem

_LITERAL = re.compile(r'"([^"]*)"|\'([^\']*)\'')
_WORD = re.compile(r"[A-Za-z_$#][\w$]*(?:\.[A-Za-z_$]\w*)*")
_NUMBER = re.compile(r"(?<![\w.])\d")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORDS = frozenset({"$", "#", "and", "or", "not", "in", "true", "false", "null"})
FUNCTIONS = frozenset(
    {
        "abs",
        "all",
        "ceil",
        "contains",
        "count",
        "date",
        "endsWith",
        "floor",
        "len",
        "lower",
        "map",
        "matches",
        "max",
        "min",
        "none",
        "number",
        "one",
        "round",
        "some",
        "startsWith",
        "string",
        "sum",
        "trim",
        "upper",
    }
)
"""Functions that a cell may call: those whose answer depends on nothing but the cell's values."""


Value = str | int | float | bool | tuple[str, ...] | None
"""A value of a column: None where it is not known, several texts as a tuple.

That there is none is known of an empty text, and of an empty tuple.
"""

Kind = Literal["text", "texts", "number", "boolean"]

_SAMPLES: Mapping[Kind, tuple[Value, ...]] = {
    "text": ("A", "10", "D2740"),
    "texts": (("A", "10"), ()),
    "number": (0, 2.5, 1000),
    "boolean": (True, False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputColumn:
    """A column that tables may read.

    ``values`` are all the texts that it can ever hold, where that is known, and ``written`` brings
    a code to the form that it is compared in: a table that names another text would silently never
    fit, and is refused. ``tried`` are samples, where those of the kind would not do.
    """

    title: str
    kind: Kind
    values: frozenset[str] | None = None
    written: Callable[[str], str] | None = None
    tried: tuple[Value, ...] = ()

    @property
    def samples(self) -> tuple[Value, ...]:
        """Values of this kind, on which every cell is tried before a table is accepted."""
        if self.tried:
            return self.tried
        if self.values is not None and self.kind == "text":
            return tuple(sorted(self.values))
        return _SAMPLES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputColumn:
    """A column that a table answers with: one of the allowed texts, or several of them."""

    allowed: frozenset[str]
    many: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The columns that a table of this use may read, and must answer."""

    inputs: Mapping[str, InputColumn]
    outputs: Mapping[str, OutputColumn] = field(default_factory=dict)


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is closest to a mistyped one, as a hint; empty when none is."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One compiled condition, and the columns whose values it depends on (its own first).

    ``named`` are those of them that the text names by their path; its own column is ``$`` as well.
    ``asks_for_absence``: the text names ``null``, so that a value that is absent is judged too.
    """

    reads: tuple[str, ...]
    named: tuple[str, ...]
    text: str
    compiled: Any
    asks_for_absence: bool = False

    def lacks(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """The columns without which it cannot be told whether the condition is fulfilled."""
        if self.asks_for_absence:
            return ()
        return tuple(column for column in self.reads if values[column] is None)

    def fits(self, values: Mapping[str, Value]) -> bool:
        """Whether the values, of which none is lacking, fulfil the condition.

        Raises RuntimeError for a condition that cannot be judged on them.
        """
        context = nested({column: values[column] for column in self.named})
        context["$"] = _plain(values[self.reads[0]])
        return bool(self.compiled.evaluate(context))


def nested(values: Mapping[str, Value]) -> dict[str, Any]:
    """The values of columns (dotted paths) as the nested objects that zen reads."""
    context: dict[str, Any] = {}
    for path, value in values.items():
        *parents, last = path.split(".")
        target = context
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = _plain(value)
    return context


def _plain(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def compile_cell(
    text: str, column: str, known: Mapping[str, InputColumn], path: str
) -> tuple[Cell | None, tuple[TableProblem, ...]]:
    """Compile the condition of a cell under a column; a cell that is not sound gives problems."""
    words = tuple(_words(text))
    problems = tuple(TableProblem(path, *wrong) for wrong in _unsound(text, words, known))
    if problems:
        return None, problems
    named = sorted({word for word, _ in words if word in known})
    try:
        compiled = zen.compile_unary_expression(text)
    except RuntimeError as error:
        hint = "leave the cell empty for any value"
        return None, (TableProblem(path, f"not a condition: {text} ({_first_line(error)})", hint),)
    reads = (column, *(other for other in named if other != column))
    cell = Cell(
        reads=reads,
        named=tuple(named),
        text=text,
        compiled=compiled,
        asks_for_absence=("null", False) in words,
    )
    if cell.asks_for_absence and len(reads) > 1:
        message = "null stands beside other columns"
        hint = "ask whether a value is absent in a cell of its own column"
        return None, (TableProblem(path, message, hint),)
    wrong = [*_unreachable(cell, known[column]), *_untrustworthy(cell, known)]
    return cell, tuple(TableProblem(path, *one) for one in wrong)


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """The names in a condition outside quoted text, each with whether it is called."""
    bare = _LITERAL.sub('""', text)
    for found in _WORD.finditer(bare):
        yield found.group(), bare[found.end() :].lstrip().startswith("(")


def _literals(text: str) -> list[str]:
    return [double or single for double, single in _LITERAL.findall(text)]


def _unsound(
    text: str, words: tuple[tuple[str, bool], ...], known: Mapping[str, InputColumn]
) -> Iterator[tuple[str, str]]:
    if "`" in text:
        yield "templates in backticks are not allowed", 'quote text with "'
    for word, called in words:
        if word in _WORDS or (word in known and not called):
            continue
        if called and word not in FUNCTIONS:
            yield f"unknown function {word}", nearest(word, FUNCTIONS)
        elif not called and "." in word:
            yield f"unknown column {word}", nearest(word, known)
        elif not called:
            yield f"unknown word {word}", f'text is written in quotes: "{word}"'
    if ("date", True) in words and not all(_ISO_DAY.fullmatch(day) for day in _literals(text)):
        # "now" would make an answer that is remembered wrong tomorrow.
        yield "date() takes a fixed day", 'write it as "2026-12-31"'


def _unreachable(cell: Cell, column: InputColumn) -> Iterator[tuple[str, str]]:
    """Find what the column can never hold, so that the row would silently never fit."""
    if len(cell.reads) > 1:
        return
    name, literals = cell.reads[0], _literals(cell.text)
    is_plain = "(" not in cell.text
    is_whole = "$" in cell.text or name in cell.named or cell.asks_for_absence
    if column.kind == "texts" and not is_whole:
        yield f"{name} holds several texts", f"write contains($, {''.join(literals[:1])!r})"
    if column.kind in ("number", "boolean") and literals:
        yield f"{name} is never a text", "write the value without quotes"
    if column.kind == "text" and is_plain and _NUMBER.search(_LITERAL.sub('""', cell.text)):
        yield f"{name} is never a number", "codes are texts: write them in quotes"
    for literal in literals:
        if column.values is not None and literal not in column.values:
            yield f'{name} is never "{literal}"', nearest(literal, column.values)
        written = column.written(literal) if column.written and is_plain else literal
        if written != literal:
            yield f'{name} is never "{literal}"', f'write "{written}"'


def _untrustworthy(cell: Cell, known: Mapping[str, InputColumn]) -> Iterator[tuple[str, str]]:
    """Try the condition on values of the column's kind; one failure is enough to refuse it."""
    column = cell.reads[0]
    others = {other: known[other].samples[0] for other in cell.reads[1:]}
    absent = (None,) if cell.asks_for_absence else ()
    for sample in (*known[column].samples, *absent):
        try:
            cell.fits({column: sample, **others})
        except RuntimeError as error:
            hint = "write null in a row of its own" if sample is None else ""
            yield (
                f"fails on {sample!r}: {cell.text} ({_first_line(error)})",
                hint or f"{column} holds {known[column].kind}",
            )
            return


def _first_line(error: RuntimeError) -> str:
    return str(error).partition("\n")[0]
