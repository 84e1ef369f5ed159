"""Entries read a request, call one use and write an answer: they reach for nothing below."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "service"
ROOMS = ("api", "cli", "workbench")
ENTRIES = [path for room in ROOMS for path in sorted((ROOT / room).glob("*.py"))]
BELOW = ("service.stores", "service.accounting")


def name_of(path: Path) -> str:
    """The path as a person would write it."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", ENTRIES, ids=name_of)
def test_an_entry_reaches_for_no_store(path: Path) -> None:
    """Whoever moves units past the uses forgets to ask whether they may be moved."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    reached = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("stores", "claim_stores", "late_claims")
    ]
    imported = [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(BELOW)
    ]

    assert reached == [], "lines that reach for stores"
    assert imported == []
