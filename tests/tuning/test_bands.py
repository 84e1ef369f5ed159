"""A stage leaves its band only where chance cannot say it, and not before enough claims."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.gates import BANDS, Band, BandTable
from service.tuning.bands import Tally, band_words, judge_bands

USUAL = Tally(claims=2_000, lines=2_000, none=400, overturned=20)
"""One line in five has no match, one in a hundred is overturned."""


def tally(none: int = 200, overturned: int = 10, **more: int) -> Tally:
    """A thousand claims of a stage, as usual."""
    return Tally(
        **{"claims": 1_000, "lines": 1_000, "none": none, "overturned": overturned, **more}
    )


@pytest.mark.parametrize(
    ("staged", "before", "left"),
    [
        (tally(), USUAL, []),
        (tally(none=250), USUAL, []),
        (tally(none=270), USUAL, []),
        (tally(none=300), USUAL, ["no_match"]),
        (tally(none=101), USUAL, []),
        (tally(none=60), USUAL, ["no_match"]),
        (tally(overturned=40), USUAL, []),
        (tally(overturned=60), USUAL, ["overturned"]),
        (tally(overturned=0), USUAL, []),
        (tally(compared=1_000, differing=100), USUAL, []),
        (tally(compared=1_000, differing=150), USUAL, ["disagreement"]),
        (tally(compared=1_000, differing=150), Tally(), ["disagreement"]),
        (tally(none=1_000), Tally(claims=199, lines=199), []),
        (tally(none=1_000, claims=199), USUAL, []),
        (tally(none=1_000, overturned=1_000), USUAL, ["no_match", "overturned"]),
        (Tally(), Tally(), []),
    ],
)
def test_a_rate_leaves_its_band(staged: Tally, before: Tally, left: list[str]) -> None:
    """By more than the band and its interval; on either side where there is a bound."""
    judged = judge_bands(BandTable(), staged, before)

    assert [each["band"] for each in judged] == list(BANDS)
    assert [each["band"] for each in judged if each["outcome"] == "leaves"] == left


def test_bands_are_data() -> None:
    """A band without a bound is not looked at; so many claims as a file says are enough."""
    table = BandTable(
        claims_min=10,
        bands={"no_match": Band(), "overturned": Band(above=1), "disagreement": Band()},
    )
    (judged,) = judge_bands(table, Tally(10, 10, 10, 9), Tally(10, 10))

    assert (judged["band"], judged["outcome"]) == ("overturned", "leaves")
    assert band_words(judged) == "overturned 90 %, 0 % by the set before (band: 1 points above)"


@pytest.mark.parametrize(
    ("staged", "before", "words"),
    [
        (tally(), USUAL, "no match 20 %, 20 % by the set before (band: 5 points above, 10 points"),
        (tally(), Tally(), "no match 20 % (band"),
        (Tally(), USUAL, "no match: nothing to judge yet"),
    ],
)
def test_a_band_is_told_in_words(staged: Tally, before: Tally, words: str) -> None:
    """Both rates, as far as they are known."""
    assert band_words(judge_bands(BandTable(), staged, before)[0]).startswith(words)


def test_tallies_of_workers_are_added() -> None:
    """Each number by itself; what is written is what is read."""
    both = tally(none=1) + USUAL

    assert (both.claims, both.none) == (3_000, 401)
    assert Tally(**both.as_record()) == both


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims_min": 0},
        {"claims_min": "200"},
        {"bands": {"exact": {"above": 1}}},
        {"bands": {"no_match": {"above": -1}}},
        {"bands": {"no_match": {"above": 101}}},
        {"bands": {"no_match": {"over": 1}}},
        {"bands": {"no_match": {"above": 1.5}}},
    ],
)
def test_what_is_no_band_is_refused(wrong: Any) -> None:
    """Whole points of percent, of what is watched."""
    with pytest.raises(ValidationError):
        BandTable.model_validate(wrong)
