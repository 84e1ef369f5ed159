"""Everything that is refused is told with its place, and nothing is told that is not so."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.bodies import authorization_body, claim_body
from tests.api.conftest import Service

Fields = dict[str, Any]
NONE: Any = object()


def changed(body: Fields, changes: Fields) -> Fields:
    """A body with values put at places such as ``lines/0/units``; NONE takes one away."""
    for where, value in changes.items():
        *parts, last = [int(each) if each.isdigit() else each for each in where.split("/")]
        at: Any = body
        for part in parts:
            at = at[part]
        if value is NONE:
            del at[last]
        elif isinstance(last, int) and last == len(at):
            at.append(value)
        else:
            at[last] = value
    return body


def places(answer: httpx.Response) -> list[str]:
    """The places that a problem names; each has a reason, and none is named twice for one."""
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
    problem = answer.json()
    assert all(each["message"] for each in problem["errors"])
    assert len({tuple(each.items()) for each in problem["errors"]}) == len(problem["errors"])
    assert problem["detail"].startswith(f"{problem['errors'][0]['path'] or '/'}: ")
    return [each["path"] for each in problem["errors"]]


LINE = {"line": 2, "procedure": "97110", "from": "2026-03-12"}
SELECTED = {"line": 1, "authorizations": [{"authorization_id": "A1"}]}

CLAIMS: list[tuple[Fields, list[str]]] = [
    ({"lines/1": LINE | {"line": 1}}, ["/lines/1/line"]),
    ({"lines/1": LINE | {"line": 1}, "lines/2": LINE | {"line": 1}},
     ["/lines/1/line", "/lines/2/line"]),
    ({"lines/0/units": "four"}, ["/lines/0/units"]),
    ({"lines/0/units": 4.5}, ["/lines/0/units"]),
    ({"lines/0/units": "-1"}, ["/lines/0/units"]),
    ({"lines/0/units": "9999999999"}, ["/lines/0/units"]),
    ({"lines/0/line": "1"}, ["/lines/0/line"]),
    ({"lines/0/line": NONE}, ["/lines/0/line"]),
    ({"lines/0/from": "2026-02-30"}, ["/lines/0/from"]),
    ({"lines/0/from": "12.03.2026", "lines/0/units": "x"}, ["/lines/0/from", "/lines/0/units"]),
    ({"lines/0/to": "2026-03-01"}, ["/lines/0/to"]),
    ({"lines/0/from": NONE, "lines/0/to": "2026-03-12"}, ["/lines/0/from"]),
    ({"lines/0/from": NONE}, ["/lines/0/from"]),
    ({"lines/0/diagnosis_pointers": [1, 9]}, ["/lines/0/diagnosis_pointers/1"]),
    ({"lines/0/diagnosis_pointers": [0]}, ["/lines/0/diagnosis_pointers/0"]),
    ({"lines/0/modifiers": ["GP"] * 9}, ["/lines/0/modifiers"]),
    ({"lines/0/modifiers": ["--"]}, ["/lines/0/modifiers/0"]),
    ({"lines/0/benefit": {"requested_type": "other"}}, ["/lines/0/benefit/requested_type"]),
    ({"lines/0/benefit": {"limit_adjustments": ["119"]}}, ["/lines/0/benefit/limit_adjustments/0"]),
    ({"lines/0/rendering_provider": {"npi": "123"}}, ["/lines/0/rendering_provider/npi"]),
    ({"lines/0/teeth": [{"surfaces": ["M"]}]}, ["/lines/0/teeth/0/tooth"]),
    ({"lines/0/surprise": 1}, ["/lines/0/surprise"]),
    ({"lines": []}, ["/lines"]),
    ({"lines": {}}, ["/lines"]),
    ({"lines": NONE}, ["/lines"]),
    ({"lines/0": "one"}, ["/lines/0"]),
    ({"type": "medical"}, ["/type"]),
    ({"claim_id": "C 1"}, ["/claim_id"]),
    ({"version": 0}, ["/version"]),
    ({"version": True}, ["/version"]),
    ({"member": {}}, ["/member/id"]),
    ({"member": "M1"}, ["/member"]),
    ({"statement": {"from": "2026-03-12", "to": "2026-03-01"}}, ["/statement/to"]),
    ({"authorization_numbers": [{"value": "--"}]}, ["/authorization_numbers/0/value"]),
    ({"diagnoses": [{"type": "ABK"}]}, ["/diagnoses/0/code"]),
    ({"payer": "P1"}, ["/payer"]),
]  # fmt: skip

SELECTIONS: list[tuple[Fields, list[str]]] = [
    ({"selections": [SELECTED | {"line": 9}]}, ["/selections/0/line"]),
    ({"selections": [SELECTED, SELECTED]}, ["/selections/1/type"]),
    ({"selections": [SELECTED | {"authorizations": []}]}, ["/selections/0/authorizations"]),
    ({"selections": [SELECTED | {"authorizations": [{"authorization_id": ""}]}]},
     ["/selections/0/authorizations/0/authorization_id"]),
    ({"selections": [SELECTED | {"authorizations": [{"authorization_id": "A1"}] * 2}]},
     ["/selections/0/authorizations/1/authorization_id"]),
    ({"selections": [SELECTED | {"authorizations": [
        {"authorization_id": "A1", "line": 1}, {"authorization_id": "A1"}]}]},
     ["/selections/0/authorizations/1/authorization_id"]),
    ({"selections": [SELECTED | {"type": "permit"}]}, ["/selections/0/type"]),
    ({"selections": [SELECTED | {"type": "referral"}]}, ["/selections/0/line"]),
    ({"selections": [SELECTED]}, ["/selections/0/authorizations/0/authorization_id"]),
    ({"override": {"reason": " "}}, ["/override/reason"]),
    ({"stage": "draft"}, ["/stage"]),
]  # fmt: skip

AUTHORIZATIONS: list[tuple[Fields, list[str]]] = [
    ({"lines/1": {"line": 1}}, ["/lines/1/line"]),
    ({"lines/0/limits": {"units": "4"}}, ["/lines/0/limits/unit"]),
    ({"lines/0/limits": {"units": "4.1234567", "unit": "UN"}}, ["/lines/0/limits/units"]),
    ({"lines/0/procedure": {"from": "97110", "group": "therapy"}}, ["/lines/0/procedure/group"]),
    ({"lines/0/procedure": {"to": "97110"}}, ["/lines/0/procedure/from"]),
    ({"lines/0/procedure": {"from": "97140", "to": "97110"}}, ["/lines/0/procedure/to"]),
    ({"lines/0/procedure": {"from": "97140", "to": "D0120"}}, ["/lines/0/procedure/to"]),
    ({"effective": {"from": "2026-03-12", "to": "2026-03-01"}}, ["/effective/to"]),
    ({"effective": NONE}, ["/lines/0/effective"]),
    ({"effective": NONE, "lines": []}, ["/effective"]),
    ({"admission": {"date": "2026-03-12", "discharge_date": "2026-03-01"}},
     ["/admission/discharge_date"]),
    ({"decision": {"action": "A9"}}, ["/decision/action"]),
    ({"setting": "home"}, ["/setting"]),
    ({"supersedes": "A1"}, ["/supersedes"]),
    ({"pend_reasons": [{"reason": "R1"}, {"reason": "R1"}]}, ["/pend_reasons/1/reason"]),
    ({"notes": [{"text": "a"}, {"text": "b"}, {"note_id": "N", "text": "c"},
                {"note_id": "N", "text": "d"}]}, ["/notes/3/version"]),
    ({"servicing_provider": {"npi": "12"}, "number": "--"}, ["/servicing_provider/npi", "/number"]),
]  # fmt: skip

STEPS: list[tuple[str, Fields, list[str]]] = [
    ("release", {"lines": [{"line": 1, "units": "0"}]}, ["/lines"]),
    ("reverse", {"lines": [{"line": 1, "units": "0"}]}, ["/lines"]),
    ("adjust", {}, ["/lines"]),
    ("adjust", {"lines": [{"line": 1, "units": "9"}]}, ["/lines/0/units"]),
    ("finalize", {"lines": [{"line": 1, "units": "1"}, {"line": 1, "units": "1"}]},
     ["/lines/1/line"]),
    ("finalize", {"lines": [{"line": 1}]}, ["/lines/0/units"]),
    ("finalize", {"version": 0}, ["/version"]),
    ("adjust", {"lines": [{"line": 1, "amount": "9.00"}]}, ["/lines/0/amount"]),
    ("benefit-limits", {"lines": []}, ["/lines"]),
    ("benefit-limits", {"lines": [{"line": 7, "limit_adjustments": [{}]}]}, ["/lines/0/line"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    """A client of a payer that no other test has."""
    with service.caller() as client:
        yield client


@pytest.mark.parametrize(("changes", "expected"), CLAIMS)
def test_a_claim_that_does_not_fit(
    client: httpx.Client, changes: Fields, expected: list[str]
) -> None:
    """By match and by adjudication alike; one wrong field never makes others wrong."""
    body = changed(claim_body(), changes)

    assert sorted(places(client.post("/match", json=body))) == sorted(expected)
    assert sorted(places(client.post("/adjudicate", json=body))) == sorted(expected)


@pytest.mark.parametrize(("changes", "expected"), SELECTIONS)
def test_a_selection_that_cannot_be_meant(
    client: httpx.Client, changes: Fields, expected: list[str]
) -> None:
    """It names the selection, and within it the authorization."""
    body = changed(claim_body(), changes)

    assert places(client.post("/adjudicate", json=body)) == expected


@pytest.mark.parametrize(("changes", "expected"), AUTHORIZATIONS)
def test_an_authorization_that_does_not_fit(
    client: httpx.Client, changes: Fields, expected: list[str]
) -> None:
    """Its own lines and limits are named, not the whole of it."""
    body = changed(authorization_body(), changes)
    answer = client.put(f"/authorizations/{body['authorization_id']}", json=body)

    assert sorted(places(answer)) == sorted(expected)


@pytest.mark.parametrize(("step", "body", "expected"), STEPS)
def test_a_step_that_cannot_be_meant(
    client: httpx.Client, step: str, body: Fields, expected: list[str]
) -> None:
    """Of a claim that needs nothing, and so holds nothing."""
    claim = claim_body(claim_id=f"C-{step}", line={"benefit": {"authorization_required": False}})
    client.post("/adjudicate", json=claim | {"stage": "preliminary"})

    assert places(client.post(f"/claims/C-{step}/{step}", json=body)) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [("/authorizations?after=nonsense", "/query/after"),
     ("/worklist?after=nonsense", "/query/after"),
     ("/claims/C-1/history?size=0", "/query/size"), ("/authorizations?size=many", "/query/size")],
)  # fmt: skip
def test_a_parameter_that_does_not_fit(client: httpx.Client, address: str, expected: str) -> None:
    """It is named, too."""
    client.post("/adjudicate", json=claim_body())

    assert places(client.get(address)) == [expected]


def test_a_conflict_names_the_field_that_would_have_to_be_another(client: httpx.Client) -> None:
    """The version, where other content came under it."""
    body = claim_body(claim_id="C-conflict")
    client.post("/adjudicate", json=body)
    answer = client.post("/adjudicate", json=changed(body, {"lines/0/units": "9"}))

    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (409, "/version")
