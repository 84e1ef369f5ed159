"""A FHIR document as submissions: one for each authorization, and for each that was not read."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from json import loads
from typing import Any

import orjson
from pydantic import ValidationError

from service.domain.submission import Code, Notice, Pushed, Sent, Submission
from service.ingest.cutting import Cut
from service.ingest.fhir.base.documents import Documents
from service.ingest.fhir.base.issue import Issue
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.reading.response import ReadAuthorization, Unread, read

_BOM = b"\xef\xbb\xbf"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_ELEMENT = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,40}")


class _NotReadable(ValueError):
    """Why a text is no JSON that two readers would read alike."""

    def __init__(self, reason: str, code: str = "unreadable") -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class FhirDocument:
    """What a document gave: at least one submission, and all findings.

    ``root`` is the type of resource that it is, as far as it could be parsed.
    """

    submissions: tuple[Submission, ...]
    issues: tuple[Issue, ...]
    root: str = "Resource"


def read_piece(piece: Cut, bytes_max: int, *, checks_shape: bool) -> Sequence[Sent]:
    """Read a piece of a stream as a document; its findings are a notice behind its submissions."""
    document = read_document(piece, bytes_max, checks_shape=checks_shape)
    return [*document.submissions, Notice(document)]


def read_document(piece: Cut, bytes_max: int, *, checks_shape: bool = False) -> FhirDocument:
    """Read a document into submissions; it raises for none.

    What was found wrong with one ClaimResponse rejects that one alone; what belongs to none rejects
    the document, beside those that were read. What is wrong with its shape keeps nothing out.
    """
    try:
        parsed = _parsed(piece, bytes_max)
    except _NotReadable as error:
        issue = Issue(error.code, "error", "", "Resource", str(error))
        return FhirDocument((_rejected(piece, "", "unreadable", [issue]),), (issue,))
    reading = read(parsed)
    owned = {one for each in reading.authorizations for one in each.issues}
    owned |= {one for each in reading.unread for one in each.issues}
    of_document = [
        each for each in reading.issues if each.severity == "error" and each not in owned
    ]
    submissions = [_taken(piece, each) for each in reading.authorizations]
    submissions += [_unread(piece, each) for each in reading.unread]
    if of_document:
        submissions.append(_rejected(piece, "", "invalid", of_document))
    if not submissions:
        submissions.append(piece.submission("fhir", reason="nothing to take in the document"))
    shape = check_shape(parsed, piece.size) if checks_shape else ()
    name = parsed.get("resourceType") if isinstance(parsed, dict) else None
    return FhirDocument(
        tuple(_warned(submissions, shape)),
        (*reading.issues, *shape),
        name if isinstance(name, str) else "Resource",
    )


def _rejected(
    piece: Cut, pointer: str, code: Code, issues: Iterable[Issue], **more: Any
) -> Submission:
    errors = [each for each in issues if each.severity == "error"]
    first = errors[0]
    reason = f"{first.pointer}: {first.message}" if first.pointer else first.message
    places = tuple(map(_place, errors))
    return piece.submission("fhir", pointer, code=code, reason=reason, errors=places, **more)


def _taken(piece: Cut, read: ReadAuthorization) -> Submission:
    return piece.submission(
        "fhir",
        read.pointer,
        pushed=Pushed(authorization=read.authorization, source=read.document, keeps_person=True),
        authorization_id=read.authorization.authorization_id,
        version=read.authorization.version,
        warnings=tuple(_place(each) for each in read.issues if each.severity == "warning"),
        is_own=read.is_own,
    )


def _warned(submissions: Sequence[Submission], shape: Sequence[Issue]) -> Iterator[Submission]:
    """Add what is wrong with the shape to the submission that it is in, else to the first."""
    pointers = [str(each.position.get("pointer", "")) for each in submissions]
    found: dict[int, list[Mapping[str, str]]] = {}
    for issue in shape:
        inside = (
            at
            for at, pointer in enumerate(pointers)
            if pointer and f"{issue.pointer}/".startswith(f"{pointer}/")
        )
        found.setdefault(next(inside, 0), []).append(_place(issue))
    for at, each in enumerate(submissions):
        yield replace(each, warnings=(*each.warnings, *found[at])) if at in found else each


def _unread(piece: Cut, unread: Unread) -> Submission:
    known: dict[str, Any] = {
        "authorization_id": unread.authorization_id,
        "version": unread.version,
    }
    if unread.is_refused:
        return _rejected(piece, unread.pointer, "invalid", unread.issues, **known)
    reason = unread.issues[-1].message if unread.issues else "nothing to take"
    known |= {"reference": unread.reference, "refusal": unread.refusal}
    return piece.submission("fhir", unread.pointer, reason=reason, **known)


def _place(issue: Issue) -> Mapping[str, str]:
    return {"path": issue.pointer, "code": issue.code, "message": issue.message}


def _parsed(piece: Cut, bytes_max: int) -> object:
    """Parse JSON, and refuse what readers of JSON would not read alike; raises _NotReadable."""
    if not piece.is_whole or piece.size > bytes_max:
        raise _NotReadable(f"longer than {bytes_max} bytes", "too-many")
    text = piece.content.removeprefix(_BOM)
    if not text.strip():
        raise _NotReadable("empty: a resource of FHIR is needed")
    if text.lstrip()[:1] == b"<":
        raise _NotReadable("XML is not read: send JSON")
    try:
        parsed = orjson.loads(text)
        loads(text, object_pairs_hook=_once)
    except orjson.JSONDecodeError as error:
        raise _NotReadable(f"not JSON: {error}") from error
    except RecursionError as error:
        raise _NotReadable("nested too deep") from error
    if _NUL.search(text):
        raise _NotReadable("a text holds the character NUL")
    return parsed


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Refuse a name that stands twice: one reader takes the first value, another the last."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            named = f" ({name})" if _ELEMENT.fullmatch(name) else ""
            raise _NotReadable(f"a name stands twice in one object{named}")
        seen.add(name)


BYTES_MAX = 2 * 1024 * 1024
ISSUES_MAX = 50

_PACKS: Mapping[str, str] = {"Bundle": "entry", "Parameters": "parameter"}
_REASONS = {
    "missing": "R4 demands this element",
    "model_field_validation.missing": "R4 demands this element",
    "extra_forbidden": "R4 has no such element here",
    "list_type": "in R4 this is a list",
}
_OTHERWISE = "not of the form that R4 demands"


def check_shape(content: object, bytes_count: int) -> tuple[Issue, ...]:
    """A warning for each place that a strict reader of R4 would refuse; it raises for none.

    Of a document that is too long nothing is checked, and of the findings the first ones are given;
    both are said.
    """
    documents = Documents(content)
    if not documents.resources:
        return ()
    root = documents.resources[0].quiet()
    found = root.issues
    if bytes_count > BYTES_MAX:
        root.tell("r4b-unchecked", f"the form was not checked: longer than {BYTES_MAX} bytes")
        return found.all
    for resource in documents.resources:
        for path, reason in _findings(resource):
            if len(found.all) >= ISSUES_MAX:
                root.tell("r4b-unchecked", "more was found wrong with the form")
                return found.all
            node = Node(None, (*resource.path, *path), root.root, found)
            node.warn("r4b-shape", reason)
    return found.all


def _findings(resource: Node) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Check one resource; those that a bundle or Parameters hold are checked for themselves."""
    from fhir.resources.R4B import get_fhir_model_class

    try:
        model = get_fhir_model_class(resource.resource_type)
        model.model_validate(_without_held(resource))
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            yield each["loc"], _REASONS.get(each["type"], _OTHERWISE)
    except Exception:  # noqa: BLE001 - whatever the models stumble over keeps nothing out
        yield (), "could not be checked against R4: an unknown type of resource, or nested too deep"


def _without_held(resource: Node) -> Any:
    name = _PACKS.get(resource.resource_type)
    if name is None or not isinstance(resource.value, dict):
        return resource.value
    return resource.value | {name: _emptied(resource.value.get(name))}


def _emptied(entries: object) -> object:
    """Entries without their resources; the parts of parameters are entries, too."""
    if not isinstance(entries, list):
        return entries
    return [
        {
            key: _emptied(value) if key == "part" else value
            for key, value in each.items()
            if key != "resource"
        }
        if isinstance(each, dict)
        else each
        for each in entries
    ]
