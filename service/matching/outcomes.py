"""What of an answered claim goes into the rates by which rules are watched.

A row for each template that looked for something that a line needs, with how many lines came to
what.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypedDict

from service.domain.claim import AuthorizationKind, kinds_meeting

Rate = Literal["exact", "non_exact", "none", "truncated", "relaxed", "near_miss", "overturned"]
RATES: tuple[Rate, ...] = (
    "exact",
    "non_exact",
    "none",
    "truncated",
    "relaxed",
    "near_miss",
    "overturned",
)
"""The first three are the classes, of which a line has one; of the others it may have any."""

Selected = Mapping[tuple[int, AuthorizationKind], str]
"""By line and type, the authorization that a person put first."""


class Outcomes(TypedDict):
    """What the lines came to for which a template looked: how many, and how many of each rate."""

    template: str
    lines: int
    counts: dict[Rate, int]


def template_named(result: Mapping[str, Any]) -> str:
    """A template with its version, as rates name it."""
    return f"{result['template']}@{result['template_version']}"


def set_number(name: str | None) -> str:
    """The number of a set of rules by the name that an answer gives it; empty for none."""
    return (name or "").partition(":")[0]


def outcomes_of(
    results: Iterable[tuple[int, Mapping[str, Any]]], selected: Selected
) -> list[Outcomes]:
    """Count results by template; each comes with its claim line, those not needed are left out."""
    found: dict[str, Outcomes] = {}
    for line, result in results:
        if not result["required"]:
            continue
        name = template_named(result)
        row = found.setdefault(name, {"template": name, "lines": 0, "counts": {}})
        row["lines"] += 1
        for rate in rates_of(result, _first_selected(line, result["type"], selected)):
            row["counts"][rate] = row["counts"].get(rate, 0) + 1
    return list(found.values())


def _first_selected(line: int, kind: AuthorizationKind, selected: Selected) -> str | None:
    if not selected:
        return None
    names = (selected.get((line, each)) for each in kinds_meeting(kind))
    return next((name for name in names if name is not None), None)


def rates_of(result: Mapping[str, Any], selected: str | None = None) -> list[Rate]:
    """What a result counts as; ``selected`` is what a person put first, where one did.

    It is overturned where the automatic answer took another, or found none at all: who picks one of
    several that were found for him does what he was asked to.
    """
    match_class = result["class"]
    rates: list[Rate] = ["non_exact" if match_class == "non-exact" else match_class]
    if result["truncated"]:
        rates.append("truncated")
    if result["relaxed"]:
        rates.append("relaxed")
    if match_class == "none" and result["near_misses"]:
        rates.append("near_miss")
    took = result["chosen"]
    if selected is not None and (selected not in took if took else match_class == "none"):
        rates.append("overturned")
    return rates
