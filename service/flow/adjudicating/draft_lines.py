"""Writes the lines of a draft: what is billed, the events so far, and what will be said if units
run short.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service.accounting.books.scale import scaled
from service.accounting.planning.days import units_of
from service.accounting.planning.unit_kinds import billed_unit
from service.domain.adjudication import Adjudication
from service.domain.claim import ServiceLine
from service.domain.event import Event, Outcome, make_event
from service.flow.adjudicating.selection import Chosen
from service.rules.book import RuleBook

BENEFIT_ACTION = "BENAU"
"""Action code of seed 001: the authorization went before a benefit limit, for review."""

Written = dict[str, Any]


class LineWriter:
    """Writes for one claim; what its lines have in common is written once."""

    def __init__(self, claim: Adjudication, rules: RuleBook) -> None:
        """Take the claim and the rules in force."""
        self._claim = claim
        self._rules = rules
        self._shortages: dict[str, Written] = {}

    def event(
        self, outcome: Outcome, query_type: str, *, authorization_id: str | None = None
    ) -> Written:
        """Write the event of an outcome."""
        return self._written(
            make_event(
                self._rules.event_codes,
                outcome,
                query_type,
                claim_type=self._claim.type,
                authorization_id=authorization_id,
            )
        )

    def events(self, chosen: Iterable[Chosen], *, is_unknown: bool) -> list[Written]:
        """Write the events of a line; ``is_unknown``: the claim corrects one that is not known."""
        events = [self._written(event) for each in chosen for event in each.events]
        if is_unknown:
            events.append(self.event("unknown_original", self._claim.type))
        return events

    def line(
        self,
        line: ServiceLine,
        answer: Mapping[str, Any],
        chosen: Sequence[Chosen],
        events: list[Written],
        *,
        resolved: Iterable[Written],
        asks: bool,
    ) -> Written:
        """Write a line; ``answer`` is that of matching, ``asks``: it is in the plan.

        ``resolved`` are events of planning that a selection settled.
        """
        return {
            "line": line.line,
            "billed": self._billed(line),
            "asks": asks,
            "events": events,
            "resolved": [
                *(event.as_answer() for each in chosen for event in each.resolved),
                *resolved,
            ],
            "kinds": [self._kind(each) for each in chosen] if asks else [],
            "benefit": _benefit(line, chosen),
            "prior": [
                {**each, "type": result["type"]}
                for result in answer["results"]
                for each in result["submitted_numbers"]
            ],
            "requirement": answer["requirement"],
            "results": answer["results"],
        }

    def void_line(self, line: ServiceLine, events: list[Written]) -> Written:
        """Write a line of a void: it bills nothing any more."""
        return {
            "line": line.line,
            "billed": self._billed(line),
            "asks": False,
            "void": True,
            "events": events,
            "resolved": [],
            "kinds": [],
            "benefit": _benefit(line, ()),
            "prior": [],
            "requirement": None,
            "results": [],
        }

    def _billed(self, line: ServiceLine) -> Written:
        return {
            "units": scaled(units_of(line)),
            "unit": billed_unit(line, self._rules.references),
            "amount": scaled(line.charge) if line.charge is not None else 0,
        }

    def _kind(self, chosen: Chosen) -> Written:
        """Keep what will be said of one kind if its units run short."""
        query_type = self._rules.query_type(chosen.search.plan)
        if query_type not in self._shortages:
            adjustment = self._rules.references.accounting.exceeded_of(query_type)
            self._shortages[query_type] = {
                "exceeded": self.event("units_exceeded", query_type),
                "exhausted": self.event("exhausted", query_type),
                "adjustment": adjustment.model_dump(mode="json"),
            }
        return {
            "kind": chosen.search.kind,
            **self._shortages[query_type],
            "order": [each.authorization.authorization_id for each in chosen.choices],
        }

    def _written(self, event: Event) -> Written:
        """Write an event with what it does to the line, and the adjustment of a denial."""
        written: Written = {**event.as_answer(), "outcome": event.outcome}
        deny_with = self._rules.event_codes.events[event.code].deny_with
        if event.action == "deny" and deny_with is not None:
            written["deny_with"] = deny_with.model_dump(mode="json")
        return written


def _benefit(line: ServiceLine, chosen: Iterable[Chosen]) -> Written:
    """Keep the benefit's own adjustments, and which authorizations may go before them (004)."""
    return {
        "action": BENEFIT_ACTION,
        "limit_adjustments": list(line.benefit.limit_adjustments),
        "may_override": {
            each.authorization.authorization_id: each.authorization.override_benefit_limits
            is not False
            for one in chosen
            for each in one.choices
        },
    }
