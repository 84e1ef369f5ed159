"""What is better, what is worse, and which authorization has a part in it."""

from typing import cast

import pytest

from service.domain.answers import LineAnswer
from service.flow.late._offer import offer_of


def line(
    disposition: str, units: str = "0", *, needs: tuple[str, ...] = ("authorization",), **found: str
) -> LineAnswer:
    """A line of an answer; ``found`` has class, action and perhaps kind, by authorization."""
    results: dict[str, list[object]] = {kind: [] for kind in needs}
    for name, words in found.items():
        class_, action, *kind = words.split()
        candidate = {
            "authorization_id": name,
            "version": 1,
            "class": class_,
            "action": None if action == "?" else action,
        }
        results[kind[0] if kind else "authorization"].append(candidate)
    told = {
        "line": 1,
        "disposition": disposition,
        "approved": {"units": units, "unit": "UN", "amount": "0.00"},
        "events": [{"code": "SPA-0009"}],
        "results": [
            {"type": kind, "required": True, "class": "none", "candidates": each}
            for kind, each in results.items()
        ],
    }
    return cast(LineAnswer, told)


def numbered(number: int, of: LineAnswer) -> LineAnswer:
    """The line, under another number."""
    return {**of, "line": number}


BOTH = ("authorization", "referral")


@pytest.mark.parametrize(
    ("before", "now", "arrived", "said"),
    [
        (line("suspend"), line("pay", "1", A1="exact A1"), ["A1"], "by itself"),
        (line("suspend"), line("pay", "1", A1="exact A1"), None, "by itself"),
        (line("suspend"), line("pay", "1", A1="exact A1"), ["A2"], None),
        (line("suspend"), line("suspend", A1="non-exact A1"), ["A1"], "examiner"),
        (line("suspend"), line("suspend", A1="exact A4"), ["A1"], None),
        (line("suspend"), line("suspend", A1="exact A3"), ["A1"], None),
        (line("suspend"), line("suspend", A1="exact ?"), ["A1"], None),
        (line("suspend", A1="exact A3"), line("suspend", A1="exact A3", A2="non-exact A6"), ["A2"],
         "examiner"),
        (line("deny"), line("suspend", A1="exact A4"), ["A1"], "examiner"),
        (line("deny"), line("cut_back", "1", A1="exact A2"), ["A1"], "by itself"),
        (line("cut_back", "1", A1="exact A1"), line("cut_back", "2", A1="exact A1"), ["A1"],
         "by itself"),
        (line("cut_back", "2", A1="exact A1"), line("cut_back", "1", A1="exact A1"), ["A1"], None),
        (line("pay", "1", A1="non-exact A1"), line("pay", "1", A1="exact A1"), ["A1"], None),
        (line("pay", "1", A1="exact A1"), line("suspend", A1="exact A3"), ["A1"], None),
        (line("suspend", A1="exact A1", A2="exact A1"), line("pay", "1", A2="exact A1"), ["A1"],
         "by itself"),
        (line("suspend", needs=BOTH),
         line("suspend", needs=BOTH, R1="exact A1 referral"), ["R1"], "examiner"),
        (line("suspend", needs=BOTH, A1="exact A1"),
         line("suspend", needs=BOTH, A1="non-exact A1", R1="exact A1 referral"), ["R1"], None),
        (line("suspend"), line("suspend"), None, None),
        (line("void"), line("void"), None, None),
    ],
)  # fmt: skip
def test_a_line_is_offered_if_it_is_better_because_of_what_arrived(
    before: LineAnswer, now: LineAnswer, arrived: list[str] | None, said: str | None
) -> None:
    """And adjudicated anew by itself if it would be paid."""
    offer = offer_of([before], [now], arrived)

    told = None if offer is None else "by itself" if offer.needs_nobody else "examiner"
    assert told == said


def test_a_line_that_is_worse_needs_an_examiner() -> None:
    """It is shown with the one that is better; its authorizations are not what arrived."""
    before = [line("suspend"), numbered(2, line("pay", "1", A9="exact A1"))]
    now = [line("pay", "1", A1="exact A1"), numbered(2, line("suspend", A9="exact A3"))]

    offer = offer_of(before, now, ["A1"])

    assert offer is not None
    assert not offer.needs_nobody
    assert [(each["line"], each["better"], each["authorizations"]) for each in offer.lines] == [
        (1, True, ["A1"]),
        (2, False, []),
    ]
    assert offer.authorizations == {"A1": 1}
