"""The shipped tables, and small ones built row by row."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from ruamel.yaml import YAML

from service.domain.claim import Claim
from service.domain.counters import CounterTable
from service.domain.reference import AttachedFields, GroupTable, References
from service.requirement._decision_table import DecisionTable
from service.requirement.faults import TableProblem, TableRefused
from service.requirement.tables import (
    IS_AUTHORIZATION_REQUIRED,
    TABLE_NAMES,
    RequirementTables,
    load_table,
    load_tables,
)
from tests.builders import QUERIES, TEMPLATES


@pytest.fixture(scope="session")
def references() -> References:
    """The reference tables that the columns come from, as shipped."""
    read = YAML(typ="safe", pure=True).load
    folder = QUERIES / "reference"
    groups = {
        name: GroupTable.model_validate(read(folder / f"{name}.yaml"))
        for name in ("procedure-groups", "specialty-parents")
    }
    attached = AttachedFields.model_validate(read(folder / "attached.yaml"))
    counters = CounterTable.model_validate(read(folder / "counters.yaml"))
    return References(groups=groups, attached=attached, counters=counters)


@pytest.fixture(scope="session")
def tables(references: References) -> RequirementTables:
    """Both decision tables as shipped."""
    texts = {name: (QUERIES / "tables" / f"{name}.json").read_bytes() for name in TABLE_NAMES}
    return load_tables(texts, references, TEMPLATES)


@pytest.fixture(scope="session")
def build_claim() -> Callable[..., Claim]:
    """Make a claim of one line; what is given of the line goes to it, the rest to the claim."""
    return _claim


@pytest.fixture(scope="session")
def build_jdm() -> Callable[..., dict[str, Any]]:
    """Make a decision table: columns by their field, rows as (cells, answers)."""
    return _jdm


@pytest.fixture(scope="session")
def as_text() -> Callable[[Any], str]:
    """Write a decision table as its file."""
    return json.dumps


@pytest.fixture
def load(as_text: Callable[[Any], str], references: References) -> Callable[[Any], DecisionTable]:
    """Load a table as the first of the two."""
    return lambda document: load_table(
        IS_AUTHORIZATION_REQUIRED, as_text(document), references, TEMPLATES
    )


@pytest.fixture
def refused(load: Callable[[Any], DecisionTable]) -> Callable[[Any], tuple[TableProblem, ...]]:
    """Give the problems for which a table is refused."""

    def problems(document: Any) -> tuple[TableProblem, ...]:
        with pytest.raises(TableRefused) as caught:
            load(document)
        return caught.value.problems

    return problems


def _claim(line: dict[str, Any] | None = None, **claim: Any) -> Claim:
    defaults = {
        "claim_id": "C1",
        "type": "professional",
        "member": {"id": "M1"},
        "statement": {"from": "2026-03-01"},
        "place_of_service": "11",
        "network": "in",
        "diagnoses": [{"code": "M54.50"}],
    }
    return Claim.model_validate({**defaults, **claim, "lines": [{"line": 1, **(line or {})}]})


def _jdm(
    columns: list[str], rows: list[tuple[list[str], str]], answer: str = "needed"
) -> dict[str, Any]:
    rules = [
        {
            "_id": f"r{number}",
            "_description": f"row {number}",
            **{f"i{column}": cell for column, cell in enumerate(cells)},
            "o": output,
        }
        for number, (cells, output) in enumerate(rows)
    ]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": f"i{i}", "name": name, "field": name} for i, name in enumerate(columns)],
        "outputs": [{"id": "o", "name": answer, "field": answer}],
        "rules": rules,
    }
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
            {
                "id": "table",
                "type": "decisionTableNode",
                "name": "t",
                "content": content,
                "position": {"x": 1, "y": 0},
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 2, "y": 0}},
        ],
        "edges": [
            {"id": "e1", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "e2", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }


def build_table(columns: list[str], rows: list[tuple[list[str], str]]) -> str:
    """Write a decision table as its file: columns by their field, rows as (cells, answer)."""
    return json.dumps(_jdm(columns, rows))
