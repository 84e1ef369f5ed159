"""Which lines of an adjudicated claim wait for a person, and what an examiner's decision leaves."""

from typing import Any

import pytest

from service.accounting.answers.stopped import StoppedLine, may_stop, stopped_lines
from service.accounting.books.books import Moved
from service.accounting.books.record import LineDraft, selections_in
from tests.accounting.answering import answered, drawn, event, line_draft, recorded

LIMITS = {"action": "BENAU", "limit_adjustments": [{"carc": "119"}], "may_override": {"A1": True}}
NOT_FOUND = event("SPA-0009", "suspend", query_type="professional")
NUMBER = event("SPA-0014", query_type="professional")
FOUND = {
    "candidates": [{"authorization_id": "A7", "version": 2, "line": 1}],
    "near_misses": [],
}
DECISION: dict[str, Any] = {
    "line": 1,
    "action": "select",
    "type": "referral",
    "authorizations": [{"authorization_id": "R1", "line": None}],
    "resolved": ["SPA-0032"],
    "reason_code": None,
    "reason": "seen",
    "by": "key:desk",
    "on_behalf_of": "",
    "at": "2026-11-30T10:00:00Z",
}


def suspended(**changes: Any) -> StoppedLine:
    """A line that is suspended since nothing was found."""
    given: dict[str, Any] = {
        "line": 1,
        "kind": "suspended",
        "events": ("SPA-0009",),
        "query_type": "professional",
        "units": "4",
        "unit": "UN",
        "amount": "240.00",
        "authorizations": {"A7": 2},
    }
    return StoppedLine(**given | changes)


@pytest.mark.parametrize(
    ("line", "is_drawn", "expected", "may"),
    [
        (line_draft(), True, [], False),
        (
            line_draft(asks=False, events=[NUMBER, NOT_FOUND, NOT_FOUND], results=[FOUND]),
            False,
            [suspended()],
            True,
        ),
        (
            line_draft(benefit=LIMITS),
            True,
            [suspended(kind="review", events=("BENAU",), query_type=None, authorizations={})],
            True,
        ),
        (line_draft(asks=False, events=[NUMBER]), False, [], False),
        (line_draft(asks=False, events=[event("SPA-0009", "deny")]), False, [], False),
    ],
    ids=["paid", "nothing found", "before a benefit limit", "nothing needed", "denied"],
)
def test_a_line_waits_that_is_suspended_or_marked(
    line: LineDraft, *, is_drawn: bool, expected: list[StoppedLine], may: bool
) -> None:
    """With the events that suspend it; whether it may wait is told without the answer."""
    draft = recorded(line)
    moved = Moved(drawn=(drawn(),) if is_drawn else ())

    assert may_stop(draft, {1} if is_drawn else set()) == may
    assert list(stopped_lines(draft, moved)) == expected


def test_a_line_that_got_nothing_waits() -> None:
    """That it is exhausted is known only when units are drawn."""
    line = line_draft(kinds=[{**line_draft()["kinds"][0], "exhausted": NOT_FOUND}])
    (stopped,) = stopped_lines(recorded(line), Moved())

    assert may_stop(recorded(line), ())
    assert stopped.events == ("SPA-0009",)


def test_a_denied_line_has_the_reason_that_was_chosen() -> None:
    """Not that of the code, which is the same for all lines."""
    denied = event("AUM-0011", "deny")
    chosen = {"group": "CO", "carc": "16", "remarks": ["M62"]}
    line = line_draft(asks=False, events=[denied], denial=chosen)

    assert [each["carc"] for each in answered(line)["adjustments"]] == ["16"]


def test_what_an_examiner_decided_is_answered() -> None:
    """Which events by which selection, by whom, when and why (seed 001)."""
    (told,) = answered(line_draft(decisions=[DECISION]), drawn())["resolutions"]

    assert told == {
        "action": "select",
        "events": ["SPA-0032"],
        "authorizations": [{"authorization_id": "R1", "line": None}],
        "reason_code": None,
        "reason": "seen",
        "by": "key:desk",
        "on_behalf_of": None,
        "at": "2026-11-30T10:00:00Z",
    }
    assert "resolutions" not in answered(line_draft(), drawn())


def test_what_people_selected_is_of_the_claim_and_since() -> None:
    """What was decided since takes the place of what the claim says of that line and type."""
    sent = (
        '{"selections": [{"line": 1, "authorizations": [{"authorization_id": "A1"}]},'
        ' {"line": 1, "type": "referral", "authorizations": [{"authorization_id": "R9"}]}]}'
    )
    denied = {**DECISION, "authorizations": []}
    draft = recorded(line_draft(decisions=[DECISION, denied]), line_draft(2), sent=sent)

    assert [each["authorizations"][0]["authorization_id"] for each in selections_in(draft)] == [
        "A1",
        "R1",
    ]
    assert selections_in(recorded(line_draft())) == []
