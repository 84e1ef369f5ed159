"""What a file gives: authorizations, claims, refusals, and what became of its envelopes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.ingest.x12.wire.excerpt import Envelope, Excerpt
from service.ingest.x12.wire.guide import Kind
from service.ingest.x12.wire.problem import Problem
from service.ingest.x12.wire.segment import Segment

Document = dict[str, Any]
"""Ready to be written as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interchange:
    """An ISA segment, or what stands for a missing one.

    ``byte_offset`` is where it begins: a load that was interrupted goes on there, since nothing
    within an interchange can be read without its beginning.
    """

    sender_qualifier: str = ""
    sender: str = ""
    receiver_qualifier: str = ""
    receiver: str = ""
    date: str = ""
    time: str = ""
    control_number: str = ""
    is_test: bool = False
    wants_acknowledgement: bool = False
    segment_index: int = 0
    byte_offset: int = 0
    segment: Segment | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A GS segment, or what stands for a missing one."""

    interchange: Interchange
    functional_id: str = ""
    sender: str = ""
    receiver: str = ""
    date: str = ""
    time: str = ""
    control_number: str = ""
    version: str = ""
    segment: Segment | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction set: where it stands, what it is, and who made it when (BHT).

    ``order_at`` is the time by which it comes before or after others.
    """

    group: Group
    set_id: str
    control_number: str
    guide_named: str
    guide: str = ""
    kind: Kind = "other"
    reference: str = ""
    made_at: datetime | None = None
    order_at: datetime | None = None
    purpose: str = ""
    segment_index: int = 0
    is_predetermination: bool = False
    envelope: Envelope | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What every part of a transaction set has: where it stands, and what is wrong with it."""

    problems: tuple[Problem, ...]
    transaction: Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRead(Part):
    """A 278 response as an authorization: ``document`` is its JSON, ready to be pushed.

    ``excerpt`` is its event as it came, to be kept where the stores refuse it.
    """

    document: Document
    authorization: Authorization
    payer_id: str | None
    payer_name: str | None
    excerpt: Excerpt = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRead(Part):
    """What a 278 request asks for: nothing was decided, so it never is an authorization."""

    document: Document
    payer_id: str | None


@dataclass(frozen=True, slots=True)
class AskedDays:
    """Days that an inquiry asks for, as ISO days; either end may be open."""

    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class AskedService:
    """A service that an inquiry asks for."""

    procedure: str | None
    modifiers: tuple[str, ...]
    revenue_code: str | None


@dataclass(frozen=True, slots=True)
class Level:
    """A level of an inquiry (HL03) with the parties in it, which its answer echoes."""

    kind: str
    parties: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryRead(Part):
    """What a 278 inquiry asks for: of which member, which numbers, days, services, providers.

    All that is empty was not asked for. ``traces`` are number and originator of TRN; ``levels`` are
    what its answer echoes (see ``answering``).
    """

    member_id: str | None
    birth_date: str | None
    gender: str | None
    payer_id: str | None
    numbers: tuple[str, ...]
    category: str | None
    service_type: str | None
    days: tuple[AskedDays, ...]
    services: tuple[AskedService, ...]
    provider_npis: tuple[str, ...]
    traces: tuple[tuple[str, str], ...]
    levels: tuple[Level, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Part):
    """A 278 response that looked at nothing (AAA): not a denial, and no authorization."""

    loop: str
    reasons: tuple[str, ...]
    follow_up: str | None
    trace_numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRead(Part):
    """A claim: ``document`` is its JSON; whom it is for stands beside it.

    ``responsibility`` is SBR01 (P, S, T: first, second, third payer), ``use`` is BHT06 (CH to be
    paid, RP for the record); a predetermination asks what would be paid, and bills nothing.
    """

    document: Document
    claim: Claim
    payer_id: str | None
    payer_name: str | None
    responsibility: str | None
    use: str
    is_predetermination: bool
    excerpt: Excerpt = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread(Part):
    """An event or a claim that is left out; its problems say why, ``excerpt`` is what came."""

    loop: str
    excerpt: Excerpt = field(compare=False, repr=False)


Content = AuthorizationRead | RequestRead | InquiryRead | Refusal | ClaimRead | Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionOutcome:
    """The end of a transaction set: ``read`` parts of it were read, ``unread`` left out.

    ``problems`` are all of it, those of its parts included, up to a limit; ``own`` are those that
    none of its parts has. A set that is not read at all has the rule that refuses it, and all of it
    as it came.
    """

    transaction: Transaction
    segments: int
    read: int
    unread: int
    problems: tuple[Problem, ...]
    own: tuple[Problem, ...]
    refusal: str | None = None
    excerpt: Excerpt | None = field(default=None, compare=False, repr=False)

    @property
    def is_accepted(self) -> bool:
        """Whether any of it was read, or there was nothing to read."""
        return self.read > 0 or not self.has_errors

    @property
    def has_errors(self) -> bool:
        """Whether something was left out."""
        return self.unread > 0 or any(each.severity == "error" for each in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOutcome:
    """The end of a functional group, with its transaction sets and its own problems."""

    group: Group
    declared: int | None
    transactions: tuple[TransactionOutcome, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeOutcome:
    """The end of an interchange: all that an acknowledgement needs."""

    interchange: Interchange
    groups: tuple[GroupOutcome, ...]
    problems: tuple[Problem, ...]


Item = Content | TransactionOutcome | GroupOutcome | InterchangeOutcome | Problem
"""All that reading gives, in the order of the file; a bare problem is of the file itself."""
