"""Labels of claim lines: what stands, where people differ, what is shown, what is covered."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tuning.columns import Columns
from service.tuning.golden import (
    Label,
    Labelled,
    coverage,
    labels_of,
    lines_of,
    misfits_of,
    settled,
    shown_blind,
    to_label,
)
from service.tuning.judging import Judge
from tests.tuning.building import book_of, known_study

AGREES = "agrees.1"
RIGHT = "agrees-1-0"
CLAIMS = {each.claim.claim_id: each for each in known_study()}
NAMES = [(name, [line.line for line in each.claim.lines]) for name, each in CLAIMS.items()]


def label(authorization: str | None = RIGHT, **changes: Any) -> Label:
    """A label of a line that one authorization covers."""
    return Label.model_validate(
        {"claim_id": AGREES, "line": 1, "authorization": authorization, **changes}
    )


def said(by: str, authorization: str | None = RIGHT, number: Any = 1, **changes: Any) -> Labelled:
    """A label that somebody gave."""
    return Labelled(
        label=label(authorization, **changes), by=by, at="2026-03-01T00:00:00Z", number=number
    )


@pytest.mark.parametrize(
    ("labels", "conflict", "right"),
    [
        ([said("ann")], False, RIGHT),
        ([said("ann", None)], False, None),
        ([said("ann"), said("kim")], False, RIGHT),
        ([said("ann"), said("kim", None)], True, ...),
        ([said("ann"), said("kim", "X")], True, ...),
        ([said("ann"), said("kim", "X"), said("kim", RIGHT, 2)], False, RIGHT),
        ([said("kim", RIGHT, 2), said("kim", "X"), said("ann")], False, RIGHT),
        ([said("ann"), said("ann", None, 2)], False, None),
        ([said("ann", **{"class": "exact"}), said("kim", **{"class": "non-exact"})], True, ...),
        ([said("ann", **{"class": "exact"}), said("kim")], False, RIGHT),
        (
            [
                said("ann"),
                said("kim", **{"class": "exact"}),
                said("lee", **{"class": "non-exact"}),
            ],
            True,
            ...,
        ),
    ],
)
def test_the_newest_label_of_each_person_stands(
    labels: Sequence[Labelled], conflict: bool, right: Any
) -> None:
    """What people differ of is left out of what is right."""
    (line,) = lines_of(labels)

    assert line.is_conflict is conflict
    assert dict(settled([line]).right) == (
        {} if conflict else {(AGREES, 1, "authorization"): right}
    )


def test_a_name_that_is_named_is_the_person() -> None:
    """Two credentials that act for one person give the labels of one."""
    labels = [
        Labelled(label=label(), by="desk", on_behalf_of="ann", at="1"),
        Labelled(label=label(None), by="ann", at="2", number=2),
    ]

    (line,) = lines_of(labels)
    assert [each.label.authorization for each in line.labels] == [None]


@given(st.permutations([said("ann"), said("kim", "X"), said("ann", None, 2), said("lee", "Y")]))
def test_the_order_in_which_labels_are_read_changes_nothing(labels: list[Labelled]) -> None:
    """They are ordered by their numbers, never by when they came."""
    (line,) = lines_of(labels)

    assert [(each.who, each.label.authorization) for each in line.labels] == [
        ("ann", None),
        ("kim", "X"),
        ("lee", "Y"),
    ]


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"claim_id": "gone"}, (0, "claim_id"), "no such claim"),
        ({"line": 9}, (0, "line"), "no such line"),
        ({"authorization": "late-1-0"}, (0, "authorization"), "null where none is right"),
        ({"authorization": None, "class": "exact"}, (0, "class"), "the class is none"),
        ({"class": "none"}, (0, "class"), "exact or non-exact"),
    ],
)
def test_a_label_that_fits_no_line_of_the_study_is_refused(
    changes: dict[str, Any], path: tuple[Any, ...], words: str
) -> None:
    """With its place and the way out."""
    ((found, reason),) = misfits_of([label(**changes)], CLAIMS)

    assert found == path
    assert words in reason


def test_labels_that_fit_are_taken() -> None:
    """An authorization of the claim, or none; of another kind the same line once more."""
    labels = [label(), label(None, kind="referral"), label(None, claim_id="nothing.1")]
    assert list(misfits_of(labels, CLAIMS)) == []
    assert labels_of([]).hash == ""
    assert labels_of(labels).hash == labels_of(reversed(labels)).hash


def test_a_line_that_is_labelled_twice_at_once_is_refused() -> None:
    """Neither of two can be meant more than the other."""
    found = list(misfits_of([label(), label(None), label()], CLAIMS))

    assert [path for path, _ in found] == [(1,), (2,)]
    assert found[0][1].startswith("label 0 is for the same line")


@pytest.mark.parametrize(
    ("who", "second", "is_shown"),
    [("ann", False, False), ("kim", False, False), ("ann", True, False), ("kim", True, True)],
)
def test_a_labelled_line_waits_for_another_person_alone(
    who: str, second: bool, is_shown: bool
) -> None:
    """Who labelled it is not asked again; who has not is asked where a second label is wanted."""
    shown = to_label(NAMES, lines_of([said("ann")]), who, second=second)
    names = {name for name, _ in shown}

    assert (AGREES in names) is is_shown
    assert len(shown) == (int(is_shown) if second else len(CLAIMS) - 1)


def test_two_labels_are_enough() -> None:
    """A third person is not asked."""
    lines = lines_of([said("ann"), said("kim")])
    assert to_label(NAMES, lines, "lee", second=True) == []


def test_chance_draws_the_order() -> None:
    """The same for all, another by the seed, and no order of the study."""
    names = [
        [name for name, _ in to_label(NAMES, [], "ann", second=False, seed=s)] for s in (0, 0, 1)
    ]

    assert names[0] == names[1]
    assert names[0] != names[2]
    assert sorted(names[0]) == sorted(CLAIMS)
    assert names[0] != list(CLAIMS)


def test_a_line_is_shown_without_what_the_engine_says() -> None:
    """The claim and its authorizations, in an order that chance draws for the line."""
    shown = shown_blind(CLAIMS["two-grants.1"], 1)

    assert set(shown) == {"claim_id", "line", "claim", "authorizations"}
    assert {each["authorization_id"] for each in shown["authorizations"]} == {
        "two-grants-1-0",
        "two-grants-1-1",
    }
    said_of_it = str(shown)
    for word in ("match_class", "percent", "score", "decided", "chosen", "template"):
        assert word not in said_of_it


def test_coverage_counts_by_template_and_criterion() -> None:
    """Lines, labels, those of two people, conflicts; criteria of what is labelled alone."""
    columns = Columns.of(known_study())
    judging = Judge(columns, book_of()).judge()
    labels = [
        said("ann"),
        said("kim"),
        said("ann", None, claim_id="nothing.1"),
        said("ann", "stay-1-0", claim_id="stay.1", kind="authorization"),
        said("kim", None, claim_id="stay.1", kind="authorization"),
    ]
    found = coverage(columns, judging, lines_of(labels))

    by_name = {each["template"]: each for each in found["templates"]}
    professional, inpatient = by_name["professional"], by_name["inpatient"]
    assert [professional[name] for name in ("labelled", "none_is_right", "by_two")] == [2, 1, 1]
    assert (inpatient["labelled"], inpatient["conflicts"]) == (1, 1)
    assert by_name["dental"]["labelled"] == 0 < by_name["dental"]["lines"]
    criteria = {(each["template"], each["criterion"]): each for each in found["criteria"]}
    assert criteria["professional", "procedure"]["full"] == 1
    assert ("dental", "procedure") not in criteria
