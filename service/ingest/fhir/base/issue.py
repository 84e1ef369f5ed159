"""What was found wrong with a FHIR document, as values; and as an OperationOutcome."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]

Severity = Literal["error", "warning", "information"]

CODES: dict[str, str] = {
    "action-in-reason": "code-invalid",
    "action-unknown": "code-invalid",
    "actions-differ": "business-rule",
    "certification-cancelled": "informational",
    "code-system-mismatch": "code-invalid",
    "decision-from-disposition": "business-rule",
    "decision-missing": "required",
    "detail-left-out": "incomplete",
    "fhir-r5": "not-supported",
    "fhir-stu3": "not-supported",
    "granted-without-dates": "required",
    "identity-missing": "required",
    "item-unanswered": "incomplete",
    "item-without-sequence": "required",
    "member-uncertain": "business-rule",
    "member-unknown": "required",
    "model": "invalid",
    "modified-without-grant": "incomplete",
    "nothing-to-read": "required",
    "not-a-resource": "structure",
    "notified": "informational",
    "notified-nothing": "informational",
    "not-an-authorization": "not-supported",
    "provider-left-out": "incomplete",
    "r4b-shape": "structure",
    "r4b-unchecked": "too-long",
    "reference-unresolved": "not-found",
    "request-assumed": "informational",
    "request-only": "informational",
    "request-rejected": "processing",
    "setting-assumed": "business-rule",
    "status-draft": "business-rule",
    "too-deep": "too-long",
    "too-many": "too-long",
    "twice": "duplicate",
    "unreadable": "structure",
    "use-claim": "not-supported",
    "use-missing": "required",
    "use-predetermination": "not-supported",
    "value-invalid": "value",
    "version-assumed": "required",
}
"""Every code of ours, with the issue type of FHIR that says the same."""

_CODE_SYSTEM = "urn:authmatch:fhir-issue"


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: where, what, how bad. The message never holds a value of the document."""

    code: str
    severity: Severity
    pointer: str
    expression: str
    message: str


class Issues:
    """The findings of one document, each once, in the order in which they were made."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Issue] = {}
        self._noted: dict[tuple[str, str], Issue] = {}

    def add(self, issue: Issue) -> None:
        """Note a finding, unless there is one of its code at its place."""
        for each in (self._found, self._noted):
            each.setdefault((issue.code, issue.pointer), issue)

    @contextmanager
    def noting(self) -> Iterator[dict[tuple[str, str], Issue]]:
        """Give, at the end of the block, what was noted within it, new or not."""
        self._noted = {}
        yield self._noted

    @property
    def all(self) -> tuple[Issue, ...]:
        """All that were noted."""
        return tuple(self._found.values())


def write_issue(issue: Issue) -> Json:
    """Write a finding as an issue of an OperationOutcome."""
    type_ = CODES[issue.code]
    return {
        **told(issue.severity, type_, issue.message, system=_CODE_SYSTEM, code=issue.code),
        "diagnostics": f"JSON pointer: {issue.pointer or '(the whole document)'}",
        "expression": [issue.expression],
    }


def outcome(issues: Iterable[Json]) -> Json:
    """Write an OperationOutcome of written issues; without any it says that all is well."""
    written = list(issues) or [told("information", "informational", "No issues.")]
    return {"resourceType": "OperationOutcome", "issue": written}


def told(severity: str, type_: str, text: str, *, system: str = "", code: str = "") -> Json:
    """Write an issue: how bad, its type in FHIR, our code, and what it says."""
    coding = {"coding": [{"system": system, "code": code}]} if code else {}
    return {"severity": severity, "code": type_, "details": {**coding, "text": text}}
