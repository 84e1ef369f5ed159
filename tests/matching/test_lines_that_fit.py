"""Several lines of one authorization fit a claim line, and what is never exact whatever fits."""

from typing import Any

import pytest

from tests.builders import ask, build_authorization, build_candidate, build_claim, judge

Fields = dict[str, Any]

NAMED, ANY = {"procedure": {"from": "97112"}}, {"procedure": None}
DENIED = {"decision": {"action": "A3"}}


@pytest.mark.parametrize(
    ("lines", "stands", "more"),
    [
        ([NAMED, NAMED, NAMED], 1, (2, 3)),
        ([NAMED, {"procedure": {"from": "97110"}}, NAMED], 1, (3,)),
        ([ANY, NAMED], 2, (1,)),
        ([NAMED | DENIED, NAMED, NAMED], 2, (3,)),
        ([NAMED | DENIED, NAMED | DENIED], 1, ()),
        ([ANY, NAMED | DENIED], 2, ()),
        ([NAMED, NAMED | {"effective": {"from": "2026-03-01", "to": "2026-03-15"}}], 2, (1,)),
        ([NAMED, NAMED | {"decision": {"action": "NA"}}], 1, ()),
        # Not exact: only what fits by the same answers does so as well.
        ([NAMED | {"place_of_service": "02"}] * 2, 1, (2,)),
        ([NAMED | {"place_of_service": "02"}, NAMED | {"modifiers": ["RT"]}], 1, ()),
    ],
)
def test_other_lines_that_grant_and_fit_as_well_are_named(
    lines: list[Fields], stands: int, more: tuple[int, ...]
) -> None:
    """What names more of the service stands for the authorization, also where it denies."""
    (found,) = judge(ask(), build_authorization(lines=lines))

    assert (found.line["line"], found.more) == (stands, more)


def test_what_is_found_under_a_mothers_id_is_never_exact() -> None:
    """It is said to be of another person, once."""
    hers = build_candidate(of_mother=True)
    other = build_candidate(build_authorization(member=BORN), of_mother=True)
    asked = ask(build_claim(member={"id": "M0001", "birth_date": "2026-03-01"}))

    assert [(each.match_class, each.blockers) for each in judge(asked, hers, other)] == [
        ("non-exact", ("person",)),
        ("non-exact", ("person",)),
    ]


BORN = {"id": "M0001", "birth_date": "1995-04-01"}
