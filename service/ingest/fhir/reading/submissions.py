"""A FHIR document as submissions: one for each authorization, and for each that was not read."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json import loads
from typing import Any

import orjson

from service.domain.push import Pushed
from service.domain.submission import Code, Position, Submission
from service.ingest.cutting import Cut
from service.ingest.fhir.base.issue import Issue
from service.ingest.fhir.reading.response import read
from service.ingest.fhir.reading.results import Unread

_BOM = b"\xef\xbb\xbf"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_ELEMENT = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,40}")


class _NotReadable(ValueError):
    """Why a text is no JSON that two readers would read alike."""


@dataclass(frozen=True, slots=True)
class FhirDocument:
    """What a document gave: at least one submission, and all findings.

    ``content`` is the parsed document, None where it could not be parsed. ``own`` are the pointers
    of those that carry an identifier of ours: they may be what we gave out.
    """

    submissions: tuple[Submission, ...]
    issues: tuple[Issue, ...]
    content: object = field(default=None, repr=False)
    own: frozenset[str] = frozenset()

    @property
    def root(self) -> str:
        """The type of resource that the document is."""
        name = self.content.get("resourceType") if isinstance(self.content, dict) else None
        return name if isinstance(name, str) else "Resource"


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


def fhir_submissions(
    content: bytes, *, number: int = 1, position: Position | None = None, start: int = 0
) -> FhirDocument:
    """Read a document into submissions, in one piece; it raises for none.

    ``number``, ``position`` and ``start`` say where it stands in a stream of documents. What was
    found wrong with one ClaimResponse rejects that one alone; what belongs to none rejects the
    document, beside those that were read.
    """
    origin = _Origin(content, number, position or {}, start)
    try:
        parsed = parse(content)
    except _NotReadable as error:
        issue = Issue("unreadable", "error", "", "Resource", str(error))
        return FhirDocument((origin.rejected("", "unreadable", [issue]),), (issue,))
    reading = read(parsed)
    taken = [
        origin.submission(
            each.pointer,
            pushed=Pushed(authorization=each.authorization, source=each.document),
            authorization_id=each.authorization.authorization_id,
            version=each.authorization.version,
            warnings=tuple(_place(one) for one in each.issues if one.severity == "warning"),
        )
        for each in reading.authorizations
    ]
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
    own = frozenset(each.pointer for each in reading.authorizations if each.is_own)
    return FhirDocument(tuple(submissions), reading.issues, parsed, own)


def too_long(piece: Cut, bytes_max: int) -> FhirDocument:
    """Give what stands for a line of which only the beginning was kept."""
    issue = Issue("too-many", "error", "", "Resource", f"longer than {bytes_max} bytes")
    submission = Submission(
        format="fhir",
        number=piece.line,
        position={"line": piece.line},
        start=piece.start,
        content=piece.content,
        content_bytes=piece.size,
        code="unreadable",
        reason=issue.message,
        errors=(_place(issue),),
    )
    return FhirDocument((submission,), (issue,))


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
