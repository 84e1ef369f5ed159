"""Rates by which rules are watched: by set, template and payer, as metrics and of a period."""

import os
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, multiprocess

from service.access.subject import BadPart
from service.application.parts import Caller
from service.domain.answers import LineAnswer, MatchedLine
from service.domain.values import Text
from service.matching.outcomes import (
    RATES,
    Outcomes,
    Selected,
    outcomes_of,
    set_number,
)
from service.stores.connection.clock import today

Json = dict[str, Any]

LABELS = ("payer", "set", "template")
OTHER = "other"
SERIES_MAX = 500
"""So many payers, sets and templates a worker tells apart in its metrics; more are ``other``."""
DAYS_BY_DEFAULT = 7

LINES = Counter(
    "authmatch_rule_lines_total",
    "Results that claim lines needed, by payer, set of rules, and template with its version.",
    LABELS,
)
RESULTS = Counter(
    "authmatch_results_total",
    "The same by what they came to: classes, of which each has one, and what else may be said.",
    (*LABELS, "result"),
)

_series: set[tuple[str, str, str]] = set()


def count_results(
    payer: str,
    set_name: str,
    lines: Iterable[LineAnswer] | Iterable[MatchedLine],
    selected: Selected | None = None,
) -> list[Outcomes]:
    """Count what the lines of an answer came to, and say it."""
    results = ((line["line"], result) for line in lines for result in line["results"])
    outcomes = outcomes_of(results, selected or {})
    for each in outcomes:
        labels = _bounded(payer, set_number(set_name), each["template"])
        LINES.labels(*labels).inc(each["lines"])
        for rate, number in each["counts"].items():
            RESULTS.labels(*labels, rate).inc(number)
    return outcomes


def _bounded(*labels: str) -> tuple[str, ...]:
    if labels not in _series:
        if len(_series) >= SERIES_MAX:
            return (OTHER,) * len(labels)
        _series.add(labels)  # type: ignore[arg-type]
    return labels


def metrics_registry() -> CollectorRegistry:
    """The metrics of all workers of this service."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


async def statistics(
    caller: Caller,
    *,
    first: date | None = None,
    last: date | None = None,
    rule_set: int | None = None,
    template: Text | None = None,
) -> Json:
    """What results of a period came to, by set and template, and what this service counted itself.

    The period is of days of answers, the last week where none is said. Raises BadPart for one that
    ends before it starts, EngineFault.
    """
    last = last or today()
    first = first or date.fromordinal(max(1, last.toordinal() - DAYS_BY_DEFAULT + 1))
    if last < first:
        raise BadPart("/query/to", "the period ends before it starts")

    def shown(found: Iterable[tuple[str, Outcomes]]) -> list[Json]:
        rows = (_row(number, each) for number, each in found)
        wanted = {"set": rule_set, "template": template}
        return [row for row in rows if all(v in (None, row[name]) for name, v in wanted.items())]

    await caller.stores.projection.project(caller.payer)
    kept = caller.stores.kept
    adjudicated = await kept.outcomes(caller.payer, first, last, adjudicated=True)
    matched = await kept.outcomes(caller.payer, first, last, adjudicated=False)
    share = caller.parts.settings.kept_matches_share
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "adjudicated": shown(adjudicated),
        "matched": {"share": share, "rows": shown(matched)},
        "live": shown(_live(caller.payer)),
    }


def _live(payer: str) -> list[tuple[str, Outcomes]]:
    """What the workers of this service counted for a payer since they started."""
    found: dict[tuple[str, str], Outcomes] = {}
    for name, labels, value in _samples():
        if labels.get("payer") != payer:
            continue
        key = labels["set"], labels["template"]
        row = found.setdefault(key, {"template": key[1], "lines": 0, "counts": {}})
        if name == "authmatch_rule_lines_total":
            row["lines"] = int(value)
        else:
            row["counts"].update({rate: int(value) for rate in RATES if rate == labels["result"]})
    return [(number, row) for (number, _), row in sorted(found.items())]


def _samples() -> Iterable[tuple[str, Mapping[str, str], float]]:
    names = ("authmatch_rule_lines", "authmatch_results")
    for family in metrics_registry().collect():
        if family.name in names:
            for sample in family.samples:
                if sample.name.endswith("_total"):
                    yield sample.name, sample.labels, sample.value


def _row(number: str, each: Outcomes) -> Json:
    name, _, version = each["template"].partition("@")
    lines = each["lines"]
    counts = {rate: each["counts"].get(rate, 0) for rate in RATES}
    return {
        "set": int(number) if number.isdecimal() else None,
        "template": name,
        "template_version": int(version) if version.isdecimal() else None,
        "lines": lines,
        "counts": counts,
        "percent": {
            rate: round(100 * count / lines, 2) if lines else None for rate, count in counts.items()
        },
    }
