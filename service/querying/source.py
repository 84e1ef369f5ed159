"""A template file as text: its values with the line on which each stands."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from service.domain.misfits import pointer
from service.querying.problem import Problem

TEXT_CHARACTERS_MAX = 256 * 1024
NODES_MAX = 50_000
DEPTH_MAX = 50
_KEPT = 256
"""So many texts stay parsed: of the next set of rules most are the same, and parsing is slow."""
_WHOLE_NUMBER_MAX = 2**63 - 1
_BRACKET = re.compile(r"[\[\]{}]")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a template and where it was written."""

    value: "dict[str, Node] | list[Node] | Any"
    file: str
    line: int

    def plain(self) -> Any:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {key: each.plain() for key, each in self.value.items()}
        if isinstance(self.value, list):
            return [each.plain() for each in self.value]
        return self.value

    def at(self, path: Path) -> "Node":
        """The node at a path, or the nearest one above it that exists."""
        return self._walk(path)[0]

    def known(self, path: Path) -> Path:
        """As much of a path as was written."""
        return path[: self._walk(path)[1]]

    def _walk(self, path: Path) -> "tuple[Node, int]":
        node, steps = self, 0
        for step in path:
            children = node.value
            if isinstance(children, dict) and step in children:
                node = children[str(step)]
            elif isinstance(children, list) and isinstance(step, int) and step < len(children):
                node = children[step]
            else:
                break
            steps += 1
        return node, steps

    def children(self) -> "list[Node]":
        """The nodes of a list, none for anything else."""
        return self.value if isinstance(self.value, list) else []

    def get(self, key: str) -> Any:
        """The plain value under a key, None where there is none."""
        child = self.value.get(key) if isinstance(self.value, dict) else None
        return child.plain() if child is not None else None


class Fault(NamedTuple):
    """What is wrong at a path of a template, before it is known on which line that stands."""

    code: str
    path: Path
    message: str
    hint: str | None = None


def problem_at(node: Node, code: str, path: Path, message: str, hint: str | None = None) -> Problem:
    """A problem with the file and the line on which its path stands."""
    place = node.at(path)
    return Problem(
        code=code, path=pointer(path), message=message, file=place.file, line=place.line, hint=hint
    )


@lru_cache(maxsize=_KEPT)
def read_source(text: str, file: str) -> Node | Problem:
    """Parse YAML, keeping lines; a text that is no mapping, or too large, is a problem.

    What was parsed is given again for the same text, to be read only.
    """
    try:
        return _read(text, file)
    except _Refused as refused:
        return Problem(code="T001", path="", file=file, line=refused.line, message=refused.reason)


def _read(text: str, file: str) -> Node:
    if len(text) > TEXT_CHARACTERS_MAX:
        raise _Refused(None, f"longer than {TEXT_CHARACTERS_MAX} characters")
    _check_depth(text)
    try:
        loaded = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        reason = " ".join(str(error.problem or error).split())
        raise _Refused(line, f"not YAML: {reason}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise _Refused(None, f"not YAML: {error}") from error
    if not isinstance(loaded, CommentedMap):
        raise _Refused(1, "a template is a mapping")
    return _Reader(file, iter(range(NODES_MAX))).node(loaded, 1)


def _check_depth(text: str) -> None:
    """Refuse brackets that stand too deep: YAML would take seconds to give up on them."""
    depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found.group() in "[{" else max(0, depth - 1)
        if depth > DEPTH_MAX:
            line = text.count("\n", 0, found.start()) + 1
            raise _Refused(line, f"brackets stand deeper than {DEPTH_MAX}")


class _Refused(Exception):
    """A value that a template cannot hold."""

    def __init__(self, line: int | None, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Reader:
    """Converts what YAML gave; the budget ends a document whose aliases multiply."""

    file: str
    budget: Iterator[int]

    def node(self, value: Any, line: int, depth: int = 1) -> Node:
        if next(self.budget, None) is None:
            raise _Refused(line, f"more than {NODES_MAX} values, aliases counted")
        if depth > DEPTH_MAX:
            raise _Refused(line, f"values stand deeper than {DEPTH_MAX}")
        if isinstance(value, CommentedMap):
            children = {
                str(key): self.node(each, _line_of(value, key, line), depth + 1)
                for key, each in value.items()
            }
            return Node(children, self.file, line)
        if isinstance(value, CommentedSeq):
            entries = [
                self.node(each, _line_of(value, place, line), depth + 1)
                for place, each in enumerate(value)
            ]
            return Node(entries, self.file, line)
        return Node(_scalar(value, line), self.file, line)


def _line_of(parent: CommentedMap | CommentedSeq, key: Any, line: int) -> int:
    """The line of an entry; one merged in (``<<``) stands where its parent does."""
    places = parent.lc.data or {}
    return int(places[key][0]) + 1 if key in places else line


def _scalar(value: Any, line: int) -> Any:
    """Plain text, number or truth: the YAML library marks how each was written."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        if abs(value) > _WHOLE_NUMBER_MAX:
            raise _Refused(line, "a whole number has at most 64 bits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _Refused(line, "a number is finite")
        return float(value)
    text = str(value)
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        raise _Refused(line, "half a surrogate pair is no character")
    return text
