"""What each line of an authorization really says: its own values, else those of the header."""

# ruff: noqa: E501 - a row of a table is one line

from typing import Any

import pytest

from service.domain.effective import LineValues, effective_lines, numbers_of
from service.domain.reference import References
from tests.builders import build_authorization, references

Fields = dict[str, Any]

HEADER: Fields = {"npi": "1234567893", "tin": "741234567", "specialty": "65"}


def only_line(line: Fields | None = None, **header: Any) -> LineValues:
    """Give the effective values of the one line."""
    (values,) = effective_lines(build_authorization(line=line, **header), references())
    return values


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        (HEADER, None, {"npi": "1234567893", "tin": "741234567", "specialty": "65"}),
        (HEADER, {"npi": "1999999984"}, {"npi": "1999999984"}),
        (HEADER, {}, {}),
        (None, {"tin": "74-1234567"}, {"tin": "741234567"}),
        (None, None, {}),
    ],
)
def test_an_object_of_the_line_wins_whole(
    header: Fields | None, line: Fields | None, expected: Fields
) -> None:
    """Never the number of one provider with the specialty of another."""
    values = only_line({"servicing_provider": line}, servicing_provider=header)
    prefix = "servicing_provider."

    assert expected == {
        name.removeprefix(prefix): each for name, each in values.items() if name.startswith(prefix)
    }


FIRST: Fields = {"npi": "1234567893", "tin": "741234567"}
SECOND: Fields = {"npi": "1477777779", "taxonomy": ["207Q00000X"]}
GROUP: Fields = {"npi": "1122334455", "organization": True}
NUMBERED: Fields = {"tin": "751112223", "organization": True}


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        ({"servicing_provider": FIRST, "other_servicing_providers": [SECOND]}, {}, {"npi": ["1234567893", "1477777779"], "tin": "741234567", "taxonomy": "207Q00000X"}),
        ({"servicing_provider": FIRST, "other_servicing_providers": [FIRST]}, {}, {"npi": "1234567893", "tin": "741234567"}),
        ({"servicing_provider": FIRST, "other_servicing_providers": [SECOND]}, {"servicing_provider": GROUP}, {"npi": "1122334455", "organization_npi": "1122334455"}),
        ({"servicing_provider": FIRST}, {"other_servicing_providers": [GROUP, SECOND]}, {"npi": ["1122334455", "1477777779"], "organization_npi": "1122334455", "taxonomy": "207Q00000X"}),
        ({"servicing_provider": NUMBERED}, {}, {"tin": "751112223", "organization_tin": "751112223"}),
        ({"servicing_provider": {"name": "Nobody", "organization": True}}, {}, {}),
        ({"servicing_provider": {**FIRST, "organization": False}}, {}, {"npi": "1234567893", "tin": "741234567"}),
    ],
)  # fmt: skip
def test_all_who_may_give_a_service_stand_together(
    header: Fields, line: Fields, expected: Fields
) -> None:
    """Any of them; those of the line replace all of the header, and an organization is told."""
    values = only_line(line, **{"servicing_provider": None, **header})

    assert expected == {
        name.removeprefix("servicing_provider."): value
        for name, value in values.items()
        if name.startswith("servicing_provider.")
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"setting": "professional"}, "professional"),
        ({"setting": "professional", "other_settings": ["professional"]}, "professional"),
        ({"setting": "inpatient", "other_settings": ["professional"]}, ["inpatient", "professional"]),
    ],
)  # fmt: skip
def test_an_authorization_has_one_setting_or_several(given: Fields, expected: object) -> None:
    """Each once, its own first."""
    assert only_line(**given)["setting"] == expected


def test_a_line_may_be_for_other_claims_than_its_fellow() -> None:
    """The procedure of a stay is the surgeon's too, its room is not."""
    lines: list[Fields] = [{"revenue_code": "0120"}, {"other_settings": ["professional"]}]
    found = effective_lines(build_authorization(setting="inpatient", lines=lines), references())

    assert [each["setting"] for each in found] == ["inpatient", ["inpatient", "professional"]]


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        ([], [], None),
        (["tuesday", "monday", "tuesday"], [], ["monday", "tuesday"]),
        (["monday"], ["saturday"], ["saturday"]),
        ([], ["other"], ["other"]),
    ],
)
def test_the_days_of_the_week_of_a_line(
    header: list[str], line: list[str], expected: object
) -> None:
    """Its own, else those of the header; none is any day."""
    values = only_line({"days_of_week": line}, days_of_week=header)

    assert values.get("days_of_week") == expected


def test_any_facility_of_several_is_one_where_the_service_may_be_given() -> None:
    """An organization among them needs no number of its own: a place is compared as it is."""
    values = only_line(facility=GROUP, other_facilities=[SECOND])

    assert values["facility.npi"] == ["1122334455", "1477777779"]
    assert "facility.organization_npi" not in values


@pytest.mark.parametrize(
    ("header", "line", "removed", "expected"),
    [
        (("2026-03-01", "2026-05-31"), None, None, ("2026-03-01", "2026-05-31")),
        (("2026-03-01", "2026-05-31"), ("2026-04-01", None), None, ("2026-04-01", None)),
        (("2026-03-01", "2026-05-31"), (None, "2026-04-01"), None, (None, "2026-04-01")),
        (("2026-03-01", "2026-05-31"), (None, None), None, ("2026-03-01", "2026-05-31")),
        (("2026-03-01", None), None, None, ("2026-03-01", None)),
        (("2026-03-01", "2026-05-31"), None, "2026-04-15", ("2026-03-01", "2026-04-15")),
        (("2026-03-01", "2026-05-31"), None, "2026-06-15", ("2026-03-01", "2026-05-31")),
        (("2026-03-01", None), None, "2026-04-15", ("2026-03-01", "2026-04-15")),
        (("2026-03-01", None), None, "2026-03-01", ("2026-03-01", "2026-03-01")),
    ],
)
def test_the_validity_of_a_line(
    header: tuple[str, str | None],
    line: tuple[str | None, str | None] | None,
    removed: str | None,
    expected: tuple[str | None, str | None],
) -> None:
    """Case 28: no last day is an open end, also beside a header that ends; removal ends a line."""
    own = dict(zip(("from", "to"), line, strict=True)) if line else None
    values = only_line(
        {"effective": own, "removed_on": removed},
        effective=dict(zip(("from", "to"), header, strict=True)),
    )

    assert expected == (values["effective"].get("first"), values["effective"].get("last"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"admission": {"date": "2026-03-12", "discharge_date": "2026-03-16"}}, ("2026-03-12", "2026-03-16")),
        ({"admission": {"date": "2026-03-12"}}, ("2026-03-12", None)),
        ({"requested_dates": {"from": "2026-03-01", "to": "2026-03-31"}}, ("2026-03-01", "2026-03-31")),
        ({"requested_dates": {"to": "2026-03-31"}, "admission": {"type": "3"}}, (None, "2026-03-31")),
        ({"decision": {"action": "A4"}, "requested_dates": {}}, (None, None)),
    ],
)  # fmt: skip
def test_what_stands_in_for_a_validity_that_was_not_sent(
    given: Fields, expected: tuple[str | None, str | None]
) -> None:
    """The stay, then the requested dates; a request without any is of no known time."""
    window = only_line(effective=None, **given)["effective"]

    assert expected == (window.get("first"), window.get("last"))


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        ("A1", None, "A1"),
        ("A1", "A3", "A3"),
        ("A2", None, "A4"),
        ("A2", "A1", "A1"),
        ("A2", "A2", "A2"),
        ("A3", None, "A3"),
        ("A6", None, "A6"),
        ("CT", None, "CT"),
        (None, "A1", "A1"),
        (None, None, None),
    ],
)
def test_the_decision_in_force_for_a_line(
    header: str | None, line: str | None, expected: str | None
) -> None:
    """Its own, else the header's; but under A2 a line without one is still pended."""
    decision = {"action": header} if header else None
    own = {"decision": {"action": line}} if line else {"decision": {"reasons": ["0U"]}}

    assert expected == only_line(own, decision=decision).get("action")


def test_a_partial_certification_without_lines_is_its_own_decision() -> None:
    """There is no line that could still be pended."""
    authorization = build_authorization(decision={"action": "A2"}, lines=[])
    (values,) = effective_lines(authorization, references())

    assert (values["line"], values["action"]) == (0, "A2")


def test_a_header_without_lines_gives_an_unscoped_line_0() -> None:
    """It covers every service, with what the header says."""
    authorization = build_authorization(lines=[], place_of_service=None, diagnoses=[])
    (values,) = effective_lines(authorization, references())

    assert values == {
        "line": 0,
        "kind": "authorization",
        "setting": "professional",
        "numbers_all": ["AU1"],
        "action": "A1",
        "effective": {"first": "2026-03-01", "last": "2026-05-31"},
        "certification_date": "2026-02-20",
        "servicing_provider.npi": "1234567893",
        "servicing_provider.tin": "741234567",
        "servicing_provider.taxonomy": ["225100000X"],
        "servicing_provider.specialty": "65",
    }


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ([{}, {"decision": {"action": "C"}}], [1]),
        ([{}, {"removed_on": "2026-02-28"}], [1]),
        ([{"removed_on": "2026-03-01"}, {"effective": {"to": "2026-05-31"}, "removed_on": "2026-01-01"}], [1, 2]),
        ([{"decision": {"action": "C"}}], []),
    ],
)  # fmt: skip
def test_a_line_that_covers_nothing_is_left_out(lines: list[Fields], left: list[int]) -> None:
    """It was cancelled, or removed before its first day; what is left is no unscoped header."""
    found = effective_lines(build_authorization(lines=lines), references())

    assert left == [each["line"] for each in found]


def test_every_field_of_a_line_in_its_written_form() -> None:
    """So that both faces of a comparison read the same strings."""
    line: Fields = {
        "procedure": {"from": "d2740", "code_system": "AD"},
        "modifiers": ["lt", "59", "LT"],
        "revenue_code": "611",
        "tooth": "08",
        "surfaces": ["o", "M", "o"],
        "oral_cavity": ["1", "L"],
        "service_types": ["PT", "1", "PT"],
        "diagnoses": [{"code": "z011"}, {"code": "m5450", "type": "ABK"}],
        "drg": "64",
        "bill_type": "0111",
        "place_of_service": "2",
        "certification_type": "i",
        "urgency": "u",
        "admission": {"date": "2026-03-12", "type": "3", "source": "1"},
    }
    values = only_line(line)

    assert {
        "procedure.from": "D2740",
        "procedure.to": "D2740",
        "procedure.shape": "CDT:A9999",
        "modifiers": ["59", "LT"],
        "modifiers_significant": ["LT"],
        "modifiers_significant_count": 1,
        "revenue_code": "0611",
        "tooth": "8",
        "surfaces": ["M", "O"],
        "surfaces_count": 2,
        "oral_cavity": ["01", "L"],
        "service_type": ["1", "PT"],
        "diagnoses": ["M54.50", "Z01.1"],
        "principal_diagnosis": "M54.50",
        "drg": "064",
        "bill_type": "11",
        "place_of_service": "02",
        "certification_type": "I",
        "urgency": "U",
        "admission.date": "2026-03-12",
        "admission.type": "3",
        "admission.source": "1",
    }.items() <= values.items()


@pytest.mark.parametrize(
    ("procedure", "expected"),
    [
        (None, {}),
        ({"group": "therapy"}, {"procedure.group": "therapy"}),
        (
            {"from": "97110", "to": "97140"},
            {"procedure.from": "97110", "procedure.to": "97140", "procedure.shape": "HCPCS:99999"},
        ),
    ],
)
def test_the_procedures_of_a_line(procedure: Fields | None, expected: Fields) -> None:
    """A range, a group, or none: then the line is unscoped."""
    values = only_line({"procedure": procedure})

    assert expected == {name: each for name, each in values.items() if name.startswith("procedure")}


def test_all_numbers_are_one_normalised_list() -> None:
    """Own, of lines, previous, and of what is superseded: each once, sorted."""
    authorization = build_authorization(
        number="au-00 1",
        other_numbers=["B-2"],
        previous_numbers=["au 001"],
        lines=[{"number": "L1"}, {"other_numbers": ["l 2", "0007"]}],
    )
    numbers = ["7", "AU001", "B2", "L1", "L2", "OLD9"]

    assert numbers == numbers_of(authorization, ["OLD9"])
    assert [numbers, numbers] == [
        each["numbers_all"] for each in effective_lines(authorization, references(), numbers)
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("region", "TX", "TX"),
        ("region", ["TX", 3, "CA"], ["TX", "CA"]),
        ("region", "x" * 257, None),
        ("region", 3, None),
        ("region", [], None),
        ("region", None, None),
        ("risk_level", 3, 3),
        ("risk_level", "3", None),
        ("risk_level", True, None),
        ("review_due", "2026-03-01", "2026-03-01"),
        ("review_due", "2026-02-30", None),
        ("review_due", "20260301", None),
        ("pilot", False, False),
        ("pilot", "false", None),
        ("colour", "red", None),
    ],
)
def test_attached_data_are_typed(name: str, value: Any, expected: Any) -> None:
    """A field that is not declared, or of another type, is kept in the source only."""
    assert expected == only_line(attached={name: value}).get(f"attached.{name}")


def test_attached_data_of_the_line_win_by_name() -> None:
    """The others of the header stay."""
    values = only_line(
        {"attached": {"region": "CA"}}, attached={"region": "TX", "case_manager": "on"}
    )

    assert (values["attached.region"], values["attached.case_manager"]) == ("CA", "on")


def test_without_a_table_all_modifiers_are_significant() -> None:
    """Which modifiers only inform is data."""
    (values,) = effective_lines(build_authorization(line={"modifiers": ["59"]}), References())

    assert values["modifiers_significant"] == ["59"]


def test_the_birth_date_is_said_only_where_it_was_told() -> None:
    """It tells the persons apart who share one member identifier."""
    told = only_line(member={"id": "M0001", "birth_date": "1980-05-02"})

    assert told["member.birth_date"] == "1980-05-02"
    assert "member.birth_date" not in only_line()
