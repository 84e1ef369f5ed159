"""What a template takes over from the one that it extends."""

from textwrap import dedent
from typing import Any

import pytest

from service.querying._inheritance import resolve
from service.querying.problem import Problem
from service.querying.source import Node, read_source

PARENT = """\
id: parent
title: Parent
abstract: true
version: 9
settings: {match_days: {before: 7, after: 7}, max_results: 50}
require: [{id: window, days: 7}, {id: kind, value: x}]
rank: [certification_date, number]
"""


def read(text: str) -> Node:
    """Parse a template that is well formed."""
    node = read_source(dedent(text), "child.yaml")
    assert isinstance(node, Node)
    return node


def resolved(child: str, **others: str) -> Any:
    """Give the plain values of a child of the parent."""
    sources = {"parent": read(PARENT), "child": read(f"id: child\nextends: parent\n{child}")}
    sources |= {name: read(text) for name, text in others.items()}
    found = resolve("child", sources)
    assert isinstance(found, Node)
    return found.plain()


@pytest.mark.parametrize(
    ("rule", "child", "key", "expected"),
    [
        (
            "mappings merge, scalars override",
            "settings: {match_days: {after: 3}}",
            "settings",
            {"match_days": {"before": 7, "after": 3}, "max_results": 50},
        ),
        ("plain lists are taken whole", "rank: [number]", "rank", ["number"]),
        (
            "lists merge by id, in the order of the parent",
            "require: [{id: kind, value: y}, {id: new, value: z}]",
            "require",
            [
                {"id": "window", "days": 7},
                {"id": "kind", "value": "y"},
                {"id": "new", "value": "z"},
            ],
        ),
        (
            "remove drops",
            "require: [{id: kind, remove: true}]",
            "require",
            [{"id": "window", "days": 7}],
        ),
        (
            "remove of what is not there is nothing",
            "require: [{id: other, remove: true}]",
            "require",
            [{"id": "window", "days": 7}, {"id": "kind", "value": "x"}],
        ),
        (
            "replace takes it whole",
            "require: [{id: window, replace: true, claim: line.from}]",
            "require",
            [{"id": "window", "claim": "line.from"}, {"id": "kind", "value": "x"}],
        ),
        (
            "a mark says nothing where there is nothing to merge",
            "exclude: [{id: a, replace: true}, {id: b, remove: true}]",
            "exclude",
            [{"id": "a"}],
        ),
        (
            "a scalar takes the place of a mapping",
            "settings: 3",
            "settings",
            3,
        ),
        (
            "an id twice is kept, to be refused",
            "require: [{id: new, value: 1}, {id: new, value: 2}]",
            "require",
            [
                {"id": "window", "days": 7},
                {"id": "kind", "value": "x"},
                {"id": "new", "value": 1},
                {"id": "new", "value": 2},
            ],
        ),
        (
            "ids that are no text do not merge",
            "require: [{id: [a], value: 1}]",
            "require",
            [{"id": ["a"], "value": 1}],
        ),
    ],
)
def test_how_a_child_changes_its_parent(rule: str, child: str, key: str, expected: Any) -> None:
    """Mappings merge by key and lists by id; what is marked is dropped or taken whole."""
    assert expected == resolved(child)[key], rule


def test_what_a_template_says_of_itself_is_not_inherited() -> None:
    """Title, version and whether it is abstract are its own."""
    assert {"title", "version", "abstract"}.isdisjoint(resolved(""))
    assert resolved("")["id"] == "child"


def test_a_grandparent_is_merged_first() -> None:
    """The nearest wins."""
    found = resolved(
        "settings: {a: child}\n",
        parent="id: parent\nextends: old\nsettings: {b: parent, a: parent}\n",
        old="id: old\nsettings: {c: old, b: old}\n",
    )

    assert found["settings"] == {"a": "child", "b": "parent", "c": "old"}


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ({"child": "nobody"}, "there is no template nobody"),
        ({"child": "child"}, "in a circle"),
        ({"child": "a", "a": "b", "b": "child"}, "in a circle"),
        ({"child": "a", "a": "b", "b": "b"}, "in a circle"),
        ({"child": "a", "a": "b", "b": "c", "c": None}, "more than 3"),
        ({"child": 7}, "there is no template 7"),
    ],
)
def test_a_bad_parent_is_refused(extends: dict[str, str | None], message: str) -> None:
    """A missing one, a circle, or a chain that nobody could follow."""
    sources = {
        name: read(f"id: {name}\n" + (f"extends: {parent}\n" if parent else ""))
        for name, parent in extends.items()
    }
    problem = resolve("child", sources)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.path, problem.line) == ("T002", "/extends", 2)
    assert message in problem.message


def test_a_value_knows_its_own_line_after_merging() -> None:
    """So that a mistake is shown where it was written."""
    child = read("id: child\nextends: parent\nrequire:\n  - id: kind\n    value: y\n")
    found = resolve("child", {"parent": read(PARENT), "child": child})

    assert isinstance(found, Node)
    assert [
        found.at(("require", place, key)).line for place, key in ((0, "days"), (1, "value"))
    ] == [6, 5]


def test_a_source_that_is_no_mapping_is_left_alone() -> None:
    """Sources are mappings; what is not has nothing to take over."""
    assert resolve_scalar() == 3


def resolve_scalar() -> Any:
    """Resolve a bare scalar."""
    found = resolve("only", {"only": Node(3, "x.yaml", 1)})
    assert isinstance(found, Node)
    return found.plain()
