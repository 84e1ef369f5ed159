"""Reads a decision table (a JDM file, as the GoRules editor writes it), and says if it is sound.

A file holds one input node, one decision table and one output node, in this order. Anything else
(functions, switches, further tables) is refused: the row that fired would no longer be the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.requirement._cells import Cell, Contract, OutputColumn, compile_cell, nearest
from service.requirement.faults import TableProblem, TableRefused

ROWS_MAX = 2_000
COLUMNS_MAX = 50
TABLE_NODE = "decisionTableNode"
_SHAPE = ("inputNode", TABLE_NODE, "outputNode")

Problems = list[TableProblem]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class _Node(_Part):
    id: str
    type: str
    content: Any = None


class _Edge(_Part):
    source: str = Field(alias="sourceId")
    target: str = Field(alias="targetId")


class _Document(_Part):
    nodes: tuple[_Node, ...] = Field(max_length=20)
    edges: tuple[_Edge, ...] = Field(max_length=40)


class TableColumn(_Part):
    """A column of the table: its id, and the path of the value that it reads or answers."""

    id: str
    name: str = ""
    field: str = ""


class TableContent(_Part):
    """The decision table itself: columns, and rows of cells (by column id) from top to bottom."""

    hit_policy: str = Field(alias="hitPolicy")
    inputs: tuple[TableColumn, ...] = Field(min_length=1, max_length=COLUMNS_MAX)
    outputs: tuple[TableColumn, ...] = Field(min_length=1, max_length=COLUMNS_MAX)
    rules: tuple[Mapping[str, str], ...] = Field(min_length=1, max_length=ROWS_MAX)

    def canonical(self) -> bytes:
        """What decides, nothing of how it is drawn: the same bytes for the same table."""
        return orjson.dumps(
            {
                "hitPolicy": self.hit_policy,
                "inputs": [(column.id, column.field.strip()) for column in self.inputs],
                "outputs": [(column.id, column.field.strip()) for column in self.outputs],
                "rules": [
                    {key: cell.strip() for key, cell in rule.items() if cell.strip()}
                    for rule in self.rules
                ],
            },
            option=orjson.OPT_SORT_KEYS,
        )


def read_table(text: bytes | str, name: str) -> TableContent:
    """Parse a JDM file and check its structure; raises TableRefused with all that is wrong."""
    try:
        document = _Document.model_validate(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise TableRefused(name, (TableProblem("", f"not JSON: {error}"),)) from error
    except ValidationError as error:
        raise TableRefused(name, _problems("", error)) from error
    node = _only_table(document, name)
    try:
        return TableContent.model_validate(node.content)
    except ValidationError as error:
        raise TableRefused(name, _problems("table", error)) from error


def _only_table(document: _Document, name: str) -> _Node:
    by_type = {node.type: node for node in document.nodes}
    if sorted(node.type for node in document.nodes) != sorted(_SHAPE):
        found = ", ".join(node.type for node in document.nodes) or "nothing"
        hint = "keep exactly one input, one decision table and one output"
        raise TableRefused(name, (TableProblem("nodes", f"the file holds {found}", hint),))
    ids = [by_type[kind].id for kind in _SHAPE]
    edges = {(edge.source, edge.target) for edge in document.edges}
    if edges != set(pairwise(ids)):
        hint = "draw input -> decision table -> output"
        raise TableRefused(name, (TableProblem("edges", "the nodes are not connected", hint),))
    return by_type[TABLE_NODE]


def _problems(root: str, error: ValidationError) -> tuple[TableProblem, ...]:
    return tuple(
        TableProblem(
            ".".join(str(part) for part in (root, *found["loc"]) if part != ""), found["msg"]
        )
        for found in error.errors()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A checked row: its cells that are not empty, the ids of their columns, its answers."""

    id: str
    name: str
    cells: tuple[Cell, ...]
    places: tuple[str, ...]
    outputs: Mapping[str, tuple[str, ...]]


def check_table(
    content: TableContent, contract: Contract
) -> tuple[tuple[Rule, ...], tuple[TableProblem, ...]]:
    """The compiled rows of a table, and its problems; rows may be used only without problems."""
    found: Problems = []
    if content.hit_policy != "first":
        found.append(TableProblem("table.hitPolicy", f"is {content.hit_policy}", "set it to first"))
    _check_columns(content, contract, found)
    if found:
        return (), tuple(found)
    rules = tuple(
        _rule(rule, f"table.rules[{index}]", content, contract, found)
        for index, rule in enumerate(content.rules)
    )
    _check_rows(rules, found)
    return rules, tuple(found)


def _check_columns(content: TableContent, contract: Contract, found: Problems) -> None:
    ids = [column.id for column in (*content.inputs, *content.outputs)]
    for twice in sorted({one for one in ids if ids.count(one) > 1}):
        found.append(TableProblem("table", f"the column id {twice} stands twice"))
    for side, columns, known in (
        ("inputs", content.inputs, tuple(contract.inputs)),
        ("outputs", content.outputs, tuple(contract.outputs)),
    ):
        for index, column in enumerate(columns):
            if column.field.strip() not in known:
                named = column.field.strip() or "without a field"
                path = f"table.{side}[{index}]"
                found.append(TableProblem(path, f"unknown column {named}", nearest(named, known)))
    answered = [column.field.strip() for column in content.outputs]
    for name, output in contract.outputs.items():
        if answered.count(name) > 1 or (output.required and name not in answered):
            found.append(TableProblem("table.outputs", f"the table must answer {name}, once"))


def _rule(
    row: Mapping[str, str],
    path: str,
    content: TableContent,
    contract: Contract,
    found: Problems,
) -> Rule:
    cells: dict[str, Cell] = {}
    for column in content.inputs:
        text = row.get(column.id, "").strip()
        if text:
            cell_path = f"{path}.{column.field.strip()}"
            cell, problems = compile_cell(text, column.field.strip(), contract.inputs, cell_path)
            found.extend(problems)
            cells |= {column.id: cell} if cell else {}
    outputs = {}
    for column in content.outputs:
        answer, text = column.field.strip(), row.get(column.id, "").strip()
        outputs[answer] = _answer(text, contract.outputs[answer], f"{path}.{answer}", found)
    row_id = row.get("_id", "")
    name = row.get("_description", "").strip() or row_id
    return Rule(
        id=row_id, name=name, cells=tuple(cells.values()), places=tuple(cells), outputs=outputs
    )


def _answer(text: str, output: OutputColumn, path: str, found: Problems) -> tuple[str, ...]:
    """The texts of an output cell: constants only, so that all that a table can say is checked."""
    example = f'"{min(output.allowed, default="")}"'
    hint = f"write [{example}]" if output.many else f"write {example}"
    if not text:
        if output.required:
            nothing = "write [] for none" if output.many else hint
            found.append(TableProblem(path, "no answer", nothing))
        return ()
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        found.append(TableProblem(path, f"not a constant: {text}", hint))
        return ()
    texts = value if output.many and isinstance(value, list) else [value]
    unknown = [one for one in texts if not (isinstance(one, str) and one in output.allowed)]
    for one in unknown:
        close = nearest(str(one), output.allowed)
        found.append(TableProblem(path, f"unknown answer {one}", close or hint))
    return () if unknown else tuple(dict.fromkeys(texts))


def _check_rows(rules: tuple[Rule, ...], found: Problems) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if not rule.id or rule.id in seen:
            message = "no _id" if not rule.id else f"the _id {rule.id} stands twice"
            found.append(
                TableProblem(f"table.rules[{index}]", message, "every row needs an _id of its own")
            )
        seen.add(rule.id)
    last = f"table.rules[{len(rules) - 1}]"
    if found:
        return
    if rules[-1].cells:
        hint = "end with a row whose inputs are all empty, so that every claim has its answer"
        found.append(TableProblem(last, "the last row is not a catch-all", hint))
    for index, rule in enumerate(rules[:-1]):
        if not rule.cells:
            hint = "only the last row may leave all inputs empty"
            found.append(
                TableProblem(f"table.rules[{index}]", "the rows below can never fit", hint)
            )
