"""An authorization that a person enters by hand, as the payer's letter says it (MANUAL_PENDING).

Until it has all that the payer's policy wants, it stands as pended, and nothing is drawn from it.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Base64Bytes, Field, model_validator

from service.domain.actor import Actor
from service.domain.authorization import GRANTING_ACTIONS, Authorization, Decision
from service.domain.document import DocumentKind
from service.domain.misfits import Path, refuse
from service.domain.values import Frozen, LongText, Text

MANUAL_PENDING = "MANUAL_PENDING"
"""The status of an entry that waits for its document, or for a second person."""

ENTERED_AT = "entered_at"
_ACTION = "entered_action"
_ENTERED = ("entered_by", "entered_for", ENTERED_AT, _ACTION)


class ManualEntryPolicy(Frozen):
    """``manual-entry.yaml``: what an entry needs before it counts."""

    kind: Literal["manual-entry"] = "manual-entry"
    version: Text = "none"
    note: LongText | None = None
    document: bool = True
    second_look: bool = False


class ManualEntry(Frozen):
    """An authorization as it was granted, and perhaps the document that says so.

    ``by`` names for whom it is entered.
    """

    authorization: Authorization
    document: Annotated[Base64Bytes | None, Field(repr=False)] = None
    document_kind: DocumentKind = "letter"
    reason: Text | None = Field(default=None, description="Why, for the audit.")
    by: Text | None = Field(default=None, description="For whom it is done; needs act-for.")

    @model_validator(mode="before")
    @classmethod
    def _granted(cls, given: Any) -> Any:
        """What people do not write: it is the first version, and certified in total (A1)."""
        one = given.get("authorization") if isinstance(given, Mapping) else None
        if not isinstance(one, Mapping):
            return given
        return {**given, "authorization": {"version": 1, "decision": {"action": "A1"}, **one}}

    @model_validator(mode="after")
    def _is_a_first_grant(self) -> Self:
        refuse("ManualEntry", self._misfits())
        return self

    def _misfits(self) -> Iterator[tuple[Path, str]]:
        one = self.authorization
        if one.version != 1:
            yield ("authorization", "version"), "what is entered is the first version"
        if one.decision is None or one.decision.action not in GRANTING_ACTIONS:
            reason = "what is entered was granted: A1, A2 or A6"
            yield ("authorization", "decision", "action"), reason
        for place, line in enumerate(one.lines):
            if line.decision is not None:
                reason = "the decision is that of the whole authorization"
                yield ("authorization", "lines", place, "decision"), reason
        if one.status is not None:
            yield ("authorization", "status"), "the status is that of the entry"
        for name in _ENTERED:
            if name in one.attached:
                yield ("authorization", "attached", name), "this is written by the entry itself"


def waiting(authorization: Authorization, actor: Actor, at: str) -> Authorization:
    """The first version of an entry that waits: pended, with who entered what, and when."""
    decision = authorization.decision
    action = decision.action if decision else None
    told = zip(_ENTERED, (actor.by, actor.on_behalf_of, at, action), strict=True)
    attached = {**authorization.attached, **{name: each for name, each in told if each}}
    return authorization.model_copy(
        update={
            "decision": (decision or Decision()).model_copy(update={"action": "A4"}),
            "status": MANUAL_PENDING,
            "attached": attached,
        }
    )


def is_waiting(authorization: Authorization) -> bool:
    """Whether it was entered by hand, and waits."""
    return authorization.status == MANUAL_PENDING and _ACTION in authorization.attached


def entered_by(authorization: Authorization) -> Actor:
    """Who entered it."""
    by, other = (authorization.attached.get(name) for name in _ENTERED[:2])
    return Actor(by=str(by or ""), on_behalf_of=str(other or ""))


def counting(authorization: Authorization, version: int, confirmed: str | None) -> Authorization:
    """The version of an entry that has all it needs: as it was granted, and who looked again."""
    decision = authorization.decision or Decision()
    told = {"confirmed_by": confirmed} if confirmed else {}
    return authorization.model_copy(
        update={
            "version": version,
            "decision": decision.model_copy(update={"action": authorization.attached[_ACTION]}),
            "status": None,
            "attached": {**authorization.attached, **told},
        }
    )
