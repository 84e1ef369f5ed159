"""The shipped reference tables are well formed, and say what the trade says."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from service.domain.reference import AttachedFields, Group, GroupTable

FOLDER = Path(__file__).parents[2] / "queries" / "reference"


def read(path: Path) -> Any:
    """Parse one YAML 1.2 file."""
    return YAML(typ="safe", pure=True).load(path)


def table(name: str) -> GroupTable:
    """Load a table of groups by its name."""
    return GroupTable.model_validate(read(FOLDER / f"{name}.yaml"))


GROUP_TABLES = [path for path in sorted(FOLDER.glob("*.yaml")) if read(path)["kind"] == "groups"]


@pytest.mark.parametrize("path", GROUP_TABLES, ids=lambda path: path.stem)
def test_every_table_is_valid_and_named_after_its_file(path: Path) -> None:
    """A table is found by its file name, so its id must be the same."""
    loaded = GroupTable.model_validate(read(path))

    assert path.stem == loaded.id


def test_attached_fields_are_typed() -> None:
    """The attached-data fields that templates may use have types of the index."""
    attached = AttachedFields.model_validate(read(FOLDER / "attached.yaml"))

    assert attached.fields["risk_level"] == "long"


@pytest.mark.parametrize(
    ("name", "code", "groups"),
    [
        ("procedure-groups", "97112", {"therapy", "treatment"}),
        ("procedure-groups", "97161", {"therapy-evaluation", "consultation"}),
        ("procedure-groups", "D2740", {"dental-crowns"}),
        ("procedure-groups", "9711A", set()),
        ("procedure-counterparts", "99243", {"treatment"}),
        ("procedure-counterparts", "97110", {"consultation"}),
        ("dental-categories", "D6750", {"prosthodontics-fixed"}),
        ("place-classes", "02", {"office-or-telehealth"}),
        ("place-classes", "19", {"outpatient-hospital"}),
        ("specialty-parents", "225100000X", {"physical-therapy"}),
        ("specialty-parents", "65", {"physical-therapy"}),
        ("levels-of-care", "0120", {"medical-surgical"}),
        ("levels-of-care", "0206", {"intermediate"}),
        ("bill-type-families", "18", {"snf-and-swing-bed"}),
        ("mdc", "470", {"08"}),
        ("mdc", "807", {"14"}),
        ("informational-modifiers", "25", {"informational"}),
        ("informational-modifiers", "GP", set()),
        ("per-tooth-codes", "D2740", {"per-tooth"}),
        ("per-quadrant-codes", "D4341", {"per-quadrant"}),
        ("per-tooth-codes", "D4341", set()),
    ],
)
def test_a_code_stands_in_its_groups(name: str, code: str, groups: set[str]) -> None:
    """A code is found in every group that holds it, and in no group by its neighbours."""
    assert groups == set(table(name).groups_of(code))


@pytest.mark.parametrize(
    ("service_type", "code"),
    [("PT", "97112"), ("OT", "97165"), ("36", "D2740"), ("62", "70551"), ("A6", "90837")],
)
def test_a_service_type_covers_its_procedures(service_type: str, code: str) -> None:
    """The service type of a request leads to the procedures of this type."""
    assert service_type in table("service-types").groups_of(code)


@pytest.mark.parametrize(
    ("name", "code", "within"),
    [
        ("tooth-quadrants", "14", ("20", "01", "00")),
        ("tooth-quadrants", "T", ("40", "02", "00")),
        ("tooth-quadrants", "82", ("40", "02", "00")),
        ("tooth-quadrants", "KS", ("30", "02", "00")),
        ("oral-cavity-arches", "10", ("01", "R", "00")),
        ("oral-cavity-arches", "07", ("02", "00")),
        ("modifier-sides", "50", ("RT", "LT")),
        ("modifier-sides", "LT", ("50",)),
    ],
)
def test_a_place_in_the_body_expands_to_what_contains_it(
    name: str, code: str, within: tuple[str, ...]
) -> None:
    """A tooth lies in its quadrant, a quadrant in its arch; both sides hold each side."""
    assert within == table(name).groups[code].members


def test_a_table_is_another_one_when_it_was_read_again() -> None:
    """What was looked up in one is never given out for the other."""
    first, second = table("tooth-quadrants"), table("tooth-quadrants")

    assert [first == first.model_copy(), first == second, len({first, second})] == [False, False, 2]


def test_every_tooth_has_its_quadrant() -> None:
    """32 permanent and 20 primary teeth, each with a supernumerary beside it."""
    assert len(table("tooth-quadrants").groups) == 2 * (32 + 20)


def test_levels_of_care_are_ordered_and_do_not_overlap() -> None:
    """Step-down is below intensive care, and no accommodation has two levels."""
    levels = table("levels-of-care")
    ranks = [levels.rank(name) for name in ("medical-surgical", "intermediate", "intensive-care")]
    codes = [f"{code:04d}" for code in range(100, 220)]

    assert levels.ordered
    assert sorted(ranks) == ranks
    assert all(len(levels.groups_of(code)) <= 1 for code in codes)


def test_a_diagnosis_related_group_has_one_category_at_most() -> None:
    """Two groups are of one category only if their category is unmistakable."""
    categories = table("mdc")

    assert all(len(categories.groups_of(f"{drg:03d}")) <= 1 for drg in range(1, 1000))


def test_consultation_and_treatment_have_nothing_in_common() -> None:
    """A code of both would be a match and a mismatch of the same referral."""
    groups = table("procedure-groups")
    counterparts = table("procedure-counterparts")

    assert set(groups.groups["consultation"].members) == set(
        counterparts.groups["treatment"].members
    )
    assert set(groups.groups["treatment"].members) == set(
        counterparts.groups["consultation"].members
    )
    for code in ("99202", "97161", "99213", "97110", "92004", "92014", "90791", "90837"):
        assert len({"consultation", "treatment"} & set(groups.groups_of(code))) == 1


def test_no_bill_type_is_in_two_families() -> None:
    """An authorized stay must not pay an outpatient bill."""
    families = table("bill-type-families")

    assert all(len(families.groups_of(str(digits))) <= 1 for digits in range(10, 100))


@pytest.mark.parametrize("member", ["97140..97110", "97110..9999", "0100..100A9"])
def test_a_range_that_is_none_is_refused(member: str) -> None:
    """A range must rise, and hold codes of one length."""
    with pytest.raises(ValidationError, match="is not a range"):
        GroupTable(kind="groups", id="x", version="1", groups={"a": Group(members=(member,))})
