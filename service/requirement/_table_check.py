"""Decides whether a decision table can be trusted: its columns, its cells, its last row."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from service.requirement._cells import Cell, compile_cell
from service.requirement._columns import Contract, OutputColumn, nearest
from service.requirement._table_file import TableContent
from service.requirement.faults import TableProblem

Problems = list[TableProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A checked row: its cells that are not empty, and its answers as texts."""

    id: str
    name: str
    cells: tuple[Cell, ...]
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
    cells = []
    for column in content.inputs:
        text = row.get(column.id, "").strip()
        if text:
            cell_path = f"{path}.{column.field.strip()}"
            cell, problems = compile_cell(text, column.field.strip(), contract.inputs, cell_path)
            found.extend(problems)
            cells.extend([cell] if cell else [])
    outputs = {}
    for column in content.outputs:
        answer, text = column.field.strip(), row.get(column.id, "").strip()
        outputs[answer] = _answer(text, contract.outputs[answer], f"{path}.{answer}", found)
    row_id = row.get("_id", "")
    name = row.get("_description", "").strip() or row_id
    return Rule(id=row_id, name=name, cells=tuple(cells), outputs=outputs)


def _answer(text: str, output: OutputColumn, path: str, found: Problems) -> tuple[str, ...]:
    """The texts of an output cell: constants only, so that all that a table can say is checked."""
    example = f'"{min(output.allowed)}"'
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
