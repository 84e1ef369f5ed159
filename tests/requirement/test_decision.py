"""What a claim line needs, and which template looks for it, by the shipped tables."""

from collections.abc import Callable
from typing import Any

import pytest

from service.domain.claim import Claim
from service.domain.counters import CounterTable
from service.domain.reference import References
from service.requirement.decision import (
    Requirement,
    TemplateChoice,
    choose_template,
    decide_requirement,
)
from service.requirement.faults import TableRefused
from service.requirement.tables import TABLE_NAMES, RequirementTables, load_tables
from tests.builders import TEMPLATES

BuildClaim = Callable[..., Claim]
CARDIOLOGIST = {"taxonomy": ["207RC0000X"]}


def decided(claim: Claim, tables: RequirementTables) -> Requirement:
    """Decide the first line of a claim."""
    return decide_requirement(claim, claim.lines[0], tables)


def test_therapy_needs_an_authorization(tables: RequirementTables, build_claim: BuildClaim) -> None:
    """The answer names the table, its hash and the row that fired."""
    requirement = decided(build_claim({"procedure": "97112", "modifiers": ["GP"]}), tables)

    assert requirement == Requirement(
        needed=("authorization",),
        source="table",
        table="is-authorization-required",
        row="therapy",
        table_hash=tables.is_authorization_required.hash[:12],
    )


@pytest.mark.parametrize(
    ("line", "claim", "row", "needed", "linked"),
    [
        ({"procedure": "97112"}, {"emergency": True}, "emergency", (), ("authorization",)),
        ({"procedure": "70551", "place_of_service": "23"}, {}, "emergency-place", (),
         ("authorization",)),
        ({"procedure": "99284"}, {"place_of_service": "23"}, "emergency-place", (),
         ("authorization",)),
        ({"revenue_code": "0120"}, {"type": "institutional", "bill_type": "0111"},
         "inpatient-stay", ("authorization",), ()),
        ({"revenue_code": "0122"},
         {"type": "institutional", "bill_type": "111", "diagnoses": [{"code": "O80"}]},
         "maternity-stay", ("notification",), ("authorization",)),
        ({"revenue_code": "450"}, {"type": "institutional", "bill_type": "131"},
         "emergency-department", (), ("authorization",)),
        ({"revenue_code": "762"}, {"type": "institutional", "bill_type": "131"},
         "observation", ("notification",), ("authorization",)),
        ({"procedure": "97110"}, {"type": "institutional", "bill_type": "131"},
         "therapy", ("authorization",), ()),
        ({"procedure": "72148"}, {}, "advanced-imaging", ("authorization",), ()),
        ({"procedure": "E0601", "charge": "900.00"}, {}, "equipment-over-500",
         ("authorization",), ()),
        ({"procedure": "E0601", "charge": "500.00"}, {}, "everything-else", (), ()),
        ({"procedure": "E0601", "charge": "90.50", "modifiers": ["RR"]}, {}, "equipment-rental",
         ("authorization",), ()),
        ({"procedure": "G0299"}, {}, "home-care", ("authorization",), ()),
        ({"procedure": "33945"}, {}, "transplant", ("authorization", "referral"), ()),
        ({"procedure": "D2740"}, {"type": "dental"}, "dental-crown", ("authorization",), ()),
        ({"procedure": "D8080"}, {"type": "dental"}, "orthodontics", ("authorization",), ()),
        ({"procedure": "D0120"}, {"type": "dental"}, "everything-else", (), ()),
        ({"procedure": "99243"}, {}, "specialist-consultation", ("referral",), ()),
        ({"procedure": "99204"}, {"billing_provider": CARDIOLOGIST}, "specialist-first-visit",
         ("referral",), ()),
        ({"procedure": "99204"}, {"billing_provider": {"specialty": "08"}}, "everything-else",
         (), ()),
        ({"procedure": "99213"}, {}, "everything-else", (), ()),
        ({"revenue_code": "0300"}, {"type": "institutional", "bill_type": "131"}, "everything-else",
         (), ()),
    ],
)  # fmt: skip
def test_the_table_decides_where_the_benefit_is_silent(
    tables: RequirementTables,
    build_claim: BuildClaim,
    line: dict[str, Any],
    claim: dict[str, Any],
    row: str,
    needed: tuple[str, ...],
    linked: tuple[str, ...],
) -> None:
    """The first row that fits says what is needed, and what is linked if found."""
    requirement = decided(build_claim(line, **claim), tables)

    assert (row, needed, linked) == (requirement.row, requirement.needed, requirement.linked)
    assert needed + linked == requirement.looked_for


@pytest.mark.parametrize(
    ("line", "claim", "needed", "linked", "unknown", "rows"),
    [
        ({"procedure": "J1745"}, {}, ("authorization",), (), ("line.charge",),
         ("specialty-drug-over-500", "everything-else")),
        ({"procedure": "E0601"}, {}, ("authorization",), (), ("line.charge",),
         ("equipment-over-500", "everything-else")),
        ({"procedure": "99204"}, {}, ("referral",), (), ("line.specialties",),
         ("specialist-first-visit", "everything-else")),
        ({"procedure": "29881"}, {"network": None}, ("authorization",), (), ("claim.network",),
         ("out-of-network-surgery", "everything-else")),
        ({"procedure": "97112"}, {"place_of_service": None}, ("authorization",), (),
         ("line.place_of_service",), ("emergency-place", "therapy")),
        ({"procedure": "99213"}, {"place_of_service": None}, (), ("authorization",),
         ("line.place_of_service",), ("emergency-place", "everything-else")),
        ({"revenue_code": "0120"}, {"type": "institutional", "bill_type": "111", "diagnoses": []},
         ("authorization",), (), ("line.diagnoses",), ("maternity-stay", "inpatient-stay")),
    ],
)  # fmt: skip
def test_what_is_not_known_is_never_taken_for_small(
    tables: RequirementTables,
    build_claim: BuildClaim,
    line: dict[str, Any],
    claim: dict[str, Any],
    needed: tuple[str, ...],
    linked: tuple[str, ...],
    unknown: tuple[str, ...],
    rows: tuple[str, ...],
) -> None:
    """All that any of the possible rows demands is needed, and the answer says why."""
    requirement = decided(build_claim(line, **claim), tables)

    assert (requirement.needed, requirement.linked) == (needed, linked)
    assert (requirement.unknown, requirement.possible) == (unknown, rows)
    assert requirement.row in rows


def test_a_line_of_which_nothing_is_known_needs_all_that_it_may(
    tables: RequirementTables, build_claim: BuildClaim
) -> None:
    """A professional line without a procedure may be anything."""
    requirement = decided(build_claim({}), tables)

    assert requirement.needed == ("authorization", "referral")
    assert "line.procedure_groups" in requirement.unknown


def test_what_no_row_makes_a_difference_of_is_not_missed(
    tables: RequirementTables, build_claim: BuildClaim
) -> None:
    """Where all rows that may fire say the same, the one that surely fits answers."""
    claim = build_claim({"procedure": "97112"}, network=None, diagnoses=[])

    requirement = decided(claim, tables)

    assert (requirement.row, requirement.unknown, requirement.possible) == ("therapy", (), ())


@pytest.mark.parametrize(
    ("required", "requested", "needed"),
    [
        (True, None, ("authorization",)),
        (True, "referral", ("referral",)),
        (True, "authorization_and_referral", ("authorization", "referral")),
        (None, "notification", ("notification",)),
        (False, None, ()),
        (False, "referral", ()),
    ],
)
def test_the_benefit_wins_over_the_table(
    tables: RequirementTables,
    build_claim: BuildClaim,
    required: bool | None,
    requested: str | None,
    needed: tuple[str, ...],
) -> None:
    """A benefit that says yes or no, or names a type, is not overruled by a row."""
    benefit = {"authorization_required": required, "requested_type": requested}

    requirement = decided(build_claim({"procedure": "97112", "benefit": benefit}), tables)

    assert Requirement(needed=needed, source="benefit") == requirement  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "line", "claim", "template", "row"),
    [
        ("authorization", {}, {}, "professional", "professional"),
        ("notification", {}, {}, "professional", "professional"),
        ("referral", {}, {}, "referral", "referral"),
        ("referral", {}, {"type": "institutional", "bill_type": "131"}, "referral", "referral"),
        ("authorization", {}, {"type": "dental"}, "dental", "dental"),
        ("authorization", {}, {"type": "institutional", "bill_type": "0111"}, "inpatient",
         "inpatient-bill"),
        ("authorization", {}, {"type": "institutional", "bill_type": "131"}, "outpatient",
         "outpatient-bill"),
        ("authorization", {"procedure": "70551"}, {"type": "institutional", "bill_type": "121",
         "admission": {"date": "2026-03-01"}}, "outpatient", "outpatient-bill"),
        ("authorization", {"revenue_code": "120"}, {"type": "institutional", "bill_type": "121",
         "admission": {"date": "2026-03-01"}}, "inpatient", "room-and-board-of-a-stay"),
        ("authorization", {"revenue_code": "0120"}, {"type": "institutional", "bill_type": "121"},
         "outpatient", "outpatient-bill"),
        ("authorization", {"revenue_code": "0120"}, {"type": "institutional"}, "inpatient",
         "room-and-board-unknown-bill"),
        ("authorization", {}, {"type": "institutional", "admission": {"date": "2026-03-01"}},
         "inpatient", "admitted-unknown-bill"),
        ("authorization", {}, {"type": "institutional", "bill_type": "991",
         "admission": {"type": "1"}}, "outpatient", "unknown-bill"),
    ],
)  # fmt: skip
def test_the_template_follows_claim_type_bill_type_and_stay(
    tables: RequirementTables,
    build_claim: BuildClaim,
    kind: Any,
    line: dict[str, Any],
    claim: dict[str, Any],
    template: Any,
    row: str,
) -> None:
    """Routing by bill type is a table; room and board during an admission is inpatient."""
    built = build_claim(line, **claim)
    table_hash = tables.requested_auth_type.short_hash

    choice = choose_template(built, built.lines[0], kind, tables)

    assert choice == TemplateChoice(
        template=template, row=row, table="requested-auth-type", table_hash=table_hash
    )


def test_every_bill_type_has_its_template(
    tables: RequirementTables, build_claim: BuildClaim
) -> None:
    """Each bill type of the trade is routed by a row of its own, not by the last one."""
    inpatient = {"11", "18", "21", "28", "41", "65", "66", "86"}
    outpatient = {"12", "13", "14", "22", "23", "32", "33", "34", "43"}
    outpatient |= {str(digits) for digits in (*range(71, 80), *range(81, 86))}
    for bill_type in inpatient | outpatient:
        claim = build_claim({}, type="institutional", bill_type=f"{bill_type}1")
        choice = choose_template(claim, claim.lines[0], "authorization", tables)

        assert choice.row != "unknown-bill"
        assert choice.template == ("inpatient" if bill_type in inpatient else "outpatient")


def test_both_tables_are_needed(references: References) -> None:
    """A missing one is refused by its name."""
    with pytest.raises(TableRefused, match="no such table") as refused:
        load_tables({"is-authorization-required": "{}"}, references, TEMPLATES)

    assert refused.value.table == "requested-auth-type"


@pytest.mark.parametrize(
    ("visits", "needed", "counted"),
    [
        (None, ("authorization",), {"nutrition_visits": None}),
        (13, ("authorization",), {"nutrition_visits": 13}),
        (12, (), {"nutrition_visits": 12}),
        (0, (), {}),
    ],
)
def test_a_requirement_looks_back(
    tables: RequirementTables,
    build_claim: BuildClaim,
    visits: int | None,
    needed: tuple[str, ...],
    counted: dict[str, int | None],
) -> None:
    """The thirteenth visit needs an authorization, and one of which the number is not known."""
    claim = build_claim({"procedure": "97802"})

    found = decide_requirement(claim, claim.lines[0], tables, {"nutrition_visits": visits})

    assert (found.needed, dict(found.counted)) == (needed, counted)
    assert found.unknown == (("counted.nutrition_visits",) if visits is None else ())


@pytest.mark.parametrize(("period", "looks_back"), [("year", True), ("claim", False)])
def test_only_what_is_kept_of_others_is_looked_back_at(
    references: References,
    build_jdm: Callable[..., Any],
    as_text: Callable[[Any], str],
    period: str,
    looks_back: bool,
) -> None:
    """A counter of the claim needs nothing that is stored, nor does one that no row asks for."""
    counter = {"procedures": ["97802"], "counts": "visits", "period": period}
    own = references.model_copy(
        update={"counters": CounterTable.model_validate({"counters": {"it": counter}})}
    )
    second = build_jdm(["claim.type"], [([""], '"professional"')], "template")
    for cell, expected in (("> 1", looks_back), ("", False)):
        rows = [([cell, '"97802"'], "[]"), (["", ""], "[]")]
        first = build_jdm(["counted.it", "line.procedure"], rows)
        texts = dict(zip(TABLE_NAMES, map(as_text, (first, second)), strict=True))
        assert load_tables(texts, own, TEMPLATES).looks_back == expected
