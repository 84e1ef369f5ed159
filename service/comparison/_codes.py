"""Comparisons of codes: equal, any of, beginning alike, all held, all billed."""

from dataclasses import replace
from typing import Any

from service.comparison.comparison import (
    Clause,
    Comparison,
    How,
    Values,
    codes_of,
    held,
    shown,
)
from service.domain.effective import LineValues
from service.domain.fields import COUNTED, FieldType

CODED: frozenset[FieldType] = frozenset({"keyword", "long", "boolean", "date"})
KEYWORD: frozenset[FieldType] = frozenset({"keyword"})


def _in_terms(field: str, value: tuple[str, ...], how: How) -> Clause:
    return {"term": {field: value[0]}} if len(value) == 1 else {"terms": {field: list(value)}}


def any_held(line: LineValues, field: str, value: tuple[str, ...], how: How) -> bool:
    """Whether the line holds one of the codes."""
    return any(each in value for each in held(line, field))


def _set_side_by_side(line: LineValues, field: str, value: Any, how: How) -> str:
    return f"{shown(value)} billed, {shown(held(line, field))} authorized"


def _whole_field(values: Values, how: How) -> tuple[str, ...] | None:
    """The one code that the claim gives; None where it gives none or several."""
    found = codes_of(values, how)
    return found if found and len(found) == 1 else None


ANY_OF = Comparison(
    name="any-of",
    types=CODED,
    read=codes_of,
    clause=_in_terms,
    fits=any_held,
    why=_set_side_by_side,
)

EQUAL = replace(ANY_OF, name="equal", read=_whole_field, claims=(1, 1))


def _beginnings(values: Values, how: How) -> tuple[str, ...] | None:
    found = codes_of(values, how)
    return tuple({each[: how.length]: None for each in found}) if found else None


def _begins_in_elasticsearch(field: str, value: tuple[str, ...], how: How) -> Clause:
    # A code shorter than the length begins like itself alone, in both faces.
    clauses = [
        {"prefix": {field: each}} if len(each) == how.length else {"term": {field: each}}
        for each in value
    ]
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses}}


def _begins(line: LineValues, field: str, value: tuple[str, ...], how: How) -> bool:
    return any(each[: how.length] in value for each in held(line, field))


ANY_OF_PREFIX = Comparison(
    name="any-of-prefix",
    types=KEYWORD,
    read=_beginnings,
    clause=_begins_in_elasticsearch,
    fits=_begins,
    why=_set_side_by_side,
    options=frozenset({"length"}),
)


def _all_billed_in_elasticsearch(field: str, value: tuple[str, ...], how: How) -> Clause:
    path, _, name = field.rpartition("lines.")
    count = f"{path}lines.{COUNTED[name]}"
    return {"terms_set": {field: {"terms": list(value), "minimum_should_match_field": count}}}


def _all_billed(line: LineValues, field: str, value: tuple[str, ...], how: How) -> bool:
    authorized = held(line, field)
    return bool(authorized) and all(each in value for each in authorized)


SUBSET = Comparison(
    name="subset",
    types=KEYWORD,
    read=codes_of,
    clause=_all_billed_in_elasticsearch,
    fits=_all_billed,
    why=_set_side_by_side,
)
"""All that the authorization names is billed; what is billed beside it does not matter."""


def _all_authorized_in_elasticsearch(field: str, value: tuple[str, ...], how: How) -> Clause:
    return {"bool": {"filter": [{"term": {field: each}} for each in value]}}


def _all_authorized(line: LineValues, field: str, value: tuple[str, ...], how: How) -> bool:
    authorized = held(line, field)
    return all(each in authorized for each in value)


WITHIN = replace(
    SUBSET, name="within", clause=_all_authorized_in_elasticsearch, fits=_all_authorized
)
"""All that is billed is authorized; what is authorized beside it does not matter."""
