"""Which elements of a FHIR document are asked for while it is read."""

from collections.abc import Iterable
from typing import Any

import pytest

from service.ingest.fhir import read
from service.ingest.fhir.base.node import Node
from tests.ingest.fhir.papers import Json

Asked = set[tuple[str, str]]
"""A type of resource with the way to an element, and the name of an element of it.

All that a choice of types may be called (``serviced[x]``) is one name.
"""


def asked_for(documents: Iterable[Json], patch: pytest.MonkeyPatch) -> tuple[Asked, set[str]]:
    """The elements, and the extensions by their short names, that reading these asks for."""
    asked: Asked = set()
    extensions: set[str] = set()
    current: list[Json] = [{}]
    original = {name: getattr(Node, name) for name in ("get", "many", "has", "choice")}

    def note(node: Node, *names: str) -> None:
        asked.update((_where(current[0], node.path), each) for each in names)

    def get(node: Node, name: str) -> Any:
        note(node, name)
        return original["get"](node, name)

    def many(node: Node, name: str) -> Any:
        note(node, name)
        return original["many"](node, name)

    def has(node: Node, *names: str) -> Any:
        note(node, *names)
        return original["has"](node, *names)

    def choice(node: Node, prefix: str) -> Any:
        note(node, f"{prefix}[x]")
        return original["choice"](node, prefix)

    find = Node.extensions

    def named(node: Node, name: str) -> Any:
        extensions.add(name)
        return find(node, name)

    for name, tracked in (("get", get), ("many", many), ("has", has), ("choice", choice)):
        patch.setattr(Node, name, tracked)
    patch.setattr(Node, "extensions", named)
    for each in documents:
        current[0] = each
        read(each)
    return asked, extensions


def _where(document: Any, path: tuple[str | int, ...]) -> str:
    """The type of the innermost resource on a way into a document, and the way from there."""
    found = [""]
    value = document
    for step in (None, *path):
        if step is not None:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                value = None
            if isinstance(step, str):
                found.append(step)
        if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
            found = [value["resourceType"]]
    return ".".join(found)
