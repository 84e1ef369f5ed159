"""What a line is drawn from: what an examiner selected, then what matching took."""

from dataclasses import replace
from typing import Any

import pytest

from service.accounting.books.books import AuthorizationChanged
from service.domain.authorization import Authorization
from service.domain.candidate import Standing
from service.domain.canonical import canonical_form
from service.domain.terms import terms_in
from service.flow.adjudicating.choosing import (
    BadSelection,
    Chosen,
    check_selections,
    found_standing,
    wanted_ids,
)
from tests.builders import build_authorization, build_candidate
from tests.flow.searching import chosen_for, examined, names, paper, searched

PENDED, DENIED = {"action": "A4"}, {"action": "A3"}
ELSEWHERE = {"place_of_service": "02"}
OVERRIDE = {"override": {"reason": "agreed by telephone"}}


def outcomes(chosen: Chosen) -> list[str]:
    """What stands in the way, with the authorizations that it speaks of."""
    events = [(each.outcome, each.authorization_id) for each in chosen.events]
    return [f"{outcome} {name or ''}".strip() for outcome, name in (*events, *chosen.refused)]


def test_without_a_selection_what_matching_took_is_drawn() -> None:
    """In the order of its ranking, with the events of the search."""
    first, second = paper("A1"), paper("A2", certification_date="2026-02-21")
    chosen = chosen_for(examined(), searched(second, first), second, first)

    assert names(chosen) == ["A1/1", "A2/1"]
    assert (chosen.events, chosen.resolved) == ((), ())


def test_what_was_selected_is_drawn_first() -> None:
    """In the examiner's order, each once; what matching took comes after."""
    papers = [paper(f"A{number}") for number in range(1, 5)]
    claim = examined("A4", "A2")
    chosen = chosen_for(claim, searched(papers[0], papers[1], papers[2]), *papers)

    assert names(chosen) == ["A4/1 s", "A2/1 s", "A1/1", "A3/1"]


def test_a_selection_settles_the_events_of_the_search() -> None:
    """But a number on the claim that fits nothing stays wrong."""
    claim, elsewhere = examined("A1"), paper("A1", **ELSEWHERE)
    search = searched(elsewhere, more=("invalid_number_claim", "invalid_number_line"))
    chosen = chosen_for(claim, search, elsewhere)

    assert names(chosen) == ["A1/1 s"]
    assert outcomes(chosen) == ["invalid_number_claim", "invalid_number_line"]
    assert [each.outcome for each in chosen.resolved] == ["non_exact"]


@pytest.mark.parametrize(
    ("decision", "reason"),
    [(PENDED, "pending"), (DENIED, "denied"), (None, "pending"), ({"action": "CT"}, "pending")],
)
@pytest.mark.parametrize(
    ("may_override", "override", "is_taken"),
    [(False, {}, False), (True, {}, False), (False, OVERRIDE, False), (True, OVERRIDE, True)],
)
def test_a_decision_may_stand_in_the_way(
    decision: Any, reason: str, may_override: bool, override: Any, is_taken: bool
) -> None:
    """An examiner may use it all the same where the payer lets him, and he says why."""
    refused = paper("A2", decision=decision)
    claim = examined("A2", **override)
    chosen = chosen_for(claim, searched(paper()), paper(), refused, may_override=may_override)

    assert names(chosen) == (["A2/1 s", "A1/1"] if is_taken else [])
    assert outcomes(chosen) == ([] if is_taken else ["refused_selection A2", f"{reason} A2"])


def test_one_refusal_keeps_the_line_from_being_drawn() -> None:
    """The events of the search are not settled by it either."""
    elsewhere = paper("A1", **ELSEWHERE)
    chosen = chosen_for(
        examined("A1", "A2"), searched(elsewhere), elsewhere, paper("A2", decision=PENDED)
    )

    assert (names(chosen), chosen.resolved) == ([], ())
    assert outcomes(chosen) == ["non_exact A1", "refused_selection A2", "pending A2"]


VOID = Standing(authorization=paper("A2"), void=True, current=True)
SUPERSEDED = Standing(authorization=paper("A2"), void=False, current=False)
REFERRAL = build_authorization("referral", authorization_id="A2")


@pytest.mark.parametrize(
    ("selected", "standing", "reason"),
    [
        ("A2", [], "line 1: A2 is no authorization of this member"),
        ("A2", [REFERRAL], "line 1: A2 is no authorization of this member"),
        ("A2", [VOID], "line 1: A2 is void or superseded"),
        ("A2", [SUPERSEDED], "line 1: A2 is void or superseded"),
        ({"authorization_id": "A1", "line": 7}, [], "line 1: authorization A1 has no line 7"),
    ],
)
def test_a_selection_that_cannot_be_meant_is_refused(
    selected: Any, standing: list[Standing], reason: str
) -> None:
    """One of another member is answered like one that does not exist."""
    with pytest.raises(BadSelection, match=f"the selection for {reason}"):
        chosen_for(examined(selected), searched(paper()), paper(), *standing)


@pytest.mark.parametrize(
    "standing",
    [
        [],
        [paper(version=2)],
        [replace(VOID, authorization=paper())],
        [replace(SUPERSEDED, authorization=paper())],
    ],
)
def test_what_changed_since_it_was_found_is_not_drawn(standing: list[Any]) -> None:
    """The claim is matched again."""
    with pytest.raises(AuthorizationChanged, match="A1"):
        chosen_for(examined(), searched(paper()), *standing)


LINES: list[dict[str, Any]] = [
    {"procedure": {"from": "99203"}},
    {"procedure": None},
    {"procedure": {"from": "97110", "to": "97140"}},
]


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ({"line": 1}, "A2/1 s"),
        ({}, "A2/3 s"),
        ({"lines": LINES[:2]}, "A2/2 s"),
        ({"lines": LINES[:1]}, "A2/1 s"),
        ({"lines": []}, "A2/0 s"),
    ],
)
def test_the_line_of_a_selection(selected: Any, expected: str) -> None:
    """Named, else one of the procedure, else one of any, else the first; or the header."""
    lines = selected.pop("lines", LINES)
    claim = examined({"authorization_id": "A2", **selected})

    assert names(chosen_for(claim, searched(), paper("A2", lines=lines))) == [expected]


def test_a_line_without_a_procedure_fits_one_that_names_none() -> None:
    """As that of a room does."""
    claim = examined("A2")
    search = searched(claim=claim)
    search.line = search.line.model_copy(update={"procedure": None})

    assert names(chosen_for(claim, search, paper("A2", lines=LINES))) == ["A2/2 s"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            paper("A2", lines=[LINES[2], LINES[2], {**LINES[2], "place_of_service": "11"}]),
            ["A2/1 s", "A2/2 s", "A2/3 s"],
        ),
        (
            paper("A2", place_of_service="02", lines=[LINES[2], {**LINES[2], "modifiers": ["GO"]}]),
            ["A2/1 s"],
        ),
    ],
)
def test_a_selection_that_was_found_is_of_the_lines_that_were_matched(
    found: Authorization, expected: list[str]
) -> None:
    """All that fit as well; of a near miss the one that was judged."""
    assert names(chosen_for(examined("A2"), searched(found), found)) == expected


def test_a_selected_line_is_drawn_before_the_others_of_its_authorization() -> None:
    """Those that fit as well come after it, as other authorizations do."""
    found = paper("A2", lines=[LINES[2], LINES[2], LINES[2]])
    claim = examined({"authorization_id": "A2", "line": 2})

    assert names(chosen_for(claim, searched(found), found)) == ["A2/2 s", "A2/1", "A2/3"]


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        ({"line": 1}, None),
        ({"line": 1, "type": "referral"}, "line 1 needs no referral: nothing can be selected"),
    ],
)
def test_only_what_is_needed_can_be_selected(selection: Any, reason: str | None) -> None:
    """For a line that needs nothing of a type there is nothing to draw."""
    claim = examined(selections=[{**selection, "authorizations": [{"authorization_id": "A1"}]}])
    search = searched(paper(), claim=claim)

    if reason is None:
        check_selections(claim, [search])
    else:
        with pytest.raises(BadSelection, match=reason):
            check_selections(claim, [search])


def test_what_must_be_read_is_named_once() -> None:
    """What was selected, and what matching took; near misses are not read."""
    claim = examined("A3", "A1")
    search = searched(paper("A1"), paper("A2"), paper("A4", **ELSEWHERE))

    assert wanted_ids(claim, [search, search]) == ["A3", "A1", "A2"]


def test_what_was_found_with_its_terms_is_not_read() -> None:
    """It is drawn on as it was found; what an examiner selected is always read."""
    terms = terms_in(canonical_form(paper("A1", version=7)))
    found = build_candidate(paper("A1", version=7), terms=terms)
    search = searched(found, paper("A2"))
    standing = found_standing([search])

    assert wanted_ids(examined(), [search]) == ["A2"]
    assert wanted_ids(examined("A1"), [search]) == ["A1", "A2"]
    assert list(standing) == ["A1"]
    assert names(chosen_for(examined(), searched(found), standing["A1"])) == ["A1/1"]
