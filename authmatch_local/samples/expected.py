"""What must come out for a claim line, known from how the claim was made."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

RequestedType = Literal["authorization", "referral"]
Template = Literal["inpatient", "outpatient", "professional", "referral", "dental"]
MatchClass = Literal["exact", "non-exact", "none"]
Outcome = Literal[
    "not-found", "pending", "denied", "invalid-on-claim", "invalid-on-line", "non-exact"
]

# Written down a second time on purpose: an expectation that asked the service would prove nothing.
EVENTS: Mapping[Template, Mapping[Outcome, str]] = {
    "inpatient": {
        "not-found": "SPA-0001",
        "pending": "SPA-0002",
        "denied": "SPA-0005",
        "invalid-on-claim": "SPA-0006",
        "non-exact": "SPA-0008",
    },
    "outpatient": {
        "not-found": "SPA-0019",
        "pending": "SPA-0020",
        "denied": "SPA-0023",
        "invalid-on-claim": "SPA-0024",
        "non-exact": "SPA-0026",
    },
    "professional": {
        "not-found": "SPA-0009",
        "pending": "SPA-0010",
        "denied": "SPA-0013",
        "invalid-on-claim": "SPA-0014",
        "invalid-on-line": "SPA-0015",
        "non-exact": "SPA-0016",
    },
    "dental": {
        "not-found": "SPA-0027",
        "pending": "SPA-0028",
        "denied": "SPA-0031",
        "invalid-on-claim": "SPA-0017",
        "invalid-on-line": "SPA-0018",
        "non-exact": "SPA-0040",
    },
    "referral": {
        "not-found": "SPA-0032",
        "pending": "SPA-0033",
        "denied": "SPA-0036",
        "invalid-on-claim": "SPA-0037",
        "invalid-on-line": "SPA-0038",
        "non-exact": "SPA-0039",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The result of one claim line for one requested type.

    ``chosen`` stands in drawing order; ``best`` is none where no candidate is exact or non-exact;
    ``events`` are sorted; ``score`` and ``attainable`` are those of ``best``, worked out by hand.
    """

    story: str
    claim_id: str
    line: int
    type: RequestedType
    template: Template
    class_: MatchClass
    chosen: tuple[str, ...] = ()
    best: str | None = None
    events: tuple[str, ...] = ()
    score: int | None = None
    attainable: int | None = None
    heavy: bool = False

    def as_json(self) -> dict[str, Any]:
        """The expectation as a JSON object, the class under ``class``."""
        values = asdict(self)
        values["class"] = values.pop("class_")
        return values

    def as_label(self) -> dict[str, Any]:
        """Which authorization is right for the line, null for none, and the story that says so."""
        return {
            "claim_id": self.claim_id,
            "line": self.line,
            "kind": self.type,
            "authorization": self.chosen[0] if self.chosen else self.best,
            "class": self.class_,
            "why": self.story,
        }
