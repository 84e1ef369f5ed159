"""Writes the table of the record in docs/data-model.md: every key with what the code says of it."""

import ast
import inspect
from collections.abc import Iterator

from service.accounting.books import record


def record_table() -> str:
    """The keys that a record keeps, by the part of it in which they stand."""
    rows = [f"| {part} | `{key}` | {told} |" for part, key, told in _keys()]
    return "\n".join(["| part | key | meaning |", "| --- | --- | --- |", *rows])


def _keys() -> Iterator[tuple[str, str, str]]:
    """Each key with its part; a key is told by the text that stands below it."""
    module = ast.parse(inspect.getsource(record))
    for part in (node for node in module.body if isinstance(node, ast.ClassDef)):
        title = ast.get_docstring(part) or ""
        for key, below in zip(part.body, part.body[1:], strict=False):
            if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name):
                told = below.value if isinstance(below, ast.Expr) else None
                text = told.value if isinstance(told, ast.Constant) else ""
                yield title.rstrip("."), key.target.id, str(text).rstrip(".")
                title = ""
