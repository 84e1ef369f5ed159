"""The house keeps itself small: sizes, names and words that every module must keep to."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
TOPS = ("service", "authmatch_local", "tools")
SERVICE = sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
SCRIPTS = sorted((ROOT / "service").rglob("*.lua"))

SERVICE_LINES_MAX = 500
TEST_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
SPLINTER_LINES_MAX = 59
ENTRIES = {"service.api", "service.cli", "service.workbench", "authmatch_local.commands"}
"""What others start, and nobody imports: none of it is more private than the rest."""

ASSEMBLIES = ({"service.api.app"}, {"service.workbench.app"})
"""These put the rooms of addresses together, as ``service.cli`` does with commands."""

LUA = "service/stores/connection/lua/"
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
    assert SCRIPTS


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


def lua_lengths(text: str) -> dict[str, int]:
    """The lines of each function of a Lua script by where it begins, and of what is in none."""
    lengths: dict[str, int] = {}
    opened: list[tuple[str, int]] = []
    outside = 0
    for number, line in enumerate(text.splitlines(), start=1):
        code = re.sub(r"'(\\.|[^'])*'|\"(\\.|[^\"])*\"|--.*", "", line)
        outside += bool(code.strip()) and not any(word == "function" for word, _ in opened)
        for word in re.findall(r"\b(function|if|do|repeat|end|until)\b", code):
            if word not in ("end", "until"):
                opened.append((word, number))
                continue
            begun, first = opened.pop()
            if begun == "function":
                lengths[f"line {first}"] = number - first + 1
    assert not opened, "a block without an end: the script was not understood"
    return lengths | {"main chunk": outside}


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_functions_of_scripts_are_short(path: Path) -> None:
    """At most 50 lines each, and so is what stands outside of them."""
    lengths = lua_lengths(path.read_text(encoding="utf-8"))
    long = {name: length for name, length in lengths.items() if length > FUNCTION_LINES_MAX}
    assert not long, long


def test_lines_of_scripts_are_counted_by_function() -> None:
    """Nested blocks, words in strings and comments, a function on one line."""
    script = """\
local a = 'end' -- function
local function one(x) return x end
local function two()
  for i = 1, 2 do
    if i then one(function() end) end
  end
  repeat local b until b
end

while a do
  two()
end
"""
    assert lua_lengths(script) == {"line 2": 1, "line 5": 1, "line 3": 6, "main chunk": 6}


@cache
def importers() -> dict[str, set[str]]:
    """Each module with those that import it, tests left out; packages are not listed."""
    graph = grimp.build_graph(*TOPS, cache_dir=None)
    modules = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SERVICE)
    return {
        module: graph.find_modules_that_directly_import(module)
        for module in modules
        if not module.endswith(("__init__", "__main__"))
    }


def package_of(module: str) -> str:
    """The package in which a module stands."""
    return module.rpartition(".")[0]


def shows_a_face(package: str) -> bool:
    """Whether the package names what it has to give itself: nobody need know its modules."""
    return "\n__all__" in (ROOT / package.replace(".", "/") / "__init__.py").read_text("utf-8")


def test_no_module_is_a_splinter_of_its_neighbour() -> None:
    """What is small and serves one neighbour alone is a part of it."""
    splinters = {
        module
        for module, users in importers().items()
        if len(users) == 1
        and users not in ASSEMBLIES
        and package_of(module) == package_of(*users)
        and line_count(ROOT / f"{module.replace('.', '/')}.py") <= SPLINTER_LINES_MAX
    }
    assert splinters == set()


def test_private_modules_are_marked_and_left_alone() -> None:
    """A module has an underscore where its own package alone imports it, and only there.

    In a package with a face of its own nobody outside imports a module past it.
    """
    wrong = {}
    for module, users in importers().items():
        package = package_of(module)
        outside = {user for user in users if package not in (user, package_of(user))}
        if package in ENTRIES:
            continue
        is_marked = module.rpartition(".")[2].startswith("_")
        if outside and (is_marked or shows_a_face(package)):
            wrong[module] = f"is private, and imported by {sorted(outside)}"
        if users and not outside and not is_marked and not shows_a_face(package):
            wrong[module] = "is imported by its own package alone: it wants an underscore"
    assert wrong == {}


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
