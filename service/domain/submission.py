"""One thing that an upstream system sent, read or not; and what is kept of what cannot be taken.

Whatever the format, a stream of submissions comes out of ``ingest`` and goes into ``flow``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from service.domain.actor import NOBODY, Actor
from service.domain.authorization import Authorization

Format = Literal["json", "x12", "fhir"]

Position = Mapping[str, int | str]
"""Where something stands in what was sent: ``line``, ``pointer``, ``segment``, ``byte`` ..."""

Excerpt = Callable[[], tuple[bytes, bool]]

Code = Literal["unreadable", "invalid", "conflict", "duplicate-grant", "other-person", "refused"]
"""Why something cannot be taken: ``unreadable`` is no JSON, X12 or FHIR; ``invalid`` does not fit
the model; ``conflict`` has a version that is there with other content; ``duplicate-grant`` grants
what the person has already by the same number, under another id; ``other-person`` is on file for
somebody else; ``refused`` was refused by the search engine again and again."""


PushStatus = Literal["created", "updated", "unchanged", "superseded", "conflict"]
"""``superseded``: a newer version is there already, this one is kept in the history.
``conflict``: the same version is there with other content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What somebody said of a push that was held: a version of ``into``, or a grant of its own."""

    into: str | None = None
    is_distinct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A version as it came: read, and as it was written (parsed, or a fragment of JSON text).

    Where it has a number that the person has already, ``ruling`` says what it is, if anybody did.
    A message (``keeps_person``) never is of another person than the authorization on file.
    ``actor`` is who pushed it, however late it is stored.
    """

    authorization: Authorization
    source: Any
    ruling: Ruling = Ruling()
    keeps_person: bool = False
    actor: Actor = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What became of a push; ``current_version`` is the version in force now.

    Of a conflict ``code`` says of which kind, and ``on_file`` which authorization it is with.
    ``overlaps`` are others of the person that grant the same under other numbers.
    """

    authorization_id: str
    version: int
    status: PushStatus
    current_version: int
    reason: str | None = None
    code: Code = "conflict"
    on_file: str | None = None
    overlaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRequest:
    """A payer's refusal to look at a request (AAA): its traces, the reasons (element 901), what to
    do next (element 889), and whether an inquiry was refused."""

    traces: tuple[str, ...]
    reasons: tuple[str, ...]
    follow_up: str | None = None
    is_of_inquiry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One authorization of a stream as it was read, or why it could not be.

    Without ``pushed`` it is either rejected (``code`` says why) or only noted: something that is no
    authorization and no fault, such as a refusal to look (X12 AAA). ``content`` is what is kept of
    it as it came, ``content_bytes`` how long it was; where that is costly to write, ``excerpt``
    writes it when it is needed, and tells whether it is all. From the byte ``start`` of the stream
    on it can be read again. ``is_own``: it carries an identifier that was given out here, and may
    be our own writing that came back; ``is_known``: it is, and stands already. ``reference`` is
    what a notification names and does not bring: it is to be fetched. ``refusal`` is
    that of a request.
    """

    format: Format
    position: Position
    start: int
    content: bytes = field(repr=False)
    content_bytes: int
    excerpt: Excerpt | None = field(default=None, repr=False)
    pushed: Pushed | None = None
    authorization_id: str | None = None
    version: int | None = None
    code: Code | None = None
    reason: str | None = None
    errors: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[Mapping[str, Any], ...] = ()
    is_own: bool = False
    is_known: bool = False
    reference: str | None = None
    refusal: RefusedRequest | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a format says beside its submissions, for the answer to the sender.

    An interchange of X12 that ended, an inquiry, the findings of a FHIR document: it stands in the
    stream behind the submissions that it speaks of.
    """

    item: object


Sent = Submission | Notice
"""What a stream gives when it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What could not be taken, as it came, with the reason and where it stood.

    ``origin`` names the way it came in (an address, a file); the reason never holds its values.
    Of a long one only the beginning is kept: ``content_bytes`` is more than ``content`` then has.
    """

    format: Format
    content: bytes = field(repr=False)
    content_bytes: int
    code: Code
    reason: str
    errors: tuple[Mapping[str, Any], ...] = ()
    position: Position = field(default_factory=dict)
    origin: str
    authorization_id: str | None = None
    version: int | None = None
    on_file: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of it was kept, so that it can be tried again."""
        return len(self.content) == self.content_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A push that waits in the outbox: durable, and not yet stored; ``ticket`` asks for it."""

    authorization_id: str
    version: int
    ticket: str


def write_withdrawal(authorization_id: str, version: int) -> bytes:
    """A withdrawal as JSON, where no address names it; it cannot be taken for an authorization."""
    return orjson.dumps(
        {"authorization_id": authorization_id, "version": version, "withdraw": True}
    )


def read_withdrawal(content: bytes) -> tuple[str, int] | None:
    """The id and the version that are withdrawn; None for anything else."""
    try:
        written: Any = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(written, dict) or written.get("withdraw") is not True:
        return None
    name, version = written.get("authorization_id"), written.get("version")
    if not isinstance(name, str) or type(version) is not int or version < 1:
        return None
    return name, version
