"""Traps of YAML: a text that is no template becomes a problem, never a fault or a surprise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.misfits import pointer
from service.querying.library import load_library
from service.querying.problem import Problem
from service.querying.source import (
    DEPTH_MAX,
    NODES_MAX,
    TEXT_CHARACTERS_MAX,
    Node,
    read_source,
)
from tests.builders import references

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join([f'*{before}'] * 9)}]\n"
    for before, this in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("trap", "text", "line", "message"),
    [
        ("a key twice", "id: a\ntitle: b\nid: c\n", 3, "duplicate key"),
        ("aliases that multiply", BOMB, None, f"more than {NODES_MAX} values"),
        ("too deep", f"a: {'[' * DEPTH_MAX}{']' * DEPTH_MAX}", 1, f"deeper than {DEPTH_MAX}"),
        ("far too deep", f"a: 1\nb: {'[' * 5000}", 2, f"brackets stand deeper than {DEPTH_MAX}"),
        ("deep without brackets", "- " * 5000, None, "not YAML"),
        ("a list", "- id: a\n", 1, "a template is a mapping"),
        ("a scalar", "id", 1, "a template is a mapping"),
        ("nothing", "", 1, "a template is a mapping"),
        ("huge", "#" * (TEXT_CHARACTERS_MAX + 1), None, "longer than"),
        ("a tab", "a:\n\t- b\n", 2, "not YAML"),
        ("not closed", "a: [1, 2\n", 2, "not YAML"),
        ("a control character", "a: \x00", None, "not YAML"),
        ("two documents", "a: 1\n---\nb: 2\n", 2, "not YAML"),
        ("no such alias", "a: *b\n", 1, "not YAML"),
        ("a number too long", "id: a\nb: 9223372036854775808\n", 2, "at most 64 bits"),
        ("far too long", f"b: {'9' * 5000}\n", None, "not YAML"),
        ("no number", "id: a\nb: .nan\n", 2, "a number is finite"),
        ("endless", "id: a\nb: -.inf\n", 2, "a number is finite"),
        ("half a character", 'id: a\nb: "\\ud800"\n', 2, "surrogate"),
    ],
)
def test_a_text_that_is_no_template(trap: str, text: str, line: int | None, message: str) -> None:
    """It is refused with a reason, and with its line where one is known."""
    problem = read_source(text, "x.yaml")

    assert isinstance(problem, Problem), trap
    assert (problem.code, problem.file) == ("T001", "x.yaml")
    assert message in problem.message
    assert line in (None, problem.line)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-01", "2026-03-01"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("null", None),
        ("0x10", 16),
        ("012", 12),
        ("-3", -3),
        ("1.50", 1.5),
        ("9223372036854775807", 9223372036854775807),
        ("'0611'", "0611"),
        ("!mark text", "text"),
        ("|\n  é\n", "é\n"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
    ],
)
def test_a_value_is_read_as_written(written: str, read: object) -> None:
    """YAML 1.2: on and yes are text, and a day that was not quoted is text as well."""
    node = read_source(f"value: {written}", "x.yaml")

    assert isinstance(node, Node)
    assert {"value": read} == node.plain()
    assert type(read) is type(node.get("value"))


def test_keys_that_are_merged_in_are_read() -> None:
    """A merge key copies what an anchor marked; it stands where it was merged."""
    node = read_source("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n", "x.yaml")

    assert isinstance(node, Node)
    assert node.plain() == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}
    assert [node.at(("a", "x")).line, node.at(("b", "y")).line] == [1, 4]


def test_a_place_that_is_not_there_is_the_nearest_above() -> None:
    """So that a missing key is shown where it should stand."""
    node = read_source("a:\n  b: [1, 2]\nc: 3\n", "x.yaml")

    assert isinstance(node, Node)
    assert [node.at(path).line for path in (("a", "b", 7), ("a", "x", "y"), ("c", "d"))] == [
        2,
        1,
        3,
    ]
    assert node.known(("a", "b", 7)) == ("a", "b")
    assert (node.get("z"), node.at(("c",)).get("z"), node.children()) == (None, None, [])


def test_a_path_is_a_json_pointer() -> None:
    """Slashes and tildes in keys are escaped (RFC 6901)."""
    assert pointer(("a/b", 0, "c~d")) == "/a~1b/0/c~0d"


@settings(max_examples=60)
@given(st.text(max_size=300) | st.text(alphabet="ab:-[]{}&*<!|>'\"#%@`, \n\t0159.", max_size=120))
def test_no_text_is_a_fault(text: str) -> None:
    """Whatever is pasted, loading answers with plans or problems."""
    library = load_library({"x.yaml": text}, references())

    assert library.problems
