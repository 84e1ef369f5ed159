"""What a set of rules comes to: right automatic decisions, and what another threshold would do."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import sqrt
from typing import Any

import orjson

from service.comparison.plan import Plan
from service.rules.book import RuleBook
from service.rules.changes import content_of
from service.tuning.columns import KINDS, Columns
from service.tuning.judging import Judge, Judging

Json = dict[str, Any]
Texts = dict[str, str]

SWEEP_LINES_MAX = 5_000
"""A sweep of a report looks at no more lines than that: whole claims, spread over the study."""

SWEPT = range(40, 101, 5)
"""The thresholds of a sweep, in percent."""

_Z = 1.959963984540054
"""Of a normal distribution 95 % lie within so many standard deviations."""

LabelKey = tuple[str, int, str]
"""Claim, line and kind."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Which authorization is right for claim lines, by whoever looked; None where none is."""

    hash: str = ""
    right: Mapping[LabelKey, str | None] = field(default_factory=dict)


def wilson(hits: int, of: int) -> Json:
    """A share with its Wilson interval of 95 %; nulls of nothing."""
    if not of:
        return {"right": hits, "of": of, "share": None, "low": None, "high": None}
    found, square = hits / of, _Z * _Z
    middle = (found + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(found * (1 - found) / of + square / (4 * of * of)) / (1 + square / of)
    return {
        "right": hits,
        "of": of,
        "share": round(found, 6),
        "low": round(max(0.0, middle - half), 6),
        "high": round(min(1.0, middle + half), 6),
    }


def labelled(
    columns: Columns, judging: Judging, labels: Labels
) -> Iterator[tuple[int, str | None]]:
    """The questions that are labelled and judged, each with what is right."""
    if labels.right:
        for line, asked in enumerate(columns.lines):
            claim = asked.pool.claim.claim.claim_id
            for number, kind in enumerate(KINDS):
                key = claim, asked.line.line, kind
                if line not in judging.left and key in labels.right:
                    yield line * len(KINDS) + number, labels.right[key]


def first_taken(judging: Judging, place: int) -> str | None:
    """The authorization that is taken for a question without an examiner, None where none is."""
    verdict = judging.verdicts.get(place)
    return verdict.chosen[0] if verdict is not None and verdict.is_automatic else None


def automatic_share(columns: Columns, judging: Judging, labels: Labels) -> Json:
    """Precision and recall of what is taken without an examiner, against labels.

    Precision: of the labelled lines for which one was taken, those where the right one is first.
    Recall: of the labelled lines that have a right one, those for which it was taken.
    """
    taken = right = there = found = 0
    for place, label in labelled(columns, judging, labels):
        first = first_taken(judging, place)
        taken += first is not None
        right += first is not None and first == label
        there += label is not None
        found += label is not None and first == label
    automatic = sum(each.is_automatic for each in judging.verdicts.values())
    return {
        "lines": automatic,
        "precision": wilson(right, taken),
        "recall": wilson(found, there),
    }


def sampled(columns: Columns, most: int) -> list[int]:
    """The lines of whole claims, evenly spread, at most so many (but at least one claim)."""
    step = -(-len(columns.lines) // most) if most else 1
    firsts = sorted({asked.first for asked in columns.lines})[:: max(1, step)]
    return [line for first in firsts for line in columns.with_claim(first * len(KINDS))]


def threshold_sweep(columns: Columns, book: RuleBook, labels: Labels, minutes: int) -> Json:
    """What ``non_exact.min`` of all templates would come to at other values."""
    lines = sampled(columns, SWEEP_LINES_MAX)
    known = {each.template.non_exact.min for each in book.plans.values()}
    points = []
    for value in sorted({*SWEPT, *known}):
        judging = Judge(columns, with_threshold(book, value)).judge(lines)
        points.append(point(columns, judging, labels, minutes, value))
    return {
        "key": "non_exact.min",
        "now": sorted(known),
        "lines": len(lines),
        "of": len(columns.lines),
        "points": points,
    }


def key_of(texts: Mapping[str, str], file: str, path: Sequence[str]) -> Any:
    """The value of a key in a file, None where a parent says it; raises LookupError."""
    return _place(_content(texts, file), file, path).get(path[-1])


def with_key(texts: Mapping[str, str], file: str, path: Sequence[str], value: Any) -> Texts:
    """A set of texts with one key of a file set; raises LookupError for a place there is not.

    Entries of lists are named by their ``id``.
    """
    content = _content(texts, file)
    _place(content, file, path)[path[-1]] = value
    return {**texts, file: orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"}


def _content(texts: Mapping[str, str], file: str) -> Json:
    content = content_of(file, texts.get(file))
    if isinstance(content, dict):
        return content
    raise LookupError(f"{file}: there is no such file, or it cannot be read")


def _place(content: Json, file: str, path: Sequence[str]) -> Json:
    """What holds the last key of a path; mappings on the way are made."""
    node: Any = content
    for number, step in enumerate(path[:-1], start=1):
        if isinstance(node, list):
            node = next((e for e in node if isinstance(e, dict) and e.get("id") == step), None)
        elif isinstance(node, dict):
            node = node.setdefault(step, {})
        if node is None:
            raise LookupError(f"{file}: there is no {'.'.join(path[:number])}")
    if isinstance(node, dict):
        return node
    raise LookupError(f"{file}: {'.'.join(path)} is no key that holds a value")


def point(columns: Columns, judging: Judging, labels: Labels, minutes: int, value: int) -> Json:
    """What one value of a sweep comes to."""
    classes = Counter(each.match_class for each in judging.verdicts.values())
    waiting = {place // len(KINDS) for place, each in judging.verdicts.items() if each.waits}
    share = automatic_share(columns, judging, labels)
    return {
        "value": value,
        "exact": classes["exact"],
        "non_exact": classes["non-exact"],
        "none": classes["none"],
        "automatic": share["lines"],
        "review_lines": len(waiting),
        "review_hours": f"{Decimal(len(waiting) * minutes) / 60:.1f}",
        "precision": share["precision"],
        "recall": share["recall"],
    }


def with_threshold(book: RuleBook, least: int) -> RuleBook:
    """A book of which every template has another ``non_exact.min``."""

    def changed(plan: Plan) -> Plan:
        rule = plan.template.non_exact.model_copy(update={"min": least})
        return replace(plan, template=plan.template.model_copy(update={"non_exact": rule}))

    plans = {name: changed(plan) for name, plan in book.plans.items()}
    return RuleBook(
        plans=plans,
        tables=book.tables,
        references=book.references,
        event_codes=book.event_codes,
    )
