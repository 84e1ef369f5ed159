"""The rows of the mapping: where a value stands in FHIR, which field it fills, and by which rule.

A row both reads and documents: ``docs/formats/fhir-pas.md`` is written from these rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Source = TypeVar("Source")

Reads = Callable[[Source], Any]
"""Gives the value of a field, or nothing."""


@dataclass(frozen=True, slots=True)
class Row(Generic[Source]):
    """One field: its paths in FHIR, first one first; ``read`` gives its value, or nothing."""

    field: str
    paths: tuple[str, ...]
    rule: str
    read: Reads[Source]


def adding(rows: list[Row[Source]]) -> Callable[..., Callable[[Reads[Source]], Reads[Source]]]:
    """Give a decorator that makes a reader a row: its field, its paths in FHIR, and the rule."""

    def row(field: str, *paths: str, rule: str) -> Callable[[Reads[Source]], Reads[Source]]:
        def add(read: Reads[Source]) -> Reads[Source]:
            rows.append(Row(field, paths, rule, read))
            return read

        return add

    return row


def apply(rows: Iterable[Row[Source]], source: Source) -> dict[str, Any]:
    """Read every row into one document; what is nothing is left out."""
    document: dict[str, Any] = {}
    for row in rows:
        value = row.read(source)
        if value in (None, "", [], {}):
            continue
        _put(document, row.field.split("."), value)
    return document


def _put(document: dict[str, Any], names: list[str], value: Any) -> None:
    """Set a value; one that is an object is laid over what other rows read into the same one."""
    *above, name = names
    for each in above:
        document = document.setdefault(each, {})
    if isinstance(value, dict) and isinstance(document.get(name), dict):
        document[name] |= value
    else:
        document[name] = value
