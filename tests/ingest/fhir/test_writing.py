"""The way back: an authorization as a ClaimResponse, with what was used of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from service.domain.authorization import Authorization
from service.ingest.fhir import read, searchset, to_claim_response
from tests.ingest.fhir.papers import Json, ext

EXAMPLES = Path(__file__).parents[3] / "docs/examples/authorizations.ndjson"
SOURCES: list[Json] = [json.loads(line) for line in EXAMPLES.read_text().splitlines()]
SMALL: Json = {
    "authorization_id": "UM-1",
    "version": 4,
    "kind": "authorization",
    "setting": "professional",
    "number": "PA-1",
    "member": {"id": "M0001", "gender": "F", "subscriber_id": "S1", "suffix": "02"},
    "decision": {"action": "A1", "reviewer": "1999999999", "human_reviewed": True},
    "requesting_provider": {"npi": "1111111111", "name": "Watson"},
    "effective": {"from": "2026-05-01", "to": "2026-06-30"},
    "source": {"event_time": "2026-05-01T10:00:00Z"},
    "lines": [
        {
            "line": 1,
            "decision": {"action": "A6", "reasons": ["0U"]},
            "number": "PA-1",
            "certification_date": "2026-04-30",
            "procedure": {"from": "97110", "to": "97140", "code_system": "CPT"},
            "modifiers": ["GP"],
            "revenue_code": "0420",
            "service_type": "PT",
            "place_of_service": "11",
            "servicing_provider": {"npi": "1234567893", "taxonomy": ["207RC0000X"]},
            "limits": {"units": "6", "unit": "VS", "amount": "480"},
            "requested": {"units": "10", "unit": "VS"},
            "unit_price": "80",
        },
        {
            "line": 2,
            "procedure": {"from": "E1390", "code_system": "HCPCS"},
            "limits": {"units": "2.5", "unit": "MN", "amount": "99.5"},
            "diagnoses": [{"code": "J44.9"}],
            "facility": {
                "npi": "1477777779",
                "tin": "751112223",
                "name": "House",
                "organization": True,
            },
        },
    ],
}


def account(line: int | None, used: str, limit: str | None = None, **more: Any) -> Json:
    """An account of a statement."""
    return {
        "account": "H" if line is None else f"L{line}",
        "scope": "header" if line is None else "line",
        "line": line,
        "boundary": "total",
        "unit": "VS",
        "units": {"limit": limit, "used": used, "reserved": "1", "remaining": None},
        "amount": {"limit": None, "used": "240.00", "reserved": "0.00", "remaining": None},
        **more,
    }


def written(source: Json, *accounts: Json) -> Json:
    """The response of an authorization, as JSON."""
    response = to_claim_response(Authorization.model_validate(source), accounts)
    again: Json = json.loads(json.dumps(response))
    return again


def consumed(item: Json) -> dict[str, Any]:
    """What an item says of its units."""
    found = {each["category"]["coding"][0]["code"]: each for each in item["adjudication"]}
    return {
        name: found[name]["value"] for name in ("allowedunits", "consumedunits") if name in found
    }


def test_a_modified_line_stands_twice() -> None:
    """As item with what was asked for, as added item with what was granted."""
    response = written(SMALL)
    (added,) = response["addItem"]
    (detail,) = [
        each for each in response["item"][0]["extension"] if each["url"].endswith("Detail")
    ]

    assert response["item"][0]["itemSequence"] == 1
    assert detail["extension"] == [
        {
            "url": "quantity",
            "valueQuantity": {
                "value": 10,
                "system": "https://codesystem.x12.org/005010/673",
                "code": "VS",
            },
        }
    ]
    assert added["itemSequence"] == [1]
    assert (added["quantity"]["value"], added["unitPrice"]["value"]) == (6, 80)
    assert added["productOrService"]["coding"][0]["code"] == "97110"


def test_what_is_written_is_read_again() -> None:
    """Id, version, member, decisions, services, limits, people."""
    (found,) = read(written(SMALL)).authorizations
    back = found.document
    first, second = back["lines"]

    assert {name: back[name] for name in ("authorization_id", "version", "number", "member")} == {
        "authorization_id": "UM-1",
        "version": 4,
        "number": "PA-1",
        "member": SMALL["member"],
    }
    assert back["decision"]["human_reviewed"] is True
    assert back["requesting_provider"] == SMALL["requesting_provider"]
    assert back["effective"] == SMALL["effective"]
    assert {**first, "procedure": SMALL["lines"][0]["procedure"]} == SMALL["lines"][0]
    assert first["procedure"] == SMALL["lines"][0]["procedure"]
    assert second["limits"] == {"units": "2.5", "unit": "MN", "amount": "99.5"}
    assert second["facility"] == SMALL["lines"][1]["facility"]
    assert second["diagnoses"] == [{"code": "J44.9"}]


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: str(each["authorization_id"]))
def test_every_example_comes_back(source: Json) -> None:
    """With its lines and their decisions."""
    (found,) = read(written(source)).authorizations
    before = Authorization.model_validate(source)
    after = Authorization.model_validate(found.document)

    assert (after.authorization_id, after.version) == (before.authorization_id, before.version)
    assert (after.member, after.number, after.is_void) == (
        before.member,
        before.number,
        before.is_void,
    )
    assert [each.line for each in after.lines] == [each.line for each in before.lines]
    assert [each.effective for each in after.lines] == [each.effective for each in before.lines]


def test_used_units_stand_with_each_item_and_with_the_whole() -> None:
    """As PDex shows them: allowed and consumed units, and the utilization of the total."""
    response = written(SMALL, account(None, "7"), account(1, "4", "6"), account(2, "3"))
    (total,) = response["total"]

    assert [consumed(each) for each in response["item"]] == [
        {"allowedunits": 6, "consumedunits": 4},
        {"consumedunits": 3},
    ]
    assert total["category"]["coding"][0]["code"] == "utilized"
    assert total["amount"] == {"value": 240, "currency": "USD"}
    assert total["extension"][0]["url"].endswith("/PriorAuthorizationUtilization")
    assert total["extension"][0]["valueQuantity"]["value"] == 7


def test_of_renewed_limits_the_periods_are_added_up() -> None:
    """There is no total beside them; rates count the same units once more and are left out."""
    response = written(
        SMALL,
        account(1, "4", "6", boundary="renewal", period_from="2026-05-01"),
        account(1, "2", "6", boundary="renewal", period_from="2026-06-01"),
        account(1, "2", boundary="rate"),
    )

    assert consumed(response["item"][0]) == {"allowedunits": 6, "consumedunits": 6}
    assert response["total"][0]["extension"][0]["valueQuantity"]["value"] == 6


def test_units_of_two_kinds_have_no_total() -> None:
    """Visits and months do not add up; the money does."""
    header = account(None, "7", unit=None)
    response = written(SMALL, header, account(1, "4"), account(2, "3", unit="MN"))

    assert "extension" not in response["total"][0]


def test_money_for_all_lines_is_an_eligible_total() -> None:
    """And is read back as such."""
    source = {**SMALL, "limits": {"amount": "900", "currency": "EUR"}}
    (found,) = read(written(source)).authorizations

    assert found.document["limits"] == {"amount": "900", "currency": "EUR"}


def test_a_void_one_is_cancelled() -> None:
    """By status and by action."""
    response = written({**SMALL, "decision": {"action": "C"}})

    assert response["status"] == "cancelled"
    (found,) = read(response).authorizations
    assert Authorization.model_validate(found.document).is_void


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    """FHIR demands a time of making, and the guide a request."""
    response = written({**SMALL, "source": {}, "decision": {"action": "A4"}, "lines": []})

    assert "created" not in response
    assert response["_created"]["extension"][0]["valueCode"] == "unknown"
    assert response["request"]["extension"][0]["valueCode"] == "unknown"
    assert written({**SMALL, "source": {}, "certification_date": "2026-04-30"})["created"] == (
        "2026-04-30"
    )


def test_a_page_is_a_searchset() -> None:
    """With the number of all, links, and the address of each."""
    page = searchset(
        [written(SMALL)],
        total=12,
        base="https://payer.test/fhir/",
        links={"self": "https://payer.test/fhir/ClaimResponse?patient=1"},
        made_at=datetime(2026, 5, 1, tzinfo=UTC),
    )

    assert (page["type"], page["total"], page["link"][0]["relation"]) == ("searchset", 12, "self")
    assert page["entry"][0]["fullUrl"] == "https://payer.test/fhir/ClaimResponse/UM-1"
    assert page["entry"][0]["search"] == {"mode": "match"}
    assert len(read(page).authorizations) == 1
    assert searchset([], total=0, base="x") == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 0,
    }


def test_an_id_that_fhir_does_not_allow_is_hashed() -> None:
    """The identifier keeps it."""
    response = written({**SMALL, "authorization_id": "UM_1:x"})

    assert len(response["id"]) == 64
    assert response["identifier"][0]["value"] == "UM_1:x"


def test_no_part_is_empty() -> None:
    """FHIR has neither nulls nor empty lists."""
    todo: list[Any] = [written(each) for each in (SMALL, *SOURCES)]
    while todo:
        each = todo.pop()
        assert each not in (None, [], {}, "")
        todo += (
            list(each.values())
            if isinstance(each, dict)
            else each
            if isinstance(each, list)
            else []
        )


@pytest.mark.parametrize("source", [SMALL, *SOURCES])
def test_another_reader_of_r4_takes_it(source: Json) -> None:
    """The models of R4B are those of R4 for a ClaimResponse."""
    response = written(source, account(None, "7"), account(1, "4", "6"))

    get_fhir_model_class("ClaimResponse").model_validate(response)


def test_the_administrative_reference_and_earlier_numbers_come_back() -> None:
    """By the extensions of the header."""
    source = {**SMALL, "administrative_reference": "PEND-1", "previous_numbers": ["PA-0"]}
    response = written(source)
    (found,) = read(response).authorizations

    assert ext("authorizationNumber", valueString="PA-0") in response["extension"]
    assert found.document["administrative_reference"] == "PEND-1"
    assert found.document["previous_numbers"] == ["PA-0"]
