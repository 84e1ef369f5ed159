"""Specialised processing: procedures billed near an authorized one, and what is told of them."""

from typing import Any

import pytest

from service.domain.answers import MatchClass
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.domain.event import Events, Outcome
from service.domain.reference import References
from service.domain.specialised import SpecialisedTable
from service.matching.ranking import rank
from service.matching.resolution import resolve
from service.matching.specialised import (
    Granted,
    LookedUp,
    find_specialised,
    looked_up,
    specialised_events,
    with_specialised,
)
from tests.builders import ask, build_authorization, build_claim, event_codes, judge, references

COMPANION = {
    "rule": "companion",
    "id": "guidance",
    "procedures": ["76942"],
    "companions": ["64612..64647"],
}
ALTERNATE = {"rule": "alternate", "id": "one-of", "group": "knee-lubricants"}


def with_rows(*rows: dict[str, Any]) -> References:
    """Give the shipped references with these rows."""
    table = SpecialisedTable.model_validate({"kind": "specialised", "version": "1", "rows": rows})
    return references().model_copy(update={"specialised": table})


def granted(text: str) -> tuple[Granted, ...]:
    """Read authorizations: ``A1:64615`` names a single code, ``A1`` none."""
    parts = [each.partition(":") for each in text.split()]
    return tuple(
        Granted(authorization_id=name, procedure=procedure or None) for name, _, procedure in parts
    )


def line(
    procedure: str | None,
    match_class: MatchClass = "none",
    chosen: str = "",
    near: str = "",
    kind: str = "authorization",
) -> LookedUp:
    """Make a line as it came out; one without anything found nothing."""
    return LookedUp(
        kind=kind,
        procedure=procedure,
        match_class=match_class,
        chosen=granted(chosen),
        near=granted(near),
    )


def told(lines: list[LookedUp], *rows: dict[str, Any]) -> list[list[str]]:
    """Tell of every line the rows that speak of it, with the authorization of each."""
    found = find_specialised(lines, with_rows(*rows))
    return [[f"{each.row.id} {each.authorization_id}" for each in own] for own in found]


INJECTION = line("64615", "exact", "A1:64615")


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        (line("76942"), [INJECTION], ["guidance A1"]),
        (line("76942", "non-exact", near="A2:76942"), [INJECTION], ["guidance A1"]),
        (line("76942"), [line("64615", "exact", "A1 A2")], ["guidance A1"]),
        (line("76942"), [line("97110"), INJECTION], ["guidance A1"]),
        (line("76942"), [INJECTION, line("64616", "exact", "A2")], ["guidance A1"]),
        # What is not matched exactly, not taken, or of another kind is no companion.
        (line("76942"), [], []),
        (line("76942"), [line("64615", "non-exact", "A1")], []),
        (line("76942"), [line("64615", "exact")], []),
        (line("76942"), [line("64615", "exact", "A1", kind="referral")], []),
        (line("76942"), [line("97110", "exact", "A1")], []),
        (line("76942"), [line(None, "exact", "A1")], []),
        # What the row does not speak of, or what is settled already.
        (line("76943"), [INJECTION], []),
        (line(None), [INJECTION], []),
        (line("76942", "exact", "A2"), [INJECTION], []),
        (line("76942", "exact"), [INJECTION], []),
        (line("76942", "non-exact", "A2"), [INJECTION], []),
    ],
)
def test_case_69_a_companion_was_billed_and_matched_on_another_line(
    own: LookedUp, others: list[LookedUp], expected: list[str]
) -> None:
    """Case 69: wherever in the claim the other line stands."""
    silent: list[list[str]] = [[] for _ in others]

    assert [expected, *silent] == told([own, *others], COMPANION)
    assert [*silent, expected] == told([*others, own], COMPANION)


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        (line("J7325", near="A1:J7321"), [], ["one-of A1"]),
        (line("J7325", "non-exact", near="A2:J7325 A1:J7321"), [], ["one-of A1"]),
        (line("J7325"), [line("J7321", "exact", "A1:J7321")], ["one-of A1"]),
        (line("J7325"), [line("J7321", "non-exact", "A1:J7321")], ["one-of A1"]),
        (line("J7325", near="A2:J7318"), [line("J7321", "exact", "A1:J7321")], ["one-of A2"]),
        # The same code, none, a code of no group, an authorization of another kind.
        (line("J7325", near="A1:J7325"), [], []),
        (line("J7325", near="A1"), [], []),
        (line("J7325", near="A1:97110"), [], []),
        (line("J7325"), [line("J7321", "exact", "A1:J7321", kind="referral")], []),
        # What the row does not speak of, or what is settled already.
        (line("97110", near="A1:J7321"), [], []),
        (line("J7325", "exact", near="A1:J7321"), [], []),
        (line("J7325", "non-exact", "A2", near="A1:J7321"), [], []),
    ],
)
def test_case_69_an_alternate_of_the_group_is_authorized(
    own: LookedUp, others: list[LookedUp], expected: list[str]
) -> None:
    """Case 69: its own candidates come before what was taken for other lines."""
    assert told([own, *others], ALTERNATE)[0] == expected


def test_without_rows_nothing_is_found() -> None:
    """Not even a table of groups is needed."""
    assert find_specialised([INJECTION, line("76942")], References()) == [(), ()]


def test_every_row_is_asked() -> None:
    """Each may find something, in the order of the table."""
    second = {**COMPANION, "id": "second", "companions": [{"group": "therapy"}]}
    lines = [line("76942"), INJECTION, line("97110", "exact", "A2")]

    assert told(lines, COMPANION, ALTERNATE, second)[0] == ["guidance A1", "second A2"]


def test_the_event_of_a_row_names_the_authorization() -> None:
    """Its own code, else that of the rule; the same event is not raised twice."""
    rows = (
        COMPANION,
        {**COMPANION, "id": "again"},
        {**COMPANION, "id": "own", "event": "AUM-0005"},
    )
    found = find_specialised([line("76942"), INJECTION], with_rows(*rows))[0]
    events = specialised_events(found, Events(event_codes(), "professional", "professional"))

    assert [(each.code, each.authorization_id, each.outcome) for each in events] == [
        ("SPA-0047", "A1", "companion"),
        ("AUM-0005", "A1", "companion"),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["not_found"], ["alternate"]),
        (["non_exact", "pending"], ["non_exact", "pending", "alternate"]),
        (["truncated"], ["truncated", "alternate"]),
    ],
)
def test_a_special_event_answers_one_that_found_nothing(
    before: list[Outcome], after: list[Outcome]
) -> None:
    """It stands beside any other."""
    events = [Events(event_codes(), "professional").make(each) for each in before]
    special = Events(event_codes(), "professional").make("alternate")

    assert [each.outcome for each in with_specialised(events, [special])] == after
    assert with_specialised(events, []) == tuple(events)


def as_looked_up(claim: Claim, *authorizations: Authorization) -> LookedUp:
    """Look the first line of a professional claim up."""
    asked = ask(claim)
    ranked = rank(judge(asked, *authorizations), asked.plan.template)
    resolution = resolve(ranked, Events(event_codes(), "professional"))
    return looked_up("authorization", asked.values.get("line.procedure"), ranked, resolution)


def lubricant(name: str, first: str, last: str | None = None, action: str = "A1") -> Authorization:
    """Authorize one product, or a range of them."""
    procedure = {"from": first} | ({"to": last} if last else {})
    return build_authorization(
        authorization_id=name, decision={"action": action}, line={"procedure": procedure}
    )


def test_what_is_looked_at_of_a_resolved_line() -> None:
    """Near misses as well; single codes only; active authorizations only."""
    claim = build_claim(line={"procedure": "j7325"})
    near = as_looked_up(
        claim,
        lubricant("A1", "J7321"),
        lubricant("A2", "J7326", "J7329"),
        lubricant("A3", "J7323", action="A3"),
        lubricant("A4", "J7324", action="A4"),
    )
    exact = as_looked_up(claim, lubricant("A5", "J7325"))

    assert near == line("J7325", near="A1:J7321 A2")
    assert exact == line("J7325", "exact", "A5:J7325")


def test_a_line_without_a_procedure_has_none() -> None:
    """A stay, say."""
    asked = ask(build_claim("inpatient"), "inpatient")
    ranked = rank([], asked.plan.template)
    resolution = resolve(ranked, Events(event_codes(), "inpatient"))

    assert looked_up("authorization", None, ranked, resolution) == line(None)
