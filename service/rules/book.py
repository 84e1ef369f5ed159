"""The rules that are in force: templates, decision tables, reference tables, event codes.

A book of rules never changes. It is replaced whole, and a claim is judged by one of them from end
to end: by the one that was current when it began.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.comparison.plan import Plan, make_plan
from service.domain.event import EventCodes, Events
from service.domain.reference import References, StoredReferences
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
    _events: dict[tuple[str, str], Events] = field(default_factory=dict)

    @property
    def stored(self) -> StoredReferences:
        """The half of the references that the stores write with every authorization."""
        both = self.references
        return StoredReferences(
            attached=both.attached, informational_modifiers=both.informational_modifiers
        )

    def plan(self, template: str) -> Plan:
        """The plan of a template; raises TemplatesRefused for one that is not there."""
        plan = self.plans.get(template)
        if plan is None:
            message = f"the decision table names a template {template}"
            raise TemplatesRefused((Problem(code="T002", path="", message=message),))
        return plan

    def relaxed(self, plan: Plan, steps: int) -> Plan:
        """The plan as the first so many relax steps leave it."""
        key = plan.template.id, steps
        if key not in self._relaxed:
            template = plan.template.relaxed(plan.template.relax[:steps])
            self._relaxed[key] = make_plan(template, self.references, content_hash=plan.hash)
        return self._relaxed[key]

    def query_type(self, plan: Plan) -> str:
        """The type of query whose event codes a template uses: its own, or its parent's."""
        known = self.event_codes.codes["not_found"]
        template = plan.template
        return template.id if template.id in known else template.extends or template.id

    def events(self, plan: Plan, claim_type: str) -> Events:
        """What makes the events of a template on one type of claim."""
        key = plan.template.id, claim_type
        known = self._events.get(key)
        if known is None:
            known = Events(self.event_codes, self.query_type(plan), claim_type)
            self._events[key] = known
        return known


class StoredReferencesDiffer(Exception):
    """A book whose references are not those that stand with the stored authorizations."""

    def __str__(self) -> str:
        """Say what to do."""
        return (
            "informational modifiers or attached fields are other than those that authorizations"
            " are stored with: rebuild the indices with this book (`authmatch index migrate`)"
        )


@dataclass(slots=True)
class Rules:
    """The book that is in force; whoever judges a claim takes ``current`` once, and keeps it."""

    current: RuleBook

    def replace(self, book: RuleBook) -> None:
        """Put another book in force; claims that have begun keep theirs.

        Raises StoredReferencesDiffer, and changes nothing.
        """
        if not book.stored.writes_as(self.current.stored):
            raise StoredReferencesDiffer
        self.current = book
