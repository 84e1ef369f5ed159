"""A decision table that can be asked: checked when loaded, and remembered when asked.

zen needs 0.1 to 0.5 ms a question, and a claim asks the same one for most of its lines. So the
answer is kept for every distinct set of the values that the table reads; values that fulfil the
same conditions of their column (amounts, codes that no row names) are one to the table.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Self

import zen

from service.requirement._cells import Cell, Contract, Value, nested
from service.requirement._table_check import Rule, check_table, read_table
from service.requirement.faults import TableFault, TableProblem, TableRefused

ANSWERS_KEPT_MAX = 20_000
HASH_SHOWN_CHARACTERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredRow:
    """The row that fired: its id in the file, its name, its place from 0, and its answers."""

    id: str
    name: str
    index: int
    outputs: Mapping[str, tuple[str, ...]]


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
        decision: Any,
        rules: tuple[Rule, ...],
    ) -> None:
        self.name = name
        self.hash = content_hash
        cells = [cell for rule in rules for cell in rule.cells]
        self.columns = tuple(sorted({path for cell in cells for path in cell.reads}))
        self._decision = decision
        self._rules = rules
        self._places = {rule.id: index for index, rule in enumerate(rules)}
        self._seen_as = tuple(_seen_as(column, cells) for column in self.columns)
        self._known = lru_cache(maxsize=ANSWERS_KEPT_MAX)(self._ask)

    @classmethod
    def load(cls, text: bytes | str, name: str, contract: Contract) -> Self:
        """Read a JDM file; raises TableRefused unless every row of it can be trusted."""
        content = read_table(text, name)
        rules, problems = check_table(content, contract)
        if problems:
            raise TableRefused(name, problems)
        content_hash = hashlib.sha256(content.canonical()).hexdigest()
        return cls(name, content_hash, _compile(text, name), rules)

    @property
    def short_hash(self) -> str:
        """The beginning of the hash, as answers show it."""
        return self.hash[:HASH_SHOWN_CHARACTERS]

    @property
    def questions(self) -> tuple[int, int]:
        """How many decisions were remembered, and for how many zen was asked, since loading."""
        kept = self._known.cache_info()
        return kept.hits, kept.misses

    def decide(self, inputs: Mapping[str, Value]) -> FiredRow:
        """The first row that fits; raises TableFault when that cannot be told.

        ``inputs`` is asked only for the columns that the table reads; texts, numbers and tuples.
        """
        values = tuple(inputs[column] for column in self.columns)
        key = tuple(see(value) for see, value in zip(self._seen_as, values, strict=True))
        return self._known(_Asked(key, values))

    def _ask(self, asked: _Asked) -> FiredRow:
        by_column = dict(zip(self.columns, asked.values, strict=True))
        index = self._fired(by_column)
        if index != self._judged(by_column):
            raise TableFault(self.name, self.short_hash, "zen and our own reading name two rows")
        rule = self._rules[index]
        outputs = MappingProxyType(dict(rule.outputs))
        return FiredRow(id=rule.id, name=rule.name, index=index, outputs=outputs)

    def _fired(self, values: Mapping[str, Value]) -> int:
        """Ask zen, and find the row that fired in its trace."""
        try:
            answer = self._decision.evaluate(nested(values), {"trace": True})
        except RuntimeError as error:
            raise TableFault(self.name, self.short_hash, "zen failed") from error
        for step in answer["trace"].values():
            if step["traceData"]:
                return self._places[step["traceData"]["rule"]["_id"]]
        raise TableFault(self.name, self.short_hash, "zen names no row")

    def _judged(self, values: Mapping[str, Value]) -> int:
        """Find the first row that fits by our own reading: zen passes over a failing cell.

        The last row is the catch-all that every loaded table has.
        """
        for index, rule in enumerate(self._rules[:-1]):
            try:
                if all(cell.fits(values) for cell in rule.cells):
                    return index
            except RuntimeError as error:
                reason = f"row {rule.name} cannot be judged"
                raise TableFault(self.name, self.short_hash, reason) from error
        return len(self._rules) - 1


def _seen_as(column: str, known: Iterable[Cell]) -> Callable[[Value], object]:
    """A function from a value to what the table sees of it: the conditions that it fulfils.

    A column that a condition reads beside others is seen as it is.
    """
    cells = [cell for cell in known if column in cell.reads]
    if any(cell.reads != (column,) for cell in cells):
        return lambda value: value
    conditions = tuple({cell.text: cell for cell in cells}.values())

    def outcome(value: Value) -> object:
        try:
            return tuple(cell.fits({column: value}) for cell in conditions)
        except RuntimeError:
            return value  # the row that cannot be judged will say so, if it is reached

    return lru_cache(maxsize=ANSWERS_KEPT_MAX)(outcome)


def _compile(text: bytes | str, name: str) -> Any:
    """Hand the file to zen, which checks its graph a second time."""
    source = text.decode() if isinstance(text, bytes) else text
    try:
        decision = zen.ZenEngine().create_decision(source)
        decision.validate()
    except RuntimeError as error:
        raise TableRefused(name, (TableProblem("", f"zen refuses it: {error}"),)) from error
    return decision
