"""What becomes of the authorizations of a FHIR document, and the OperationOutcome that says it."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from service.api.fhir import as_stored
from service.api.fhir_outcome import Json, issue, outcome
from service.application.intake import counted
from service.application.parts import Application
from service.application.reception import doors_of
from service.domain.authorization import Authorization
from service.domain.push import PushStatus
from service.domain.submission import Submission
from service.flow.intake import take_in
from service.ingest.fhir import FhirDocument, operation_outcome, read, to_claim_response
from service.ingest.fhir.base.node import expression_of
from service.stores.connection.faults import EngineFault

FINDINGS_MAX = 1000
UNCHANGED = "it is what was given out here"
PUSH_SYSTEM = "urn:authmatch:push"

Status = PushStatus | Literal["rejected", "noted", "queued", "failed"]
_TOLD = ("information", "informational")
_BAD: dict[Status, tuple[str, str]] = {
    "conflict": ("error", "conflict"),
    "failed": ("error", "transient"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A submission and what became of it; ``noted`` is what is neither taken nor wrong."""

    submission: Submission
    status: Status
    current_version: int | None = None
    reason: str | None = None
    ticket: str | None = None
    dead_letter: str | None = None

    @property
    def number(self) -> int:
        """The number of the document in its stream."""
        return self.submission.number


async def take(
    application: Application, payer: str, submissions: AsyncIterable[Submission]
) -> AsyncIterator[Taken]:
    """Take in what was read, and give a result for each submission, in order."""
    waiting: deque[Submission] = deque()

    async def noted() -> AsyncIterator[Submission]:
        async for each in submissions:
            waiting.append(each)
            yield each

    results = take_in(
        noted(),
        doors_of(application, payer, "POST /fhir"),
        batch=application.settings.bulk_batch,
    )
    async for result in counted(results):
        submission = waiting.popleft()
        is_echo = submission.reason == UNCHANGED
        yield Taken(
            submission=submission,
            status="unchanged" if is_echo else result["status"],
            current_version=submission.version if is_echo else result["current_version"],
            reason=None if is_echo else result["reason"],
            ticket=result.get("ticket"),
            dead_letter=result.get("dead_letter"),
        )


async def without_echoes(
    application: Application, payer: str, document: FhirDocument
) -> FhirDocument:
    """Take out what came back as it was given out: it says less than what was pushed at first.

    A ClaimResponse has no place for everything that an authorization may hold. So what we wrote of
    a version reads otherwise than that version did, and would be a conflict.
    """
    if not document.own:
        return document
    found = [
        replace(each, pushed=None, reason=UNCHANGED)
        if each.position.get("pointer", "") in document.own
        and await _is_echo(application, payer, each)
        else each
        for each in document.submissions
    ]
    return replace(document, submissions=tuple(found))


async def _is_echo(application: Application, payer: str, submission: Submission) -> bool:
    if submission.pushed is None or submission.authorization_id is None:
        return False
    try:
        stored = await application.stores.reading.get(payer, submission.authorization_id)
    except EngineFault:
        return False  # the push that follows meets the fault, and says so
    if stored is None or stored.state["version"] != submission.version:
        return False
    authorization = Authorization.model_validate(stored.source)
    written = to_claim_response(authorization, state=as_stored(stored))
    again = read(written).authorizations
    return [each.document for each in again] == [submission.pushed.source]


def status_of(results: Sequence[Taken]) -> int:
    """Give the status of the whole: what failed counts most, then what was refused."""
    statuses = {each.status for each in results}
    if "failed" in statuses:
        return 503
    if any(each.submission.code == "unreadable" for each in results):
        return 400
    for status, code in (("rejected", 422), ("conflict", 409), ("queued", 202)):
        if status in statuses:
            return code
    return 200


def intake_outcome(document: FhirDocument, results: Sequence[Taken]) -> Json:
    """Write an issue for each authorization, then everything that was found."""
    taken = [
        _issue(each, document.root) for each in results if each.status not in ("rejected", "noted")
    ]
    order = {"error": 0, "warning": 1, "information": 2}
    findings = sorted(document.issues, key=lambda each: order[each.severity])
    written = operation_outcome(findings[:FINDINGS_MAX])["issue"] if findings else []
    if len(findings) > FINDINGS_MAX:
        text = f"{len(findings) - FINDINGS_MAX} more findings are left out"
        written.append(issue("information", "informational", text))
    kept = dict.fromkeys(each.dead_letter for each in results if each.dead_letter)
    written += [
        issue(
            "information",
            "informational",
            f"kept as dead letter {each}",
            system=PUSH_SYSTEM,
            code="kept",
        )
        for each in kept
    ]
    return outcome([*taken, *written] or operation_outcome([])["issue"])


def _issue(taken: Taken, root: str) -> Json:
    submission = taken.submission
    severity, type_ = _BAD.get(taken.status, _TOLD)
    text = f"{submission.authorization_id}: {taken.status}"
    text += f": {taken.reason}" if taken.reason else f" version {submission.version}"
    if taken.ticket:
        text += f", see /intake/{taken.ticket}"
    if taken.status == "superseded":
        text += f", version {taken.current_version} stands"
    written = issue(severity, type_, text, system=PUSH_SYSTEM, code=taken.status)
    pointer = str(submission.position.get("pointer", ""))
    return written | {"expression": [expression_of(pointer, root)]}
