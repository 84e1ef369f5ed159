"""The rules that are in force: templates, decision tables, reference tables, event codes.

A book of rules never changes. It is replaced whole, and a claim is judged by one of them from end
to end: by the one that was current when it began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from service.comparison.plan import Plan, make_plan
from service.domain.claim import Claim
from service.domain.claim_values import days_of
from service.domain.engine_fault import EngineFault
from service.domain.event import EventCodes, Events
from service.domain.reference import References, StoredReferences
from service.querying.problem import Problem, TemplatesRefused
from service.requirement.tables import RequirementTables


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """One set of rules; ``name`` is how an answer names it: its number and its hash."""

    name: str = "unkept"
    plans: Mapping[str, Plan]
    tables: RequirementTables
    references: References
    event_codes: EventCodes
    _relaxed: dict[tuple[str, int], Plan] = field(init=False, default_factory=dict)
    _events: dict[tuple[str, str], Events] = field(init=False, default_factory=dict)

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


EVERYBODY = "*"
"""The payers that have no rules of their own; no payer is called so."""

Terms = Sequence[tuple[date, RuleBook]]
"""Books with the first day of service that each is for, the earliest first, for every day."""


class RulesUnknown(EngineFault):
    """No claim is judged before it is known which rules are in force."""

    def __init__(self) -> None:
        """Say so; they are looked for meanwhile."""
        super().__init__("elasticsearch", "the rules in force could not be read yet")


class Rules:
    """The books that are in force; whoever judges a claim takes one, and keeps it."""

    def __init__(self, book: RuleBook | None) -> None:
        """Put one book in force for everybody, or none yet."""
        self._terms: Mapping[str, Terms] = {}
        self._stored: StoredReferences | None = None
        if book is not None:
            self.replace(book)

    def expect(self, stored: StoredReferences) -> None:
        """Say by what authorizations are stored, before any book is in force."""
        self._stored = stored

    def of(self, payer: str, day: date) -> RuleBook:
        """The book of a payer for a day of service; raises RulesUnknown."""
        return _on(self._terms_of(payer), day)

    def judging(self, payer: str, claim: Claim) -> RuleBook:
        """The book by which a claim is judged: that of its first day of service.

        Raises RulesUnknown.
        """
        terms = self._terms_of(payer)
        if len(terms) == 1:
            return terms[0][1]
        return _on(terms, min(days_of(claim, line)[0] for line in claim.lines))

    def _terms_of(self, payer: str) -> Terms:
        terms = self._terms.get(payer) or self._terms.get(EVERYBODY)
        if terms is None:
            raise RulesUnknown
        return terms

    def replace(self, book: RuleBook) -> None:
        """Put one book in force for everybody; claims that have begun keep theirs.

        Raises StoredReferencesDiffer, and changes nothing.
        """
        self.put({EVERYBODY: ((date.min, book),)})

    def put(self, terms: Mapping[str, Terms]) -> None:
        """Put books in force, by payer, all in one step; raises StoredReferencesDiffer."""
        books = [book for each in terms.values() for _, book in each]
        for book in books:
            self.check(book)
        self._terms, self._stored = terms, books[0].stored

    def check(self, book: RuleBook) -> None:
        """Raise StoredReferencesDiffer for a book that would store authorizations otherwise."""
        if self._stored is not None and not book.stored.writes_as(self._stored):
            raise StoredReferencesDiffer


def _on(terms: Terms, day: date) -> RuleBook:
    """The last book that begins on the day or before it."""
    return next(book for first, book in reversed(terms) if first <= day)
