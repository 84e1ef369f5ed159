"""What was corrected by hand goes with the line, as what claims hold does."""

from typing import Any

import pytest

from service.accounting.books.scale import CENT, SCALE
from service.accounting.limits.bounds import bounds_of
from service.accounting.limits.lines import Untold, lines_of
from service.accounting.planning.recount import (
    Corrected,
    Holder,
    Recounted,
    Target,
    line_in,
    recount,
)
from service.domain.authorization import Authorization
from tests.accounting.asking import shipped
from tests.accounting.test_recount import (
    APRIL,
    MANUAL,
    MARCH,
    PT,
    RENEWAL,
    WEEK,
    units,
    version,
)


def corrected(
    old: Authorization,
    new: Authorization,
    corrections: dict[str, Corrected],
    *holders: Holder,
    is_forced: bool = False,
) -> Recounted:
    """Count what was corrected by hand on one version as another one does."""
    target = Target(
        source=old.authorization_id,
        old=lines_of(old),
        authorization=new,
        references=shipped(),
        corrections=corrections,
        units={base: str(each.unit) for base, each in bounds_of(old).items() if each.unit},
        limited=frozenset(
            line_in(base) for base, each in bounds_of(old).items() if each.is_limited
        ),
        is_forced=is_forced,
    )
    return recount(holders, target)


FOUR = (4 * SCALE, 5 * CENT, SCALE)
OTHER = {"procedure": {"from": "97161"}}


@pytest.mark.parametrize(
    ("old", "new", "account", "expected", "untold"),
    [
        ([PT, MANUAL], [MANUAL, PT], "L1", {"L2": FOUR}, set()),
        ([PT | units("9")], [PT | units("9", "HS")], "L1", {"L1": (SCALE, *FOUR[1:])}, set()),
        ([PT | units("9")], [PT], "L1", {"L1": FOUR}, set()),
        ([PT], [PT | units("9")], "L1", {"L1": FOUR}, set()),
        ([PT | units("9")], [PT | units("9", renewal=RENEWAL)], "L1", {"L1": FOUR}, {1}),
        ([PT, MANUAL], [MANUAL], "L1", {"L3": FOUR}, set()),
        ([PT, MANUAL], [MANUAL, PT], "H", {"H": FOUR}, set()),
        (
            [PT | units("9", renewal=RENEWAL)],
            [PT | units("9")],
            "L1@2026-03-01",
            {"L1": FOUR},
            set(),
        ),
        ([PT | units("9", "HS")], [PT], "L1", {"L1": (16 * SCALE, *FOUR[1:])}, set()),
        (
            [PT | units("9", per=WEEK)],
            [PT | units("9", per={"count": "9", "period": "month"})],
            "L1~2026-03-08",
            {"L1~2026-03-01": FOUR},
            set(),
        ),
        ([PT | units("9", per=WEEK)], [PT], "L1~2026-03-08", {"L1~2026-03-08": FOUR}, set()),
        (
            [PT | units("9", renewal=RENEWAL)],
            [PT | units("9", renewal=RENEWAL | {"reference": "first claim"})],
            "L1@2026-03-01",
            {"L1@2026-03-01": FOUR},
            {1},
        ),
        (
            [PT | units("9", per=WEEK), MANUAL],
            [MANUAL, PT | units("9", per=WEEK)],
            "L1~2026-03-08",
            {"L2~2026-03-08": FOUR},
            set(),
        ),
    ],
)
def test_what_was_corrected_by_hand_goes_with_its_line(
    old: list[Any], new: list[Any], account: str, expected: dict[str, Corrected], untold: set[int]
) -> None:
    """In its measure, where that converts; else somebody must look."""
    found = corrected(version(*old), version(*new), {account: FOUR})
    assert (found.corrections, set(found.untold), found.left) == (expected, untold, {})


def test_corrections_of_lines_that_become_one_are_added_up() -> None:
    """Those of a line that becomes two cannot be told apart; forced, they wait for review."""
    two, one = version(PT | MARCH, PT | APRIL), version(PT)
    assert corrected(two, one, {"L1": FOUR, "L2": (-SCALE, 0, 0)}).corrections == {
        "L1": (3 * SCALE, *FOUR[1:])
    }
    with pytest.raises(Untold, match="corrected by hand"):
        corrected(one, two, {"L1": FOUR})
    assert corrected(one, two, {"L1": FOUR}, is_forced=True).corrections == {"L3": FOUR}


def test_corrections_go_over_to_what_replaces_it_or_stay() -> None:
    """By its services, as use does."""
    after = version(MANUAL, authorization_id="A2")
    found = corrected(version(PT, MANUAL), after, {"L1": FOUR, "L2": FOUR})

    assert (found.corrections, found.left) == ({"L1": FOUR}, {"L1": FOUR})


HEADER_LIMIT = units("9")


@pytest.mark.parametrize(
    ("old", "new", "account", "expected"),
    [
        (version(**HEADER_LIMIT), version(PT | units("9")), "H", "L1"),
        (version(PT, **HEADER_LIMIT), version(PT | units("9")), "H", "L1"),
        (version(PT | units("9"), **HEADER_LIMIT), version(PT | units("9")), "H", "H"),
        (version(PT | units("9")), version(PT, **HEADER_LIMIT), "L1", "H"),
        (version(PT | units("9")), version(**HEADER_LIMIT), "L1", "H"),
        (version(PT | units("9"), MANUAL), version(MANUAL, **HEADER_LIMIT), "L1", "H"),
        (version(PT | units("9")), version(PT | units("9"), **HEADER_LIMIT), "L1", "L1"),
    ],
)
def test_corrections_go_where_the_limit_went(
    old: Authorization, new: Authorization, account: str, expected: str
) -> None:
    """From header to line or back: else the other would grant what was used."""
    assert corrected(old, new, {account: FOUR}).corrections == {expected: FOUR}


@pytest.mark.parametrize(
    ("old", "new", "account", "why"),
    [
        (version(OTHER | units("9")), version(OTHER | units("9", "HS")), "L1", "convert"),
        (version(PT | units("9")), version(MANUAL | units("9")), "L1", "line that is new"),
        (
            version(PT | units("9")),
            version({"procedure": {"from": "97110", "to": "97140"}}),
            "L1",
            "new",
        ),
        (version(**HEADER_LIMIT), version(PT | units("9"), MANUAL | units("9")), "H", "either"),
    ],
)
def test_what_cannot_be_told_of_corrections_holds_the_version(
    old: Authorization, new: Authorization, account: str, why: str
) -> None:
    """Nobody can say what is left; forced, all that it may be of goes to an examiner."""
    with pytest.raises(Untold, match=why):
        corrected(old, new, {account: FOUR})
    found = corrected(old, new, {account: FOUR}, is_forced=True)
    assert (list(found.corrections.values()), bool(found.untold)) == ([FOUR], True)


def test_a_header_that_cannot_say_it_sends_all_lines_to_an_examiner() -> None:
    """A total has no day that could be of a period."""
    limits = units("9", renewal=RENEWAL)
    found = corrected(
        version(PT, MANUAL, **HEADER_LIMIT), version(PT, MANUAL, **limits), {"H": FOUR}
    )
    assert (found.corrections, found.untold) == ({"H": FOUR}, frozenset({1, 2}))


def test_what_is_gone_keeps_its_unit() -> None:
    """Under its new number; it comes back in the unit of its service."""
    found = corrected(version(PT | units("9", "HS"), MANUAL), version(MANUAL), {"L1": FOUR})
    assert (found.corrections, found.kinds) == ({"L3": FOUR}, {"L3": "HS"})
