"""A decision table that can be asked: checked when loaded, and remembered when asked.

A condition on a value that is absent is unknown, neither fulfilled nor not. So a question may be
left with several rows that may fire, down to the first that surely fits.

zen needs 0.1 to 0.5 ms a question, and a claim asks the same one for most of its lines. So the
answer is kept for every distinct set of the values that the table reads; values that fulfil the
same conditions of their column (amounts, codes that no row names) are one to the table. One that is
absent is another than any that is there.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Self, TypeVar

import orjson
import zen

from service.requirement._cells import Cell, Contract, Value, nested
from service.requirement._table_check import TABLE_NODE, Rule, check_table, read_table
from service.requirement.faults import TableFault, TableProblem, TableRefused

ANSWERS_KEPT_MAX = 20_000
LEFT_OPEN_MAX = 100
HASH_SHOWN_CHARACTERS = 12


Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredRow:
    """A row that may have fired: its id in the file, its name, its place from 0, its answers."""

    id: str
    name: str
    index: int
    outputs: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """The rows that may fire, from top to bottom; the last of them is the first that surely fits.

    There is more than one only where the columns ``unknown``, which are absent, leave it open.
    """

    rows: tuple[FiredRow, ...]
    unknown: tuple[str, ...] = ()
    _made: list[Any] = field(init=False, default_factory=list, repr=False)

    @property
    def sure(self) -> FiredRow:
        """The first row all of whose conditions are fulfilled, for all that is known."""
        return self.rows[-1]

    def once(self, make: "Callable[[Decided], Made]") -> "Made":
        """What is made of it, made for the first who asks: a table is asked for one thing alone."""
        if not self._made:
            self._made.append(make(self))
        made: Made = self._made[0]
        return made


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question; two of the same key are the same question."""

    key: tuple[object, ...]
    values: tuple[Value, ...] = field(compare=False)


class DecisionTable:
    """One checked table; immutable, and replaced whole when its file changes."""

    def __init__(
        self,
        name: str,
        content_hash: str,
        text: bytes | str,
        decision: Any,
        rules: tuple[Rule, ...],
    ) -> None:
        self.name = name
        self.hash = content_hash
        cells = [cell for rule in rules for cell in rule.cells]
        self.columns = tuple(sorted({path for cell in cells for path in cell.reads}))
        self._text = text
        self._decision = decision
        self._rules = rules
        self._rows = tuple(map(_row, range(len(rules)), rules))
        self._places = {rule.id: index for index, rule in enumerate(rules)}
        self._seen_as = tuple(_seen_as(column, cells) for column in self.columns)
        self._known = lru_cache(maxsize=ANSWERS_KEPT_MAX)(self._ask)
        self._open = lru_cache(maxsize=LEFT_OPEN_MAX)(self._left_open)

    @classmethod
    def load(cls, text: bytes | str, name: str, contract: Contract) -> Self:
        """Read a JDM file; raises TableRefused unless every row of it can be trusted."""
        content = read_table(text, name)
        rules, problems = check_table(content, contract)
        if problems:
            raise TableRefused(name, problems)
        content_hash = hashlib.sha256(content.canonical()).hexdigest()
        return cls(name, content_hash, text, _compile(text, name), rules)

    @property
    def short_hash(self) -> str:
        """The beginning of the hash, as answers show it."""
        return self.hash[:HASH_SHOWN_CHARACTERS]

    @property
    def questions(self) -> tuple[int, int]:
        """How many decisions were remembered, and for how many zen was asked, since loading."""
        kept = self._known.cache_info()
        return kept.hits, kept.misses

    def decide(self, inputs: Mapping[str, Value]) -> Decided:
        """The rows that may fire; raises TableFault when that cannot be told.

        ``inputs`` is asked only for the columns that the table reads; texts, numbers and tuples.
        """
        values = tuple([inputs[column] for column in self.columns])
        key = tuple([see(value) for see, value in zip(self._seen_as, values, strict=True)])
        return self._known(_Asked(key, values))

    def _ask(self, asked: _Asked) -> Decided:
        by_column = dict(zip(self.columns, asked.values, strict=True))
        places, lacking = self._judged(by_column)
        absent = frozenset(column for column, value in by_column.items() if value is None)
        fired = self._fired(by_column, absent)
        if fired[: len(places)] != places:
            raise TableFault(self.name, self.short_hash, "zen and our own reading name two rows")
        rows = tuple(self._rows[place] for place in places)
        return Decided(rows=rows, unknown=tuple(dict.fromkeys(lacking)))

    def _fired(self, values: Mapping[str, Value], absent: frozenset[str]) -> list[int]:
        """Ask zen, and find the rows in its trace: the one that fired, or all that may fire."""
        try:
            decision = self._open(absent) if absent else self._decision
            answer = decision.evaluate(nested(values), {"trace": True})
        except RuntimeError as error:
            raise TableFault(self.name, self.short_hash, "zen failed") from error
        for step in answer["trace"].values():
            if found := step["traceData"]:
                steps = found if isinstance(found, list) else [found]
                return [self._places[each["rule"]["_id"]] for each in steps]
        raise TableFault(self.name, self.short_hash, "zen names no row")

    def _left_open(self, absent: frozenset[str]) -> Any:
        """The table for questions that lack these columns: conditions on them are left out.

        It names all rows that fit then, since none above another one hides it for sure.
        """
        document = orjson.loads(self._text)
        content = next(each["content"] for each in document["nodes"] if each["type"] == TABLE_NODE)
        content["hitPolicy"] = "collect"
        values = {column: None if column in absent else "" for column in self.columns}
        for written, rule in zip(content["rules"], self._rules, strict=True):
            for place, cell in zip(rule.places, rule.cells, strict=True):
                if cell.lacks(values):
                    written[place] = ""
        return zen.ZenEngine().create_decision(orjson.dumps(document).decode())

    def _judged(self, values: Mapping[str, Value]) -> tuple[list[int], list[str]]:
        """Find the rows that may fire by our own reading: zen passes over a failing cell.

        Gives their places down to the first that surely fits, and the columns that they lack. The
        last row is the catch-all that every loaded table has.
        """
        possible: list[int] = []
        unknown: list[str] = []
        for index, rule in enumerate(self._rules[:-1]):
            lacking = [column for cell in rule.cells for column in cell.lacks(values)]
            try:
                fits = all(cell.fits(values) for cell in rule.cells if not cell.lacks(values))
            except RuntimeError as error:
                reason = f"row {rule.name} cannot be judged"
                raise TableFault(self.name, self.short_hash, reason) from error
            if fits:
                possible.append(index)
                unknown += lacking
                if not lacking:
                    return possible, unknown
        return [*possible, len(self._rules) - 1], unknown


def _seen_as(column: str, known: Iterable[Cell]) -> Callable[[Value], object]:
    """A function from a value to what the table sees of it: the conditions that it fulfils.

    A column that a condition reads beside others is seen as it is.
    """
    cells = [cell for cell in known if column in cell.reads]
    if any(cell.reads != (column,) for cell in cells):
        return lambda value: value
    conditions = tuple({cell.text: cell for cell in cells}.values())

    def outcome(value: Value) -> object:
        at = {column: value}
        try:
            return tuple(None if cell.lacks(at) else cell.fits(at) for cell in conditions)
        except RuntimeError:
            return value  # the row that cannot be judged will say so, if it is reached

    return lru_cache(maxsize=ANSWERS_KEPT_MAX)(outcome)


def _row(place: int, rule: Rule) -> FiredRow:
    outputs = MappingProxyType(dict(rule.outputs))
    return FiredRow(id=rule.id, name=rule.name, index=place, outputs=outputs)


def _compile(text: bytes | str, name: str) -> Any:
    """Hand the file to zen, which checks its graph a second time."""
    source = text.decode() if isinstance(text, bytes) else text
    try:
        decision = zen.ZenEngine().create_decision(source)
        decision.validate()
    except RuntimeError as error:
        raise TableRefused(name, (TableProblem("", f"zen refuses it: {error}"),)) from error
    return decision
