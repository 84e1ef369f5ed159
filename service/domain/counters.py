"""Counters: how much was billed before of some services, for tables (``counters.yaml``)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from service.domain.accounting_policy import REVENUE_GROUPS, BilledService
from service.domain.code_groups import PROCEDURE_GROUPS, Coded, Groups, Members, NamesCodes
from service.domain.values import Frozen, LongText, Text

COUNTERS_MAX = 100

CounterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Counter(NamesCodes):
    """What is counted of the services that it names, since when, and for whom."""

    title: Text | None = None
    note: LongText | None = None
    procedures: Members | None = None
    revenue: Members | None = None
    counts: Literal["visits", "days", "units", "amount"]
    period: Literal["claim", "month", "year"] = Field(
        default="year", description="Of the calendar, or the whole claim, which is not kept."
    )
    each_provider: bool = Field(default=False, description="By provider, not by member alone.")

    _CODED: ClassVar[Coded] = {
        "procedures": ("procedure", PROCEDURE_GROUPS),
        "revenue": ("revenue", REVENUE_GROUPS),
    }

    @model_validator(mode="after")
    def _names_services(self) -> Self:
        if self.procedures is None and self.revenue is None:
            raise ValueError("a counter names `procedures` or `revenue`")
        return self

    @property
    def is_kept(self) -> bool:
        """Whether it looks back at other claims, and not at the claim alone."""
        return self.period != "claim"

    def fits(self, service: BilledService, groups: Groups) -> bool:
        """Whether it counts a service."""
        return self.names("procedures", service.procedure, groups) and self.names(
            "revenue", service.revenue_code, groups
        )

    def start_of(self, day: date) -> date:
        """The first day of the period of the calendar in which a day lies."""
        return day.replace(day=1) if self.period == "month" else day.replace(month=1, day=1)


class CounterTable(Frozen):
    """``counters.yaml``: the counters by their names, as tables read them (``counted.NAME``)."""

    kind: Literal["counters"] = "counters"
    version: Text = "none"
    note: LongText | None = None
    counters: Mapping[CounterName, Counter] = Field(default_factory=dict, max_length=COUNTERS_MAX)

    def faults(self, groups: Groups) -> list[str]:
        """What is wrong: groups that are not there."""
        return [
            f"counters/{name}: {fault}"
            for name, each in self.counters.items()
            for fault in each.faults(groups)
        ]
