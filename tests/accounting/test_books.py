"""What the books know of a claim, and what they are asked."""

import pytest

from service.accounting.books.books import (
    AuthorizationChanged,
    DrawRequest,
    LookedUp,
    Occasion,
    RecountedBook,
    RecountRequest,
    occasion_of,
)
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.plan import Bounds, ClaimPlan, Drawable
from service.accounting.books.record import pack, unpack
from service.accounting.books.rows import HeldRow
from service.domain.actor import Actor
from service.domain.person import Person


def held(*names: str) -> tuple[HeldRow, ...]:
    """Rows of these authorizations."""
    return tuple(
        HeldRow(
            line=1,
            part=1,
            kind="authorization",
            authorization_id=name,
            authorization_line=1,
            origin="automatic",
            units=1,
            amount=0,
            debits=(),
        )
        for name in names
    )


@pytest.mark.parametrize(
    ("status", "sequence", "is_known", "is_held", "is_in_force"),
    [
        ("none", 0, False, False, False),
        ("used", 1, True, True, True),
        ("reserved", 2, True, True, True),
        ("suspended", 2, True, False, True),
        ("released", 3, True, False, False),
        ("reversed", 3, True, False, False),
        ("replaced", 3, True, False, False),
    ],
)
def test_a_claim_holds_what_is_used_or_reserved(
    status: str, sequence: int, is_known: bool, is_held: bool, is_in_force: bool
) -> None:
    """One that was never adjudicated is not known; one that waits is in force and holds nothing."""
    claim = ClaimState(claim_id="C-1", sequence=sequence, status=status)

    assert (claim.is_known, claim.is_held, claim.is_in_force) == (is_known, is_held, is_in_force)


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (None, ["A3", "A1", "A2"]),
        (ClaimState(claim_id="C-0", rows=held("A4", "A1")), ["A3", "A1", "A2", "A4"]),
    ],
)
def test_a_draw_touches_what_is_planned_and_what_is_held(
    original: ClaimState | None, expected: list[str]
) -> None:
    """Each once: what is given back is on the same books."""
    drawables = {
        name: Drawable(authorization_id=name, version=1, bounds={"H": Bounds()})
        for name in ("A3", "A1")
    }
    request = DrawRequest(
        claim=ClaimState(claim_id="C-1", rows=held("A1", "A2", "A1")),
        version=1,
        fingerprint="f",
        state="used",
        plan=ClaimPlan(authorizations=drawables),
        occasion=Occasion(kind="apply", at="2026-03-12"),
        owner="1:m",
        original=original,
        looked_at={"A9": ["H"], "A1": ["H", "L1"]},
    )

    assert request.moved_on == expected
    assert request.authorizations == [*expected, "A9"]


def test_a_change_of_an_authorization_names_it() -> None:
    """So that it can be told which was pushed meanwhile."""
    assert AuthorizationChanged("A1").authorization_id == "A1"


@pytest.mark.parametrize("draft", [{}, {"claim": {"claim_id": "C-1"}, "lines": [{"line": 1}] * 9}])
def test_a_record_comes_back(draft: dict[str, object]) -> None:
    """As it was written."""
    assert unpack(pack(draft)) == draft


def test_a_record_that_is_not_there_is_empty() -> None:
    """A change of a claim has none."""
    assert not unpack("")


@pytest.mark.parametrize(
    ("kept_for", "is_theirs", "owner"),
    [("", True, "one"), ("one", True, "one"), ("other", True, "other"), ("third", False, "one")],
    ids=["new", "the id that stays", "an id that was merged", "somebody else"],
)
def test_a_claim_is_of_the_person_under_any_id(kept_for: str, is_theirs: bool, owner: str) -> None:
    """A new one goes to the id that stays, a known one stays where it is."""
    claim = ClaimState(claim_id="C1", owner=kept_for, sequence=1, version=1)
    found = LookedUp(claim=claim, person=Person.of("M1"), owners=("one", "other"))

    assert (found.is_of_person(claim), found.owner) == (is_theirs, owner)


def test_a_charge_that_was_only_named_is_of_anybody() -> None:
    """Until it is attached for one."""
    named = ClaimState(claim_id="charge:CH1", owner="third", sequence=1, status="billed")
    found = LookedUp(claim=named, person=Person.of("M1"), owners=("one", "other"))

    assert named.is_only_named
    assert (found.is_of_person(named), found.owner) == (True, "one")
    assert not ClaimState(claim_id="charge:CH2").is_only_named


def test_an_occasion_says_who_did_it_and_for_whom() -> None:
    """A reason that was not given is an empty text."""
    actor = Actor(by="key:desk", on_behalf_of="examiner 7")
    made = occasion_of("reverse", "2026-03-10T10:00:00Z", actor, None)

    assert (made.kind, made.by, made.on_behalf_of, made.why) == (
        *("reverse", "key:desk", "examiner 7", ""),
    )


def test_a_recount_leaves_what_claims_hold_of_other_books() -> None:
    """Each named once, in the order of the claims."""
    claims = (
        ClaimState(claim_id="C-1", rows=held("A1", "A2")),
        ClaimState(claim_id="C-2", rows=held("A2", "A3")),
    )
    book = RecountedBook(authorization_id="A1", sequence=1)
    request = RecountRequest(
        books=(book,),
        claims=tuple((each, each.rows) for each in claims),
        occasion=Occasion(kind="recount", at=""),
    )

    assert request.beside == ["A2", "A3"]
