"""The record of an adjudication: all of its answer but the units, which the accumulators add.

It rides with the ledger entry that moves the units, so that neither is ever without the other.
Every key that is kept stands here, and what it means below it; quantities are scaled.
"""

import base64
import zlib
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

import orjson

from service.domain.answers import (
    AdjustmentReason,
    ClaimHead,
    EventAnswer,
    PriorNumber,
    RequirementAnswer,
    ResultAnswer,
    Summary,
)
from service.domain.claim import AuthorizationKind

_LEVEL = 1


class Billed(TypedDict):
    """What a claim line bills."""

    units: int
    """How many, scaled."""
    unit: str
    """The unit in which they are counted."""
    amount: int
    """The charge, scaled."""


class Shortage(TypedDict):
    """What will be said if units run short."""

    exceeded: EventAnswer
    """The event of a line that gets less than it asks for."""
    exhausted: EventAnswer
    """The event of a line that gets nothing."""
    adjustment: AdjustmentReason
    """Why the rest of a line that is cut back is not paid."""


class KindDraft(Shortage):
    """One kind of authorization that a line is drawn from."""

    kind: str
    """`authorization` or `referral`."""
    query_type: str
    """Which type of query looked for it."""
    order: list[str]
    """The authorizations that may be drawn, in the order of their use."""


class BenefitDraft(TypedDict):
    """The limits of the benefit, and who goes before them."""

    action: str
    """The action code of a limit that is taken off."""
    limit_adjustments: list[Any]
    """The adjustments of the benefit, as they were sent."""
    may_override: dict[str, bool]
    """Whether each authorization goes before the limits."""


class LineDraft(TypedDict):
    """A claim line before any unit is moved."""

    line: int
    """The number of the claim line."""
    day: str
    """Its first day of service, by which a limit that renews is chosen."""
    billed: Billed
    """What it bills."""
    asks: bool
    """Whether it is in the plan of what is drawn."""
    decisions: NotRequired[list[dict[str, Any]]]
    """What examiners decided about it since the claim was sent."""
    denial: NotRequired[AdjustmentReason]
    """Why an examiner denied it."""
    void: NotRequired[bool]
    """Whether it is a line of a void, which bills nothing any more."""
    events: list[EventAnswer]
    """The events that are known before units are moved."""
    resolved: list[EventAnswer]
    """The events that an examiner's selection settled."""
    kinds: list[KindDraft]
    """What will be said of each kind if its units run short."""
    benefit: BenefitDraft
    """The limits of its benefit."""
    prior: list[PriorNumber]
    """The numbers that the provider submitted."""
    requirement: RequirementAnswer | None
    """What the line needs."""
    results: list[ResultAnswer]
    """The results of matching, as they are answered."""


class KnownAuthorization(TypedDict):
    """What the answer says of an authorization that may be drawn."""

    number: str | None
    """Its number, as it was pushed."""
    kind: AuthorizationKind
    """Its kind; a line that needs a notification may draw an authorization."""
    version: int
    """The version that was chosen."""
    actions: dict[str, str | None]
    """The decision in force, by authorization line."""
    flags: dict[str, list[str]]
    """What is out of the ordinary in its dates, by claim line."""
    prices: NotRequired[dict[str, str]]
    """The authorized price of a unit, by authorization line."""


Granted = dict[str, list[list[Any]]]
"""By authorization, line, and day if it matters: each limit as account, measure, unit, number."""


class Draft(TypedDict):
    """A record: plain JSON."""

    claim: ClaimHead
    """Which claim it is of."""
    rules: dict[str, str]
    """The version of every rule that had a part."""
    lines: list[LineDraft]
    """Every line of the claim."""
    priced: NotRequired[AdjustmentReason]
    """Why what is over an authorized price is not paid."""
    denials: dict[str, AdjustmentReason]
    """The reason of every event code that may deny a line of this claim."""
    authorizations: dict[str, KnownAuthorization]
    """The authorizations that may be drawn."""
    bounds: dict[str, dict[str, list[Any]]]
    """Their limits by base, of those that are used: units, amount, days, unit."""
    granted: NotRequired[Granted]
    """What the shown candidates were granted, by authorization, line, and day if it matters."""
    sent: NotRequired[str]
    """The claim as it was sent: what it holds may be counted anew."""
    previous: NotRequired[Summary]
    """The run before in short."""


def pack(draft: Mapping[str, object]) -> str:
    """Write a record as short text."""
    return base64.b64encode(zlib.compress(orjson.dumps(draft), _LEVEL)).decode()


def unpack(record: str) -> Draft:
    """Read a record; that of an entry without one is empty."""
    if not record:
        return cast(Draft, {})
    return cast(Draft, orjson.loads(zlib.decompress(base64.b64decode(record))))


def selections_in(draft: Draft) -> list[dict[str, Any]]:
    """What people selected for the lines of a claim: with the claim, and since it was sent."""
    sent = orjson.loads(draft.get("sent") or "{}").get("selections") or []
    decided = [
        {name: each[name] for name in ("line", "type", "authorizations")}
        for line in draft["lines"]
        for each in line.get("decisions", ())
        if each["authorizations"]
    ]
    made = {(each["line"], each["type"]) for each in decided}
    kept = [each for each in sent if (each["line"], each.get("type", "authorization")) not in made]
    return [*kept, *decided]
