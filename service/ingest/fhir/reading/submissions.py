"""A FHIR document as submissions: one for each authorization, and for each that was not read."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from json import loads
from typing import Any

import orjson
from pydantic import ValidationError

from service.domain.submission import Code, Notice, Position, Pushed, Sent, Submission
from service.ingest.cutting import Cut
from service.ingest.fhir.base.documents import Documents
from service.ingest.fhir.base.issue import Issue, Issues
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.reading.response import ReadAuthorization, Unread, read

_BOM = b"\xef\xbb\xbf"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_ELEMENT = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,40}")


class _NotReadable(ValueError):
    """Why a text is no JSON that two readers would read alike."""


@dataclass(frozen=True, slots=True)
class FhirDocument:
    """What a document gave: at least one submission, and all findings.

    ``root`` is the type of resource that it is, as far as it could be parsed.
    """

    submissions: tuple[Submission, ...]
    issues: tuple[Issue, ...]
    root: str = "Resource"


@dataclass(frozen=True, slots=True)
class _Origin:
    """The document that all its submissions come from."""

    content: bytes = field(repr=False)
    number: int
    position: Position
    start: int

    def submission(self, pointer: str, **more: Any) -> Submission:
        return Submission(
            format="fhir",
            number=self.number,
            position={**self.position, **({"pointer": pointer} if pointer else {})},
            start=self.start,
            content=self.content,
            content_bytes=len(self.content),
            **more,
        )

    def rejected(
        self, pointer: str, code: Code, issues: Iterable[Issue], **more: Any
    ) -> Submission:
        errors = [each for each in issues if each.severity == "error"]
        first = errors[0]
        reason = f"{first.pointer}: {first.message}" if first.pointer else first.message
        return self.submission(
            pointer, code=code, reason=reason, errors=tuple(map(_place, errors)), **more
        )


def read_piece(piece: Cut, number: int, bytes_max: int, *, checks_shape: bool) -> Sequence[Sent]:
    """Read a piece of a stream as a document; its findings are a notice behind its submissions."""
    if not piece.is_whole or piece.size > bytes_max:
        document = too_long(piece, number, bytes_max)
    else:
        where: Position = {"line": piece.line}
        document = fhir_submissions(
            piece.content,
            number=number,
            position=where,
            start=piece.start,
            checks_shape=checks_shape,
        )
    return [*document.submissions, Notice(document)]


def fhir_submissions(
    content: bytes,
    *,
    number: int = 1,
    position: Position | None = None,
    start: int = 0,
    checks_shape: bool = False,
) -> FhirDocument:
    """Read a document into submissions, in one piece; it raises for none.

    ``number``, ``position`` and ``start`` say where it stands in a stream of documents. What was
    found wrong with one ClaimResponse rejects that one alone; what belongs to none rejects the
    document, beside those that were read. What is wrong with its shape keeps nothing out.
    """
    origin = _Origin(content, number, position or {}, start)
    try:
        parsed = parse(content)
    except _NotReadable as error:
        issue = Issue("unreadable", "error", "", "Resource", str(error))
        return FhirDocument((origin.rejected("", "unreadable", [issue]),), (issue,))
    reading = read(parsed)
    taken = [_taken(origin, each) for each in reading.authorizations]
    unread = [_unread(origin, each) for each in reading.unread]
    owned = {one for each in reading.authorizations for one in each.issues}
    owned |= {one for each in reading.unread for one in each.issues}
    of_document = [
        each for each in reading.issues if each.severity == "error" and each not in owned
    ]
    whole = [origin.rejected("", "invalid", of_document)] if of_document else []
    submissions = [*taken, *unread, *whole]
    if not submissions:
        submissions.append(origin.submission("", reason="nothing to take in the document"))
    shape = check_shape(parsed, len(content)) if checks_shape else ()
    name = parsed.get("resourceType") if isinstance(parsed, dict) else None
    return FhirDocument(
        tuple(_warned(submissions, shape)),
        (*reading.issues, *shape),
        name if isinstance(name, str) else "Resource",
    )


def too_long(piece: Cut, number: int, bytes_max: int) -> FhirDocument:
    """What stands for a line of which only the beginning was kept."""
    issue = Issue("too-many", "error", "", "Resource", f"longer than {bytes_max} bytes")
    submission = Submission(
        format="fhir",
        number=number,
        position={"line": piece.line},
        start=piece.start,
        content=piece.content,
        content_bytes=piece.size,
        code="unreadable",
        reason=issue.message,
        errors=(_place(issue),),
    )
    return FhirDocument((submission,), (issue,))


def _taken(origin: _Origin, read: ReadAuthorization) -> Submission:
    return origin.submission(
        read.pointer,
        pushed=Pushed(authorization=read.authorization, source=read.document),
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


def _unread(origin: _Origin, unread: Unread) -> Submission:
    known: dict[str, Any] = {
        "authorization_id": unread.authorization_id,
        "version": unread.version,
    }
    if unread.is_refused:
        return origin.rejected(unread.pointer, "invalid", unread.issues, **known)
    reason = unread.issues[-1].message if unread.issues else "nothing to take"
    return origin.submission(unread.pointer, reason=reason, **known)


def _place(issue: Issue) -> Mapping[str, str]:
    return {"path": issue.pointer, "message": issue.message}


def parse(content: bytes) -> object:
    """Parse JSON, and refuse what readers of JSON would not read alike; raises ValueError."""
    text = content.removeprefix(_BOM)
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
    issues = Issues()
    documents = Documents(content, Issues())
    if not documents.resources:
        return ()
    root = documents.resources[0]
    if bytes_count > BYTES_MAX:
        message = f"the form was not checked: longer than {BYTES_MAX} bytes"
        issues.tell(root, "r4b-unchecked", message)
        return issues.all
    for resource in documents.resources:
        for path, reason in _findings(resource):
            if len(issues.all) >= ISSUES_MAX:
                issues.tell(root, "r4b-unchecked", "more was found wrong with the form")
                return issues.all
            node = Node(None, (*resource.path, *path), resource.root)
            issues.warn(node, "r4b-shape", reason)
    return issues.all


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
