"""Random claims under random edits: a study is judged as a match would come out."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.rules.book import RuleBook
from service.tuning.columns import Columns
from service.tuning.judging import Judge
from service.tuning.study import StudyClaim, read_line, write_line
from tests.builders import build_authorization, build_claim
from tests.flow.random_papers import Papers
from tests.tuning.building import book_of, edited, frozen, live_outcomes
from tests.tuning.test_edits import EDITS

MEMBER = "M0001"


def random_study(seed: int, claims: int) -> list[StudyClaim]:
    """Claims with authorizations that agree here and there, some of them renewed grants."""
    papers, rng = Papers(seed), Random(seed)
    study = []
    for number in range(claims):
        many = [papers.authorization(f"A-{number}-{at}", MEMBER) for at in range(rng.randint(0, 5))]
        claim = papers.claim(f"C-{number}", MEMBER)
        if rng.random() < 0.3:
            claim, more = renewed(rng, number)
            many += more
        study.append(frozen(claim, *many))
    return study


def renewed(rng: Random, number: int) -> tuple[Claim, list[Authorization]]:
    """A claim over the end of a grant that was renewed, and a number that fits one line alone."""
    first = f"2026-04-{rng.randint(20, 29)}"
    line = {"from": first, "to": f"2026-05-{rng.randint(1, 9):02}", "units": "3"}
    other = {"procedure": rng.choice(("97112", "98940", "27447")), "from": first}
    grants = [
        build_authorization(
            authorization_id=f"R-{number}-{at}",
            number=f"AU-{at}",
            effective=days,
            line={"procedure": rng.choice(({"from": "97110", "to": "97140"}, {"from": "98940"}))},
            certification_date=f"2026-02-0{rng.randint(1, 9)}",
        )
        for at, days in enumerate(
            ({"from": "2026-03-01", "to": "2026-04-30"}, {"from": "2026-05-01", "to": "2026-07-31"})
        )
    ]
    needed = {"benefit": {"requested_type": "authorization"}}
    claim = build_claim(claim_id=f"C-{number}", lines=[line | needed, other | needed])
    return claim, grants


def mixed_book(seed: int, some: int) -> RuleBook | None:
    """The shipped rules with a few of the known edits; None where they do not fit together."""
    rng = Random(seed)
    edits: list[tuple[str, str, str]] = []
    for edit in rng.sample(EDITS, some):
        texts = [(each["file"], each["old"], each["new"]) for each in edit["texts"]]
        try:
            edited(*edits, *texts)
        except AssertionError:
            continue
        edits += texts
    try:
        return book_of(*edits)
    except Exception:  # noqa: BLE001 - two edits may contradict each other
        return None


def judged_alike(study: list[StudyClaim], book: RuleBook, columns: Columns) -> None:
    """Compare all verdicts that memory can give with those of the flow."""
    judging = Judge(columns, book).judge()
    live = live_outcomes(study, book)
    found = {place: verdict.outcome for place, verdict in judging.verdicts.items()}
    assert found == {
        place: outcome for place, outcome in live.items() if place // 3 not in judging.left
    }


@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), edits=st.integers(0, 4))
def test_a_study_is_judged_as_a_match_would_be(seed: int, edits: int) -> None:
    """Also after another book used the same columns."""
    study = random_study(seed, 12)
    columns = Columns.of(study)
    judged_alike(study, book_of(), columns)
    if (book := mixed_book(seed, edits)) is not None:
        judged_alike(study, book, columns)


@pytest.mark.parametrize("seed", range(3))
def test_a_drawn_study_is_judged_as_a_match_would_be(seed: int) -> None:
    """The same each time."""
    study = random_study(seed, 25)
    judged_alike(study, book_of(), Columns.of(study))


@pytest.mark.long
@settings(max_examples=60)
@given(seed=st.integers(0, 10_000_000), edits=st.integers(0, 6))
def test_a_study_is_judged_as_a_match_would_be_many_times(seed: int, edits: int) -> None:
    """More of them, with more edits at once."""
    study = random_study(seed, 15)
    columns = Columns.of(study)
    for each in range(3):
        if (book := mixed_book(seed + each, edits)) is not None:
            judged_alike(study, book, columns)


def test_lines_are_judged_the_same_alone_and_among_others() -> None:
    """A claim is all that a line hangs on."""
    study = random_study(7, 30)
    columns = Columns.of(study)
    whole = Judge(columns, book_of()).judge().verdicts
    for line, asked in enumerate(columns.lines):
        if asked.first == line:
            some = list(columns.with_claim(line * 3))
            alone = Judge(columns, book_of()).judge(some).verdicts
            for place, verdict in alone.items():
                assert verdict.outcome == whole[place].outcome


@pytest.mark.parametrize(
    ("days", "before", "is_left"),
    [(30, 30, False), (7, 7, False), (6, 7, True), (0, 7, True), (30, 0, False)],
)
def test_a_window_over_the_days_of_the_study_is_left(days: int, before: int, is_left: bool) -> None:
    """What was not looked for cannot be said to be missing."""
    wide = (
        "base.yaml",
        "{before: 7, after: 7, max: 30}",
        f"{{before: {before}, after: 7, max: 30}}",
    )
    study = [frozen(build_claim(), build_authorization(), days=days)]
    after = ("base.yaml", "after: 7", f"after: {min(7, days)}")
    book = book_of(wide, after) if days < 7 and before == days else book_of(wide)

    assert bool(Judge(Columns.of(study), book).judge().left) is (is_left or days < 7)


def test_a_raw_clause_is_left_to_the_engine() -> None:
    """And no other line of its claim is judged without it."""
    clause = "{term: {attached.case_manager: 'on'}}"
    raw = f"  - {{id: raw, levels: [{{id: case, raw: {clause}, weight: 2}}]}}\n"
    book = book_of(("dental.yaml", "criteria:\n", f"criteria:\n{raw}"))
    study = [
        frozen(build_claim(), build_authorization()),
        frozen(build_claim("dental"), build_authorization("dental")),
    ]
    needed = Claim.model_validate(
        study[1].claim.model_dump(mode="json", by_alias=True)
        | {"lines": [{"line": 1, "procedure": "D2740", "from": "2026-03-12"}]}
    )
    study[1] = replace(study[1], claim=needed)

    assert Judge(Columns.of(study), book).judge().left == frozenset({1})


def test_a_claim_with_too_many_candidates_is_left() -> None:
    """One search takes no more."""
    study = [replace(frozen(build_claim(), build_authorization()), is_cut=True)]

    assert Judge(Columns.of(study), book_of()).judge().left == frozenset({0})


def test_a_study_is_read_back_as_it_was_written() -> None:
    """Byte for byte, and it is judged the same."""
    study = random_study(3, 20)
    lines = [write_line(each) for each in study]
    again = [read_line(line) for line in lines]

    assert [write_line(each) for each in again] == lines
    assert live_outcomes(again, book_of()) == live_outcomes(study, book_of())
