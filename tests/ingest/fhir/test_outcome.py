"""Findings: where they stand, what they say, and the OperationOutcome."""

import json

import pytest

from service.ingest.fhir import read
from service.ingest.fhir.base.issue import CODES, Issue, outcome, write_issue
from service.ingest.fhir.base.node import Node, short_name
from tests.ingest.fhir.papers import PATIENT, bundle, coded, detail, item, packed, response


def test_an_outcome_has_one_issue_for_each_finding() -> None:
    """With severity, the types of FHIR, our code, place and text."""
    reading = read(packed(response(item("X9"), use="claim", preAuthPeriod={"start": "?"})))
    (issue,) = outcome(map(write_issue, reading.issues))["issue"]

    assert issue == {
        "severity": "error",
        "code": "not-supported",
        "details": {
            "coding": [{"system": "urn:authmatch:fhir-issue", "code": "use-claim"}],
            "text": "a response to a claim, not to a pre-authorization: not an authorization",
        },
        "diagnostics": "JSON pointer: /entry/0/resource/use",
        "expression": ["Bundle.entry[0].resource.use"],
    }


def test_an_outcome_without_findings_says_that_all_is_well() -> None:
    """It needs an issue."""
    assert outcome([])["issue"][0]["severity"] == "information"


@pytest.mark.parametrize("code", CODES)
def test_every_code_can_be_written(code: str) -> None:
    """With its type."""
    issue = Issue(code, "error", "", "Bundle", "text")

    assert outcome([write_issue(issue)])["issue"][0]["code"] == CODES[code]


def test_no_finding_holds_a_value_of_the_document() -> None:
    """Findings are logged: nothing of a member may stand in them."""
    private = "PR1VATE"
    patient = {**PATIENT, "birthDate": private}
    nobody = {**PATIENT, "identifier": [{"value": f"{private}/{private}"}]}
    answer = response(
        item(private, detail(quantity={"value": private}, code=coded(private * 9))),
        created=private,
        preAuthRef=private * 99,
        preAuthPeriod={"start": private},
        requestor={"reference": f"Organization/{private}"},
        type=coded(private),
    )
    issues = (*read(bundle(answer, patient)).issues, *read(bundle(answer, nobody)).issues)

    assert len({each.pointer for each in issues}) > 10
    assert private not in json.dumps(outcome(map(write_issue, issues)))


def test_a_place_is_written_both_ways() -> None:
    """As a JSON pointer, with its two escapes, and as FHIRPath."""
    node = Node({"a/b": [{"c~d": 1}]}, (), "Basic").get("a/b").get("c~d")

    assert (node.value, node.pointer) == (1, "/a~1b/0/c~0d")
    assert node.expression == "Basic.a/b[0].c~d"


@pytest.mark.parametrize(
    "url",
    ["http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewAction",
     "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewAction|2.2.1",
     "http://build.fhir.org/ig/HL7/davinci-pas/StructureDefinition-extension-reviewAction.html",
     "reviewAction", "extension-reviewAction", "http://x/modifierextension-reviewAction"],
)  # fmt: skip
def test_an_extension_has_one_short_name(url: str) -> None:
    """However its address is written."""
    assert short_name(url) == "reviewAction"
