"""Numbers are put on claims: what is populated matches, for each type of claim and payer's rule."""

from typing import Any

import httpx
import pytest

from tests.api.bodies import Fields, authorization_body, claim_body
from tests.api.test_x12 import CLAIM, EDI, LINES, REVIEW, lines_of, send

PATH = "/claims/populate"
BARE = CLAIM.replace("REF*G1*RAD 5521~\n", "").replace("SE*27*", "SE*26*")
QUERIES = ["professional", "outpatient", "inpatient", "dental", "referral"]


def unnumbered(query: str, **changes: Any) -> Fields:
    """A claim without a number."""
    kind = "referral" if query == "referral" else "authorization"
    benefit = {"authorization_required": True, "requested_type": kind}
    claim = claim_body(query, **changes)
    for scope in (claim, *claim["lines"]):
        scope.pop("authorization_numbers", None)
    for line in claim["lines"]:
        line["benefit"] = benefit
    return claim


def populated(caller: httpx.Client, claim: Fields, **params: str) -> Fields:
    """The answer to a claim."""
    answer = caller.post(PATH, json=claim, params=params)
    assert answer.status_code == 200, answer.text
    found: Fields = answer.json()
    return found


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("own", [{}, {"number": "LINE-7"}], ids=["of the header", "of the line"])
def test_what_is_populated_matches(caller: httpx.Client, query: str, own: Fields) -> None:
    """The number fits the authorization that covers the line, and stays the second time."""
    caller.put("/authorizations/A1", json=authorization_body(query, line=own))

    first = populated(caller, unnumbered(query))

    (told,) = first["numbers"]
    number = own.get("number", "AU-1")
    assert (told["number"], told["level"], told["reason"]) == (number, "claim", "matched")
    assert told["kind"] == ("referral" if query == "referral" else "authorization")
    again = populated(caller, first["claim"])
    assert (first["changed"], again["changed"]) == (True, False)
    assert again["claim"] == first["claim"]
    assert again["numbers"][0]["reason"] == "as-sent"
    (line,) = caller.post("/match", json=first["claim"]).json()["lines"]
    (result,) = [each for each in line["results"] if each["required"]]
    (submitted,) = result["submitted_numbers"]
    assert (submitted["value"], submitted["fits"]) == (number, "A1")
    assert result["class"] == "exact"


SPENT: Fields = {"limits": {"units": "1", "unit": "UN"}}


@pytest.mark.parametrize(
    ("claim", "changes", "number", "reason"),
    [
        ({"authorization_numbers": [{"value": "TYPED-WRONG"}]}, {}, "AU-1", "matched"),
        ({"authorization_numbers": [{"value": "au 1"}]}, {}, "AU-1", "as-sent"),
        ({}, {"decision": {"action": "A3"}}, None, "not-certain"),
        ({}, {"number": None}, None, "no-number"),
        ({}, {"member": {"id": "M0099"}}, None, "not-found"),
    ],
    ids=["a wrong number", "another spelling", "denied", "no number", "nothing"],
)
def test_a_line_is_told_why(
    caller: httpx.Client, claim: Fields, changes: Fields, number: str | None, reason: str
) -> None:
    """What was sent in vain gives way to what covers the line; what covers none leaves it."""
    caller.put("/authorizations/A1", json=authorization_body(**changes))

    answer = populated(caller, unnumbered("professional") | claim)

    (told,) = answer["numbers"]
    assert (told["number"], told["reason"]) == (number, reason)
    assert told["why"]


def test_of_several_the_one_with_some_left_is_named(caller: httpx.Client) -> None:
    """Though the other was certified first."""
    for name, day, line in (("A1", "2026-01-01", SPENT), ("A2", "2026-02-01", {})):
        body = authorization_body(
            authorization_id=name, number=f"N-{name}", certification_date=day, line=line
        )
        caller.put(f"/authorizations/{name}", json={**body, "distinct": True})
    before = populated(caller, unnumbered("professional"))["numbers"][0]["number"]
    one = unnumbered("professional", claim_id="C-0", line={"units": "1"})
    assert caller.post("/adjudicate", json=one).json()["lines"][0]["disposition"] == "pay"

    after = populated(caller, unnumbered("professional"))["numbers"][0]["number"]

    assert (before, after) == ("N-A1", "N-A2")


def test_an_837_is_given_back_as_an_837(caller: httpx.Client) -> None:
    """Byte for byte but for its numbers; as lines with the reasons, and the file at the end."""
    send(caller, REVIEW)

    answer = caller.post(PATH, content=BARE.encode(), headers=EDI)
    told, file = lines_of(caller.post(PATH, content=BARE.encode(), headers=EDI | LINES))

    assert answer.headers["content-type"].startswith("application/edi-x12")
    assert answer.headers["x-results"] == "changed=1"
    head = "CLM*CL-2026-402*1020***11:B:1*Y*A*Y*Y~\n"
    assert answer.text == BARE.replace(head, f"{head}REF*G1*RAD-5521~\n").replace(
        "SE*26*", "SE*27*"
    )
    assert file == {"x12": answer.text}
    assert [each["reason"] for each in told["answer"]["numbers"]] == ["matched", "not-found"]
    again = caller.post(PATH, content=answer.content, headers=EDI)
    assert (again.text, again.headers["x-results"]) == (answer.text, "unchanged=1")
    matched = lines_of(caller.post("/match", content=answer.content, headers=EDI))
    (result,) = matched[0]["answer"]["lines"][0]["results"]
    assert [each["fits"] for each in result["submitted_numbers"]] == result["chosen"]


@pytest.mark.parametrize(
    ("text", "status"),
    [("", 422), ("ISA*no", 422), (REVIEW, 422), (BARE.replace("UN*1*", "UN*x*"), 422)],
    ids=["nothing", "no interchange", "no claim", "a claim that cannot be read"],
)
def test_what_is_no_837_is_refused(caller: httpx.Client, text: str, status: int) -> None:
    """Nothing is given back that was not read."""
    answer = caller.post(PATH, content=text.encode(), headers=EDI)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_claim_of_json_that_does_not_fit_is_refused(caller: httpx.Client) -> None:
    """With the place."""
    answer = caller.post(PATH, json=unnumbered("professional") | {"lines": []})
    other = caller.post(PATH, json=unnumbered("professional"), params={"responsibility": "X"})

    assert (answer.status_code, other.status_code) == (422, 422)
    assert answer.json()["errors"][0]["path"] == "/lines"
