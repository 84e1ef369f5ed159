"""The table of specialised processing: which procedures a row speaks of, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from service.domain.specialised import AlternateRow, CompanionRow, SpecialisedTable
from tests.builders import QUERIES, event_codes, references

GROUPS = references().groups


def read(path: Path) -> SpecialisedTable:
    """Load a table from its file."""
    return SpecialisedTable.model_validate(YAML(typ="safe", pure=True).load(path))


def table(*rows: dict[str, Any]) -> SpecialisedTable:
    """Make a table of these rows."""
    return SpecialisedTable.model_validate({"kind": "specialised", "version": "1", "rows": rows})


def companion(**changed: Any) -> dict[str, Any]:
    """A row of a companion: guidance that goes with an injection."""
    usual = {"rule": "companion", "id": "R1", "procedures": ["76942"], "companions": ["64612"]}
    return {**usual, **changed}


def alternate(**changed: Any) -> dict[str, Any]:
    """A row of alternates."""
    return {"rule": "alternate", "id": "R2", "group": "knee-lubricants", **changed}


def test_the_shipped_table_is_well_formed() -> None:
    """One row of each rule, with events and groups that are there."""
    shipped = read(QUERIES / "reference" / "specialised.yaml")

    assert [each.rule for each in shipped.rows] == ["companion", "alternate"]
    assert [each.event for each in shipped.rows] == ["SPA-0047", "SPA-0048"]
    assert shipped.faults(event_codes().events, GROUPS) == []


def test_no_table_has_no_rows() -> None:
    """Specialised processing is an offer."""
    assert references().specialised.rows == ()


@pytest.mark.parametrize(
    ("members", "held", "not_held"),
    [
        (["76942"], ["76942"], ["76943", "7694A"]),
        (["76942..76950", "G0283"], ["76942", "76950", "G0283"], ["76951", "G0282"]),
        (["D27*"], ["D2740"], ["D2640"]),
        ([{"group": "chiropractic"}], ["98940"], ["98944"]),
        (["76942", {"group": "chiropractic"}], ["76942", "98943"], ["98944"]),
    ],
)
def test_members_are_codes_ranges_and_groups(
    members: list[Any], held: list[str], not_held: list[str]
) -> None:
    """The same forms on both sides of a companion row."""
    (procedures,) = table(companion(procedures=members)).rows
    (companions,) = table(companion(companions=members)).rows
    assert isinstance(procedures, CompanionRow)
    assert isinstance(companions, CompanionRow)

    assert [each for each in held + not_held if procedures.holds(each, GROUPS)] == held
    assert [each for each in held + not_held if companions.is_companion(each, GROUPS)] == held


def test_an_alternate_row_speaks_of_its_group() -> None:
    """Of all its members."""
    (row,) = table(alternate()).rows
    assert isinstance(row, AlternateRow)

    assert [row.holds(each, GROUPS) for each in ("J7318", "J7325", "J7330")] == [True, True, False]


@pytest.mark.parametrize(
    "row",
    [
        companion(procedures=[]),
        companion(companions=None),
        companion(procedures=["97140..97110"]),
        companion(procedures=[{"groups": "chiropractic"}]),
        companion(procedures=[76942]),
        companion(group="chiropractic"),
        companion(rule="twin"),
        alternate(group=None),
        alternate(procedures=["76942"]),
    ],
)
def test_a_row_that_is_wrong_is_refused(row: dict[str, Any]) -> None:
    """Nothing is guessed of what it means."""
    with pytest.raises(ValidationError):
        table(row)


def test_two_rows_of_one_id_are_refused() -> None:
    """A row is named by its id."""
    with pytest.raises(ValidationError, match="R1 stands twice"):
        table(companion(), companion())


def test_what_is_not_there_is_named() -> None:
    """An event without a text, and groups that the reference table does not have."""
    rows = table(
        companion(
            event="SPA-0099",
            procedures=[{"group": "nothing"}],
            companions=[{"group": "therapy"}, {"group": "nobody"}],
        ),
        alternate(group="nowhere", event="SPA-0048"),
        alternate(id="R3"),
    )

    assert rows.faults(event_codes().events, GROUPS) == [
        "rows/R1/event: SPA-0099 is not in event-codes",
        "rows/R1: there is no group nobody in procedure-groups",
        "rows/R1: there is no group nothing in procedure-groups",
        "rows/R2: there is no group nowhere in procedure-groups",
    ]
