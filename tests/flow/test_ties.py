"""Edge case 6: authorizations that rank alike are drawn by what they have left."""

from typing import Any

import pytest

from service.accounting.books.scale import SCALE
from service.domain.authorization import Authorization
from service.flow.adjudicating.choosing import Chosen, by_remaining, tied_ids
from tests.flow.searching import chosen_for, examined, names, paper, searched

LATER = {"certification_date": "2026-02-21"}
STARTS_LATER = {"effective": {"from": "2026-03-02", "to": "2026-05-31"}}
ELSEWHERE = {"place_of_service": "02"}
AUTOMATIC = "auto_resolve: {enabled: true, min: 60, lead: 0}\n"


def chosen(*papers: Authorization, selected: tuple[str, ...] = (), settings: str = "") -> Chosen:
    """What was chosen of authorizations that were all found."""
    return chosen_for(examined(*selected), searched(*papers, settings=settings), *papers)


def used(**units: float | dict[str, float]) -> dict[str, dict[str, int]]:
    """Units used by authorization: on its header, or by account."""
    return {
        name: {
            account: round(number * SCALE)
            for account, number in (given if isinstance(given, dict) else {"H": given}).items()
        }
        for name, given in units.items()
    }


@pytest.mark.parametrize(
    ("second", "tied"),
    [
        ({}, ["A1", "A2"]),
        (LATER, []),
        (STARTS_LATER, []),
        # What was granted makes no rank.
        ({"limits": {"units": "99", "unit": "UN"}}, ["A1", "A2"]),
    ],
)
def test_alike_are_those_of_one_certification_date_and_start(second: Any, tied: list[str]) -> None:
    """Only those need their balances to be read."""
    assert sorted(tied_ids(chosen(paper("A1"), paper("A2", **second)))) == tied


@pytest.mark.parametrize(
    ("committed", "expected"),
    [
        ({}, ["A1", "A2", "A3"]),
        (used(A1=4), ["A2", "A3", "A1"]),
        (used(A1=4, A2=6), ["A3", "A1", "A2"]),
        (used(A1=4, A2=4, A3=4), ["A1", "A2", "A3"]),
        (used(A1=9, A2=9.5, A3=12), ["A1", "A2", "A3"]),
        # The lesser of header and line counts; an account of a period does not.
        (used(A1={"H": 1, "L1": 0}, A3={"L1~2026-03-08": 9}), ["A2", "A3", "A1"]),
    ],
)
def test_the_one_with_the_most_left_is_drawn_first(committed: Any, expected: list[str]) -> None:
    """Among equals the order stays."""
    papers = [paper(name) for name in ("A1", "A2", "A3")]
    ordered = by_remaining(chosen(*papers), committed)

    assert [each.authorization.authorization_id for each in ordered.choices] == expected


@pytest.mark.parametrize(
    ("limits", "line_limits", "is_first"),
    [
        ({"units": "11", "unit": "UN"}, None, True),
        ({"units": "9", "unit": "UN"}, None, False),
        (None, None, True),
        ({"amount": "500"}, None, True),
        (None, {"units": "9", "unit": "UN"}, False),
        ({"units": "99", "unit": "UN"}, {"units": "9", "unit": "UN"}, False),
    ],
)
def test_limits_of_header_and_line(limits: Any, line_limits: Any, is_first: bool) -> None:
    """Beside one of ten units; without a limit of units it has the most left."""
    other = paper("A2", limits=limits, line={"limits": line_limits})
    ordered = by_remaining(chosen(paper("A1"), other), {})

    assert names(ordered) == (["A2/1", "A1/1"] if is_first else ["A1/1", "A2/1"])


def test_only_neighbours_of_one_rank_change_places() -> None:
    """An older certification is drawn first, however little it has left."""
    papers = [paper("A1"), paper("A2"), paper("A3", **LATER), paper("A4", **LATER)]
    ordered = by_remaining(chosen(*papers), used(A1=9, A3=9))

    assert names(ordered) == ["A2/1", "A1/1", "A4/1", "A3/1"]
    assert tied_ids(ordered) == ["A2", "A1", "A4", "A3"]


def test_what_an_examiner_selected_keeps_its_place() -> None:
    """His order is not put right by balances."""
    papers = [paper(name) for name in ("A1", "A2", "A3", "A4")]
    found = chosen(*papers, selected=("A2", "A1"))

    assert sorted(tied_ids(found)) == ["A3", "A4"]
    assert names(by_remaining(found, used(A2=9, A3=9))) == ["A2/1 s", "A1/1 s", "A4/1", "A3/1"]


@pytest.mark.parametrize(
    ("second", "tied"),
    [({}, ["A1", "A2"]), ({"diagnoses": [{"code": "S83.511A"}]}, [])],
)
def test_partial_matches_are_alike_where_their_points_are(second: Any, tied: list[str]) -> None:
    """They are ranked by their points first."""
    papers = [paper("A1", **ELSEWHERE), paper("A2", **ELSEWHERE, **second)]
    found = chosen(*papers, settings=AUTOMATIC)

    assert len(found.choices) == 2
    assert sorted(tied_ids(found)) == tied
