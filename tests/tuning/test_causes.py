"""A cause is enough, needed, and the smallest: by formulas of which the causes are known."""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rules.changes import changes, mixed
from service.rules.texts import load_texts
from service.tuning._causes import Cause, Changes, Moved, Outcome, Trying
from service.tuning.columns import Columns
from service.tuning.judging import Judge
from tests.tuning.building import edited, known_study, report_of, shipped_texts
from tests.tuning.test_edits import EDITS

Formula = Callable[[Changes], bool]


class Formulas(Trying):
    """Tries sets on formulas in the place of rules: a question moves where its formula is true."""

    def __init__(self, count: int, *formulas: Formula) -> None:
        super().__init__(Columns(()), count, lambda _: pytest.fail("no book is made"))
        self.formulas = formulas

    def _judged(
        self, changes: Changes, places: Iterable[int]
    ) -> Iterator[tuple[tuple[Changes, int], Outcome]]:
        for place in places:
            yield (changes, place), (self.formulas[place](changes),)

    def found(self) -> list[Cause]:
        """The cause of each formula that is true of all changes."""
        moved = [Moved(place, (False,), (True,), (place,)) for place in range(len(self.formulas))]
        causes = self.causes(moved)
        return [causes[place] for place in range(len(self.formulas))]


def holds(formula: Formula, some: Iterable[int], count: int) -> bool:
    """Whether a set is enough and needed."""
    changes = frozenset(some)
    return formula(changes) and not formula(frozenset(range(count)) - changes)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (lambda made: 2 in made, (2,)),
        (lambda made: {1, 3} <= made, (1, 3)),
        (lambda made: bool({0, 4} & made), (0, 4)),
        (lambda made: {0, 1} <= made or 2 in made, (0, 2)),
        (lambda made: len(made) >= 3, (0, 1, 2)),
        (lambda made: len(made) == 5, (0, 1, 2, 3, 4)),
    ],
    ids=["one", "both needed", "either is enough", "two ways", "any three", "all"],
)
def test_the_cause_of_a_formula_is_known(formula: Formula, expected: tuple[int, ...]) -> None:
    """Of several of one size the first."""
    assert Formulas(5, formula).found() == [Cause(expected)]


@given(data=st.data())
def test_a_cause_is_enough_needed_and_of_the_fewest_changes(data: st.DataObject) -> None:
    """For any formula that is false of none and true of all."""
    count = data.draw(st.integers(1, 5))
    every = [frozenset(some) for n in range(count + 1) for some in combinations(range(count), n)]
    true = data.draw(st.sets(st.sampled_from(every))) - {frozenset()} | {frozenset(range(count))}
    (cause,) = Formulas(count, true.__contains__).found()

    assert holds(true.__contains__, cause.changes, count)
    assert cause.is_smallest
    smaller = (some for some in every if len(some) < len(cause.changes))
    assert not any(holds(true.__contains__, some, count) for some in smaller)


@given(needed=st.sets(st.integers(0, 39), min_size=3, max_size=8))
@settings(max_examples=15)
def test_of_many_changes_nothing_in_a_cause_can_be_left_out(needed: set[int]) -> None:
    """Where sets are too many to be tried all."""
    formula = frozenset(needed).issubset
    (cause,) = Formulas(40, formula).found()

    assert holds(formula, cause.changes, 40)
    assert all(not holds(formula, set(cause.changes) - {each}, 40) for each in cause.changes)


def test_a_cause_of_many_changes_is_made_smaller() -> None:
    """After so many sets that were tried nothing of it can be left out, and that is said."""
    (cause,) = Formulas(40, frozenset({3, 20, 39}).issubset).found()
    assert cause == Cause((3, 20, 39), is_smallest=False)


def test_lines_of_a_group_that_have_another_cause_are_tried_alone() -> None:
    """What is found for one is made true for each."""
    trying = Formulas(3, lambda made: 0 in made, lambda made: 1 in made, lambda made: 0 in made)
    moved = [Moved(place, (False,), (True,), ("the same",)) for place in range(3)]

    assert [trying.causes(moved)[place].changes for place in range(3)] == [(0,), (1,), (0,)]


PAIRS = [
    (0, "a criterion that never bars"),
    (5, "a level in full"),
    (9, "taken automatically"),
    (14, "the window narrower"),
]


@pytest.mark.parametrize(("number", "name"), PAIRS)
def test_the_causes_of_a_report_are_true(number: int, name: str) -> None:
    """Made alone they move a line as the draft does; undone they leave it as it was."""
    other = next(edit for edit in EDITS if edit["edit"] == name)
    texts = [(e["file"], e["old"], e["new"]) for e in (*EDITS[number]["texts"], *other["texts"])]
    before = dict(shipped_texts())
    try:
        after = edited(*texts)
    except AssertionError:
        pytest.skip("both edit one text")
    every = changes(before, after)
    report = report_of(known_study(), after)
    columns = Columns.of(known_study())
    ids = {asked.pool.claim.claim.claim_id: line for line, asked in enumerate(columns.lines)}
    kinds = ("authorization", "notification", "referral")

    assert report["rows"]
    for row in report["rows"]:
        place = ids[row["claim_id"]] * 3 + kinds.index(row["kind"])
        made = [every[each] for each in row["cause"]]
        undone = [each for each in every if each not in made]
        for some, expected in ((made, row["after"]), (undone, row["before"])):
            judge = Judge(columns, load_texts(mixed(before, after, some)).book)
            verdict = judge.judge(list(columns.with_claim(place))).verdicts.get(place)
            assert (verdict.match_class if verdict else "not-asked") == expected["class"]
            assert list(verdict.chosen if verdict else ()) == expected["chosen"]
