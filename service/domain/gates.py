"""What rules may come to: a draft in a report (``gates.yaml``), a stage live (``bands.yaml``)."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from service.domain.values import Frozen, LongText, Text

GateName = Literal[
    "other_authorization",
    "exact_lost",
    "newly_automatic",
    "precision_fall",
    "recall_fall",
    "review_growth",
    "left_out",
    "few_lines",
]

Bound = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]


class Gate(Frozen):
    """What stops a draft, and what is only said; a gate without either is not asked.

    Both are bounds that a figure may reach and not pass: of ``few_lines`` from above.
    """

    deny: Bound | None = None
    warn: Bound | None = None


DEFAULTS: Mapping[GateName, Gate] = {
    "other_authorization": Gate(deny=0),
    "exact_lost": Gate(deny=2, warn=0),
    "newly_automatic": Gate(warn=0),
    "precision_fall": Gate(deny=0),
    "recall_fall": Gate(warn=0),
    "review_growth": Gate(deny=10, warn=2),
    "left_out": Gate(deny=5, warn=0),
    "few_lines": Gate(warn=100),
}
"""What is asked where no file says otherwise."""


class GateTable(Frozen):
    """``gates.yaml``: gates by their names; those that it does not name are as by default."""

    kind: Literal["gates"] = "gates"
    version: Text = "default"
    note: LongText | None = None
    gates: dict[GateName, Gate] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _warns_first(self) -> Self:
        for name, gate in self.gates.items():
            if gate.deny is None or gate.warn is None:
                continue
            if (gate.warn < gate.deny) if name == "few_lines" else (gate.warn > gate.deny):
                raise ValueError(f"gates/{name}/warn: what is denied at {gate.deny} warns before")
        return self

    @property
    def asked(self) -> Mapping[GateName, Gate]:
        """All gates, in their order."""
        return {name: self.gates.get(name, gate) for name, gate in DEFAULTS.items()}


BandName = Literal["no_match", "overturned", "disagreement"]

Points = Annotated[int, Field(strict=True, ge=0, le=100)]


class Band(Frozen):
    """So many percentage points a rate of a stage may be above, or below, that of the set before.

    A side without a bound is not looked at.
    """

    above: Points | None = None
    below: Points | None = None


BANDS: Mapping[BandName, Band] = {
    "no_match": Band(above=5, below=10),
    "overturned": Band(above=2),
    "disagreement": Band(above=10),
}
"""What a stage may come to where no file says otherwise."""


class BandTable(Frozen):
    """``bands.yaml``: bands by their names; those that it does not name are as by default.

    Before ``claims_min`` claims were judged by a stage, nothing is done.
    """

    kind: Literal["bands"] = "bands"
    version: Text = "default"
    note: LongText | None = None
    claims_min: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 200
    bands: dict[BandName, Band] = Field(default_factory=dict)

    @property
    def asked(self) -> Mapping[BandName, Band]:
        """All bands, in their order."""
        return {name: self.bands.get(name, band) for name, band in BANDS.items()}
