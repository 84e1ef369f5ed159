"""Comparisons through a reference table: in the authorized group, in one group, below, above."""

from dataclasses import replace

from service.comparison._codes import KEYWORD, any_held
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
from service.domain.reference import GroupTable, Interval


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


IN_GROUP = Comparison(
    name="in-group",
    types=KEYWORD,
    read=_groups_billed,
    clause=_named_in_elasticsearch,
    fits=any_held,
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
    ranks = _ranks_billed(values, how)
    if ranks is None:
        return None
    return tuple(_table(how).groups)[max(ranks) + 1 :] if ranks else ()


def _ranks_under(values: Values, how: How) -> tuple[str, ...] | None:
    """The groups that rank lower than every billed code."""
    ranks = _ranks_billed(values, how)
    if ranks is None:
        return None
    return tuple(_table(how).groups)[: min(ranks)] if ranks else ()


def _ranks_billed(values: Values, how: How) -> list[int] | None:
    billed = _groups_billed(values, how)
    return None if billed is None else [_table(how).rank(name) for name in billed]


def _rank_side_by_side(line: LineValues, field: str, value: tuple[str, ...], how: How) -> str:
    return f"{shown(held(line, field))} authorized, another rank of {_table(how).id} billed"


BELOW = replace(IN_GROUP, name="below", read=_ranks_over, why=_rank_side_by_side)
"""The billed rank of an ordered table is lower than the authorized one."""

ABOVE = replace(IN_GROUP, name="above", read=_ranks_under, why=_rank_side_by_side)
"""The billed rank of an ordered table is higher than the authorized one."""
