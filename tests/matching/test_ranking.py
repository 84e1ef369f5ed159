"""The order of candidates, and how many are shown."""

import pytest

from service.matching.ranking import NEAR_MISSES_MAX, Ranked, rank
from tests.builders import ask, build_authorization, build_candidate, changed, judge

Certified = tuple[str | None, str, str | None]


def ranked_by(*found: Certified, settings: str = "") -> Ranked:
    """Rank exact candidates by (certification date, start, number); ids are their places."""
    library = changed("professional", settings) if settings else None
    asked = ask(library=library)
    candidates = [
        build_candidate(
            build_authorization(authorization_id=f"A{place}"),
            certification_date=certified,
            starts_on=starts,
            number=number,
        )
        for place, (certified, starts, number) in enumerate(found)
    ]
    return rank(judge(asked, *candidates), asked.plan.template)


@pytest.mark.parametrize(
    ("case", "found", "order"),
    [
        (
            "oldest certification first",
            [("2026-02-02", "2026-03-01", "N1"), ("2026-02-01", "2026-03-01", "N2")],
            "10",
        ),
        (
            "missing certification last",
            [(None, "2026-01-01", "N1"), ("2026-02-01", "2026-03-01", "N2")],
            "10",
        ),
        (
            "then the earlier start (case 6)",
            [("2026-02-01", "2026-03-02", "N1"), ("2026-02-01", "2026-03-01", "N2")],
            "10",
        ),
        (
            "then the number (case 6)",
            [("2026-02-01", "2026-03-01", "N2"), ("2026-02-01", "2026-03-01", "N1")],
            "10",
        ),
        (
            "missing number last",
            [("2026-02-01", "2026-03-01", None), ("2026-02-01", "2026-03-01", "N1")],
            "10",
        ),
        (
            "the id closes the order",
            [("2026-02-01", "2026-03-01", "N1"), ("2026-02-01", "2026-03-01", "N1")],
            "01",
        ),
    ],
)
def test_exact_candidates_are_ordered_by_certification(
    case: str, found: list[Certified], order: str
) -> None:
    """Oldest certification date first, missing last; then start, number and id: a total order."""
    ranked = ranked_by(*found)

    assert order == "".join(each.candidate.authorization_id[1] for each in ranked.exact), case


def test_a_template_may_rank_by_other_keys() -> None:
    """The order is data: here the id alone."""
    ranked = ranked_by(
        ("2026-02-02", "2026-03-01", "N1"),
        ("2026-02-01", "2026-03-01", "N2"),
        settings="rank: [authorization_id]\n",
    )

    assert [each.candidate.authorization_id for each in ranked.exact] == ["A0", "A1"]


def test_non_exact_candidates_are_ordered_by_score_first() -> None:
    """Points count before the date of certification."""
    telehealth = build_authorization(authorization_id="A1", place_of_service="02")
    other_place = build_authorization(
        authorization_id="A2", place_of_service="21", certification_date="2026-01-01"
    )
    asked = ask()
    ranked = rank(judge(asked, other_place, telehealth), asked.plan.template)

    assert [(each.candidate.authorization_id, each.score) for each in ranked.non_exact] == [
        ("A1", 98),
        ("A2", 93),
    ]


def test_exact_candidates_come_before_non_exact_ones() -> None:
    """Whatever their dates; the class of the line is that of the best."""
    asked = ask()
    exact = build_authorization(authorization_id="A1", certification_date=None)
    old = build_authorization(
        authorization_id="A2", place_of_service="02", certification_date="2020-01-01"
    )
    ranked = rank(judge(asked, old, exact), asked.plan.template, relaxed=("wider",))

    assert [each.candidate.authorization_id for each in ranked.shown] == ["A1", "A2"]
    assert (ranked.match_class, ranked.relaxed) == ("exact", ("wider",))


@pytest.mark.parametrize(
    ("exact", "non_exact", "expected"),
    [
        (2, 1, (2, 1, False)),
        (2, 2, (2, 1, True)),
        (3, 1, (3, 0, True)),
        (4, 0, (3, 0, True)),
        (0, 4, (0, 3, True)),
        (0, 0, (0, 0, False)),
    ],
)
def test_no_more_than_the_maximum_is_shown(
    exact: int, non_exact: int, expected: tuple[int, int, bool]
) -> None:
    """Exact and non-exact together; what does not fit is said (case 72)."""
    asked = ask(library=changed("professional", "settings: {max_results: 3}\n"))
    found = [build_authorization(authorization_id=f"E{each}") for each in range(exact)]
    found += [
        build_authorization(authorization_id=f"N{each}", place_of_service="02")
        for each in range(non_exact)
    ]
    ranked = rank(judge(asked, *found), asked.plan.template)

    assert expected == (len(ranked.exact), len(ranked.non_exact), ranked.truncated)


def test_a_search_that_was_cut_is_truncated() -> None:
    """The search may have known that there are more."""
    assert rank([], ask().plan.template, truncated=True).truncated


def test_the_best_near_misses_are_kept() -> None:
    """Five of them, the highest score first; with nothing else the class is none."""
    asked = ask()
    misses = [
        build_authorization(
            authorization_id=f"M{each}",
            line={"procedure": {"from": "70551"}, "modifiers": ["GP"] if each == 6 else ["TC"]},
        )
        for each in range(7)
    ]
    ranked = rank(judge(asked, *misses), asked.plan.template)

    assert [each.candidate.authorization_id for each in ranked.near_misses] == [
        "M6",
        "M0",
        "M1",
        "M2",
        "M3",
    ]
    assert (5, ranked.match_class, ranked.shown) == (NEAR_MISSES_MAX, "none", ())


def test_the_class_of_non_exact_candidates() -> None:
    """Without an exact candidate the line is non-exact."""
    asked = ask()
    ranked = rank(judge(asked, build_authorization(place_of_service="02")), asked.plan.template)

    assert ranked.match_class == "non-exact"
