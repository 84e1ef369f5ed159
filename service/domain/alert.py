"""An alert: what somebody should know of an authorization before it is too late.

An alert is of an authorization, a kind and a period, and is there once, however often it is looked
for: the period ends where the same kind would be news again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Literal, get_args

import orjson
from pydantic import Field

from service.domain.actor import Actor
from service.domain.values import Code, Counted, Frozen, LongText, Text

AlertKind = Literal[
    "used",
    "left",
    "negative",
    "ending",
    "pended",
    "follow-up",
    "appeal",
    "decision-due",
    "document-missing",
]
"""What it is about: much is used (seed 000), few are left, more is used than granted, the last
month has begun (seed 002); no decision for long, the day on which to ask for it has come, the time
in which to decide is nearly over (CMS-0057-F); a document is missing that shows what was entered by
hand, or that the payer asks for; a denial can be appealed for some days yet."""

ALERT_KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
AlertState = Literal["open", "dismissed", "over"]
DOCUMENTED = "documented"
"""Under this name the state of an authorization says whether it has a document."""
FOLLOW_UP = "follow_up_on"
"""Under this name attached data say on which day to ask for a decision."""

Days = Annotated[int, Field(strict=True, ge=0, le=3650)]


class AlertTable(Frozen):
    """``alerts.yaml``: when an alert is raised; null is never.

    ``used_percent`` must be exceeded by what is used or reserved; ``left`` is by unit of measure.
    """

    kind: Literal["alerts"] = "alerts"
    version: Text = "none"
    note: LongText | None = None
    used_percent: Annotated[int, Field(strict=True, ge=0, le=100)] | None = 80
    left: dict[Code, Counted] = Field(default_factory=dict, max_length=50)
    negative: bool = True
    ending_months: Annotated[int, Field(strict=True, ge=0, le=120)] | None = 1
    pended_days: Days | None = 7
    follow_up: bool = True
    document_days: Days | None = 3
    wanted: bool = True
    appeal_days: Days | None = 14
    decision_hours: Annotated[int, Field(strict=True, ge=0, le=1000)] | None = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that is so since a time, and what became of it.

    ``day`` is the one that it is about: the last day, the day since which it is pended, the day on
    which to ask, the last one for an appeal; ``due`` is by when to decide. ``request_id`` is there
    where it is about a request that was answered. ``account`` with its measure, and what is
    granted, committed (used or reserved) and left of it, is there where it is about units. ``told``
    are those to whom it was sent.
    """

    alert_id: str
    kind: AlertKind
    authorization_id: str
    request_id: str | None = None
    member_id: str | None = field(default=None, repr=False)
    day: str | None = None
    due: str | None = None
    account: str | None = None
    measure: str | None = None
    unit: str | None = None
    granted: str | None = None
    committed: str | None = None
    left: str | None = None
    since: str = ""
    state: AlertState = "open"
    decided_at: str | None = None
    by: str | None = None
    on_behalf_of: str | None = None
    why: str | None = None
    told: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is still so, and nobody has dismissed it."""
        return self.state == "open"

    @property
    def says(self) -> str:
        """The alert in a sentence that names nobody."""
        amount = f"{self.committed} of {self.granted} {self.unit or ''}".rstrip()
        return {
            "used": f"{amount} used or reserved, and the period is not over",
            "left": f"{self.left} {self.unit} left",
            "negative": f"{amount} used or reserved: more than is granted",
            "ending": f"it ends on {self.day}",
            "pended": f"it is pended since {self.day}",
            "document-missing": "the payer asks for a document"
            if self.request_id
            else f"entered by hand on {self.day}, and without a document",
            "decision-due": f"to be decided by {self.due}",
            "follow-up": f"to be followed up on {self.day}",
            "appeal": f"denied, and to be appealed by {self.day}",
        }[self.kind]

    def dismissed(self, *, at: str, actor: Actor, why: str) -> "Alert":
        """The alert with who did not want to see it any more, and why."""
        by, other = actor.by or None, actor.on_behalf_of or None
        return replace(self, state="dismissed", decided_at=at, by=by, on_behalf_of=other, why=why)

    def ended(self, at: str) -> "Alert":
        """The alert of what is not so any more."""
        return replace(self, state="over", decided_at=at)

    def again(self, found: "Alert") -> "Alert":
        """The alert of what was over and is so again, in the same period; it is sent to nobody."""
        return replace(found, told=self.told)

    def now(self, found: "Alert | None") -> "Alert":
        """The alert with the figures of now; as it was where it was not looked for."""
        if found is None:
            return self
        return replace(self, committed=found.committed, left=found.left, member_id=found.member_id)

    def as_answer(self) -> dict[str, Any]:
        """The alert as it is shown."""
        shown = fields_of(self)
        del shown["told"]
        return {**shown, "says": self.says}


def alert_id(kind: AlertKind, authorization_id: str, *period: str | int) -> str:
    """Name the alert of an authorization, a kind and a period; it tells no id of those."""
    subject = ("alert", kind, authorization_id, *period)
    return hashlib.sha256(orjson.dumps(subject)).hexdigest()[:24]


def fields_of(alert: Alert) -> dict[str, Any]:
    """The fields of an alert by their names, as plain values."""
    return {name: getattr(alert, name) for name in _FIELDS}


def read_alert(found: Mapping[str, Any]) -> Alert:
    """Read an alert back from its fields."""
    return Alert(**{**found, "told": tuple(found.get("told", ()))})


_FIELDS = tuple(each.name for each in fields(Alert))
