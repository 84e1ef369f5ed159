"""The numbers and switches that a template has in its text: what a form shows of it, and sets.

A value is set where it stands, so that comments and all else of the text stay as they are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

Path = tuple[str, ...]

FIELDS_MAX = 300
"""So many fields of a text at most; what comes after them is in the text alone."""
TEXT_MAX = 64 * 1024
"""The characters of a text for which there are fields."""

_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?")
_SWITCHES = ("true", "false")
_OWN = frozenset({"version", "tests", "metadata"})
"""What says something of the template itself, or tries it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value as it is written, its path, and where in the text it stands."""

    path: Path
    written: str
    start: int
    end: int

    @property
    def is_switch(self) -> bool:
        """Whether it is true or false."""
        return self.written in _SWITCHES

    def takes(self, written: str) -> bool:
        """Whether this could stand in its place: a switch for a switch, a number for a number."""
        return written in _SWITCHES if self.is_switch else bool(_NUMBER.fullmatch(written))


def fields_of(text: str) -> tuple[Field, ...]:
    """The fields of a text in their order; none of one that is long, or cannot be read."""
    if len(text) > TEXT_MAX:
        return ()
    try:
        found = scalars_of(text)
        plain = (
            Field(path, str(node.value), node.start_mark.index, node.end_mark.index)
            for path, node in found
            if path and path[0] not in _OWN
        )
        wanted = (
            each
            for each in plain
            if text[each.start : each.end] == each.written and each.takes(each.written)
        )
        return tuple(islice(wanted, FIELDS_MAX))
    except (YAMLError, RecursionError, ValueError):
        return ()


def with_fields(text: str, values: Mapping[Path, str]) -> str:
    """The text with other values of its fields, and nothing else otherwise.

    Raises ValueError for a field that it has not, and for what cannot stand in one.
    """
    fields = fields_of(text)
    missing = values.keys() - {each.path for each in fields}
    if missing:
        raise ValueError(f"{' '.join(min(missing))} is no number or switch of the text any more")
    for each in reversed(fields):
        written = values.get(each.path, each.written)
        if not each.takes(written):
            wanted = "true or false" if each.is_switch else "a number"
            raise ValueError(f"{' '.join(each.path)} takes {wanted}")
        text = text[: each.start] + written + text[each.end :]
    return text


def scalars_of(text: str) -> Iterator[tuple[Path, ScalarNode]]:
    """The values of a YAML text with their paths; entries of lists are named by their ids.

    What is written once and named again stands where it was written. Raises YAMLError.
    """
    node = YAML(typ="rt").compose(text)
    return iter(()) if node is None else _scalars(node, (), set())


def _scalars(node: Node, path: Path, seen: set[int]) -> Iterator[tuple[Path, ScalarNode]]:
    if isinstance(node, ScalarNode):
        yield path, node
        return
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield from _scalars(value, (*path, str(key.value)), seen)
        return
    for each in node.value:
        entries = each.value if isinstance(each, MappingNode) else ()
        names = (str(value.value) for key, value in entries if key.value == "id")
        if (name := next(names, None)) is not None:
            yield from _scalars(each, (*path, name), seen)
