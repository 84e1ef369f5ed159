"""What a FHIR document gave: authorizations, and what else stands in it, with the reasons."""

from dataclasses import dataclass
from typing import Any

from service.domain.authorization import Authorization
from service.ingest.fhir.base.issue import Issue


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAuthorization:
    """An authorization as it can be pushed, and the ClaimResponse that it was read from.

    ``is_own``: it carries an identifier of ours, so that it was written by us once.
    """

    pointer: str
    document: dict[str, Any]
    authorization: Authorization
    issues: tuple[Issue, ...]
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A ClaimResponse or Claim that gave no authorization, and why.

    It is refused where an issue is an error; else nothing is wrong, and there is nothing to take.
    """

    pointer: str
    issues: tuple[Issue, ...]
    authorization_id: str | None = None
    version: int | None = None

    @property
    def is_refused(self) -> bool:
        """Whether something was wrong with it."""
        return any(each.severity == "error" for each in self.issues)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A Claim that asks for a pre-authorization and has no answer in the document."""

    pointer: str
    identifier: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a document gave. ``issues`` of severity error name what was not read."""

    authorizations: tuple[ReadAuthorization, ...]
    requests: tuple[ReadRequest, ...]
    unread: tuple[Unread, ...]
    issues: tuple[Issue, ...]
