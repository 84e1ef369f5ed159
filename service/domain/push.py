"""What becomes of a pushed version of an authorization."""

from dataclasses import dataclass
from typing import Any, Literal

from service.domain.authorization import Authorization

PushStatus = Literal["created", "updated", "unchanged", "superseded", "conflict"]
"""``superseded``: a newer version is there already, this one is kept in the history.
``conflict``: the same version is there with other content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A version as it came: read, and as it was written (parsed, or a fragment of JSON text)."""

    authorization: Authorization
    source: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What became of a push; ``current_version`` is the version in force now."""

    authorization_id: str
    version: int
    status: PushStatus
    current_version: int
    reason: str | None = None
