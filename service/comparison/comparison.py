"""What a comparison is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.domain.claim_values import ClaimValue
from service.domain.codes import as_text
from service.domain.effective import LineValues
from service.domain.fields import FieldType
from service.domain.reference import GroupTable

Clause = dict[str, Any]
"""An Elasticsearch query clause."""

MATCH_NOTHING: Clause = {"match_none": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """The options of one use: days of widening, length of a beginning, a group table."""

    days_before: int = 0
    days_after: int = 0
    length: int = 0
    groups: GroupTable | None = None


Values = tuple[ClaimValue | None, ...]
"""What the claim gives for each field that a level names, in that order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One way to compare. ``name`` is what a template writes.

    ``read`` turns the claim's values into the one value both faces use, None when the claim has
    nothing to compare. ``clause(field, value, how)`` names the Elasticsearch field in full;
    ``fits(line, field, value, how)`` reads the same field of a line's effective values. Where it
    ``widens``, what fits some days also fits all days around them.
    """

    name: str
    types: frozenset[FieldType]
    read: Callable[[Values, How], Any]
    clause: Callable[[str, Any, How], Clause]
    fits: Callable[[LineValues, str, Any, How], bool]
    why: Callable[[LineValues, str, Any, How], str]
    options: frozenset[str] = field(default_factory=frozenset)
    claims: tuple[int, int] = (1, 10)
    widens: bool = False


def codes_of(values: Values, how: How) -> tuple[str, ...] | None:
    """All codes that the claim gives in any of the fields, once each; None where it gives none."""
    found: dict[str, None] = {}
    for value in values:
        if isinstance(value, str):
            found[value] = None
        elif value:
            found.update(dict.fromkeys(value))
    return tuple(found) or None


def span_of(values: Values, how: How) -> tuple[str, str] | None:
    """First and last day, one alone stands for both; None where the claim gives none."""
    days = [value for value in values if isinstance(value, str)]
    return (days[0], max(days[0], days[-1])) if days else None


def held(line: Mapping[str, Any], field_name: str) -> Sequence[str]:
    """What the authorization line holds in a field, as text, none, one or several."""
    value = line.get(field_name)
    if isinstance(value, str):
        return (value,)
    if value is None:
        return ()
    if isinstance(value, list):
        return [each if isinstance(each, str) else as_text(each) for each in value]
    return (as_text(value),)


def shown(texts: Sequence[str]) -> str:
    """Several values as a person reads them."""
    return ", ".join(texts) if texts else "nothing"
