"""What counts as a decision, and what a line inherits."""

from typing import Any

import pytest

from service.domain.authorization import Authorization
from service.domain.effective import effective_action
from service.ingest.fhir import read
from tests.ingest.fhir.papers import (
    CPT,
    Json,
    added,
    coded,
    codes,
    detail,
    ext,
    item,
    line_of,
    packed,
    request,
    response,
    review,
    taken,
    valid,
    x12,
)

DATED = {"preAuthPeriod": {"start": "2026-05-01", "end": "2026-06-30"}}
CANCELLED = {"url": "http://x/modifierextension-infoCancelled", "valueBoolean": True}


def actions(document: Json) -> list[str | None]:
    """The decision in force for each line."""
    authorization = Authorization.model_validate(taken(document))
    return [effective_action(line, authorization) for line in authorization.lines]


@pytest.mark.parametrize("outcome", ["complete", "queued", "partial", "error", "banana", None])
@pytest.mark.parametrize("action", ["A1", "A3", "A4"])
def test_the_outcome_decides_nothing(outcome: str | None, action: str) -> None:
    """It says how far the processing is."""
    assert actions(packed(response(item(action), outcome=outcome))) == [action]


@pytest.mark.parametrize(
    "system", ["https://codesystem.x12.org/005010/306", "http://codesystem.x12.org/005010/306",
               "https://valueset.x12.org/x217/005010/response/2000F/HCR/1/01/00/306"]
)  # fmt: skip
def test_the_code_counts_whatever_its_system_is_called(system: str) -> None:
    """Seen with http and https."""
    one = review("A1")
    one["extension"][0]["extension"][0]["valueCodeableConcept"] = coded("A1", system)

    assert line_of(response(item(None, adjudication=[one])))["decision"] == {"action": "A1"}


@pytest.mark.parametrize(
    ("outer", "inner", "value"),
    [
        ("reviewAction", "reviewActionCode", {"valueCodeableConcept": x12("A1", "306")}),
        ("reviewAction", "code", {"valueCodeableConcept": x12("A1", "306")}),
        ("reviewAction", "reasonCode", {"valueCodeableConcept": x12("A1", "306")}),
        ("reviewAction", "reviewActionCode", {"valueCode": "A1"}),
        ("http://build.fhir.org/StructureDefinition-extension-reviewAction.html",
         "reviewActionCode", {"valueCoding": {"code": "a1"}}),
        ("http://hl7.org/fhir/us/davinci-pdex/StructureDefinition/extension-reviewAction",
         "http://hl7.org/fhir/us/davinci-pdex/StructureDefinition/extension-reviewActionCode",
         {"valueCodeableConcept": x12("A1", "306")}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_old", [False, True])
def test_a_review_is_found_under_the_names_that_senders_use(
    outer: str, inner: str, value: Json, is_old: bool
) -> None:
    """And on the item itself, where guide 1.0 has it."""
    found = {"url": outer, "extension": [{"url": inner, **value}]}
    answered: Json = {"itemSequence": 1, "extension": [valid(), *([found] if is_old else [])]}
    if not is_old:
        answered["adjudication"] = [{"extension": [found]}]

    assert line_of(response(answered))["decision"] == {"action": "A1"}


def test_a_review_may_be_the_code_alone() -> None:
    """Of the response, with a value in place of parts: what no line says more of is pended."""
    answered = response(
        item(None), extension=[ext("reviewAction", valueCodeableConcept=x12("A2", "306"))]
    )

    assert actions(packed(answered)) == ["A4"]


def test_a_code_that_is_none_leaves_the_decision_unknown() -> None:
    """It is kept; nothing is made pended or approved by guess."""
    reading = read(packed(response(item("PENDEDCODE"))))
    found = reading.authorizations[0].document

    assert "decision" not in found["lines"][0]
    assert found["attached"]["review_actions_unknown"] == ["PENDEDCODE"]
    assert codes(reading, "warning") == ["action-unknown"]


def test_a_line_of_unknown_code_inherits_nothing() -> None:
    """The header's decision is written on the other lines instead."""
    answered = response(
        item("PENDEDCODE"), item(None, number=2), adjudication=[review("A1")], **DATED
    )

    assert actions(packed(answered)) == [None, "A1"]


def test_a_line_without_a_code_inherits_that_of_the_header() -> None:
    """But not a partial certification: it is pended then."""
    assert actions(packed(response(item(None), adjudication=[review("A1")]))) == ["A1"]
    assert actions(packed(response(item(None), adjudication=[review("A2")], **DATED))) == ["A4"]


@pytest.mark.parametrize(
    ("text", "action"),
    [("Granted", "A1"), ("DENIED", "A3"), ("Pending", "A4"), ("Cancelled", "C"),
     ("Partial", "A2"), ("Not certified.", "A3"), ("Prior authorization was not approved", None)],
)  # fmt: skip
def test_only_without_any_review_the_disposition_decides(text: str, action: str | None) -> None:
    """Its whole text; a sentence is not interpreted."""
    found = taken(packed(response(disposition=text, **DATED)))

    assert found.get("decision", {}).get("action") == action


def test_a_disposition_beside_a_review_is_a_message() -> None:
    """The review decides."""
    assert actions(packed(response(item("A3"), disposition="Granted"))) == ["A3"]


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_response_that_no_longer_holds_is_void(status: str) -> None:
    """Whatever its items say."""
    found = Authorization.model_validate(taken(packed(response(item("A1"), status=status))))

    assert found.is_void


def test_a_draft_is_refused() -> None:
    """It decides nothing yet."""
    assert "status-draft" in codes(read(packed(response(item(), status="draft"))), "error")


@pytest.mark.parametrize(
    ("mark", "answer", "expected"),
    [
        ({"modifierExtension": [CANCELLED]}, "A1", "C"),
        ({"extension": [ext("certificationType", valueCodeableConcept=x12("3", "1322"))]}, "A1",
         "C"),
        ({"modifierExtension": [CANCELLED],
          "extension": [ext("certificationType", valueCodeableConcept=x12("3", "1322"))]}, "C",
         "C"),
        ({"modifierExtension": [CANCELLED]}, None, "C"),
        ({"modifierExtension": [CANCELLED]}, "A4", "A4"),
        ({"modifierExtension": [CANCELLED]}, "A3", "A3"),
        ({"extension": [ext("certificationType", valueCodeableConcept=x12("I", "1322"))]}, "A1",
         "A1"),
    ],
)  # fmt: skip
def test_a_cancelled_item_is_void_when_that_is_confirmed(
    mark: Json, answer: str | None, expected: str
) -> None:
    """An update sends all items again, the cancelled ones marked."""
    answered = response(item(answer), item("A1", number=2))
    asked = request({"sequence": 1, **mark}, {"sequence": 2})

    assert actions(packed(answered, asked)) == [expected, "A1"]


def test_when_every_line_is_cancelled_so_is_the_whole() -> None:
    """It is void then, and found no more."""
    found = Authorization.model_validate(taken(packed(response(item("C"), item("C", number=2)))))

    assert found.is_void


def test_a_rejected_request_is_no_denial() -> None:
    """Errors without a decision: nothing is stored."""
    error = {"code": x12("T4", "901")}
    reading = read(packed(response(outcome="error", error=[error])))
    (issue,) = [each for each in reading.issues if each.severity == "warning"]

    assert reading.authorizations == ()
    assert (issue.code, issue.pointer) == ("request-rejected", "/entry/0/resource/error/0")
    assert "T4" in issue.message


def test_an_error_beside_a_decision_is_a_message() -> None:
    """The decision stands."""
    found = taken(packed(response(item("A4"), error=[{"code": x12("15", "901")}])))

    assert found["messages"] == [{"code": "901 15", "text": "15"}]
    assert found["lines"][0]["decision"]["action"] == "A4"


@pytest.mark.parametrize("more", [{}, {"preAuthPeriod": {"start": "bad"}}])
def test_what_was_granted_needs_a_day(more: Json) -> None:
    """It would pay for ever; the finding names the item."""
    undated: Any = {"itemSequence": 1, "adjudication": [review("A1")]}
    reading = read(packed(response(undated, **more)))

    assert reading.authorizations == ()
    found = {each.code: each.pointer for each in reading.issues if each.severity == "error"}
    assert found == {"granted-without-dates": "/entry/0/resource/item/0"}


def test_the_days_asked_for_stand_in() -> None:
    """A response often has no others."""
    undated: Any = {"itemSequence": 1, "adjudication": [review("A1")]}
    found = line_of(response(undated), request({"sequence": 1, "servicedDate": "2026-05-05"}))

    assert found["requested_dates"] == {"from": "2026-05-05", "to": "2026-05-05"}


def test_a_granted_answer_without_items_has_the_lines_of_its_request() -> None:
    """What was asked for was certified in total."""
    asked = request(
        {"sequence": 1, "productOrService": coded("97110", CPT), "quantity": {"value": 4}},
        {"sequence": 2, "productOrService": coded("97140", CPT)},
    )
    found = taken(packed(response(disposition="Granted", **DATED), asked))

    assert [each["procedure"]["from"] for each in found["lines"]] == ["97110", "97140"]
    assert found["lines"][0]["limits"] == {"units": "4", "unit": "UN"}
    assert found["decision"]["action"] == "A1"


def test_an_item_that_is_not_answered_is_no_line() -> None:
    """Unless the header decided."""
    asked = request({"sequence": 1}, {"sequence": 2})
    silent = read(packed(response(item("A1")), asked))

    assert len(silent.authorizations[0].document["lines"]) == 1
    assert "item-unanswered" in codes(silent, "information")
    decided = packed(response(item("A3"), adjudication=[review("A1")], **DATED), asked)
    assert actions(decided) == ["A3", "A1"]


def test_two_codes_that_differ_are_a_warning() -> None:
    """The first stands."""
    one = review("A1")
    concept = one["extension"][0]["extension"][0]["valueCodeableConcept"]
    concept["coding"].append({"code": "A3"})
    reading = read(packed(response(item(None, adjudication=[one]))))

    assert codes(reading, "warning") == ["actions-differ"]


def test_a_modified_line_that_says_no_quantity_is_bounded_by_the_request() -> None:
    """With a warning: what was granted is not known."""
    reading = read(packed(response(item("A6")), request({"sequence": 1, "quantity": {"value": 7}})))

    assert reading.authorizations[0].document["lines"][0]["limits"]["units"] == "7"
    assert "modified-without-grant" in codes(reading, "warning")


def test_items_without_or_with_the_same_number_are_all_kept() -> None:
    """By their place, or behind the last."""
    answered = response(item(), {**item(), "itemSequence": None}, item(), addItem=[added()])
    found = taken(packed(answered))

    assert [each["line"] for each in found["lines"]] == [1, 2, 3]


def test_no_decision_at_all_is_said() -> None:
    """It is stored, and pays nothing."""
    found = read(packed(response(item(None, detail(quantity={"value": 1})))))

    assert "decision-missing" in codes(found, "warning")
    assert "limits" not in found.authorizations[0].document["lines"][0]
