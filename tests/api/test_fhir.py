"""FHIR out: searches, reading by id, utilization, and what a client is told."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.api.bodies import authorization_body, claim_body, ndjson
from tests.api.conftest import Service

Json = dict[str, Any]
SEARCH = "/fhir/ClaimResponse"
OWN = "urn:authmatch:authorization"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def push(caller: httpx.Client, **changes: Any) -> None:
    """Push an authorization as JSON."""
    body = authorization_body(**changes)
    answer = caller.put(f"/authorizations/{body['authorization_id']}", json=body)
    assert answer.status_code in (200, 201), answer.text


def bundle(answer: httpx.Response) -> Json:
    """The Bundle of an answer, as R4 has it."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    found: Json = answer.json()
    get_fhir_model_class("Bundle").model_validate(answer.json())
    return found


def names(found: Json) -> list[str]:
    """The ids of the authorizations of a page."""
    return [
        each["resource"]["identifier"][0]["value"]
        for each in found.get("entry", [])
        if each["search"]["mode"] == "match"
    ]


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """The text of a refusal, which is an OperationOutcome."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    get_fhir_model_class("OperationOutcome").model_validate(answer.json())
    issue = answer.json()["issue"][0]
    assert issue["details"]["coding"] == [{"system": "urn:authmatch:problem", "code": code}]
    return str(issue["details"]["text"])


@pytest.fixture(scope="module")
def shelf(service: Service) -> Iterator[httpx.Client]:
    """A caller with some authorizations of two members, which no test changes."""
    with service.caller() as caller:
        fill(caller)
        yield caller


def fill(caller: httpx.Client) -> None:
    """Push them: one is superseded, one is withdrawn."""
    push(
        caller,
        authorization_id="UM-1",
        number="00 PA-1",
        trace_numbers=["T 9/x"],
        source={"event_time": "2026-02-20T10:30:00Z"},
    )
    push(
        caller,
        authorization_id="UM_2:x",
        number="PA-2",
        member={"id": "M0002"},
        certification_date="2026-03-01",
        lines=[{"number": "LN-2"}],
    )
    push(caller, authorization_id="UM-3", number="PA-3", certification_date="2026-01-31")
    push(
        caller,
        authorization_id="UM-4",
        number="PA-4",
        supersedes="UM-3",
        certification_date="2026-03-31",
    )
    push(caller, authorization_id="UM-5", number="PA-5", decision={"action": "A4"})
    caller.delete("/authorizations/UM-5", params={"version": 2})


ALL = "created=ge2000"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("identifier=UM-1", ["UM-1"]),
        (f"identifier={OWN}|UM-1", ["UM-1"]),
        (f"identifier={OWN}|PA-1", []),
        ("identifier=PA-1", ["UM-1"]),
        ("identifier=pa1", ["UM-1"]),
        ("identifier=|PA-1", ["UM-1"]),
        ("identifier=https://um.test|PA-1", ["UM-1"]),
        ("identifier=T 9/x", ["UM-1"]),
        ("identifier=LN-2", ["UM_2:x"]),
        ("identifier=PA-1,PA-2", ["UM_2:x", "UM-1"]),
        ("identifier=PA-1&identifier=UM-1", ["UM-1"]),
        ("identifier=PA-1&identifier=UM-3", []),
        ("identifier=PA-3", ["UM-4", "UM-3"]),
        ("identifier=PA-3&status=active", ["UM-4"]),
        ("identifier=...", []),
        ("patient=M0002", ["UM_2:x"]),
        ("patient=Patient/M0002", ["UM_2:x"]),
        ("patient.identifier=M0002", ["UM_2:x"]),
        ("patient.identifier=http://members.test|M0002", ["UM_2:x"]),
        ("patient:identifier=M0002", ["UM_2:x"]),
        ("patient=M0002&identifier=PA-1", []),
        ("patient=M0002&patient=M0001", []),
        ("patient=M0001&status=active", ["UM-4", "UM-1"]),
        ("patient=M0001&status=cancelled", ["UM-5", "UM-3"]),
        ("patient=M0001&status=active,cancelled", ["UM-4", "UM-1", "UM-5", "UM-3"]),
        ("patient=M0001&status=active&status=cancelled", []),
        ("patient=M0001&status=draft", []),
        ("patient=M0002&use=preauthorization&outcome=complete", ["UM_2:x"]),
        ("patient=M0002&use=claim", []),
        ("patient=M0002&outcome=queued", []),
        ("_id=UM-1", ["UM-1"]),
        ("_id=UM-1,UM-4,UM-9", ["UM-4", "UM-1"]),
        ("_id=UM-1,UM-4&_id=UM-4", ["UM-4"]),
        ("_id=UM-1&_id=UM-4", []),
        ("created=2026-02-20", ["UM-1", "UM-5"]),
        ("created=eq2026-02", ["UM-1", "UM-5"]),
        ("created=2026-02-20T10:30:00Z", ["UM-1"]),
        ("created=2026-02-20T11:30+01:00", ["UM-1"]),
        ("created=gt2026-02-20", ["UM-4", "UM_2:x"]),
        ("created=ge2026-03&created=lt2026-03-02", ["UM_2:x"]),
        ("created=le2026-01-31", ["UM-3"]),
        ("created=lt2026-01-31", []),
        ("created=2025", []),
        (f"{ALL}&_lastUpdated=lt2026-01-01", []),
        (f"{ALL}&patient=M0002&_lastUpdated=gt2026-01-01&_format=json", ["UM_2:x"]),
    ],
)  # fmt: skip
def test_a_search_finds_what_fits_all_of_it(
    shelf: httpx.Client, query: str, found: list[str]
) -> None:
    """Newest certification first, then by id; the form says the same."""
    answer = bundle(shelf.get(f"{SEARCH}?{query}"))
    posted = bundle(shelf.post(f"{SEARCH}/_search", content=query, headers=FORM))

    assert names(answer) == found
    assert (answer["total"], posted["total"]) == (len(found), len(found))
    assert names(posted) == found


def test_what_is_gone_is_cancelled_and_says_why(shelf: httpx.Client) -> None:
    """Superseded by another, or withdrawn; the number of the old one leads to the current one."""
    found = bundle(shelf.get(SEARCH, params={"identifier": "PA-3"}))["entry"]
    new, old = (each["resource"] for each in found)
    withdrawn = shelf.get(f"{SEARCH}/UM-5").json()

    assert (new["status"], old["status"], withdrawn["status"]) == (
        "active",
        "cancelled",
        "cancelled",
    )
    assert old["processNote"] == [{"number": 1, "text": "Superseded by UM-4."}]
    assert withdrawn["meta"]["versionId"] == "2"


@pytest.mark.parametrize("id_", ["UM-1", "UM_2:x"])
def test_each_is_read_under_the_address_that_a_search_gave(shelf: httpx.Client, id_: str) -> None:
    """Also one whose id FHIR does not allow; the version is the ETag, the resource is the same."""
    (entry,) = bundle(shelf.get(SEARCH, params={"identifier": id_}))["entry"]
    answer = shelf.get(entry["fullUrl"])
    again = bundle(shelf.get(SEARCH, params={"_id": entry["resource"]["id"]}))["entry"]

    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json() == entry["resource"] == again[0]["resource"]
    get_fhir_model_class("ClaimResponse").model_validate(answer.json())


def test_pages_follow_their_links(caller: httpx.Client) -> None:
    """Each record once, the number of all on every page, and none after the last."""
    bodies = [
        authorization_body(authorization_id=f"A{number}", number=f"N-{number}")
        for number in range(7)
    ]
    caller.post("/authorizations/bulk", content=ndjson(bodies))
    seen: list[str] = []
    address: str | None = f"{SEARCH}?patient=M0001&_count=3"
    while address:
        page = bundle(caller.get(address))
        seen += names(page)
        links = {each["relation"]: each["url"] for each in page["link"]}
        assert page["total"] == 7
        assert links["self"].endswith(address.partition("?")[2])
        address = links.get("next")

    assert seen == [f"A{number}" for number in range(7)]
    for counted in ("_count=0", "_summary=count"):
        page = bundle(caller.get(f"{SEARCH}?patient=M0001&{counted}"))
        assert (page["total"], "entry" in page, len(page["link"])) == (7, False, 1)


def test_units_that_were_used_stand_with_the_authorization(caller: httpx.Client) -> None:
    """After a claim, by line and for the whole, in a search as when it is read."""
    limits = {"units": "10", "unit": "UN"}
    push(caller, line={"limits": limits})
    free = caller.get(f"{SEARCH}/A1").json()
    claim = claim_body(line={"units": "4", "charge": "240.00"})
    claimed = caller.post("/adjudicate", json=claim)
    used = caller.get(f"{SEARCH}/A1").json()
    (found,) = bundle(caller.get(SEARCH, params={"patient": "M0001"}))["entry"]

    assert claimed.status_code == 200, claimed.text
    assert units(free) == {"allowedunits": 10, "consumedunits": 0}
    assert units(used) == {"allowedunits": 10, "consumedunits": 4}
    (total,) = used["total"]
    assert total["extension"][0]["url"].endswith("/PriorAuthorizationUtilization")
    assert total["extension"][0]["valueQuantity"]["value"] == 4
    assert found["resource"] == used


def units(resource: Json) -> dict[str, Any]:
    """What the only item says of its units."""
    return {
        each["category"]["coding"][0]["code"]: each["value"]
        for each in resource["item"][0]["adjudication"]
        if "value" in each
    }


@pytest.mark.parametrize(
    "query",
    ["", "status=active", "use=preauthorization", "_lastUpdated=gt2020", "_count=10", "identifier=",
     "created=yesterday&_id=1", "created=ap2026&_id=1", "created=2026-02-30", "created=ge0000",
     "created=2026-02-20T25:00Z", "created=9999", "identifier=a|", "patient=a,b", "patient:exact=1",
     "patient=Patient/", "patient=%20",
     "identifier:of-type=x|y|z&_id=1", "_id=1&_count=x", "_id=1&_count=-1", "_id=1&_summary=text",
     "_id=1&_page=x", "_id=" + "x" * 300, "_id=" + ",".join(map(str, range(101)))],
)  # fmt: skip
def test_a_search_that_cannot_be_meant_is_refused(caller: httpx.Client, query: str) -> None:
    """With 400 and the parameter; above all one that would list everybody."""
    text = refused(caller.get(f"{SEARCH}?{query}"), 400, "invalid-parameter")

    assert text
    assert "yesterday" not in text


def test_an_unknown_parameter_is_told_or_refused(shelf: httpx.Client) -> None:
    """As the caller prefers; the self link holds only what counted."""
    query = f"{SEARCH}?patient=M0002&payee=x&payee=y&_sort=created"
    told = bundle(shelf.get(query))
    lenient = bundle(shelf.get(query, headers={"prefer": "return=minimal; handling=lenient"}))
    strict = shelf.get(query, headers={"prefer": "return=minimal, handling=strict"})

    assert [each["search"]["mode"] for each in told["entry"]] == ["match", "outcome"]
    issues = told["entry"][1]["resource"]["issue"]
    assert [each["details"]["text"] for each in issues] == [
        "the parameter 'payee' was ignored",
        "the parameter '_sort' was ignored",
    ]
    assert told["link"][0]["url"].endswith("/fhir/ClaimResponse?patient=M0002")
    assert len(lenient["entry"]) == 2
    assert "payee" in refused(strict, 400, "invalid-parameter")


def test_records_of_another_payer_are_not_there(shelf: httpx.Client, service: Service) -> None:
    """Not in a search, and 404 by id, as if they never were."""
    with service.caller() as other:
        assert names(bundle(other.get(f"{SEARCH}?{ALL}"))) == []
        theirs = refused(other.get(f"{SEARCH}/UM-1"), 404, "not-found")
    assert theirs == refused(shelf.get(f"{SEARCH}/UM-9"), 404, "not-found")


@pytest.mark.parametrize(
    "id_", ["%00", "%ED%A0%80", "€" * 100, "a%7Cb", "..%2Fx", "%FF", "*", "_search"]
)
def test_an_address_of_nothing_is_404(caller: httpx.Client, id_: str) -> None:
    """Whatever it is made of."""
    refused(caller.get(f"{SEARCH}/{id_}"), 404, "not-found")
    assert names(bundle(caller.get(f"{SEARCH}?_id={id_}&identifier={id_}"))) == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/fhir/Patient/1", {}, 404, "not-found"),
        ("DELETE", f"{SEARCH}/UM-1", {}, 405, "method-not-allowed"),
        ("GET", "/fhir", {}, 405, "method-not-allowed"),
        ("GET", f"{SEARCH}?{ALL}", {"x-api-key": "wrong"}, 401, "not-authenticated"),
        ("POST", "/fhir", {"x-api-key": "wrong"}, 401, "not-authenticated"),
        ("GET", f"{SEARCH}?{ALL}&_format=xml", {}, 406, "not-acceptable"),
        ("GET", f"{SEARCH}/x", {"accept": "application/fhir+xml"}, 406, "not-acceptable"),
        ("POST", f"{SEARCH}/_search", {}, 415, "unsupported-media-type"),
        ("GET", f"{SEARCH}/{'x' * 101}", {}, 422, "invalid-parameter"),
    ],
)  # fmt: skip
def test_every_refusal_is_an_operation_outcome(
    caller: httpx.Client, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    """Also those that the framework makes."""
    refused(caller.request(method, path, headers=headers), status, code)


def test_other_addresses_keep_their_problems(caller: httpx.Client) -> None:
    """Only what is under /fhir speaks FHIR."""
    for path in ("/fhirs", "/authorizations/none"):
        assert caller.get(path).headers["content-type"] == "application/problem+json"


def test_the_capability_statement_is_true(caller: httpx.Client) -> None:
    """Right as R4, without a key; it names what counts."""
    del caller.headers["x-api-key"]
    answer = caller.get("/fhir/metadata")
    statement = answer.json()
    (resource,) = statement["rest"][0]["resource"]
    named = [each["name"] for each in resource["searchParam"]]
    get_fhir_model_class("CapabilityStatement").model_validate(answer.json())

    assert (answer.status_code, statement["fhirVersion"]) == (200, "4.0.1")
    assert [each["code"] for each in resource["interaction"]] == ["read", "search-type"]
    assert named == [
        "_id", "_lastUpdated", "identifier", "patient", "created", "status", "use", "outcome",
    ]  # fmt: skip
