"""What happened to an authorization on its way: statuses, pends, callouts, messages, notes.

These entities (seed 004) are stored with the source and given back; nothing matches on them.
"""

from typing import Annotated

from pydantic import AwareDatetime, Field

from service.domain.values import Day, Frozen, LongText, Text


class Basket(Frozen):
    """A basket of services that the authorization covers, for a time."""

    basket: Text
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class Message(Frozen):
    """Why the authorization was processed as it was, with the values of its placeholders."""

    code: Text | None = None
    text: LongText | None = None
    inherit: bool = False
    processing: bool = False
    values: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=10)


class PendReason(Frozen):
    """A reason for which the authorization waits now."""

    reason: Text
    process_step: Text | None = None


class StatusEntry(Frozen):
    """A status that was reached, and when."""

    status: Text
    reached_at: AwareDatetime


class ProcessEntry(Frozen):
    """A step of the processing that left a trace."""

    status: Text | None = None
    process_step: Text | None = None
    process_sequence: Text | None = None
    display: bool | None = None


class PendEntry(ProcessEntry):
    """A pend reason of the past, and who resolved it."""

    reason: Text
    description: LongText | None = None
    resolved_by: Text | None = None
    resolved_at: AwareDatetime | None = None


class CalloutEntry(ProcessEntry):
    """A call to another system."""

    code: Text
    description: LongText | None = None
    sent_at: AwareDatetime | None = None
    received_at: AwareDatetime | None = None


class EventEntry(ProcessEntry):
    """An event that was raised while processing."""

    event: Text
    topic: Text | None = None


class ValidationEntry(ProcessEntry):
    """A validation rule that was run."""

    code: Text
    description: LongText | None = None


class Note(Frozen):
    """A note; a change makes a new version, none is ever overwritten."""

    note_id: Text | None = None
    version: Annotated[int, Field(strict=True, ge=1)] = 1
    text: LongText
    written_at: AwareDatetime | None = None
    written_by: Text | None = None
