"""Which number goes on a claim, at which level, and why: the payer's table, line by line."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.claim import Claim
from service.domain.claim_numbers import (
    ForPayer,
    Found,
    Level,
    NumberRow,
    NumberTable,
    place_numbers,
    with_numbers,
)
from tests.builders import build_claim

FORMS = {"professional": "professional", "institutional": "outpatient", "dental": "dental"}


def claim_of(kind: str, sent: list[str], lines: list[list[str]]) -> Claim:
    """A claim with numbers of its own and of its lines; 9F before one makes it a referral's."""

    def numbers(given: list[str]) -> list[dict[str, str]]:
        return [
            {"kind": "referral", "value": each.removeprefix("9F ")}
            if each.startswith("9F ")
            else {"value": each}
            for each in given
        ]

    return build_claim(
        FORMS[kind],
        authorization_numbers=numbers(sent),
        lines=[{"authorization_numbers": numbers(each)} for each in lines],
    )


def shown(claim: Claim) -> list[list[str]]:
    """Its numbers, then those of each line."""
    return [
        [("9F " if each.kind == "referral" else "") + each.value for each in of]
        for of in (claim.authorization_numbers, *(x.authorization_numbers for x in claim.lines))
    ]


def placed(
    found: dict[int, str | None], level: Level | None, claim: Claim, kind: Any = "authorization"
) -> tuple[list[list[str]], list[tuple[Any, ...]]]:
    """The numbers of the claim and its lines then, and what is said of each line."""
    rows = () if level is None else (NumberRow(id="row", level=level),)
    placement = place_numbers(
        claim,
        [
            Found(line=line, kind=kind, why="matched" if number else "not-found", number=number)
            for line, number in found.items()
        ],
        NumberTable(rows=rows),
        ForPayer(claim_type=claim.type),
    )
    told = [(each["line"], each["level"], each["reason"]) for each in placement.told]
    return shown(with_numbers(claim, placement)), told


BOTH_A, A_AND_B, ONLY_A = {1: "A-1", 2: "A-1"}, {1: "A-1", 2: "B-1"}, {1: "A-1", 2: None}
ON_CLAIM, ON_LINE = (1, "claim", "matched"), (1, "line", "matched")


@pytest.mark.parametrize(
    ("kind", "level", "sent", "lines", "found", "numbers", "told"),
    [
        ("professional", None, [], [[], []], BOTH_A, [["A-1"], [], []],
         [ON_CLAIM, (2, "claim", "matched")]),
        ("professional", None, [], [[], []], A_AND_B, [["A-1"], [], ["B-1"]],
         [ON_CLAIM, (2, "line", "matched")]),
        ("professional", None, ["a1"], [[], []], BOTH_A, [["a1"], [], []],
         [(1, "claim", "as-sent"), (2, "claim", "as-sent")]),
        ("professional", None, ["X"], [["X"], []], BOTH_A, [["A-1"], [], []],
         [ON_CLAIM, (2, "claim", "matched")]),
        ("professional", None, [], [["a1"], []], A_AND_B, [["B-1"], ["a1"], []],
         [(1, "line", "as-sent"), (2, "claim", "matched")]),
        ("professional", "claim", [], [["a1"], []], BOTH_A, [["A-1"], [], []],
         [ON_CLAIM, (2, "claim", "matched")]),
        ("professional", None, ["X"], [[], ["Y"]], ONLY_A, [["A-1"], [], ["Y"]],
         [ON_CLAIM, (2, None, "not-found")]),
        ("professional", None, ["X"], [[], []], {1: None, 2: None}, [["X"], [], []],
         [(1, None, "not-found"), (2, None, "not-found")]),
        ("professional", "line", ["X"], [[], []], A_AND_B, [[], ["A-1"], ["B-1"]],
         [ON_LINE, (2, "line", "matched")]),
        ("professional", "line", ["X"], [["a1"], []], ONLY_A, [["X"], ["a1"], []],
         [(1, "line", "as-sent"), (2, None, "not-found")]),
        ("professional", "line", ["X"], [[], []], {1: None, 2: None}, [["X"], [], []],
         [(1, None, "not-found"), (2, None, "not-found")]),
        ("professional", "none", ["X", "9F R"], [["A-1"], []], BOTH_A, [[], [], []],
         [(1, None, "payer-wants-none"), (2, None, "payer-wants-none")]),
        ("dental", None, [], [[], []], A_AND_B, [["A-1"], [], ["B-1"]],
         [ON_CLAIM, (2, "line", "matched")]),
        ("institutional", None, [], [[], [], []], {1: "B-1", 2: "A-1", 3: "A 1"},
         [["A-1"], [], [], []],
         [(1, None, "no-room"), (2, "claim", "matched"), (3, "claim", "matched")]),
        ("institutional", "line", [], [[]], {1: "A-1"}, [["A-1"], []], [ON_CLAIM]),
        ("institutional", None, ["B-1"], [["A-1"], []], A_AND_B, [["B-1"], ["A-1"], []],
         [(1, "line", "as-sent"), (2, "claim", "as-sent")]),
    ],
    ids=str,
)  # fmt: skip
def test_numbers_go_where_the_payer_wants_them(
    kind: str, level: Level | None, sent: list[str], lines: list[list[str]],
    found: dict[int, str | None], numbers: list[list[str]],
    told: list[tuple[int, str | None, str]],
) -> None:  # fmt: skip
    """Never at both levels; on a claim the one of most lines; 837I has no room on its lines."""
    assert placed(found, level, claim_of(kind, sent, lines)) == (numbers, told)


def test_a_referral_has_a_place_of_its_own() -> None:
    """Beside the authorization; what stands elsewhere is left alone."""
    claim = claim_of("professional", ["A-1", "9F X"], [[]])

    numbers, told = placed({1: "R-1"}, None, claim, "referral")

    assert numbers == [["A-1", "9F R-1"], []]
    assert told == [(1, "claim", "matched")]


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        ({}, True),
        ({"payers": ["hp-77", "HP-78"]}, True),
        ({"payers": ["HP-79"]}, False),
        ({"claim_types": ["professional", "dental"]}, True),
        ({"claim_types": ["institutional"]}, False),
        ({"responsibilities": ["S"]}, True),
        ({"responsibilities": ["P"]}, False),
        ({"kinds": ["authorization"]}, True),
        ({"kinds": ["referral"]}, False),
        ({"payers": ["HP-77"], "responsibilities": ["P", "T"]}, False),
    ],
    ids=str,
)
def test_the_first_row_that_fits_says_where(row: dict[str, Any], fits: bool) -> None:
    """By payer, type of claim, whether it is the primary or secondary, and kind of number."""
    rows = [{"id": "one", "level": "none", **row}, {"id": "other", "level": "line"}]
    table = NumberTable.model_validate({"rows": rows})
    sent = ForPayer(claim_type="professional", payer_id="HP-77", responsibility="S")

    assert table.level(sent, "authorization") == (("none", "one") if fits else ("line", "other"))


def test_a_claim_without_a_payer_fits_no_row_that_names_one() -> None:
    """It goes on the claim then."""
    table = NumberTable(rows=(NumberRow(id="one", level="none", payers=("HP-77",)),))

    assert table.level(ForPayer(claim_type="dental"), "authorization") == ("claim", None)


def test_a_row_stands_once() -> None:
    """By its id."""
    rows = [{"id": "one", "level": "none"}] * 2

    with pytest.raises(ValidationError, match="one stands twice"):
        NumberTable.model_validate({"rows": rows})
