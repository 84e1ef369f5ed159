"""Whatever JSON comes: findings, never an exception; and what is read, the model takes."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.authorization import Authorization
from service.ingest.fhir import read
from service.ingest.fhir.base.issue import outcome, write_issue
from tests.ingest.fhir.papers import (
    CPT,
    PATIENT,
    Json,
    added,
    bundle,
    coded,
    detail,
    ext,
    item,
    request,
    response,
    review,
)

FULL: Json = bundle(
    response(
        item("A6", detail(code=coded("97110"), quantity={"value": 3, "code": "VS"})),
        addItem=[added("A6", productOrService=coded("97124"), net={"value": 5})],
        adjudication=[review("A1", "N-1")],
        preAuthRef="N-1",
        request={"reference": "Claim/c1"},
        processNote=[{"number": 1, "text": "Call"}],
        error=[{"code": coded("15")}],
    ),
    PATIENT,
    request(
        {
            "sequence": 1,
            "quantity": {"value": 9},
            "productOrService": coded("97110", CPT),
            "extension": [ext("requestedService", valueReference={"reference": "#s"})],
            "careTeamSequence": [1],
            "diagnosisSequence": [1],
        },
        careTeam=[{"sequence": 1, "provider": {"reference": "#d"}}],
        diagnosis=[{"sequence": 1, "diagnosisCodeableConcept": coded("G89.4")}],
        contained=[
            {"resourceType": "Practitioner", "id": "d", "name": [{"family": "W"}]},
            {
                "resourceType": "ServiceRequest",
                "id": "s",
                "occurrenceTiming": {"repeat": {"frequency": 2, "periodUnit": "wk"}},
            },
        ],
    ),
)

WORDS = [
    "A1",
    "Bundle",
    "Patient/p1",
    "#d",
    "2026-05-01",
    "2026",
    "\ud800",
    "1e9",
    "",
    " ",
    "97110",
]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
names = st.text(max_size=6) | st.sampled_from(
    ["resourceType", "entry", "resource", "item", "extension", "url", "coding", "code", "value"]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def holds(content: object) -> None:
    """It is read without an exception, and what was read is fit to be pushed."""
    reading = read(content)
    json.dumps(outcome(map(write_issue, reading.issues)))
    assert reading.authorizations or reading.issues
    for each in reading.authorizations:
        Authorization.model_validate(json.loads(json.dumps(each.document)))


@given(values)
@settings(max_examples=150)
def test_any_value_gives_findings(content: Any) -> None:
    """Also one that is no resource."""
    holds(content)


@given(st.sampled_from(["ClaimResponse", "Bundle", "Parameters", "Claim"]), values)
@settings(max_examples=150)
def test_any_members_of_a_resource_give_findings(name: str, members: Any) -> None:
    """With the names that we know, and any others."""
    holds({**(members if isinstance(members, dict) else {"item": members}), "resourceType": name})


def places(content: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with every key or index of it."""
    found: list[tuple[Any, Any]] = []
    todo = [content]
    while todo:
        each = todo.pop()
        keys = list(each) if isinstance(each, dict) else list(range(len(each)))
        found += [(each, key) for key in keys]
        todo += [each[key] for key in keys if isinstance(each[key], dict | list)]
    return found


@given(st.data())
@settings(max_examples=300)
def test_a_full_document_with_any_places_changed_gives_findings(data: st.DataObject) -> None:
    """Every value that we read may be another, or another kind of thing."""
    content = json.loads(json.dumps(FULL))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(content)))
        container[key] = data.draw(values)

    holds(content)


def test_the_full_document_is_read() -> None:
    """Else the changes would show nothing."""
    holds(FULL)
    assert len(read(FULL).authorizations) == 1


def test_json_that_is_deep_in_a_value_is_not_walked() -> None:
    """The reading follows names that it knows, and never itself."""
    deep: Any = {}
    for _ in range(50_000):
        deep = {"extension": [deep]}
    content = bundle(response(item(), patient=deep, extension=[deep], requestor=deep), PATIENT)

    assert read(content).authorizations == ()
