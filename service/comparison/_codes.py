"""Comparisons of codes: equal, any of, beginning alike, all held, all billed.

Those through a reference table: in the authorized group, in one group, below, above.
"""

from dataclasses import replace
from typing import Any

from service.comparison.comparison import (
    MATCH_NOTHING,
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
from service.domain.reference import GroupTable, Interval

CODED: frozenset[FieldType] = frozenset({"keyword", "long", "boolean", "date"})
KEYWORD: frozenset[FieldType] = frozenset({"keyword"})


def _in_terms(field: str, value: tuple[str, ...], how: How) -> Clause:
    return {"term": {field: value[0]}} if len(value) == 1 else {"terms": {field: list(value)}}


def any_held(line: LineValues, field: str, value: tuple[str, ...], how: How) -> bool:
    """Whether the line holds one of the codes."""
    return any(map(value.__contains__, held(line, field)))


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


ANY_OF_PREFIX = replace(
    ANY_OF,
    name="any-of-prefix",
    types=KEYWORD,
    read=_beginnings,
    clause=_begins_in_elasticsearch,
    fits=_begins,
    options=frozenset({"length"}),
)


def _all_billed_in_elasticsearch(field: str, value: tuple[str, ...], how: How) -> Clause:
    path, _, name = field.rpartition("lines.")
    count = f"{path}lines.{COUNTED[name]}"
    return {"terms_set": {field: {"terms": list(value), "minimum_should_match_field": count}}}


def _all_billed(line: LineValues, field: str, value: tuple[str, ...], how: How) -> bool:
    authorized = held(line, field)
    return bool(authorized) and all(each in value for each in authorized)


SUBSET = replace(
    ANY_OF,
    name="subset",
    types=KEYWORD,
    clause=_all_billed_in_elasticsearch,
    fits=_all_billed,
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


def _table(how: How) -> GroupTable:
    if how.groups is None:
        raise ValueError("this comparison needs a group table")
    return how.groups


def _groups_billed(values: Values, how: How) -> tuple[str, ...] | None:
    """The groups of the billed codes: () where no group holds them, None without a code."""
    found = codes_of(values, how)
    if found is None:
        return None
    table = _table(how)
    return tuple({name: None for code in found for name in table.groups_of(code)})


def _named_in_elasticsearch(field: str, value: tuple[str, ...], how: How) -> Clause:
    return {"terms": {field: list(value)}} if value else MATCH_NOTHING


def _groups_side_by_side(line: LineValues, field: str, value: tuple[str, ...], how: How) -> str:
    return f"in {shown(value)} of {_table(how).id}; {shown(held(line, field))} authorized"


IN_GROUP = replace(
    ANY_OF,
    name="in-group",
    types=KEYWORD,
    read=_groups_billed,
    clause=_named_in_elasticsearch,
    why=_groups_side_by_side,
    options=frozenset({"groups"}),
)
"""The authorization names a group, and a billed code is in it."""


def _fellows(values: Values, how: How) -> tuple[Interval, ...] | None:
    """The codes that share a group with a billed one, as intervals."""
    names = _groups_billed(values, how)
    return None if names is None else _table(how).intervals_of(names)


def _among_in_elasticsearch(field: str, value: tuple[Interval, ...], how: How) -> Clause:
    singles = [first for first, last in value if first == last]
    clauses: list[Clause] = [{"terms": {field: singles}}] if singles else []
    clauses += [
        {"range": {field: {"gte": first, "lte": last}}} for first, last in value if first != last
    ]
    return {"bool": {"should": clauses}} if clauses else MATCH_NOTHING


def _among(line: LineValues, field: str, value: tuple[Interval, ...], how: How) -> bool:
    return any(first <= each <= last for each in held(line, field) for first, last in value)


def _fellows_side_by_side(
    line: LineValues, field: str, value: tuple[Interval, ...], how: How
) -> str:
    return f"{shown(held(line, field))} authorized, in one group of {_table(how).id} or not"


SAME_GROUP = replace(
    IN_GROUP,
    name="same-group",
    read=_fellows,
    clause=_among_in_elasticsearch,
    fits=_among,
    why=_fellows_side_by_side,
)
"""The authorized code and a billed one stand in one group."""


def _ranks_over(values: Values, how: How) -> tuple[str, ...] | None:
    """The groups that rank higher than every billed code."""
    billed, ranks = _groups_billed(values, how), tuple(_table(how).groups)
    return ranks[max(map(_table(how).rank, billed)) + 1 :] if billed else billed


def _ranks_under(values: Values, how: How) -> tuple[str, ...] | None:
    """The groups that rank lower than every billed code."""
    billed, ranks = _groups_billed(values, how), tuple(_table(how).groups)
    return ranks[: min(map(_table(how).rank, billed))] if billed else billed


def _rank_side_by_side(line: LineValues, field: str, value: tuple[str, ...], how: How) -> str:
    return f"{shown(held(line, field))} authorized, another rank of {_table(how).id} billed"


BELOW = replace(IN_GROUP, name="below", read=_ranks_over, why=_rank_side_by_side)
"""The billed rank of an ordered table is lower than the authorized one."""

ABOVE = replace(IN_GROUP, name="above", read=_ranks_under, why=_rank_side_by_side)
"""The billed rank of an ordered table is higher than the authorized one."""
