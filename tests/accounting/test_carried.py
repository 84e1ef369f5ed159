"""Balances that go to another member, as the ledger of each bucket tells it."""

from collections.abc import Sequence

import pytest

from service.accounting.replay.carried import has_travelled, take_in
from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_check import check_holdings
from service.accounting.replay.ledger_page import Difference
from service.accounting.replay.travelled import check_travelled, kept_in
from tests.accounting.test_ledger import (
    ONE,
    UNDONE,
    Fields,
    Json,
    books,
    change,
    debit,
    draw,
    move,
    reserved,
    row,
    seen,
    texts,
    used,
    written,
)

AWAY: Json = {"moved": {}}
OWED = {"a": "A1", "to": "8:y", "g": "7@2", "os": "used", "o": written([row()]), "s": "reversed"}


def leave(version: int = 2, **changes: Json) -> Fields:
    """An entry with which A1 leaves bucket 7 for bucket 8."""
    fields = {"k": "leave", "a": "A1", "v": str(version), "to": "8:y", "g": "7@2"}
    return texts(fields | {"q": [["A1", str(version)]]} | changes)


def arrive(given: Sequence[Json], version: int = 2, **changes: Json) -> Fields:
    """An entry with which A1 arrives."""
    fields = {"k": "arrive", "a": "A1", "v": str(version), "in": given, "q": [["A1", "1"]]}
    return texts(fields | changes)


def give_back(**changes: Json) -> Fields:
    """An entry that gives back what C1 of another bucket holds."""
    fields = {"k": "give_back", "a": "A1", "c": "C1", "v": "1", "n": "2", "was": "used"}
    return texts(fields | {"s": "reversed", "u": [UNDONE], "r": [], "q": [["A1", "2"]]} | changes)


def confirm(**changes: Json) -> Fields:
    """An entry that drops what C1 owed."""
    return texts({"k": "confirm", "c": "C1", "v": "1", "n": "2", "el": ["8"], "q": []} | changes)


def left(grain: str = "7@2", tokens: Json = (), **fields: str) -> Json:
    """What a bucket gave."""
    found = {"id": "A1", "n": "9", "v": "1", "st": "open", "H.uu": str(4 * ONE), **fields}
    return {"g": grain, "f": [list(each) for each in found.items()], "t": list(tokens)}


def reversal(**changes: Json) -> Fields:
    """C1 gives back what it holds of A1, which is elsewhere."""
    return change(u=[{"row": row(), **AWAY}], ow=[OWED | {"r": "[]"}], **changes)


OLD = (draw(), leave())
NEW = (arrive([left()]),)


def across(*buckets: Replayed) -> list[tuple[str, str, str, str]]:
    """What a check across these buckets finds of A1."""
    found: list[Difference] = []
    kept = [kept_in(each) for each in buckets]
    if any(kept):
        found = check_travelled("A1", [each["A1"] for each in kept if "A1" in each])
    return [(each.what, each.field, each.expected, each.found) for each in found]


def test_what_left_stays_as_it_was() -> None:
    """It is marked, with where it went; closing it again for a later push keeps its grain."""
    made = books(*OLD, leave(3, to="9:z"))

    assert made.differences == []
    assert made.accounts["A1"] | {"H.ul": "", "H.k": ""} == {
        **{"id": "A1", "n": "3", "v": "3", "st": "moved", "to": "9:z", "g": "7@2"},
        **{"H.uu": str(4 * ONE), "H.ul": "", "H.k": ""},
    }
    assert check_holdings(made) == []
    assert ("authorization A1", "g", "7@2", "7@3") in seen(books(*OLD, leave(3, g="7@3")))
    assert ("authorization A1", "sequence", "2", "5") in seen(books(draw(), leave(q=[["A1", "5"]])))


def test_what_arrives_is_as_it_was() -> None:
    """Used up to there, with its limits and its tokens."""
    made = books(arrive([left(**{"H.ul": "7"}, tokens=[["H|d|D1", "1:0"]])]))

    assert made.differences == []
    assert made.accounts["A1"] == {
        **{"id": "A1", "n": "1", "v": "2", "st": "open", "from:7@2": "1"},
        **{"H.uu": str(4 * ONE), "H.ul": "7"},
    }
    assert made.tokens == {"A1": {"H|d|D1": "1:0"}}
    assert books(*NEW).tokens == {}


def test_what_comes_back_takes_the_place_of_what_left() -> None:
    """Unless it is not part of it: then both count."""
    back = left("8@3", **{"H.uu": str(6 * ONE), "from:7@2": "1", "back:C1": "2"})
    made = books(*OLD, arrive([back], 3, q=[["A1", "3"]]))
    both = books(*OLD, arrive([left("8@3")], 3, q=[["A1", "3"]]))

    assert [made.differences, both.differences] == [[], []]
    assert made.accounts["A1"] == {
        **{"id": "A1", "n": "3", "v": "3", "st": "open", "H.uu": str(6 * ONE)},
        **{"from:7@2": "1", "from:8@3": "1", "back:C1": "2"},
    }
    assert both.accounts["A1"]["H.uu"] == str(8 * ONE)
    assert {"from:7@2", "from:8@3"} < set(both.accounts["A1"])
    assert "to" not in both.accounts["A1"]


def test_a_grain_counts_once() -> None:
    """It is here already, or part of another one that is given, whichever comes first."""
    own = {"v": "2", "st": "open", "H.uu": "5", "from:7@2": "1"}
    assert take_in(own, {}, [left()]) == (own, {})

    whole = left("8@3", **{"from:7@2": "1", "H.uu": "9"})
    for given in ([left(), whole], [whole, left()]):
        assert take_in({}, {}, given)[0] == {"H.uu": "9", "from:7@2": "1", "from:8@3": "1"}


def test_balances_on_both_sides_are_added() -> None:
    """Limits that are here stand, and the last change of each claim counts."""
    own = {"v": "1", "st": "open", "H.ul": "9", "H.uu": "5", "back:C1": "3", "back:C2.uu": "1"}
    given = left(**{"H.uu": "2", "H.ur": "1", "H.ul": "7", "L1.ml": "8", "back:C1": "2"})
    fields, _ = take_in(own, {}, [given])

    assert fields == own | {"H.uu": "7", "H.ur": "1", "L1.ml": "8", "from:7@2": "1"}


@pytest.mark.parametrize(
    ("own", "theirs", "both", "balances"),
    [
        ("1:0", "1:0", "2:0", (5, 3)),
        ("1:0", "0:1", "1:1", (6, 2)),
        ("0:2", "0:1", "0:3", (6, 2)),
        ("0:1", "1:1", "1:2", (6, 2)),
    ],
)
def test_a_token_that_both_held_costs_one_unit(
    own: str, theirs: str, both: str, balances: tuple[int, int]
) -> None:
    """Used if anybody uses it, else reserved; what it cost beyond that is given back."""
    start = {"H.uu": str(3 * ONE), "H.ur": str(3 * ONE)}
    given = {
        "g": "7@2",
        "f": [["H.uu", str(3 * ONE)]],
        "t": [["H|u|V1", theirs], ["H|u|V2", "1:0"]],
    }
    fields, tokens = take_in(start, {"H|u|V1": own}, [given])

    assert tokens == {"H|u|V1": both, "H|u|V2": "1:0"}
    assert (fields["H.uu"], fields["H.ur"]) == tuple(str(each * ONE) for each in balances)


def test_a_claim_owes_what_is_counted_elsewhere() -> None:
    """It holds nothing any more, nothing moves here, and the note goes when it was served."""
    made = books(*OLD, reversal())
    done = books(*OLD, reversal(), confirm())

    assert [made.differences, done.differences] == [[], []]
    assert made.accounts["A1"]["H.uu"] == str(4 * ONE)
    assert made.claims["C1"]["ow:2"] == written([OWED | {"r": "[]"}])
    assert "ow:2" not in done.claims["C1"]
    assert done.claims["C1"]["el:8"] == "1"
    assert check_holdings(made) == []


def test_a_replaced_claim_owes_for_itself() -> None:
    """And the one that takes its place for what it had before."""
    owes = written([OWED | {"s": "replaced", "r": "[]"}])
    made = books(
        *OLD,
        draw("C2", oc="C1", os="replaced", o=[{"row": row(), **AWAY}], r=[], am=[], q=[], oow=owes),
    )

    assert made.differences == []
    assert made.claims["C1"]["ow:2"] == owes
    assert "ow:1" not in made.claims["C2"]


def test_a_void_owes_what_its_original_had() -> None:
    """Itself it holds nothing, as nothing."""
    owes = written([OWED | {"s": "reversed", "r": "[]"}])
    gone = [{"row": row(), **AWAY}]
    made = books(
        *OLD, draw("C2", s="void", oc="C1", os="reversed", o=gone, r=[], am=[], q=[], oow=owes)
    )

    assert made.differences == []
    assert (made.claims["C1"]["ow:2"], made.claims["C2"]["s"]) == (owes, "void")
    assert check_holdings(made) == []


def test_what_a_claim_keeps_is_not_owed() -> None:
    """A change of other lines leaves its rows as they are; a part is owed as a part."""
    same = change(s="used", k="adjust", u=[{"row": row(), **AWAY}], r=[{"row": row(), **AWAY}])
    assert books(*OLD, same).differences == []

    kept = row("A1", debit(1))
    part = change(
        s="used", k="adjust", u=[{"row": row(), **AWAY}], r=[{"row": kept, **AWAY}],
        ow=[OWED | {"s": "used", "r": written([kept])}],
    )  # fmt: skip
    assert books(*OLD, part).differences == []


@pytest.mark.parametrize(
    ("entries", "what", "field"),
    [
        ((*OLD, change(u=[{"row": row(), **AWAY}])), "claim C1", "owed"),
        (
            (draw(), change(u=[UNDONE], ow=[OWED | {"r": "[]"}], q=[["A1", "2"]])),
            "claim C1",
            "owed",
        ),
        ((*OLD, change(u=[UNDONE], ow=[OWED | {"r": "[]"}])), "authorization A1", "moved"),
        ((*OLD, confirm()), "claim C1", "ow:2"),
        ((*NEW, give_back(q=[])), "authorization A1", "sequence"),
        ((*NEW, give_back(u=[move(row(), (used(9), used(5)))])), "authorization A1", "H b"),
    ],
    ids=["no-note", "note-for-nothing", "moved-here", "nothing-owed", "not-numbered", "balance"],
)
def test_what_an_entry_gets_wrong_is_named(
    entries: Sequence[Fields], what: str, field: str
) -> None:
    """As for all other entries."""
    assert (what, field) in {each[:2] for each in seen(books(*entries))}


def test_units_are_given_back_where_they_are() -> None:
    """Once: the accounts keep which change of the claim that was; also what is made final."""
    made = books(*NEW, give_back())
    final = books(
        arrive([left(**{"H.uu": "0", "H.ur": str(4 * ONE)})]),
        give_back(
            was="reserved", s="used", u=[move(row(), (reserved(4), used(0)))],
            r=[move(row(), (used(0), used(4)))],
        ),
    )  # fmt: skip

    assert [made.differences, final.differences] == [[], []]
    assert made.accounts["A1"]["H.uu"] == "0"
    assert made.accounts["A1"]["back:C1"] == "2"
    assert final.accounts["A1"]["H.uu"] == str(4 * ONE)
    assert final.accounts["A1"]["n"] == "2"


def test_only_what_has_balances_has_travelled() -> None:
    """A bucket that was closed before anything was used there has nothing to do with it."""
    assert has_travelled({"from:7@2": "1"})
    assert has_travelled({"st": "moved", "H.uu": "0"})
    assert not has_travelled({"st": "moved", "g": "7@2", "back:C.uu": "1"})
    assert not has_travelled({"st": "open", "H.uu": "1"})
    assert kept_in(books(draw())) == {}


def test_sums_come_out_across_buckets() -> None:
    """While a claim holds, while it owes, and when it gave back there, told here or not."""
    old, new = books(*OLD), books(*NEW)
    owing, told = books(*OLD, reversal()), books(*OLD, reversal(), confirm())
    given = books(*NEW, give_back())
    pending = ("claims C1", "ow:2", "nothing", "owed to A1")

    assert across(old, new) == []
    assert across(told, given) == []
    assert across(owing, new) == across(owing, given) == [pending]
    assert [each.next_bucket for each in (kept_in(old)["A1"], kept_in(new)["A1"])] == [8, None]


def test_sums_that_do_not_come_out_are_named() -> None:
    """Nowhere open, open twice, or balances and tokens that nobody holds."""
    old, new = books(*OLD), books(*NEW)
    assert across(old) == [("authorization A1", "open", "in one bucket", "in 0")]
    assert across(new, new)[0][1:] == ("open", "in one bucket", "in 2")

    more = books(
        arrive([left(tokens=[["H|d|D1", "0:1"]], **{"H.dr": str(ONE)})]),
        draw("C7", r=[move(row("A2"), (used(0), used(4)))], am=[], q=[["A2", "1"]]),
    )
    assert across(old, more) == [
        ("authorization A1", "H.dr, of claims in all buckets", "0", str(ONE)),
        ("authorization A1", "H|d|D1 reserved, of claims in all buckets", "0", "1"),
    ]
    assert check_holdings(more) == []


def test_a_token_that_claims_of_two_buckets_hold_costs_once() -> None:
    """The sum over all buckets knows that."""
    visit = row("A1", debit(visits="V1"))
    old = books(draw(r=[move(visit, (used(0), used(1)))]), leave())
    new = books(
        arrive([left(tokens=[["H|u|V1", "1:0"]], **{"H.uu": str(ONE)})]),
        draw("C2", r=[move(visit, (used(1), used(1)))], am=[], q=[["A1", "2"]]),
    )

    assert new.differences == []
    assert across(old, new) == []
