"""The rules that are in force: templates, decision tables, reference tables, event codes.

A book of rules never changes. It is replaced whole, and a claim is judged by one of them from end
to end: by the one that was current when it began.
"""

import hashlib
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A book that judges a share of the claims, from 0 to 1, in place of the one named ``over``.

    ``only`` is the payer for whom it does; None for all.
    """

    book: RuleBook
    over: str
    share: float
    only: str | None = None

    def judges(self, payer: str, claim_id: str, instead_of: str) -> bool:
        """Whether it judges a claim that another book would judge; of one claim always the same.

        Which claims those are is another matter in each set, and all of a share stay when it is
        widened.
        """
        return (
            instead_of == self.over
            and self.only in (None, payer)
            and share_of(self.book.name, payer, claim_id) < self.share
        )


def share_of(*names: str) -> float:
    """A number from 0 to 1 that these names always have, and that nothing else tells."""
    mark = hashlib.sha256("|".join(names).encode()).digest()
    return int.from_bytes(mark[:7], "big") / 2**56


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
        self._stages: Mapping[str, Staged] = {}
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
        """The book by which a claim is judged: that of its first day of service, or a staged one.

        Raises RulesUnknown.
        """
        terms = self._terms_of(payer)
        if len(terms) == 1:
            book = terms[0][1]
        else:
            book = _on(terms, min(days_of(claim, line)[0] for line in claim.lines))
        if self._stages:
            staged = self.staged(payer)
            if staged is not None and staged.judges(payer, claim.claim_id, book.name):
                return staged.book
        return book

    def staged(self, payer: str) -> Staged | None:
        """The book that judges a share of the claims of a payer, where there is one."""
        return self._stages.get(self.owner(payer))

    def owner(self, payer: str) -> str:
        """Whose sets a payer has: its own, else those of all that have none."""
        return payer if payer in self._terms else EVERYBODY

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

    def put(self, terms: Mapping[str, Terms], stages: Mapping[str, Staged] | None = None) -> None:
        """Put books in force, by payer, all in one step; raises StoredReferencesDiffer."""
        books = [book for each in terms.values() for _, book in each]
        for book in (*books, *(each.book for each in (stages or {}).values())):
            self.check(book)
        self._terms, self._stages, self._stored = terms, stages or {}, books[0].stored

    def check(self, book: RuleBook) -> None:
        """Raise StoredReferencesDiffer for a book that would store authorizations otherwise."""
        if self._stored is not None and not book.stored.writes_as(self._stored):
            raise StoredReferencesDiffer


def _on(terms: Terms, day: date) -> RuleBook:
    """The last book that begins on the day or before it."""
    return next(book for first, book in reversed(terms) if first <= day)
