"""Judges a stage by its bands: whether live rates stay near those of the set before."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from service.domain.gates import Band, BandName, BandTable
from service.tuning.measures import wilson

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tally:
    """What claims came to: ``lines`` that needed something, and how many of them had which outcome.

    ``compared`` are lines that both sets judged, ``differing`` those for which they differ.
    """

    claims: int = 0
    lines: int = 0
    none: int = 0
    overturned: int = 0
    compared: int = 0
    differing: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )

    def as_record(self) -> dict[str, int]:
        """Write it as plain JSON."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


_OF: Mapping[BandName, tuple[str, str]] = {
    "no_match": ("none", "lines"),
    "overturned": ("overturned", "lines"),
    "disagreement": ("differing", "compared"),
}


def judge_bands(table: BandTable, staged: Tally, before: Tally) -> list[Json]:
    """Judge every band that has a bound: ``outcome`` is holds, leaves or unknown.

    A rate leaves its band only where its whole interval (Wilson, 95 %) does, so that chance stops
    no stage. The set before disagrees with itself on nothing.
    """
    return [
        _judged(name, band, table.claims_min, staged, before)
        for name, band in table.asked.items()
        if band != Band()
    ]


def _judged(name: BandName, band: Band, claims_min: int, staged: Tally, before: Tally) -> Json:
    hits, of = _OF[name]
    found = wilson(getattr(staged, hits), getattr(staged, of))
    known: Json = {"share": 0.0}
    if name != "disagreement":
        known = wilson(getattr(before, hits), getattr(before, of))
    has_few = before.claims < claims_min and name != "disagreement"
    is_known = found["share"] is not None and known["share"] is not None
    outcome = "unknown"
    if is_known and staged.claims >= claims_min and not has_few:
        above = band.above is not None and found["low"] > known["share"] + band.above / 100
        below = band.below is not None and found["high"] < known["share"] - band.below / 100
        outcome = "leaves" if above or below else "holds"
    return {
        "band": name,
        "percent": _percent(found["share"]),
        "before": _percent(known["share"]),
        "above": band.above,
        "below": band.below,
        "outcome": outcome,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def band_words(judged: Mapping[str, Any]) -> str:
    """What a band that was judged comes to, in words."""
    name = str(judged["band"]).replace("_", " ")
    if judged["percent"] is None:
        return f"{name}: nothing to judge yet"
    before = "" if judged["before"] is None else f", {judged['before']:g} % by the set before"
    bounds = [
        f"{judged[side]} points {side}" for side in ("above", "below") if judged[side] is not None
    ]
    return f"{name} {judged['percent']:g} %{before} (band: {', '.join(bounds)})"
