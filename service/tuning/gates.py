"""Judges a report by gates: whether what a draft moves may be published as it stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from service.domain.gates import Gate, GateName, GateTable

Json = dict[str, Any]
Outcome = Literal["holds", "warns", "denies", "unknown"]


@dataclass(frozen=True, slots=True)
class _Figure:
    """What a gate looks at: in words, in which unit, and how it is taken from a report."""

    says: str
    unit: Literal["lines", "percent"]
    of: Callable[[Mapping[str, Any]], Fraction | None]
    is_least: bool = False


def _harm(report: Mapping[str, Any], name: str) -> int:
    return sum(int(each["lines"]) for each in report["harm"] if each["harm"] == name)


def _percent(part: int, whole: int) -> Fraction:
    return Fraction(100 * part, max(whole, 1))


def _exact_lost(report: Mapping[str, Any]) -> Fraction:
    exact = sum(each["lines"] for each in report["matrix"] if each["before"] == "exact")
    return _percent(_harm(report, "exact_lost"), exact)


def _fall(measure: str) -> Callable[[Mapping[str, Any]], Fraction | None]:
    """By how much a share comes out under the interval that it had before."""

    def fall(report: Mapping[str, Any]) -> Fraction | None:
        before, after = (report["automatic"][each][measure] for each in ("before", "after"))
        if before["low"] is None or after["share"] is None:
            return None
        # As they are written in the report: who reads it comes to the same.
        under = Fraction(str(before["low"])) - Fraction(str(after["share"]))
        return max(Fraction(0), 100 * under)

    return fall


def _review_growth(report: Mapping[str, Any]) -> Fraction:
    before, after = (report["review"][each]["lines"] for each in ("before", "after"))
    return _percent(max(0, after - before), before)


FIGURES: Mapping[GateName, _Figure] = {
    "other_authorization": _Figure(
        "lines for which another authorization is chosen first",
        "lines",
        lambda report: Fraction(_harm(report, "other_authorization")),
    ),
    "exact_lost": _Figure("of the exact lines are exact no more", "percent", _exact_lost),
    "newly_automatic": _Figure(
        "of the lines are taken where none was, without an examiner",
        "percent",
        lambda report: _percent(_harm(report, "newly_automatic"), report["lines"]["judged"]),
    ),
    "precision_fall": _Figure(
        "under the interval of the precision before", "percent", _fall("precision")
    ),
    "recall_fall": _Figure("under the interval of the recall before", "percent", _fall("recall")),
    "review_growth": _Figure("more lines for examiners", "percent", _review_growth),
    "left_out": _Figure(
        "of the lines are judged by nothing",
        "percent",
        lambda report: _percent(report["lines"]["left"], report["lines"]["all"]),
    ),
    "few_lines": _Figure(
        "lines are judged",
        "lines",
        lambda report: Fraction(report["lines"]["judged"]),
        is_least=True,
    ),
}
"""By gate, what it looks at."""


def judge_gates(report: Mapping[str, Any], table: GateTable) -> Json:
    """Judge a report; ``hold`` says that nothing denies. A figure that is not known warns."""
    judged = [
        _judged(name, gate, FIGURES[name], report)
        for name, gate in table.asked.items()
        if gate != Gate()
    ]
    return {"hold": all(each["outcome"] != "denies" for each in judged), "gates": judged}


def _judged(name: GateName, gate: Gate, asked: _Figure, report: Mapping[str, Any]) -> Json:
    figure = asked.of(report)
    return {
        "gate": name,
        "says": asked.says,
        "unit": asked.unit,
        "figure": None if figure is None else round(float(figure), 4),
        "deny": gate.deny,
        "warn": gate.warn,
        "outcome": _outcome(figure, gate, is_least=asked.is_least),
    }


def _outcome(figure: Fraction | None, gate: Gate, *, is_least: bool) -> Outcome:
    if figure is None:
        return "unknown"

    def passes(bound: int | None) -> bool:
        return bound is not None and (figure < bound if is_least else figure > bound)

    if passes(gate.deny):
        return "denies"
    return "warns" if passes(gate.warn) else "holds"


def gate_words(judged: Mapping[str, Any]) -> str:
    """What a gate that was judged comes to, in words."""
    if judged["figure"] is None:
        return "not known: there are too few labels"
    unit = "%" if judged["unit"] == "percent" else ""
    side = "under" if judged["gate"] == "few_lines" else "over"
    bounds = [
        f"{'denied' if name == 'deny' else 'warns'} {side} {judged[name]}{unit}"
        for name in ("deny", "warn")
        if judged[name] is not None
    ]
    return f"{judged['figure']:g}{unit} {judged['says']} ({', '.join(bounds)})"
