"""Reads the text of a decision table: a JDM file, as the GoRules editor writes it.

A file holds one input node, one decision table and one output node, in this order. Anything else
(functions, switches, further tables) is refused: the row that fired would no longer be the reason.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.requirement.faults import TableProblem, TableRefused

ROWS_MAX = 2_000
COLUMNS_MAX = 50
_TABLE = "decisionTableNode"
_SHAPE = ("inputNode", _TABLE, "outputNode")


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
    return by_type[_TABLE]


def _problems(root: str, error: ValidationError) -> tuple[TableProblem, ...]:
    return tuple(
        TableProblem(
            ".".join(str(part) for part in (root, *found["loc"]) if part != ""), found["msg"]
        )
        for found in error.errors()
    )
