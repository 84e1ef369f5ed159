"""Shares with their intervals, sweeps of a threshold, and keys that are set in texts."""

from typing import Any

import pytest

from service.tuning.columns import KINDS, Columns
from service.tuning.judging import Judge
from service.tuning.measures import (
    LabelKey,
    Labels,
    automatic_share,
    key_of,
    sampled,
    threshold_sweep,
    wilson,
    with_key,
)
from tests.tuning.building import book_of, known_study, shipped_texts

COLUMNS = Columns.of(known_study())


@pytest.mark.parametrize(
    ("hits", "of", "share", "low", "high"),
    [
        (0, 0, None, None, None),
        (0, 10, 0.0, 0.0, 0.277533),
        (10, 10, 1.0, 0.722467, 1.0),
        (9, 10, 0.9, 0.595850, 0.982124),
        (50, 100, 0.5, 0.403832, 0.596168),
    ],
)
def test_a_share_has_its_wilson_interval(
    hits: int, of: int, share: float | None, low: float | None, high: float | None
) -> None:
    """Of 95 %; the figures are those of the textbook (Wilson 1927)."""
    assert wilson(hits, of) == {"right": hits, "of": of, "share": share, "low": low, "high": high}


def test_precision_is_of_what_is_taken_and_recall_of_what_is_right() -> None:
    """Only labelled lines count, and another authorization taken first is wrong."""
    judging = Judge(COLUMNS, book_of()).judge()
    right: dict[LabelKey, str | None] = {
        ("agrees.1", 1, KINDS[0]): "agrees-1-0",
        ("agrees.2", 1, KINDS[0]): None,
        ("two-grants.1", 1, KINDS[0]): "two-grants-1-0",
        ("same-TIN.1", 1, KINDS[0]): "same-TIN-1-0",
        ("nothing.1", 1, KINDS[0]): None,
        ("gone", 1, KINDS[0]): None,
    }
    share = automatic_share(COLUMNS, judging, Labels("x", right))

    assert (share["precision"]["right"], share["precision"]["of"]) == (1, 3)
    assert (share["recall"]["right"], share["recall"]["of"]) == (1, 3)
    assert automatic_share(COLUMNS, judging, Labels())["precision"]["of"] == 0


@pytest.mark.parametrize(("most", "expected"), [(10**6, 46), (23, 23), (1, 1), (0, 46)])
def test_a_sample_is_spread_over_the_study(most: int, expected: int) -> None:
    """Whole claims, never more lines than asked for; of none there is no bound."""
    some = sampled(COLUMNS, most)
    assert len(some) == len(set(some)) == expected


def test_a_sweep_tells_each_threshold_and_the_present_one() -> None:
    """A higher one makes no match of more lines."""
    swept = threshold_sweep(COLUMNS, book_of(), Labels(), 6)
    points = {each["value"]: each for each in swept["points"]}

    assert swept["now"] == [60]
    assert set(points) == {*range(40, 101, 5)}
    assert points[100]["non_exact"] < points[60]["non_exact"]
    assert points[100]["none"] > points[60]["none"]
    assert {each["exact"] for each in points.values()} == {points[60]["exact"]}
    assert points[60]["review_hours"] == f"{points[60]['review_lines'] / 10:.1f}"


@pytest.mark.parametrize(
    ("file", "path", "now"),
    [
        ("base.yaml", "non_exact.min", 60),
        ("dental.yaml", "auto_resolve.min", None),
        ("professional.yaml", "criteria.procedure.levels.group.weight", 24),
    ],
)
def test_a_key_is_read_and_set(file: str, path: str, now: Any) -> None:
    """Entries of lists by their ids; one that a parent says is not there yet."""
    steps = path.split(".")
    assert key_of(shipped_texts(), file, steps) == now
    assert key_of(with_key(shipped_texts(), file, steps, 7), file, steps) == 7


@pytest.mark.parametrize(
    ("file", "path", "words"),
    [
        ("gone.yaml", "a.b", "there is no such file"),
        ("base.yaml", "criteria.nothing.weight", "there is no criteria.nothing"),
        ("base.yaml", "title.min", "title.min is no key"),
        ("base.yaml", "title.more.min", "title.more.min is no key"),
    ],
)
def test_a_key_that_there_is_not_is_refused(file: str, path: str, words: str) -> None:
    """With what is missing."""
    with pytest.raises(LookupError, match=words):
        key_of(shipped_texts(), file, path.split("."))
