"""Which raw Elasticsearch clauses a template may hold: finders by value only, within limits."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from service.comparison.prepared import placeholder
from service.domain.fields import (
    AUTHORIZATION_FIELDS,
    CLAIM_FIELDS,
    ROOT_FIELDS,
    STORE_FIELDS,
    KnownField,
)
from service.domain.reference import AttachedFields
from service.querying.source import Fault, Path

DEPTH_MAX = 5
CLAUSES_MAX = 200
TERMS_MAX = 1024
PREFIX_MIN = 2
_DATE_MATH = re.compile(r"^now|\|\|")
_WORDS: Mapping[str, tuple[object, ...]] = {
    "operator": ("and", "or"),
    "relation": ("intersects", "contains", "within"),
    "case_insensitive": (True, False),
}
_LEAVES = frozenset({"term", "terms", "range", "match", "exists", "prefix"})
_COMPOUNDS = {
    "bool": frozenset({"filter", "must", "must_not", "should", "minimum_should_match"}),
    "nested": frozenset({"path", "query"}),
    "constant_score": frozenset({"filter"}),
    "dis_max": frozenset({"queries"}),
}
_PARAMETERS = frozenset(
    {"value", "gte", "gt", "lte", "lt", "relation", "query", "operator", "case_insensitive"}
)


def mapped_fields(attached: AttachedFields) -> dict[str, str]:
    """Every field of the mapping that a raw clause may name, with its type."""
    fields: dict[str, str] = dict(ROOT_FIELDS)
    for name, field in AUTHORIZATION_FIELDS.items():
        if field.type != "procedure":
            fields[f"lines.{name}"] = field.type
    for name, kind in attached.fields.items():
        fields[f"attached.{name}"] = fields[f"lines.attached.{name}"] = kind
    return fields


class RawCheck:
    """Walks one raw clause and collects what is wrong with it."""

    def __init__(self, attached: AttachedFields) -> None:
        self._attached = attached
        self._fields = mapped_fields(attached)
        self._clauses = 0

    def check(self, raw: dict[str, Any], path: Path) -> Iterator[Fault]:
        """What is wrong with a raw clause that stands at ``path``."""
        self._clauses = 0
        yield from self._clause(raw, path, depth=1, nested=False)
        if self._clauses > CLAUSES_MAX:
            yield _forbidden(path, f"more than {CLAUSES_MAX} clauses")

    def _clause(self, raw: Any, path: Path, *, depth: int, nested: bool) -> Iterator[Fault]:
        self._clauses += 1
        if depth > DEPTH_MAX:
            yield _forbidden(path, f"clauses stand deeper than {DEPTH_MAX}")
        elif not isinstance(raw, dict) or len(raw) != 1:
            yield _forbidden(path, "a clause is a mapping with one key, its kind")
        else:
            ((kind, body),) = raw.items()
            if kind in _LEAVES:
                yield from self._leaf(kind, body, (*path, kind), nested=nested)
            elif kind in _COMPOUNDS:
                yield from self._compound(kind, body, (*path, kind), depth=depth, nested=nested)
            else:
                yield _forbidden(path, f"raw clause may not use {kind}")

    def _compound(
        self, kind: str, body: Any, path: Path, *, depth: int, nested: bool
    ) -> Iterator[Fault]:
        if not isinstance(body, dict):
            yield _forbidden(path, f"{kind} is a mapping")
            return
        for key in body.keys() - _COMPOUNDS[kind]:
            yield _forbidden((*path, key), f"raw clause may not use {key} in {kind}")
        least = body.get("minimum_should_match", 0)
        if kind == "bool" and (type(least) is not int or not 0 <= least <= CLAUSES_MAX):
            yield _forbidden((*path, "minimum_should_match"), "it is a whole number of clauses")
        if kind == "nested":
            if body.get("path") != "lines":
                yield _forbidden((*path, "path"), "only lines are nested")
            if nested:
                yield _forbidden(path, "a nested clause may not hold another")
            nested = True
        for key in ("query", "filter", "must", "must_not", "should", "queries"):
            if key in body and key in _COMPOUNDS[kind]:
                inner = body[key]
                several = inner if isinstance(inner, list) else [inner]
                for place, each in enumerate(several):
                    at: Path = (*path, key, place) if isinstance(inner, list) else (*path, key)
                    yield from self._clause(each, at, depth=depth + 1, nested=nested)

    def _leaf(self, kind: str, body: Any, path: Path, *, nested: bool) -> Iterator[Fault]:
        if not isinstance(body, dict) or len(body) != 1:
            yield _forbidden(path, f"{kind} names one field")
            return
        if kind == "exists":
            yield from self._field(body.get("field"), (*path, "field"), nested=nested)
            return
        ((field, value),) = body.items()
        yield from self._field(field, (*path, field), nested=nested)
        if kind == "terms" and isinstance(value, dict):
            yield _forbidden((*path, field), "raw clause may not look terms up")
        elif isinstance(value, dict):
            for key in value.keys() - _PARAMETERS:
                yield _forbidden((*path, field, key), f"raw clause may not use {key}")
        yield from _limits(kind, value, (*path, field))
        of_one = kind in ("range", "prefix", "match")
        yield from self._values(value, (*path, field), of_one=of_one)

    def _field(self, field: Any, path: Path, *, nested: bool) -> Iterator[Fault]:
        if field in STORE_FIELDS:
            yield Fault("T012", path, f"{field} is filtered by the store alone")
        elif field not in self._fields:
            yield Fault("T003", path, f"{field} is not in the mapping")
        elif field.startswith("lines.") != nested:
            wanted = "put it inside nested" if not nested else "it stands at the root"
            yield Fault("T005", path, f"{field}: {wanted}")

    def _values(self, value: Any, path: Path, *, of_one: bool) -> Iterator[Fault]:
        """Check placeholders: a whole value each, naming a field of the claim.

        None may bring several values where there can be but one (``of_one``).
        """
        if isinstance(value, dict):
            for key, each in value.items():
                yield from self._values(each, (*path, key), of_one=of_one)
        elif isinstance(value, list):
            for place, each in enumerate(value):
                yield from self._values(each, (*path, place), of_one=False)
        elif isinstance(value, str) and "${" in value:
            name = placeholder(value)
            field = claim_field(name, self._attached) if name else None
            if name is None:
                yield _forbidden(path, "a placeholder is a whole value, never part of a text")
            elif field is None:
                yield Fault("T004", path, f"{name} is not a field of the claim")
            elif of_one and field.many:
                yield Fault("T005", path, f"{name} may hold several values")


def _limits(kind: str, value: Any, path: Path) -> Iterator[Fault]:
    """Find what Elasticsearch would refuse with each claim, or what would look at all there is."""
    if kind == "terms" and isinstance(value, list) and len(value) > TERMS_MAX:
        yield _forbidden(path, f"more than {TERMS_MAX} terms")
    parameters = value if isinstance(value, dict) else {"value": value}
    for name, each in parameters.items():
        allowed = _WORDS.get(name)
        if allowed is not None and each not in allowed:
            wanted = " or ".join(str(word).lower() for word in allowed)
            yield _forbidden((*path, name), f"{name} is {wanted}")
        elif not isinstance(each, str) or "${" in each:
            continue
        elif kind == "prefix" and len(each) < PREFIX_MIN:
            yield _forbidden(path, f"a prefix has at least {PREFIX_MIN} characters")
        elif kind == "range" and _DATE_MATH.search(each):
            yield _forbidden((*path, name), "a day is written out, or a placeholder")


def claim_field(name: str, attached: AttachedFields) -> KnownField | None:
    """A field of the claim, those of attached data included; None where there is none."""
    start, _, rest = name.removeprefix("line.").partition(".")
    if start == "attached" and rest in attached.fields:
        return KnownField(attached.fields[rest], "attached data")
    return CLAIM_FIELDS.get(name)


def _forbidden(path: Path, message: str) -> Fault:
    return Fault("T013", path, message)
