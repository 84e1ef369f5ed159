"""What is suggested is never worse than what is, on what it was made from; the rest is told."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.misfits import Misfit
from service.querying.problem import TemplatesRefused
from service.rules.changes import changes
from service.rules.texts import load_texts
from service.tuning.columns import KINDS, Columns
from service.tuning.measures import LabelKey, Labels
from service.tuning.study import StudyClaim
from service.tuning.suggesting import (
    LABELS_MIN,
    Climb,
    Json,
    Knob,
    Search,
    Standing,
    Trials,
    Values,
    knobs_of,
    outcomes_of,
    suggestion,
    texts_with,
)
from tests.tuning.building import edited, known_study, shipped_texts

NOT_COVERED = {"late 20 days", "another code", "denied", "nothing", "out of network"}
TEMPLATES = ("professional", "dental", "inpatient", "outpatient", "referral")

Rules = Callable[[Values], tuple[int, ...] | None]


class Formulas(Trials):
    """Tries values on a formula in the place of rules."""

    def __init__(self, rules: Rules, labels: int, *knobs: Knob) -> None:
        super().__init__(Columns(()), {}, knobs, [(0, None)] * labels, lambda _: None)
        self.rules = rules

    def _judged(self, values: Values) -> tuple[int, ...] | None:
        return self.rules(values)


def knob(*path: str, value: int, least: int = 0, most: int = 100) -> Knob:
    """A knob of a file."""
    return Knob("base.yaml", path, value, least, most, 0, 0)


def standing(trials: Trials, values: Values, chosen: Iterable[int]) -> Standing:
    """How values come out; they make rules."""
    found = trials.standing(values, chosen)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rules", "now", "expected"),
    [
        (lambda v: (1 if v[0] <= 71 else 0, -1 if v[0] <= 63 else 0), 80, 71),
        (lambda v: (1 if v[0] <= 71 else 0, -1 if v[0] <= 71 else 0), 80, 80),
        (lambda v: (1, -1 if v[0] <= 77 else 0), 77, 78),
        (lambda v: (1, 1) if v[0] == 75 else None if v[0] != 80 else (1, 0), 80, 75),
        (lambda _: (1, -1), 80, 80),
    ],
    ids=["lower until one is wrong", "a wrong one more", "a wrong one less", "no rules", "no use"],
)
def test_a_threshold_of_which_all_is_known(rules: Rules, now: int, expected: int) -> None:
    """The most right ones at no more wrong ones; then the fewest wrong; then the nearest value."""
    trials = Formulas(rules, 2, knob("auto_resolve", "min", value=now))
    assert Climb(trials, range(2), 500).found() == (expected,)


def test_a_switch_is_tried_with_its_threshold_and_lead() -> None:
    """Alone none of the three would be any use."""
    knobs = [
        knob("auto_resolve", "enabled", value=0, most=1),
        knob("auto_resolve", "min", value=80),
        knob("auto_resolve", "lead", value=30, least=1),
    ]

    def rules(values: Values) -> tuple[int, ...]:
        enabled, least, lead = values
        return (1 if enabled and lead <= 20 else 0, -1 if enabled and least < 88 else 0)

    assert Climb(Formulas(rules, 2, *knobs), range(2), 500).found() == (1, 88, 20)


@given(data=st.data())
@settings(max_examples=40)
def test_nothing_worse_is_ever_found(data: st.DataObject) -> None:
    """Of any rules: no fewer right, no more wrong; and no more is tried than may be."""
    count, size = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 8))
    drawn: dict[Values, tuple[int, ...] | None] = {}
    outcomes = st.tuples(*[st.sampled_from((-1, 0, 1))] * size)

    def rules(values: Values) -> tuple[int, ...] | None:
        if values not in drawn:
            drawn[values] = data.draw(st.none() | outcomes if drawn else outcomes)
        return drawn[values]

    paths = (("auto_resolve", "min"), ("non_exact", "min"), ("auto_resolve", "lead"))
    knobs = [knob(*path, value=data.draw(st.integers(0, 100))) for path in paths[:count]]
    trials, tries = Formulas(rules, size, *knobs), data.draw(st.integers(1, 40))
    chosen = data.draw(st.sets(st.integers(0, size - 1), min_size=1))
    found = Climb(trials, sorted(chosen), tries).found()

    now, then = (standing(trials, each, chosen) for each in (trials.present, found))
    assert then.right >= now.right
    assert then.wrong <= now.wrong
    assert (found == trials.present) or (then.right, -then.wrong) > (now.right, -now.wrong)
    assert trials.made <= tries + 1
    assert all(each.least <= value <= each.most for each, value in zip(knobs, found, strict=True))


def twice(claims: Sequence[StudyClaim]) -> list[StudyClaim]:
    """The claims of a study, and all of them again by other ids."""
    return [
        replace(each, claim=each.claim.model_copy(update={"claim_id": each.claim.claim_id + mark}))
        for mark in ("", "x")
        for each in claims
    ]


def labels_for(claims: Sequence[StudyClaim]) -> Labels:
    """What is right by the names of the cases: the first authorization, or none."""
    right: dict[LabelKey, str | None] = {}
    for each in claims:
        case = each.claim.claim_id.rpartition(".")[0].replace("-", " ")
        is_none = case in NOT_COVERED or not each.candidates
        name = None if is_none else each.candidates[0].authorization_id
        right |= {(each.claim.claim_id, 1, kind): name for kind in KINDS}
    return Labels(hash="made up", right=right)


STUDY = twice(known_study())
LABELS = labels_for(STUDY)
FEW = Search(seed=1, parts=2, tries=6)


@cache
def suggested() -> Json:
    """What is suggested of the study."""
    return suggestion(Columns.of(STUDY), shipped_texts(), LABELS, FEW)


def test_non_exact_matches_are_taken_where_labels_speak_for_it() -> None:
    """It is found, drafted with the comments of the file, and judged as it is said."""
    found = suggested()

    now, then, unseen = (found[name] for name in ("now", "suggested", "unseen"))
    assert found["holds"]
    assert then["right"] > now["right"] < unseen["right"]
    assert then["wrong"] <= now["wrong"] >= unseen["wrong"]
    assert then["precision"]["low"] < then["precision"]["share"] < then["precision"]["high"]
    assert found["keys"][0]["path"] == ["auto_resolve", "enabled"]
    assert found["tried"] <= (FEW.parts + 1) * FEW.tries + 1
    words = [each.words for each in changes(shipped_texts(), found["texts"])]
    assert words[0] == "base: auto resolve, enabled false -> true"
    assert len(words) == len(found["keys"])
    comments = [
        [line for line in texts["base.yaml"].splitlines() if "#" in line]
        for texts in (shipped_texts(), found["texts"])
    ]
    assert comments[0] == comments[1]
    book, columns = load_texts(found["texts"]).book, Columns.of(STUDY)
    places = [
        (line * len(KINDS), LABELS.right[asked.pool.claim.claim.claim_id, 1, KINDS[0]])
        for line, asked in enumerate(columns.lines)
    ]
    others = outcomes_of(columns, load_texts(shipped_texts()).book, places)
    assert outcomes_of(columns, book, places).count(1) > others.count(1)


def test_the_same_is_suggested_of_the_same() -> None:
    """By its seed; the order of the claims changes nothing."""
    again = suggestion(Columns.of(STUDY[::-1]), shipped_texts(), LABELS, FEW)
    assert again == suggested()


def test_where_labels_speak_against_it_nothing_is_suggested() -> None:
    """What is taken now is right, and whatever is taken beside it would be wrong."""
    none = Labels(hash="n", right=dict.fromkeys(LABELS.right))
    found = suggestion(Columns.of(STUDY), shipped_texts(), none, FEW)

    assert found["suggested"]["right"] == found["now"]["right"] == 0
    assert found["suggested"]["wrong"] <= found["now"]["wrong"]
    assert not found["holds"]


def test_few_labels_are_refused() -> None:
    """With the number that is needed; lines that the study has not are none."""
    some = list(LABELS.right.items())
    few = Labels(hash="f", right=dict(some[: LABELS_MIN - 1]))
    with pytest.raises(Misfit, match=rf"^\d+ labelled lines of the study .* {LABELS_MIN} are need"):
        suggestion(Columns.of(STUDY), shipped_texts(), few, FEW)
    gone = Labels(hash="g", right={("gone", at, "authorization"): None for at in range(99)})
    with pytest.raises(Misfit, match=r"^0 labelled lines"):
        suggestion(Columns.of(STUDY), shipped_texts(), gone, FEW)


def test_rules_that_cannot_be_read_are_refused() -> None:
    """Before anything is judged."""
    wrong = edited(("professional.yaml", "weight: 24", "weight: heavy"))
    with pytest.raises(TemplatesRefused):
        suggestion(Columns.of(STUDY), wrong, LABELS, FEW)


def test_knobs_are_the_whole_numbers_of_templates() -> None:
    """Of those that are named and those they extend: thresholds, leads, switches and weights."""
    knobs = {(each.file, *each.path): each for each in knobs_of(shipped_texts(), ["professional"])}

    assert {each.file for each in knobs.values()} == {"base.yaml", "professional.yaml"}
    assert knobs["base.yaml", "auto_resolve", "min"].value == 80
    assert knobs["base.yaml", "auto_resolve", "enabled"].value == 0
    weight = knobs["professional.yaml", "criteria", "procedure", "levels", "group", "weight"]
    assert (weight.value, weight.least) == (24, 1)
    assert not any("match_days" in each or "version" in each for each in knobs)
    assert knobs_of(shipped_texts(), ["nowhere"]) == ()


@given(seed=st.randoms(use_true_random=False))
@settings(max_examples=3)
def test_values_are_written_in_their_place_alone(seed: Random) -> None:
    """What is read back is what was turned, and nothing else."""
    knobs = knobs_of(shipped_texts(), TEMPLATES)
    turned = {place: seed.randint(1, 99) for place in seed.sample(range(len(knobs)), 5)}
    values = tuple(
        min(turned.get(place, each.value), each.most) for place, each in enumerate(knobs)
    )
    texts = texts_with(shipped_texts(), knobs, values)

    again = knobs_of(texts, TEMPLATES)
    assert tuple(each.value for each in again) == values
    assert texts_with(texts, again, tuple(each.value for each in knobs)) == dict(shipped_texts())
