"""The house keeps itself small: sizes, names and words that every module must keep to."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICE = sorted(path for top in ("service", "tools") for path in (ROOT / top).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

SERVICE_LINES_MAX = 500
TEST_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """The path as a person would write it."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    """The module, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def line_count(path: Path) -> int:
    """The number of lines of the file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method, however deep."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """The classes, functions and methods that others may use, with their dotted names."""
    for child in node.body:
        if not isinstance(child, Function | ast.ClassDef) or child.name.startswith("_"):
            continue
        yield f"{prefix}{child.name}", child
        if isinstance(child, ast.ClassDef):
            yield from public(child, f"{prefix}{child.name}.")


def test_there_is_something_to_check() -> None:
    """A moved folder must not turn these checks into nothing."""
    assert SERVICE
    assert TESTS


@pytest.mark.parametrize("path", SERVICE, ids=name_of)
def test_a_module_of_the_service_is_small_and_explains_itself(path: Path) -> None:
    """At most 500 lines; the module and all that is public has a docstring."""
    tree = tree_of(path)
    silent = [
        name
        for name, node in public(tree)
        if isinstance(node, Function | ast.ClassDef) and not ast.get_docstring(node)
    ]

    assert line_count(path) <= SERVICE_LINES_MAX
    assert ast.get_docstring(tree), "the module has no docstring"
    assert silent == [], "these have no docstring"


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_a_module_of_the_tests_is_small(path: Path) -> None:
    """At most 400 lines: beyond that it tests more than one thing."""
    assert line_count(path) <= TEST_LINES_MAX


@pytest.mark.parametrize("path", SERVICE + TESTS, ids=name_of)
def test_functions_are_short(path: Path) -> None:
    """At most 50 lines each, docstring included."""
    long = {
        function.name: length
        for function in functions(tree_of(path))
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


@pytest.mark.parametrize("path", SERVICE + TESTS, ids=name_of)
def test_names_say_something(path: Path) -> None:
    """No module or folder is named after having no name."""
    parts = {Path(part).stem for part in path.relative_to(ROOT).parts}
    assert not parts & NAMELESS


@pytest.mark.parametrize("path", SERVICE, ids=name_of)
def test_only_the_command_line_prints(path: Path) -> None:
    """The service logs; `print` is for the command."""
    if path.stem == "cli" or "cli" in path.relative_to(ROOT).parts:
        return
    prints = [
        node.lineno
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert prints == [], "lines that print"
