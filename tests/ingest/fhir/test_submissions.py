"""A document as submissions: what is taken, what is refused, what is only noted, and with whom."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.submission import Submission
from service.ingest.cutting import Cut
from service.ingest.fhir import FhirDocument, read_document, to_claim_response
from tests.builders import build_authorization
from tests.ingest.fhir.papers import (
    PATIENT,
    Json,
    bundle,
    item,
    packed,
    request,
    response,
    review,
    x12,
)

BYTES_MAX = 1024 * 1024


def document_of(content: Json | bytes, line: int = 1, start: int = 0) -> FhirDocument:
    """A document that stands somewhere in a stream."""
    written = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_document(Cut(written, len(written), line, start), BYTES_MAX)


def of(content: Json | bytes, line: int = 1, start: int = 0) -> tuple[Submission, ...]:
    """The submissions of a document."""
    return document_of(content, line, start).submissions


def kind(submission: Submission) -> str:
    """What is to be done with it."""
    return "pushed" if submission.pushed else submission.code or "noted"


def named(name: str, **more: Any) -> Json:
    """A response of that name."""
    return response(item(), id=name, identifier=[{"value": name}], **more)


def test_an_authorization_is_a_push_with_the_whole_document() -> None:
    """Where it stands in the document, and the document in its stream."""
    content = json.dumps(packed(response(item(), requestor={"reference": "Practitioner/x"})))
    (found,) = of(content.encode(), line=7, start=900)

    assert found.pushed
    assert (found.format, found.start) == ("fhir", 900)
    assert found.position == {"line": 7, "pointer": "/entry/0/resource"}
    assert (found.content, found.content_bytes) == (content.encode(), len(content))
    assert found.pushed.source["authorization_id"] == found.authorization_id
    assert found.pushed.authorization.version == found.version
    assert [each["path"] for each in found.warnings] == ["/entry/0/resource/requestor/reference"]


def test_each_is_refused_for_itself_with_its_own_reasons() -> None:
    """The findings of one are not those of another, though both refer to the same patient."""
    undated: Any = {"itemSequence": 1, "adjudication": [review("A1")]}
    nobody = {"reference": "Patient/nobody"}
    found = of(
        bundle(
            named("a"),
            named("b", item=[undated]),
            named("c", use="claim"),
            named("d", patient=nobody),
            named("e", patient=nobody),
            PATIENT,
        )
    )

    assert [kind(each) for each in found] == ["pushed"] + ["invalid"] * 4
    assert [each.position["pointer"] for each in found] == [
        f"/entry/{at}/resource" for at in range(5)
    ]
    assert found[1].reason == (
        "/entry/1/resource/item/0: granted, but neither a validity, nor dates of service, nor an "
        "admission"
    )
    assert found[1].errors == (
        {
            "path": "/entry/1/resource/item/0",
            "code": "granted-without-dates",
            "message": "granted, but neither a validity, nor dates of service, nor an admission",
        },
    )
    assert found[1].authorization_id
    assert found[1].authorization_id.startswith("authorization.response.")
    assert [each["path"] for each in found[2].errors] == ["/entry/2/resource/use"]
    assert [len(each.errors) for each in found[3:]] == [1, 1]


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        (packed(response(outcome="error", error=[{"code": x12("15", "901")}])), ["noted"]),
        (bundle(request({"sequence": 1}), PATIENT), ["noted"]),
        (bundle(request({"sequence": 1}, use="claim"), PATIENT), ["invalid"]),
        (bundle(named("a"), request({"sequence": 1}, use="claim"), PATIENT), ["pushed", "invalid"]),
        (bundle(named("a"), named("a"), PATIENT), ["pushed"]),
        (bundle(named("a"), named("a", disposition="other"), PATIENT), ["pushed", "invalid"]),
        (named("a", status="draft"), ["invalid"]),
        (named("a", decision={"text": "R5"}), ["invalid"]),
        (bundle(PATIENT), ["invalid"]),
        (bundle(), ["invalid"]),
        ({"a": 1}, ["invalid"]),
        (b"[]", ["invalid"]),
        (b"1", ["invalid"]),
    ],
    ids=["refusal to look", "request alone", "claim", "claim beside an answer", "the same twice",
         "two of one id", "draft", "R5", "nothing of ours", "empty bundle", "no resource", "list",
         "number"],
)  # fmt: skip
def test_what_becomes_of_it(content: Json | bytes, kinds: list[str]) -> None:
    """A refusal to look and a request are no fault; what gave nothing is."""
    assert [kind(each) for each in of(content)] == kinds
    assert all(each.reason for each in of(content) if not each.pushed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\xef\xbb\xbf", "not JSON"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"<ClaimResponse/>", "XML is not read"),
        (b"ISA*00*", "not JSON"),
        (b'{"resourceType":', "not JSON"),
        (b'{"resourceType": "Bundle"} {}', "not JSON"),
        (b"[" * 100_000, "depth limit"),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, "nested too deep"),
        (b'{"a": 1e999}', "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"use": "claim", "use": "preauthorization"}', "twice in one object (use)"),
        (b'[{"Mary Smith": 1, "Mary Smith": 2}]', "twice in one object"),
        (b'{"a": "\\ud800"}', "not JSON"),
        (b'{"a": "\x00"}', "not JSON"),
        (b'{"a": "x\\u0000"}', "NUL"),
        ('{"resourceType": "é"}'.encode("latin-1"), "not JSON"),
        ('{"resourceType": "Bundle"}'.encode("utf-16"), "not JSON"),
    ],
)
def test_what_is_no_json_is_one_unreadable_submission(content: bytes, reason: str) -> None:
    """With why, and none of its values."""
    (found,) = of(content)

    assert found.code == "unreadable"
    assert reason in (found.reason or "")
    assert "Mary" not in (found.reason or "")
    assert found.content == content


def test_what_only_looks_like_nul_is_read() -> None:
    """A backslash that is itself escaped, before the same letters; and a mark of the order."""
    content = json.dumps(packed(response(item(), disposition="\\u0000"))).encode()

    assert [kind(each) for each in of(b"\xef\xbb\xbf" + content)] == ["pushed"]


def test_what_we_gave_out_is_known_again() -> None:
    """By its identifier of ours; a document that others wrote has none."""
    ours = to_claim_response(build_authorization())
    document = document_of(bundle(named("a"), ours, PATIENT))

    assert [each.is_own for each in document.submissions] == [False, True]
    assert (document.root, [kind(each) for each in document.submissions]) == (
        "Bundle",
        ["pushed", "pushed"],
    )


def test_a_document_that_was_skipped_is_not_whole() -> None:
    """Of one that is longer than allowed the beginning is kept, and where it stood."""
    (found,) = read_document(Cut(b"{", 200, 3, 300), 100).submissions

    assert (found.code, found.reason) == ("unreadable", "longer than 100 bytes")
    assert found.content_bytes > len(found.content)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(max_examples=200)
def test_any_bytes_give_submissions(content: bytes) -> None:
    """Never an exception."""
    assert of(content)
