"""The unit table and the accounting policy: what they hold, and what they refuse."""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from service.domain.accounting_policy import (
    AccountingPolicy,
    BilledService,
    ConsumptionRow,
    Conversion,
    UnitTable,
)
from service.domain.code_groups import GroupTable
from service.domain.event import DenyWith
from service.domain.reference import References
from service.rules.texts import load_texts, read_folder
from tests.builders import QUERIES, references

HOURS = {"from": "HS", "to": "UN", "factor": "4"}


def service(
    procedure: str | None = "97110",
    revenue: str | None = "0420",
    modifiers: str = "",
    query: str = "outpatient",
) -> BilledService:
    """A service that was billed."""
    return BilledService(
        query_type=query,
        procedure=procedure,
        revenue_code=revenue,
        modifiers=frozenset(modifiers.split()),
    )


def row(**fields: Any) -> ConsumptionRow:
    """A row of the policy."""
    return ConsumptionRow.model_validate({"id": "r", "counts": "nothing", **fields})


def groups() -> dict[str, GroupTable]:
    """The shipped groups."""
    return dict(references().groups)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"conversions": [{**HOURS, "to": "HS"}]}, "HS to HS is no conversion"),
        ({"conversions": [{**HOURS, "to": "VS"}]}, "visits are never converted"),
        ({"conversions": [{**HOURS, "factor": "0"}]}, "greater than 0"),
        ({"conversions": [{**HOURS, "factor": "10001"}]}, "less than or equal to"),
        ({"conversions": [{**HOURS, "procedures": []}]}, "at least 1 item"),
        ({"conversions": [{**HOURS, "procedures": ["97140..97110"]}]}, "is not a range"),
        ({"conversions": [{**HOURS, "from": "HR"}], "same": {"HR": "HS"}}, "HR is written HS here"),
        ({"daily": ["DY"], "same": {"DY": "DA"}}, "DY is written DA here"),
        ({"same": {"DY": "DA", "DA": "DY"}}, "is written"),
        ({"daily": ["DA"], "visits": ["DA"]}, "days or visits, not both"),
        ({"daily": []}, "at least 1 item"),
        ({"hours": ["HS"]}, "Extra inputs"),
    ],
)
def test_a_unit_table_that_contradicts_itself_is_refused(table: Any, fault: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValidationError, match=fault):
        UnitTable.model_validate(table)


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ({"when_short": "pay"}, "'cutback' or 'refuse'"),
        ({"exceeded": {"group": "CO", "carc": "15"}}, "deactivated"),
        ({"by_query_type": {"dental": "refuse"}}, "valid dictionary"),
        ({"week_starts_on": "someday"}, "'monday'"),
        ({"retro_days_max": -1}, "greater than or equal to 0"),
        ({"consumption": [{"id": "a", "counts": "hours"}]}, "'units'"),
        ({"consumption": [{"id": "a", "counts": "units"}] * 2}, "a stands twice"),
        (
            {"consumption": [{"id": "a", "counts": "days", "revenue": ["0219..0100"]}]},
            "is not a range",
        ),
    ],
)
def test_a_policy_that_is_not_one_is_refused(policy: Any, fault: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValidationError, match=fault):
        AccountingPolicy.model_validate(policy)


@pytest.mark.parametrize(
    ("fields", "billed", "unit", "fits"),
    [
        ({}, service(), "UN", True),
        ({}, service(None, None), None, True),
        ({"query_types": ["inpatient"]}, service(), "UN", False),
        ({"query_types": ["inpatient", "outpatient"]}, service(), "UN", True),
        ({"authorization_units": ["DA"]}, service(), "UN", False),
        ({"authorization_units": ["DA"]}, service(), None, False),
        ({"authorization_units": ["DA"]}, service(), "DA", True),
        ({"modifiers": ["80", "as"]}, service(), "UN", False),
        ({"modifiers": ["80", "as"]}, service(modifiers="GP AS"), "UN", True),
        ({"procedures": ["97110..97140"]}, service(), "UN", True),
        ({"procedures": ["97110..97140"]}, service("9711T"), "UN", False),
        ({"procedures": ["97110..97140"]}, service(None), "UN", False),
        ({"procedures": ["70551", {"group": "therapy"}]}, service(), "UN", True),
        ({"procedures": [{"group": "therapy"}]}, service("70551"), "UN", False),
        ({"procedures": [{"group": "unknown"}]}, service(), "UN", False),
        ({"revenue": ["420..429"]}, service(), "UN", True),
        ({"revenue": ["0100..0219"]}, service(), "UN", False),
        ({"revenue": [{"group": "intensive-care"}]}, service(revenue="0200"), "UN", True),
        ({"not_revenue": ["0100..0219"]}, service(), "UN", True),
        ({"not_revenue": ["0100..0219"]}, service(revenue="0120"), "UN", False),
        ({"not_revenue": ["0100..0219"]}, service(revenue=None), "UN", False),
        ({"revenue": ["0100..0219"]}, service(revenue=None), "UN", False),
    ],
)
def test_whether_a_row_fits(
    fields: Any, billed: BilledService, unit: str | None, fits: bool
) -> None:
    """What it does not name may be anything; what is not known fits nothing."""
    assert row(**fields).fits(billed, unit, groups()) == fits


def test_a_group_of_a_table_that_is_not_there_holds_nothing() -> None:
    """Where the loader has not refused it, as in a test without tables."""
    assert not row(procedures=[{"group": "therapy"}]).fits(service(), "UN", {})


def test_the_first_row_that_fits_wins() -> None:
    """And none need fit."""
    rows = [
        {"id": "a", "counts": "days", "query_types": ["inpatient"]},
        {"id": "b", "counts": "visits", "procedures": ["97110"]},
        {"id": "c", "counts": "study", "procedures": ["97110..97140"]},
    ]
    policy = AccountingPolicy.model_validate({"consumption": rows})

    assert policy.counts(service(), "UN", {}) == "visits"
    assert policy.counts(service("97112"), "UN", {}) == "study"
    assert policy.counts(service("70551"), "UN", {}) is None


def test_what_differs_for_a_type_of_query() -> None:
    """What it does not say is that of all."""
    policy = AccountingPolicy.model_validate(
        {
            "by_query_type": {
                "dental": {"when_short": "refuse"},
                "referral": {"exceeded": {"group": "CO", "carc": "287", "remarks": ["N45"]}},
            }
        }
    )
    usual = DenyWith(group="CO", carc="198")

    assert [policy.short_of(each) for each in ("dental", "referral", "inpatient")] == [
        "refuse",
        "cutback",
        "cutback",
    ]
    assert policy.exceeded_of("dental") == policy.exceeded_of("inpatient") == usual
    assert policy.exceeded_of("referral") == DenyWith(group="CO", carc="287", remarks=("N45",))


@pytest.mark.parametrize(
    ("billed", "held", "rate"),
    [("HS", "UN", Fraction(4)), ("UN", "HS", Fraction(1, 4)), ("UN", "MJ", None)],
)
def test_a_conversion_goes_both_ways(billed: str, held: str, rate: Fraction | None) -> None:
    """And speaks of no other units."""
    assert Conversion.model_validate(HOURS).between(billed, held) == rate


@pytest.mark.parametrize(
    ("procedures", "procedure", "holds"),
    [(None, None, True), (["97110"], "97110", True), (["97110"], "97112", False)],
)
def test_a_conversion_may_be_of_some_procedures(
    procedures: list[str] | None, procedure: str | None, holds: bool
) -> None:
    """Or of any."""
    row = Conversion.model_validate({**HOURS, "procedures": procedures})

    assert row.names("procedures", procedure, {}) == holds


def test_without_files_units_are_what_they_are() -> None:
    """Nothing converts, and what is short is cut back."""
    known = References()

    assert (known.units.daily, known.units.visits, known.units.conversions) == (
        ("DA",),
        ("VS",),
        (),
    )
    assert known.units.canonical("DY") == "DY"
    assert (known.accounting.when_short, known.accounting.consumption) == ("cutback", ())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped rule files."""
    return Path(shutil.copytree(QUERIES, tmp_path / "queries"))


def problems_with(folder: Path, name: str, **changes: Any) -> list[tuple[str, str]]:
    """Change a reference file; give what the loader finds wrong, by file."""
    path = folder / "reference" / name
    content = YAML(typ="safe").load(path)
    YAML(typ="safe").dump({**content, **changes}, path)
    problems = load_texts(read_folder(folder)).problems
    return [(each.file, each.message) for each in problems if each.file.startswith("reference/")]


def test_the_shipped_files_are_loaded(folder: Path) -> None:
    """Both are in use."""
    loaded = load_texts(read_folder(folder))

    assert loaded.problems == ()
    assert loaded.references.units.canonical("DY") == "DA"
    assert [each.id for each in loaded.references.accounting.consumption] == [
        "assistant-surgeon",
        "anesthesia",
        "accommodation",
        "inpatient-ancillary",
    ]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "unit-conversions.yaml",
            {"conversions": [{**HOURS, "procedures": [{"group": "thrapy"}]}, HOURS]},
            "conversions/0: there is no group thrapy in procedure-groups",
        ),
        ("unit-conversions.yaml", {"daily": []}, "daily: Tuple should have at least 1 item"),
        (
            "accounting.yaml",
            {"consumption": [{"id": "a", "counts": "days", "revenue": [{"group": "icu"}]}]},
            "consumption/a: there is no group icu in levels-of-care",
        ),
        (
            "accounting.yaml",
            {"consumption": [{"id": "a", "counts": "days", "authorization_units": ["UN", "DY"]}]},
            "consumption/a: DY is written DA here",
        ),
        ("accounting.yaml", {"components": "both"}, "components: Input should be"),
    ],
)
def test_a_file_that_is_wrong_is_a_problem(
    folder: Path, name: str, changes: Any, message: str
) -> None:
    """Not a gap."""
    ((file, found),) = problems_with(folder, name, **changes)

    assert file == f"reference/{name}"
    assert found.startswith(message)


def test_groups_are_faults_where_their_table_is_not_there() -> None:
    """Each is named."""
    policy = AccountingPolicy.model_validate(
        {"consumption": [{"id": "a", "counts": "days", "revenue": [{"group": "nicu"}]}]}
    )

    assert policy.faults({}, UnitTable()) == [
        "consumption/a: there is no group nicu in levels-of-care"
    ]
