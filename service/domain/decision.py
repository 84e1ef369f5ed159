"""What an examiner decides about an item of the worklist, and how that rides with its claim."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from service.domain.adjudication import (
    Adjudication,
    SelectedAuthorization,
    Selection,
    StatusOverride,
)
from service.domain.claim import AuthorizationKind
from service.domain.event import DenyWith
from service.domain.misfits import Path, refuse, repeated
from service.domain.values import Day, Frozen, Identifier, LineNumber, LongText, Text
from service.domain.worklist_table import Action

LINE_ACTIONS = frozenset({"select", "override", "deny", "replace"})
"""Actions that are decisions about a claim line: they ride with the claim."""

IDS_SHOWN_MAX = 5

ItemId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
"""The id of an item of the worklist."""


class Resolution(Frozen):
    """What is to become of an item: the action, what it takes, and why.

    ``authorizations`` are drawn in this order; ``event`` is the code that is raised instead;
    ``until`` is the day until which information is waited for, and ``asked`` what is asked.
    """

    action: Action
    type: AuthorizationKind = "authorization"
    authorizations: tuple[SelectedAuthorization, ...] = Field(default=(), max_length=20)
    deny_with: DenyWith | None = None
    event: Text | None = None
    until: Day | None = None
    asked: LongText | None = None
    reason_code: Text | None = None
    reason: Text | None = Field(default=None, description="Why, for the audit.")
    by: Text | None = Field(default=None, description="For whom it is decided; needs act-for.")

    @model_validator(mode="after")
    def _says_what_it_takes(self) -> Self:
        refuse("Resolution", self._misfits())
        return self

    def _misfits(self) -> Iterator[tuple[Path, str]]:
        takes = {
            "authorizations": bool(self.authorizations),
            "deny_with": self.deny_with is not None,
            "event": self.event is not None,
            "until": self.until is not None,
            "asked": self.asked is not None,
        }
        needed = _NEEDED.get(self.action, ())
        for name, is_given in takes.items():
            if name in needed and not is_given:
                yield (name,), f"the action {self.action} needs it"
            elif is_given and name not in needed:
                yield (name,), f"the action {self.action} takes none"
        if self.action == "override" and self.reason is None:
            yield ("reason",), "the action override needs it"
        selected = [(each.authorization_id, each.line) for each in self.authorizations]
        for place in repeated(selected):
            path = "authorizations", place, "authorization_id"
            yield path, "the same authorization is selected twice"


_NEEDED: dict[str, tuple[str, ...]] = {
    "select": ("authorizations",),
    "override": ("authorizations",),
    "deny": ("deny_with",),
    "replace": ("event",),
    "request-information": ("until", "asked"),
}
"""What each action takes."""


class Decision(Frozen):
    """A resolution of a claim line as it rides with the claim: also who made it, when and why.

    ``resolved`` are the codes of the events that stopped the line until then.
    """

    line: LineNumber
    action: Action
    type: AuthorizationKind = "authorization"
    authorizations: tuple[SelectedAuthorization, ...] = ()
    deny_with: DenyWith | None = None
    event: Text | None = None
    resolved: tuple[str, ...] = ()
    reason_code: Text | None = None
    reason: LongText | None = None
    by: str = ""
    on_behalf_of: str = ""
    at: str = ""

    def told(self) -> str:
        """The decision in one sentence, as the history of the claim says it."""
        ids = [each.authorization_id for each in self.authorizations]
        shown = ", ".join([*ids[:IDS_SHOWN_MAX], *(["and others"] if ids[IDS_SHOWN_MAX:] else [])])
        events = ", ".join(self.resolved[:IDS_SHOWN_MAX]) or "no event"
        how = {
            "select": f"selecting {shown}",
            "override": f"selecting {shown} in spite of its decision",
            "deny": f"denying it ({self.deny_with.carc if self.deny_with else ''})",
            "replace": f"raising {self.event} instead",
        }[self.action]
        codes = f" [{self.reason_code}]" if self.reason_code else ""
        why = f": {self.reason}" if self.reason else ""
        return f"line {self.line}: {events} resolved by {how}{codes}{why}"


def with_decisions(claim: Adjudication, decisions: Iterable[Decision]) -> Adjudication:
    """The claim with what examiners selected for it since it was sent, before its own selections.

    A decision for a line that the claim has not any more is not heard.
    """
    lines = {line.line for line in claim.lines}
    heard = [each for each in decisions if each.authorizations and each.line in lines]
    if not heard:
        return claim
    made = {
        (each.line, each.type): Selection(
            line=each.line, type=each.type, authorizations=each.authorizations
        )
        for each in heard
    }
    kept = [each for each in claim.selections if (each.line, each.type) not in made]
    changes: dict[str, object] = {"selections": (*made.values(), *kept)}
    reasons = [each.reason for each in heard if each.action == "override" and each.reason]
    if reasons:
        changes["override"] = StatusOverride(reason=reasons[-1])
    return claim.model_copy(update=changes)


def with_decision(decisions: Iterable[Decision], new: Decision) -> tuple[Decision, ...]:
    """The decisions about a claim with a new one first: it takes the place of those of its line.

    Selections of several types stand beside each other.
    """
    is_selected = bool(new.authorizations)
    kept = [
        each
        for each in decisions
        if each.line != new.line or (is_selected and each.authorizations and each.type != new.type)
    ]
    return new, *kept


class Asked(Frozen):
    """Something that is done with an item beside a decision: for whom, and why."""

    by: Text | None = Field(default=None, description="For whom it is done; needs act-for.")
    reason: Text | None = Field(default=None, description="Why, for the audit.")


class Skip(Asked):
    """An item that somebody does not take next, and why."""

    reason: Text


class Hold(Asked):
    """A day before which an item is not given out; None gives it out again."""

    until: Day | None = None


class Watch(Asked):
    """Whether somebody watches an item."""

    watch: bool = True


class Assignment(Asked):
    """Items that are given to a person, to a team, or to nobody where neither is named."""

    items: tuple[ItemId, ...] = Field(min_length=1, max_length=1000)
    assignee: Text | None = None
    team: Text | None = None


class Raised(Asked):
    """Something that a person puts on the worklist: a claim, authorizations, or a dead letter."""

    kind: Literal["review", "duplicate", "dead-letter"]
    claim_id: Identifier | None = None
    line: LineNumber | None = None
    authorizations: tuple[Identifier, ...] = Field(default=(), max_length=20)
    letter: Identifier | None = None
    reason: Text

    @model_validator(mode="after")
    def _names_what_it_is_of(self) -> Self:
        needed = {"review": "claim_id", "dead-letter": "letter"}.get(self.kind, "authorizations")
        given = {
            "claim_id": self.claim_id is not None,
            "authorizations": bool(self.authorizations),
            "letter": self.letter is not None,
            "line": self.line is not None,
        }
        found: list[tuple[Path, str]] = [
            ((name,), f"an item of kind {self.kind} takes none")
            for name, is_given in given.items()
            if is_given and name != needed and (name, needed) != ("line", "claim_id")
        ]
        if not given[needed]:
            found.append(((needed,), f"an item of kind {self.kind} needs it"))
        refuse("Raised", found)
        return self
