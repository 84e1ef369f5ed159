"""Templates extend one another: lists merge by id, ``remove: true`` drops, scalars override."""

from collections.abc import Mapping

from service.querying.problem import Problem
from service.querying.source import Node, problem_at

DEPTH_MAX = 3
OWN_KEYS = frozenset({"id", "version", "extends", "abstract", "title", "changelog", "tests"})
"""What a template says of itself only, so that it is never inherited."""


def resolve(name: str, sources: Mapping[str, Node]) -> Node | Problem:
    """A template with all it extends merged in, or the problem where that cannot be done."""
    chain = [name]
    node = sources[name]
    while (parent := sources[chain[-1]].get("extends")) is not None:
        if not isinstance(parent, str) or parent not in sources:
            return problem_at(node, "T002", ("extends",), f"there is no template {parent}")
        if parent in chain:
            return problem_at(
                node, "T002", ("extends",), "templates extend one another in a circle"
            )
        chain.append(parent)
        if len(chain) > DEPTH_MAX:
            return problem_at(
                node, "T002", ("extends",), f"more than {DEPTH_MAX} templates extend one another"
            )
    resolved = _without(sources[chain.pop()], frozenset({"abstract"}))
    while chain:
        resolved = _merged(_without(resolved, OWN_KEYS), sources[chain.pop()])
    return _without(resolved, frozenset({"abstract", "remove", "replace"}))


def _without(node: Node, keys: frozenset[str]) -> Node:
    if not isinstance(node.value, dict):
        return node
    kept = {key: each for key, each in node.value.items() if key not in keys}
    return Node(kept, node.file, node.line)


def _merged(parent: Node, child: Node) -> Node:
    if isinstance(parent.value, dict) and isinstance(child.value, dict):
        merged = dict(parent.value)
        for key, each in child.value.items():
            merged[key] = _merged(merged[key], each) if key in merged else _cleaned(each)
        return Node(merged, child.file, child.line)
    if _has_ids(parent) and _has_ids(child):
        return _merged_by_id(parent, child)
    return _cleaned(child)


def _merged_by_id(parent: Node, child: Node) -> Node:
    merged = _by_id(parent)
    for name, each in _by_id(child).items():
        if each.get("remove") is True:
            merged.pop(name, None)
        elif name in merged and each.get("replace") is not True:
            marks = frozenset({"remove", "replace"})
            merged[name] = _merged(merged[name], _without(each, marks))
        else:
            merged[name] = _cleaned(each)
    return Node(list(merged.values()), child.file, child.line)


def _by_id(node: Node) -> dict[object, Node]:
    """Entries by id; a second one of the same id is kept, so that the check can refuse it."""
    found: dict[object, Node] = {}
    for place, each in enumerate(node.children()):
        name = each.get("id")
        found[name if name not in found else (name, place, node.file)] = each
    return found


def _cleaned(node: Node) -> Node:
    """Drop the marks of merging where there is nothing to merge with."""
    if isinstance(node.value, dict):
        return Node(
            {
                key: _cleaned(each)
                for key, each in node.value.items()
                if key not in ("remove", "replace")
            },
            node.file,
            node.line,
        )
    if isinstance(node.value, list):
        kept = [each for each in node.value if each.get("remove") is not True]
        return Node([_cleaned(each) for each in kept], node.file, node.line)
    return node


def _has_ids(node: Node) -> bool:
    children = node.children()
    return isinstance(node.value, list) and all(
        isinstance(each.get("id"), str) for each in children
    )
