"""The unit table as a whole: of two units there is one way, or the table is refused."""

from fractions import Fraction
from typing import Any

import pytest

from service.domain.accounting_policy import UnitTable
from service.domain.code_groups import GroupTable
from service.querying.problem import Problem
from service.rules.texts import load_texts, read_folder
from tests.builders import QUERIES

THERAPY = [{"group": "therapy"}]


def groups() -> dict[str, GroupTable]:
    """Groups that share some codes."""
    members = {"therapy": ["97110..97150", "G0283"], "home": ["G0299", "T1019"]}
    content = {name: {"members": codes} for name, codes in members.items()}
    table = {"kind": "groups", "id": "procedure-groups", "version": "1", "groups": content}
    return {"procedure-groups": GroupTable.model_validate(table)}


def row(units: str, factor: str, procedures: Any = None, modifiers: Any = None) -> dict[str, Any]:
    """A row, its units as `HS UN`."""
    start, end = units.split()
    named = {"procedures": procedures, "modifiers": modifiers}
    return {"from": start, "to": end, "factor": factor} | {k: v for k, v in named.items() if v}


def table(*rows: dict[str, Any]) -> UnitTable:
    """A unit table of these rows."""
    return UnitTable.model_validate({"conversions": rows})


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        # The same twice, and each for procedures of its own.
        ([row("HS UN", "4"), row("UN HS", "0.25")], []),
        ([row("HS UN", "4", ["97110"]), row("HS UN", "2", ["97140"])], []),
        ([row("HS UN", "4", THERAPY), row("HS UN", "2", [{"group": "home"}])], []),
        ([row("HS UN", "4", ["97110..97140"]), row("HS UN", "2", ["G0299"])], []),
        ([row("MN UN", "1", None, ["RR"]), row("MN UN", "1", THERAPY)], []),
        # Two ways that disagree.
        ([row("HS UN", "4"), row("HS UN", "2")],
         ["conversions/1: there is another way from HS to UN for any procedure, by the factor 4"]),
        ([row("HS UN", "4"), row("UN HS", "0.5", ["97110"])],
         ["conversions/1: there is another way from UN to HS for 97110, by the factor 0.25"]),
        ([row("HS UN", "4", THERAPY), row("HS UN", "2", ["97140"])],
         ["conversions/1: there is another way from HS to UN for 97140, by the factor 4"]),
        ([row("HS UN", "4", THERAPY), row("HS UN", "2", ["971*"])],
         ["conversions/1: there is another way from HS to UN for 97110, by the factor 4"]),
        ([row("HS UN", "4", ["97112..97150"]), row("HS UN", "2", ["9713*"])],
         ["conversions/1: there is another way from HS to UN for 97130, by the factor 4"]),
        ([row("MN UN", "1", None, ["RR"]), row("MN UN", "30", None, ["KH"])],
         ["conversions/1: there is another way from MN to UN for any procedure, by the factor 1"]),
        # A circle, though its factors agree, and one of some procedures only.
        ([row("HS MJ", "60"), row("UN MJ", "15", THERAPY), row("HS UN", "4", ["97110"])],
         ["conversions/2: there is another way from HS to UN for 97110, by the factor 4"]),
        ([row("HS MJ", "60"), row("UN MJ", "20"), row("HS UN", "4")],
         ["conversions/2: there is another way from HS to UN for any procedure, by the factor 3"]),
        ([row("HS MJ", "60", ["T1019"]), row("UN MJ", "15", THERAPY), row("HS UN", "4")], []),
        ([row("A1 A2", "2"), row("A2 A3", "2"), row("A3 A4", "2"), row("A4 A1", "2")],
         ["conversions/3: there is another way from A4 to A1 for any procedure,"
          " by the factor 0.125"]),
        # What is not there is said first.
        ([row("HS UN", "4"), row("HS UN", "2", [{"group": "nobody"}])],
         ["conversions/1: there is no group nobody in procedure-groups"]),
    ],
)  # fmt: skip
def test_of_two_units_there_is_one_way(rows: list[dict[str, Any]], faults: list[str]) -> None:
    """For no procedure may a second one be found, by a circle or by a row that disagrees."""
    assert table(*rows).faults(groups()) == faults


@pytest.mark.parametrize(
    ("billed", "held", "procedure", "rate"),
    [
        ("MJ", "UN", "97110", Fraction(1, 15)),
        ("UN", "MJ", "97110", Fraction(15)),
        ("HS", "UN", "97110", Fraction(4)),
        ("MJ", "UN", "G0299", None),
        ("MJ", "WK", "97110", Fraction(1, 2400)),
        ("UN", "WK", "97110", Fraction(1, 160)),
        ("MJ", "DA", "97110", None),
    ],
)
def test_a_way_goes_through_more_than_one_row(
    billed: str, held: str, procedure: str, rate: Fraction | None
) -> None:
    """Only through rows of the procedure."""
    known = table(row("HS UN", "4", THERAPY), row("HS MJ", "60"), row("WK HS", "40"))

    assert known.faults(groups()) == []
    assert known.rate(billed, held, procedure, (), groups()) == rate


def test_a_file_with_two_ways_is_refused_with_its_line() -> None:
    """With the path of the row, and the line on which it stands."""
    texts = read_folder(QUERIES)
    name = "reference/unit-conversions.yaml"
    added = '  - {from: UN, to: MJ, factor: "10", procedures: [T1019]}'
    texts[name] = f"{texts[name].rstrip()}\n{added}\n"

    (problem,) = load_texts(texts).problems

    assert problem == Problem(
        code="T014",
        path="/conversions/4",
        file=name,
        line=texts[name].count("\n"),
        message="conversions/4: there is another way from UN to MJ for T1019, by the factor 15",
    )
