"""What a template has in its text that a form shows and sets: what its schema describes.

A value is set where it stands, so that comments and all else of the text stay as they are.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Literal

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from service.domain.template import Template

Path = tuple[str, ...]
Kind = Literal["number", "switch", "choice", "text", "list"]

FIELDS_MAX = 300
"""So many fields of a text at most; what comes after them is in the text alone."""
TEXT_MAX = 64 * 1024
"""The characters of a text for which there are fields."""

_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?")
_PLAIN = re.compile(r"[A-Za-z_][\w./\-]*( [\w./\-]+)*")
"""What may be written without quotes, unless it would be read as something else than text."""
_SWITCHES = ("true", "false")
_OWN = frozenset({"api", "version", "tests", "metadata"})
"""What says something of the template itself, or tries it."""
_TEXT = "tag:yaml.org,2002:str"
_TAKES = {
    "number": "a number",
    "switch": "true or false",
    "choice": "a choice",
    "list": "a list",
    "text": "text",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A value as a form shows it, its path, where in the text it stands, and what it takes.

    A list is shown with commas; ``options`` are all that may stand there beside a number.
    """

    path: Path
    written: str
    start: int
    end: int
    kind: Kind = "number"
    options: tuple[str, ...] = ()

    def takes(self, written: str) -> bool:
        """Whether this could stand in its place, as far as that is seen without the rest."""
        if not written.isprintable():
            return False
        if self.kind == "number":
            return bool(_NUMBER.fullmatch(written)) or written in self.options
        if self.kind == "list":
            return not self.options or set(_entries(written)) <= set(self.options)
        return not self.options or written in self.options

    @property
    def wants(self) -> str:
        """What it takes, in words."""
        named = f"of {', '.join(self.options)}" if self.options and self.kind != "switch" else ""
        return f"{_TAKES.get(self.kind, 'text')} {named}".strip()

    def in_yaml(self, written: str) -> str:
        """How this is written in the text."""
        if self.kind == "text":
            return _quoted(written)
        if self.kind != "list":
            return written
        entries = [_quoted(each) for each in _entries(written)]
        return entries[0] if len(entries) == 1 else f"[{', '.join(entries)}]"


def fields_of(text: str) -> tuple[Field, ...]:
    """The fields of a text in their order; none of one that is long, or cannot be read."""
    if len(text) > TEXT_MAX:
        return ()
    try:
        fields = (
            _field(path, node, text)
            for path, node in scalars_of(text)
            if path and path[0] not in _OWN and path[-1] != "id"
        )
        return tuple(islice((each for each in fields if each is not None), FIELDS_MAX))
    except (YAMLError, RecursionError, ValueError):
        return ()


def with_fields(text: str, values: Mapping[Path, str]) -> str:
    """The text with other values of its fields, and nothing else otherwise.

    Raises ValueError for a field that it has not, and for what cannot stand in one.
    """
    fields = fields_of(text)
    missing = values.keys() - {each.path for each in fields}
    if missing:
        raise ValueError(f"{' '.join(min(missing))} is no field of the text any more")
    for each in reversed(fields):
        written = values.get(each.path, each.written)
        if not each.takes(written):
            raise ValueError(f"{' '.join(each.path)} takes {each.wants}")
        if written != each.written:
            text = text[: each.start] + each.in_yaml(written) + text[each.end :]
    return text


def _field(path: Path, node: Node, text: str) -> Field | None:
    """The field of a value; None where none is described, or it is not written in one line."""
    kind, options = _described(path)
    start, end = node.start_mark.index, node.end_mark.index
    source, is_list = text[start:end], isinstance(node, SequenceNode)
    entries = node.value if is_list else [node]
    written = ", ".join(str(each.value) for each in entries)
    is_plain, is_text = source == written, all(each.tag == _TEXT for each in entries)
    is_whole = is_plain or source[:1] in ("'", '"', "[")
    if kind in ("text", "choice", "list") and is_text and is_whole and source.isprintable():
        found = Field(path, written, start, end, kind, options)
        is_clear = len(_entries(written)) == len(entries) if kind == "list" else not is_list
        return found if is_clear and written == written.strip() and found.takes(written) else None
    if kind in ("switch", None) and is_plain and written in _SWITCHES:
        return Field(path, written, start, end, "switch", _SWITCHES)
    found = Field(path, written, start, end, "number", options)
    return found if kind in ("number", None) and is_plain and found.takes(written) else None


def _entries(written: str) -> list[str]:
    return [each.strip() for each in written.split(",") if each.strip()]


def _quoted(text: str) -> str:
    """A text as YAML has it, without quotes where it needs none."""
    is_plain = _PLAIN.fullmatch(text) and YAML(typ="rt").compose(text).tag == _TEXT
    return text if is_plain else orjson.dumps(text).decode()


def _described(path: Path) -> tuple[Kind | None, tuple[str, ...]]:
    """What the schema of templates says may stand at a path; None where it may be anything."""
    schemas = [_schema()]
    for name in path:
        schemas = [
            inner
            for each in _alternatives(schemas)
            for inner in (each.get("properties", {}).get(name), each.get("items"))
            if inner
        ]
    found = _alternatives(schemas)
    lists = [each for each in found if each.get("type") == "array"]
    kinds = {each.get("type") for each in (_alternatives([lists[0]["items"]]) if lists else found)}
    options = tuple(
        str(option)
        for each in (_alternatives([lists[0]["items"]]) if lists else found)
        for option in each.get("enum", [each["const"]] if "const" in each else [])
    )
    if lists:
        return ("list", options) if kinds == {"string"} else (None, ())
    if kinds & {"integer", "number"}:
        return "number", options
    if kinds == {"boolean"}:
        return "switch", ()
    if kinds == {"string"} and len(options) != 1:
        return ("choice" if options else "text"), options
    return None, ()


def _alternatives(schemas: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Schemas without references and unions; null is none."""
    found: list[Mapping[str, Any]] = []
    for each in schemas:
        if "$ref" in each:
            found += _alternatives([_schema()["$defs"][each["$ref"].rpartition("/")[2]]])
        elif "anyOf" in each:
            found += _alternatives(each["anyOf"])
        elif each.get("type") != "null":
            found.append(each)
    return found


@cache
def _schema() -> dict[str, Any]:
    return Template.model_json_schema(by_alias=True)


def scalars_of(text: str) -> Iterator[tuple[Path, Node]]:
    """The values of a YAML text with their paths; entries of lists are named by their ids.

    A list of plain values is one.

    What is written once and named again stands where it was written. Raises YAMLError.
    """
    node = YAML(typ="rt").compose(text)
    return iter(()) if node is None else _scalars(node, (), set())


def _scalars(node: Node, path: Path, seen: set[int]) -> Iterator[tuple[Path, Node]]:
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
    if all(isinstance(each, ScalarNode) for each in node.value):
        yield path, node
        return
    for each in node.value:
        entries = each.value if isinstance(each, MappingNode) else ()
        names = (str(value.value) for key, value in entries if key.value == "id")
        if (name := next(names, None)) is not None:
            yield from _scalars(each, (*path, name), seen)
