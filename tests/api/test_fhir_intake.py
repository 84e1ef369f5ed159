"""FHIR in: what is taken, what is refused and said, and that it comes out again."""

import json
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.api.bodies import authorization_body, claim_body
from tests.api.conftest import BODY_BYTES_MAX, LINE_BYTES_MAX, Service
from tests.ingest.fhir.papers import (
    NPI,
    PATIENT,
    Json,
    added,
    bundle,
    coded,
    detail,
    ext,
    item,
    packed,
    request,
    response,
    review,
    x12,
)

FHIR = {"content-type": "application/fhir+json"}
STREAM = {"content-type": "application/fhir+ndjson"}
INSURER = {"display": "payer"}
KEPT = "kept"
VALID = {"start": "2026-03-01", "end": "2026-05-31"}
THERAPIST: Json = {
    "resourceType": "Practitioner",
    "id": "d",
    "identifier": [{"system": NPI, "value": "1234567893"}],
}


def visits(count: int) -> Json:
    """A quantity of visits."""
    return {"value": count, "code": "VS", "system": "https://codesystem.x12.org/005010/673"}


def granted(**more: Any) -> Json:
    """A response that grants four units of the service that the usual claim bills."""
    by = ext(
        "itemAuthorizedProvider",
        extension=[{"url": "provider", "valueReference": {"reference": "#d"}}],
    )
    served = detail(code=coded("97112"), modifier=coded("GP"), quantity={"value": 4})
    period = ext("itemPreAuthPeriod", valuePeriod=VALID)
    line = item("A1", served, by)
    line["extension"][0] = period
    usual = {"insurer": INSURER, "contained": [THERAPIST], "preAuthRef": "AU-1"}
    return response(line, **(usual | more))


def post(caller: httpx.Client, content: Json | bytes) -> httpx.Response:
    """Push a document."""
    written = content if isinstance(content, bytes) else json.dumps(content).encode()
    return caller.post("/fhir", content=written, headers=FHIR)


def told(answer: httpx.Response) -> list[tuple[str, str, str]]:
    """Severity, our code and place of every issue of an outcome, as R4 has it."""
    assert answer.headers["content-type"] == "application/fhir+json"
    return issues(answer.json())


def issues(outcome: Json) -> list[tuple[str, str, str]]:
    """The same, of one that was parsed; without what says where refused content is kept."""
    get_fhir_model_class("OperationOutcome").model_validate(json.loads(json.dumps(outcome)))
    return [
        (
            each["severity"],
            each["details"]["coding"][0]["code"],
            each.get("expression", [""])[0],
        )
        for each in outcome["issue"]
        if each["details"]["coding"][0]["code"] != KEPT
    ]


def pushes(answer: httpx.Response) -> list[str]:
    """What became of each authorization."""
    return [
        code
        for each in answer.json()["issue"]
        for coding in each["details"].get("coding", [])
        if coding["system"] == "urn:authmatch:push" and coding["code"] != KEPT
        for code in [coding["code"]]
    ]


def test_what_is_refused_is_kept_and_can_be_tried_again(caller: httpx.Client) -> None:
    """As the document that came, once, however often it is refused."""
    wrong = json.dumps(packed(granted(patient={"reference": "Patient/nobody"}))).encode()
    texts = [
        each["details"]["text"]
        for answer in (post(caller, wrong), post(caller, wrong))
        for each in answer.json()["issue"]
        if each["details"]["coding"][0]["code"] == KEPT
    ]

    (one,) = set(texts)
    letter = caller.get(f"/dead-letters/{one.removeprefix('kept as dead letter ')}").json()
    assert (letter["format"], letter["content"]) == ("fhir", wrong.decode())
    right = json.dumps(packed(granted())).encode()
    retried = caller.post(f"/dead-letters/{letter['id']}/retry", content=right).json()
    assert (retried["status"], retried["results"][0]["status"]) == ("resolved", "created")


def back(caller: httpx.Client, **parameters: str) -> Json:
    """The searchset of what is there for the usual member."""
    answer = caller.get("/fhir/ClaimResponse", params={"patient": "M0001", **parameters})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


@pytest.mark.parametrize(
    "document",
    [
        packed(granted()),
        bundle(packed(granted()), type_="searchset"),
        bundle(bundle(packed(granted()))),
        bundle({"resourceType": "Parameters"}, packed(granted()), type_="history"),
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "return", "resource": packed(granted())}],
        },
    ],
    ids=["bundle", "inquiry result", "bundle in bundle", "notification", "parameters"],
)
def test_however_it_is_packed_a_claim_finds_it(caller: httpx.Client, document: Json) -> None:
    """Units that the claim draws stand with it when it is given back."""
    pushed = post(caller, document)
    claim = claim_body(line={"units": "3", "charge": "90.00"})
    decided = caller.post("/adjudicate", json=claim).json()["lines"][0]
    (entry,) = back(caller)["entry"]

    assert (pushed.status_code, pushes(pushed)) == (200, ["created"])
    assert (decided["disposition"], decided["results"][0]["class"]) == ("pay", "exact")
    consumed = {
        each["category"]["coding"][0]["code"]: each["value"]
        for each in entry["resource"]["item"][0]["adjudication"]
        if "value" in each
    }
    assert consumed == {"allowedunits": 4, "consumedunits": 3}


def test_what_comes_again_changes_nothing(caller: httpx.Client) -> None:
    """Neither the same document, nor what was given out for it; other content is a conflict."""
    document = packed(granted(disposition="Granted"))
    first, again = post(caller, document), post(caller, document)
    given = back(caller)
    echoed = post(caller, given)
    alone = post(caller, given["entry"][0]["resource"])
    given["entry"][0]["resource"]["preAuthRef"] = "AU-2"
    given["entry"][0]["resource"]["item"][0]["adjudication"][0]["extension"] = []
    changed = post(caller, given)
    meta = given["entry"][0]["resource"]["meta"]
    meta["versionId"] = str(int(meta["versionId"]) + 1)
    later = post(caller, given)

    assert [pushes(each) for each in (first, again, echoed, alone, changed, later)] == [
        ["created"], ["unchanged"], ["unchanged"], ["unchanged"], ["conflict"], ["updated"],
    ]  # fmt: skip
    assert [each.status_code for each in (again, echoed, changed, later)] == [200, 200, 409, 200]
    assert len(back(caller)["entry"]) == 1


def test_what_was_pushed_as_json_comes_back_unchanged(caller: httpx.Client) -> None:
    """Also a withdrawn one, and with units that were used since; it keeps what FHIR cannot say."""
    body = authorization_body(
        notes=[{"text": "keep"}], line={"limits": {"units": "9", "unit": "UN"}}
    )
    caller.put("/authorizations/A1", json=body)
    caller.post("/adjudicate", json=claim_body(line={"charge": "10.00"}))
    used = post(caller, back(caller))
    caller.delete("/authorizations/A1", params={"version": 2})
    withdrawn = post(caller, back(caller))

    assert (pushes(used), pushes(withdrawn)) == (["unchanged"], ["unchanged"])
    stored = caller.get("/authorizations/A1").json()
    assert stored["authorization"]["notes"] == [{"text": "keep"}]
    assert stored["state"]["version"] == 2


def test_of_a_modified_line_the_granted_quantity_counts(caller: httpx.Client) -> None:
    """A6: the added item, before the item that repeats what was asked for."""
    answer = response(
        item("A6", detail(code=coded("97112"), quantity=visits(10))),
        addItem=[added("A6", productOrService=coded("97112"), quantity=visits(6))],
        insurer=INSURER,
    )
    pushed = post(caller, packed(answer, request({"sequence": 1, "quantity": visits(10)})))
    (entry,) = back(caller)["entry"]
    (found,) = caller.get("/authorizations").json()["authorizations"]

    assert pushes(pushed) == ["created"]
    assert found["authorization"]["lines"][0]["limits"]["units"] == "6"
    assert found["authorization"]["lines"][0]["requested"]["units"] == "10"
    assert entry["resource"]["addItem"][0]["quantity"]["value"] == 6


UNDATED: Json = {"itemSequence": 1, "adjudication": [review("A1")]}


@pytest.mark.parametrize(
    ("content", "status", "expected"),
    [
        (granted(patient={"identifier": PATIENT["identifier"][0]}, decision={"text": "R5"}), 422,
         ("error", "fhir-r5", "ClaimResponse")),
        (bundle(granted(patient={"reference": "Patient/else"}), PATIENT), 422,
         ("error", "member-unknown", "Bundle.entry[0].resource.patient")),
        (bundle(granted(patient={"reference": "Patient/else"}), PATIENT), 422,
         ("warning", "reference-unresolved", "Bundle.entry[0].resource.patient.reference")),
        (packed(granted(requestor={"reference": "Practitioner/else"})), 200,
         ("warning", "reference-unresolved", "Bundle.entry[0].resource.requestor.reference")),
        (packed(granted(use="claim")), 422,
         ("error", "use-claim", "Bundle.entry[0].resource.use")),
        (bundle(request({"sequence": 1}, use="claim"), PATIENT), 422,
         ("error", "use-claim", "Bundle.entry[0].resource.use")),
        (bundle(request({"sequence": 1}), PATIENT), 200,
         ("information", "request-only", "Bundle.entry[0].resource")),
        (packed(response(outcome="error", error=[{"code": x12("15", "901")}])), 200,
         ("warning", "request-rejected", "Bundle.entry[0].resource.error[0]")),
        (packed(granted(item=[UNDATED])), 422,
         ("error", "granted-without-dates", "Bundle.entry[0].resource.item[0]")),
        (packed(granted(item=[item("PENDEDCODE")])), 200,
         ("warning", "action-unknown", "")),
        (packed(granted(insurer=None)), 200,
         ("warning", "r4b-shape", "Bundle.entry[0].resource.insurer")),
        (PATIENT, 422, ("error", "nothing-to-read", "Patient")),
        ({"use": "preauthorization"}, 422, ("error", "not-a-resource", "Resource")),
        (b"", 400, ("error", "unreadable", "Resource")),
        (b"{", 400, ("error", "unreadable", "Resource")),
        (b"<Bundle/>", 400, ("error", "unreadable", "Resource")),
        (b"[" * 100_000, 400, ("error", "unreadable", "Resource")),
        (b'{"a": ' * 15_000, 400, ("error", "unreadable", "Resource")),
        (b'{"a": 1, "a": 2}', 400, ("error", "unreadable", "Resource")),
        (b'{"a": "\\udc00"}', 400, ("error", "unreadable", "Resource")),
        (b'{"a": "\\u0000"}', 400, ("error", "unreadable", "Resource")),
    ],
    ids=["R5", "patient nowhere", "reference nowhere", "requestor nowhere", "response to a claim",
         "claim", "request", "refusal to look", "no dates", "unknown action", "shape",
         "nothing of ours", "no resource", "empty", "cut off", "XML", "deep list", "deep object",
         "name twice", "half a pair", "NUL"],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(
    caller: httpx.Client, content: Json | bytes, status: int, expected: tuple[str, str, str]
) -> None:
    """And nothing of it is stored where it was refused."""
    answer = post(caller, content)
    severity, code, place = expected
    found = [each for each in told(answer) if each[:2] == (severity, code)]

    assert answer.status_code == status, answer.text
    assert found
    assert not place or found[0][2] == place
    stored = caller.get("/authorizations").json()["total"]
    assert (
        stored
        == len(pushes(answer))
        == (status == 200 and severity == "warning") * (code != "request-rejected")
    )


def test_a_fault_of_one_keeps_none_of_the_others_out(caller: httpx.Client) -> None:
    """422 says that something was refused; what was stored is named."""
    found = [
        granted(id=name, preAuthRef=f"N-{name}", **more)
        for name, more in (
            ("a", {}),
            ("b", {"use": "claim"}),
            ("c", {"item": [UNDATED]}),
            ("d", {}),
        )
    ]
    answer = post(caller, bundle(*found, PATIENT))

    assert answer.status_code == 422
    assert told(answer) == [
        ("information", "created", "Bundle.entry[0].resource"),
        ("information", "created", "Bundle.entry[3].resource"),
        ("error", "use-claim", "Bundle.entry[1].resource.use"),
        ("error", "granted-without-dates", "Bundle.entry[2].resource.item[0]"),
    ]
    assert back(caller)["total"] == 2


def test_several_versions_in_one_document_are_taken_in_order(caller: httpx.Client) -> None:
    """Pended, then granted: the later one stands."""
    pended = response(item("A4"), insurer=INSURER, id="p", created="2026-05-01T09:00:00Z")
    answer = post(caller, bundle(pended, granted(), {**pended, "id": "q"}, PATIENT))

    assert pushes(answer) == ["superseded", "created"]
    assert "twice" in [code for _, code, _ in told(answer)]
    assert back(caller)["entry"][0]["resource"]["preAuthRef"] == "AU-1"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/fhir+xml"}, 415),
        ({"content-type": "text/xml"}, 415),
        ({"content-type": ""}, 415),
        ({"content-type": "application/fhir+json; fhirVersion=5.0"}, 415),
        ({"content-type": "application/fhir+json; fhirVersion=4.0; charset=utf-8"}, 200),
        ({"content-type": "Application/JSON"}, 200),
    ],
)
def test_only_r4_as_json_is_taken(
    caller: httpx.Client, headers: dict[str, str], status: int
) -> None:
    """415 for anything else, before it is read."""
    content = json.dumps(packed(granted())).encode()
    answer = caller.post("/fhir", content=content, headers=headers)

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_what_is_too_long_is_refused_before_it_is_read(caller: httpx.Client) -> None:
    """413, as an OperationOutcome."""
    answer = post(caller, b'{"a": "' + b"x" * BODY_BYTES_MAX + b'"}')

    assert answer.status_code == 413
    assert answer.json()["issue"][0]["code"] == "too-long"


def test_a_stream_is_answered_line_by_line(caller: httpx.Client) -> None:
    """In order; what is wrong with a line does not stop the others."""
    lines = [json.dumps(packed(granted(preAuthRef=f"N{each}"))).encode() for each in range(7)]
    lines[2:2] = [
        b"",
        b"{",
        b"x" * (LINE_BYTES_MAX + 1),
        b"<a/>",
        lines[0],
        json.dumps(PATIENT).encode(),
    ]
    answer = caller.post("/fhir", content=b"\n".join(lines), headers=STREAM)
    outcomes = [json.loads(each) for each in answer.text.splitlines()]
    given = {each["id"].removeprefix("line-"): issues(each)[0][1] for each in outcomes}

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+ndjson"
    assert given == {
        "1": "created", "2": "created", "4": "unreadable", "5": "too-many", "6": "unreadable",
        "7": "unchanged", "8": "nothing-to-read", "9": "created", "10": "created", "11": "created",
        "12": "created", "13": "created",
    }  # fmt: skip
    assert back(caller, _summary="count")["total"] == 7


def test_another_payer_sees_nothing_of_it(caller: httpx.Client, service: Service) -> None:
    """And may push the same document for itself."""
    post(caller, packed(granted()))
    with service.caller() as other:
        assert back(other)["total"] == 0
        assert pushes(post(other, back(caller))) == ["created"]


def test_many_findings_are_told_up_to_a_limit(caller: httpx.Client) -> None:
    """And that there are more; errors come first."""
    many = [{"resourceType": "ClaimResponse", "use": "claim"}] * 1100
    answer = post(caller, bundle(*many))
    severities = [each["severity"] for each in answer.json()["issue"]]

    assert answer.status_code == 422
    assert severities == ["error"] * 1000 + ["information"] * 2


def test_a_notification_of_an_id_alone_is_noted_with_what_is_to_be_fetched(
    caller: httpx.Client,
) -> None:
    """It is taken, and no dead letter."""
    reference = "https://payer.example/fhir/ClaimResponse/77"
    focus = {"name": "focus", "valueReference": {"reference": reference}}
    event = {"name": "notification-event", "part": [focus]}
    status = {"resourceType": "Parameters", "parameter": [event]}
    notice = {"resourceType": "Bundle", "type": "history", "entry": [{"resource": status}]}

    answer = caller.post("/fhir", json=notice, headers={"Content-Type": "application/fhir+json"})
    told = caller.post("/authorizations/bulk", json=notice).text.splitlines()

    texts = [each["details"]["text"] for each in answer.json()["issue"]]
    assert answer.status_code == 200
    assert any(reference in each for each in texts)
    assert [(json.loads(each)["status"], json.loads(each)["reference"]) for each in told] == [
        ("noted", reference)
    ]
    assert caller.get("/dead-letters").json()["dead_letters"] == []
