"""The rules that are in force: templates, decision tables, reference tables, event codes.

A rule book never changes; when a file does, it is replaced whole, so that a claim is judged by one
set of rules from end to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.comparison.plan import Plan, make_plan
from service.domain.event import EventCodes
from service.domain.reference import References
from service.querying.problem import Problem, TemplatesRefused
from service.requirement.tables import RequirementTables


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """One set of rules."""

    plans: Mapping[str, Plan]
    tables: RequirementTables
    references: References
    event_codes: EventCodes
    _relaxed: dict[tuple[str, int], Plan] = field(default_factory=dict)

    def plan(self, template: str) -> Plan:
        """Give a template made ready; raises TemplatesRefused for one that is not there."""
        plan = self.plans.get(template)
        if plan is None:
            problem = Problem(
                code="T002", path="", message=f"the decision table names a template {template}"
            )
            raise TemplatesRefused((problem,))
        return plan

    def relaxed(self, plan: Plan, steps: int) -> Plan:
        """Give the plan as the first so many relax steps leave it."""
        key = plan.template.id, steps
        if key not in self._relaxed:
            template = plan.template.relaxed(plan.template.relax[:steps])
            self._relaxed[key] = make_plan(template, self.references, content_hash=plan.hash)
        return self._relaxed[key]

    def query_type(self, plan: Plan) -> str:
        """Name the type of query whose event codes a template uses: its own, or its parent's."""
        known = self.event_codes.codes["not_found"]
        template = plan.template
        return template.id if template.id in known else template.extends or template.id
