"""Decides whether a decision table can be trusted: its columns, its cells, its last row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from service.requirement.cells import Cell, compile_cell
from service.requirement.columns import Contract, OutputColumn, nearest
from service.requirement.faults import Problem
from service.requirement.table_file import TableColumn, TableContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A checked row: its cells that are not empty, and its answers as texts."""

    id: str
    name: str
    cells: tuple[Cell, ...]
    outputs: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class _Findings:
    """Problems in the order in which they were found."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, path: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(path, message, hint))


def check_table(
    content: TableContent, contract: Contract
) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """Compile the rows of a table; the rows are of use only when no problem is given."""
    findings = _Findings()
    if content.hit_policy != "first":
        findings.add("table.hitPolicy", f"is {content.hit_policy}", "set it to first")
    _check_columns(content, contract, findings)
    if findings.problems:
        return (), tuple(findings.problems)
    rules = tuple(
        _rule(rule, f"table.rules[{index}]", content, contract, findings)
        for index, rule in enumerate(content.rules)
    )
    _check_rows(rules, findings)
    return rules, tuple(findings.problems)


def _check_columns(content: TableContent, contract: Contract, findings: _Findings) -> None:
    ids = [column.id for column in (*content.inputs, *content.outputs)]
    for twice in sorted({one for one in ids if ids.count(one) > 1}):
        findings.add("table", f"the column id {twice} stands twice")
    for side, columns, known in (
        ("inputs", content.inputs, tuple(contract.inputs)),
        ("outputs", content.outputs, tuple(contract.outputs)),
    ):
        for index, column in enumerate(columns):
            if column.field.strip() not in known:
                named = column.field.strip() or "without a field"
                path = f"table.{side}[{index}]"
                findings.add(path, f"unknown column {named}", nearest(named, known))
    answered = [column.field.strip() for column in content.outputs]
    for name, output in contract.outputs.items():
        if answered.count(name) > 1 or (output.required and name not in answered):
            findings.add("table.outputs", f"the table must answer {name}, once")


def _rule(
    row: Mapping[str, str],
    path: str,
    content: TableContent,
    contract: Contract,
    findings: _Findings,
) -> Rule:
    cells = []
    for column in content.inputs:
        text = row.get(column.id, "").strip()
        if text:
            cell_path = f"{path}.{column.field.strip()}"
            cell, problems = compile_cell(text, column.field.strip(), contract.inputs, cell_path)
            findings.problems.extend(problems)
            cells.extend([cell] if cell else [])
    outputs = {
        column.field.strip(): _answer(row, column, path, contract, findings)
        for column in content.outputs
    }
    row_id = row.get("_id", "")
    name = row.get("_description", "").strip() or row_id
    return Rule(id=row_id, name=name, cells=tuple(cells), outputs=outputs)


def _answer(
    row: Mapping[str, str], column: TableColumn, path: str, contract: Contract, findings: _Findings
) -> tuple[str, ...]:
    """Read an output cell: constants only, so that all that a table can say is checked now."""
    name = column.field.strip()
    text = row.get(column.id, "").strip()
    answer, wrong = _texts(text, contract.outputs[name])
    for message, hint in wrong:
        findings.add(f"{path}.{name}", message, hint)
    return answer


def _texts(text: str, output: OutputColumn) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    example = f'"{min(output.allowed)}"'
    hint = f"write [{example}]" if output.many else f"write {example}"
    if not text:
        missing = output.required
        return (), (
            (("no answer", "write [] for none" if output.many else hint),) if missing else ()
        )
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return (), ((f"not a constant: {text}", hint),)
    texts = value if output.many and isinstance(value, list) else [value]
    unknown = [one for one in texts if not (isinstance(one, str) and one in output.allowed)]
    if unknown:
        return (), tuple(
            (f"unknown answer {one}", nearest(str(one), output.allowed) or hint) for one in unknown
        )
    return tuple(dict.fromkeys(texts)), ()


def _check_rows(rules: tuple[Rule, ...], findings: _Findings) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if not rule.id or rule.id in seen:
            message = "no _id" if not rule.id else f"the _id {rule.id} stands twice"
            findings.add(f"table.rules[{index}]", message, "every row needs an _id of its own")
        seen.add(rule.id)
    last = f"table.rules[{len(rules) - 1}]"
    if findings.problems:
        return
    if rules[-1].cells:
        hint = "end with a row whose inputs are all empty, so that every claim has its answer"
        findings.add(last, "the last row is not a catch-all", hint)
    for index in _unreachable(rules):
        hint = "only the last row may leave all inputs empty"
        findings.add(f"table.rules[{index}]", "the rows below can never fit", hint)


def _unreachable(rules: tuple[Rule, ...]) -> Iterator[int]:
    return (index for index, rule in enumerate(rules[:-1]) if not rule.cells)
