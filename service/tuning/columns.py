"""What does not change with a weight or a threshold: comparisons of a study, judged once each.

A column holds for every question (a claim line, and a kind that is looked for) one comparison: None
where the claim has no value, else a number with a bit for each authorization line that fits. It is
known by what is compared and how, so that the next set of rules finds it again.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

from pydantic import BaseModel

from service.comparison.comparison import How
from service.comparison.plan import CriterionPlan, Plan, TestPlan, Use
from service.domain.claim import AuthorizationKind
from service.domain.claim_values import ClaimValues, asked_for, header_values, line_values
from service.domain.reference import GroupTable, References
from service.flow.matching.counting import Counting
from service.matching.numbers import numbers_for
from service.requirement.decision import choose_template, decide_requirement
from service.rules.book import RuleBook
from service.tuning._sheet import Asked, Key, Pool, Sheet
from service.tuning.study import StudyClaim

KINDS: tuple[AuthorizationKind, ...] = ("authorization", "notification", "referral")
"""A question has the place ``len(KINDS)`` times that of its line, and that of its kind."""

Judge = Callable[[int], Hashable]

_COUNTED = "counted."


@dataclass(frozen=True, slots=True)
class Look:
    """What a line is looked up for: a kind, by a template."""

    kind: AuthorizationKind
    is_required: bool
    template: str


@dataclass(eq=False)
class Columns:
    """The lines of a study, and every column that was asked for."""

    lines: tuple[Asked, ...]
    _columns: dict[Key, dict[int, Hashable]] = field(default_factory=dict)
    _values: dict[Key, dict[int, ClaimValues]] = field(default_factory=dict)
    _looks: dict[Key, dict[int, tuple[Look, ...]]] = field(default_factory=dict)
    _written: dict[int, tuple[BaseModel, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, claims: Iterable[StudyClaim]) -> "Columns":
        """Lay out claims."""
        known: dict[Key, int] = {}
        lines: list[Asked] = []
        for each in claims:
            pool, first = Pool.of(each, known), len(lines)
            lines += (Asked(pool, line, first) for line in each.claim.lines)
        return cls(tuple(lines))

    def with_claim(self, place: int) -> range:
        """All lines of the claim of a question."""
        asked = self.lines[place // len(KINDS)]
        return range(asked.first, asked.first + len(asked.pool.claim.claim.lines))

    def looks(self, book: RuleBook, lines: Iterable[int]) -> Mapping[int, tuple[Look, ...]]:
        """What these lines are looked up for by a book; more may be known already."""
        known = self._looks.setdefault(self._key_of_tables(book), {})
        pool, counted = None, None
        for line in lines:
            if line in known:
                continue
            asked = self.lines[line]
            claim = asked.pool.claim.claim
            if asked.pool is not pool:
                pool = asked.pool
                counted = Counting.of(claim, book).with_held(pool.claim.held)
            needed = decide_requirement(
                claim, asked.line, book.tables, (counted or {}).get(asked.line.line)
            )
            known[line] = tuple(
                Look(
                    kind,
                    kind in needed.needed,
                    choose_template(claim, asked.line, kind, book.tables).template,
                )
                for kind in needed.looked_for
            )
        return known

    def _key_of_tables(self, book: RuleBook) -> Key:
        """What decides on templates: both tables, and the references from which they read."""
        tables, references = book.tables, book.references
        hashes = tables.is_authorization_required.hash, tables.requested_auth_type.hash
        if any(name.startswith(_COUNTED) for name in tables.is_authorization_required.columns):
            return (*hashes, *self.written_of(references))
        groups = references.groups
        read = (groups.get(name) for name in ("procedure-groups", "specialty-parents"))
        return (*hashes, *(each and self.written(each) for each in (*read, references.attached)))

    def written_of(self, references: References) -> Key:
        """All reference tables as text."""
        others = (
            getattr(references, name)
            for name in References.model_fields
            if isinstance(getattr(references, name), BaseModel)
        )
        groups = ((name, self.written(each)) for name, each in sorted(references.groups.items()))
        plain = tuple(sorted(references.informational_modifiers))
        return (*groups, *map(self.written, others), plain)

    def written(self, model: BaseModel) -> str:
        """A part of the rules as text, written once."""
        known = self._written.get(id(model))
        if known is None or known[0] is not model:
            known = self._written[id(model)] = model, model.model_dump_json()
        return known[1]

    def values(self, references: References) -> "Values":
        """The values of the lines, without what is looked for."""
        key = self.written(references.attached), self.written(references.numbers)
        return Values(self.lines, references, self._values.setdefault(key, {}))

    def column(self, key: Key, places: Sequence[int], judge: Judge) -> list[Hashable]:
        """A column at these places; what was not asked before is judged."""
        column = self._columns.setdefault(key, {})
        for place in places:
            if place not in column:
                column[place] = judge(place)
        return [column[place] for place in places]


@dataclass(slots=True)
class Values:
    """The values of claim lines, each read when it is asked for."""

    lines: Sequence[Asked]
    references: References
    known: dict[int, ClaimValues]
    _header: tuple[Pool | None, ClaimValues] = (None, {})

    def __getitem__(self, line: int) -> ClaimValues:
        found = self.known.get(line)
        if found is None:
            asked, references = self.lines[line], self.references
            claim = asked.pool.claim.claim
            if self._header[0] is not asked.pool:
                self._header = asked.pool, header_values(claim, references.attached)
            found = self.known[line] = line_values(
                claim, asked.line, self._header[1], references.attached, references.numbers
            )
        return found


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what a template compares into columns, for one set of reference tables."""

    columns: Columns
    references: References
    values: Values

    @classmethod
    def of(cls, columns: Columns, references: References) -> "Reader":
        """Read by these tables; what was read before is kept."""
        return cls(columns, references, columns.values(references))

    def sheet(self, plan: Plan, places: Sequence[int], relaxed: Iterable[Plan] = ()) -> Sheet:
        """Every column that a judgement by a template depends on."""
        sheet = Sheet(self._within((plan, *relaxed), places))
        sheet.add([self._line(place).pool.alike for place in places])
        sheet.numbers = sheet.add(self._numbers(plan, places))
        for each in (plan, *relaxed):
            sheet.required.append([self._test(sheet, test, places) for test in each.require])
        sheet.excluded = [self._test(sheet, test, places)[0] for test in plan.exclude]
        for test in plan.exact:
            self._test(sheet, test, places)
            sheet.add_mask(self._present((test.use.field,), places))
        for criterion in plan.criteria:
            self._criterion(sheet, criterion, places)
        return sheet

    def _line(self, place: int) -> Asked:
        return self.columns.lines[place // len(KINDS)]

    def _given(self, place: int) -> ClaimValues:
        line, kind = divmod(place, len(KINDS))
        return self.values[line] | asked_for(KINDS[kind])

    def _test(self, sheet: Sheet, test: TestPlan, places: Sequence[int]) -> tuple[int, int | None]:
        """Add a test, and how a window is judged again; gives the columns of its two ways."""
        use = sheet.add_mask(self._use(test.use, places))
        wider = None
        if test.wider is not None:
            wider = sheet.add_mask(self._use(test.wider, places))
        how = test.use.how
        if how.days_before or how.days_after:
            strict = How(length=how.length, groups=how.groups)
            sheet.add_mask(self._use(test.use, places, strict))
        return use, wider

    def _criterion(self, sheet: Sheet, plan: CriterionPlan, places: Sequence[int]) -> None:
        if plan.applies_to is not None:
            name, table = plan.applies_to
            key = "applies", name, self.columns.written(table), self._key_of_values()
            applies = self.columns.column(key, places, partial(self._applies, name, table))
            sheet.others.append(sheet.add(applies))
        if plan.scope:
            sheet.add_mask(self._present(plan.scope, places))
        for use in plan.uses:
            sheet.add_mask(self._use(use, places))

    def _applies(self, name: str, table: GroupTable, place: int) -> bool:
        code = self.values[place // len(KINDS)].get(name)
        return isinstance(code, str) and bool(table.groups_of(code))

    def _present(self, fields: tuple[str, ...], places: Sequence[int]) -> list[Hashable]:
        """Which authorization lines have a value in any of the fields."""

        def judge(place: int) -> int:
            lines = self._line(place).pool.lines
            return _mask(any(name in line for name in fields) for line in lines)

        return self.columns.column(("present", fields), places, judge)

    def _use(self, use: Use, places: Sequence[int], strict: How | None = None) -> list[Hashable]:
        """Which authorization lines fit; with ``strict`` options as a window is judged again."""
        known: dict[tuple[int, Any], Hashable] = {}
        reads_kind = any(name.startswith("requested_type") for name in use.claims)

        def judge(place: int) -> Hashable:
            given = self._given(place) if reads_kind else self.values[place // len(KINDS)]
            value = use.read(given)
            if value is None:
                return None
            pool = self._line(place).pool
            key = id(pool), value
            if key not in known:
                fits = (
                    (use.comparison.fits(line, use.field, value, strict) for line in pool.lines)
                    if strict
                    else (use.fits(line, value) for line in pool.lines)
                )
                known[key] = _mask(fits)
            return known[key]

        return self.columns.column(self._key(use, strict), places, judge)

    def _key(self, use: Use, strict: How | None) -> Key:
        written = self.columns.written
        how = strict or use.how
        return (
            use.comparison.name,
            use.field,
            use.claims,
            use.constants,
            (how.days_before, how.days_after, how.length, how.groups and written(how.groups)),
            strict is not None,
            use.expand and written(use.expand),
            use.when_absent,
            use.absent_is_value,
            self._key_of_values(),
        )

    def _key_of_values(self) -> Key:
        return self.columns.written(self.references.attached), self.columns.written(
            self.references.numbers
        )

    def _numbers(self, plan: Plan, places: Sequence[int]) -> list[Hashable]:
        """The submitted numbers: their level, if they are none, and which candidates carry them."""
        forms = self.references.numbers

        def judge(place: int) -> Hashable:
            asked = self._line(place)
            claim = asked.pool.claim
            return tuple(
                (
                    each.level,
                    each.no_number is None,
                    _mask(each.normalised in one.numbers for one in claim.candidates),
                )
                for each in numbers_for(claim.claim, asked.line, plan, forms)
            )

        key = "numbers", plan.number_fields, self.columns.written(forms)
        return self.columns.column(key, places, judge)

    def _within(self, plans: Iterable[Plan], places: Sequence[int]) -> list[bool]:
        """Whether the study has all candidates of a question, by every step of its template."""
        each_plan = [self._bounded(one, places) for one in plans]
        is_cut = [self._line(place).pool.claim.is_cut for place in places]
        return [
            not cut and all(of_place) for cut, *of_place in zip(is_cut, *each_plan, strict=True)
        ]

    def _bounded(self, plan: Plan, places: Sequence[int]) -> list[bool]:
        windows = [
            self._reached(test.use, places)
            for test in plan.require
            if test.use.field == "effective" and test.use.comparison.widens and test.wider is None
        ]
        return [any(of_place) for of_place in zip(*windows, strict=True)] or [False] * len(places)

    def _reached(self, use: Use, places: Sequence[int]) -> list[Hashable]:
        known: dict[Hashable, bool] = {}

        def judge(place: int) -> bool:
            value = use.read(self._given(place))
            if value is None:
                return False  # requires nothing: so all days are asked for
            key = value, self._line(place).pool.claim.reach
            if key not in known:
                known[key] = _is_within(*key, use.how)
            return known[key]

        return self.columns.column(("reach", *self._key(use, None)), places, judge)


def _is_within(asked: tuple[str, str], reach: tuple[str, str], how: How) -> bool:
    try:
        first = date.fromisoformat(asked[0]) - timedelta(days=how.days_before)
        last = date.fromisoformat(asked[1]) + timedelta(days=how.days_after)
    except OverflowError:
        return False
    return reach[0] <= first.isoformat() and last.isoformat() <= reach[1]


def _mask(fits: Iterable[bool]) -> int:
    """A number with a bit for each that fits."""
    return sum(1 << place for place, each in enumerate(fits) if each)


def by_template(
    looks: Mapping[int, tuple[Look, ...]], lines: Sequence[Asked], asked: Iterable[int]
) -> Mapping[tuple[str, AuthorizationKind, bool, str], list[int]]:
    """The places of the questions of some lines: by template, kind, need and type of claim."""
    found: dict[tuple[str, AuthorizationKind, bool, str], list[int]] = {}
    for line in asked:
        for look in looks[line]:
            kind_of_claim = lines[line].pool.claim.claim.type
            key = look.template, look.kind, look.is_required, kind_of_claim
            found.setdefault(key, []).append(line * len(KINDS) + KINDS.index(look.kind))
    return found
