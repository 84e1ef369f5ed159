"""A template made ready: its comparisons, fields and tables looked up once, not for every claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.comparison.comparison import MATCH_NOTHING, Clause, Comparison, How, Values
from service.comparison.registry import comparisons
from service.domain.claim_values import ClaimValue, ClaimValues
from service.domain.effective import LineValues
from service.domain.fields import CLAIM_FIELDS, NUMBER_FIELDS
from service.domain.reference import GroupTable, References
from service.domain.template import Comparand, Criterion, Requirement, Template

_ALWAYS_THERE = frozenset({"effective", "kind", "setting"})
_LINE_BOUND = tuple(
    f"{start}{name}"
    for start in ("", "claim.")
    for name in ("line.", "rendering_provider.", "numbers.")
)


class UnknownTable(LookupError):
    """A template names a group table, or a version of one, that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a comparison in a template."""

    comparison: Comparison
    field: str
    claims: tuple[str, ...]
    constants: Values
    how: How
    expand: GroupTable | None
    when_absent: tuple[str, ...]
    absent_is_value: bool

    def read(self, values: ClaimValues) -> Any:
        """The value to compare, None when the claim has none.

        An absent value that is a statement (no modifier) reads as the empty tuple: no code fits it.
        """
        given: Values = tuple(map(values.get, self.claims)) if self.claims else self.constants
        if self.expand is not None:
            given = tuple(_expanded(value, self.expand) for value in given)
        value = self.comparison.read(given, self.how)
        return () if value is None and self.absent_is_value else value

    def fits(self, line: LineValues, value: Any) -> bool:
        """Judge one line of an authorization."""
        if self.when_absent and any(name in line for name in self.when_absent):
            return False
        if value == () and self.absent_is_value:
            return False
        return self.comparison.fits(line, self.field, value, self.how)

    def fits_each(self, lines: Sequence[LineValues], value: Any) -> list[bool]:
        """Judge many lines, each as ``fits`` does."""
        if self.when_absent or (value == () and self.absent_is_value):
            return [self.fits(line, value) for line in lines]
        fits, name, how = self.comparison.fits, self.field, self.how
        return [fits(line, name, value, how) for line in lines]

    def clause(self, value: Any, *, prefix: str = "lines.", field: str | None = None) -> Clause:
        """The same judgement as a clause of Elasticsearch; ``field`` names a twin at the root."""
        if value == () and self.absent_is_value:
            return MATCH_NOTHING
        clause = self.comparison.clause(f"{prefix}{field or self.field}", value, self.how)
        if not self.when_absent:
            return clause
        return {
            "bool": {
                "filter": [clause],
                "must_not": [{"exists": {"field": f"{prefix}{name}"}} for name in self.when_absent],
            }
        }

    def why(self, line: LineValues, value: Any) -> str:
        """Put the judgement in words."""
        for name in self.when_absent:
            if name in line:
                return f"the authorization has {name}"
        if value == () and self.absent_is_value:
            return "none billed"
        return self.comparison.why(line, self.field, value, self.how)


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionPlan:
    """One criterion made ready; a raw one has no uses, Elasticsearch judges it.

    ``reads_numbers_only``: it compares nothing but submitted numbers.
    """

    criterion: Criterion
    is_raw: bool
    uses: tuple[Use, ...]
    scope: tuple[str, ...]
    claim_fields: tuple[str, ...]
    applies_to: tuple[str, GroupTable] | None
    reads_numbers_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlan:
    """One requirement, exclusion or condition of exactness, not raw.

    What fulfils only the ``wider`` use fulfils it as well, and is never exact. ``claims`` are the
    fields of the claim that it reads.
    """

    id: str
    use: Use
    wider: Use | None
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A template made ready to compare with the tables of one set of files.

    ``number_fields`` are the fields of submitted numbers that it reads.
    """

    template: Template
    hash: str
    require: tuple[TestPlan, ...]
    exclude: tuple[TestPlan, ...]
    exact: tuple[TestPlan, ...]
    criteria: tuple[CriterionPlan, ...]
    number_fields: frozenset[str]

    @property
    def is_searched_by_line(self) -> bool:
        """Whether a raw clause depends on the claim line, so that lines are searched one by one."""
        return any(f"${{{each}" in str(raw) for raw in self.raws() for each in _LINE_BOUND)

    def raws(self) -> tuple[Mapping[str, Any], ...]:
        """Every raw clause of the template."""
        tests = (*self.template.require, *self.template.exclude)
        levels = (level for each in self.template.criteria for level in each.levels)
        return tuple(each.raw for each in (*tests, *levels) if each.raw is not None)


def make_plan(template: Template, references: References, *, content_hash: str = "") -> Plan:
    """Look up what a template names; raises UnknownTable or KeyError for what is not there."""
    criteria = tuple(_criterion(each, template, references) for each in template.criteria)
    return Plan(
        template=template,
        hash=content_hash,
        require=_tests(template.require, template, references),
        exclude=_tests(template.exclude, template, references),
        exact=_tests(template.exact, template, references),
        criteria=criteria,
        number_fields=frozenset(
            name
            for each in criteria
            if each.reads_numbers_only
            for use in each.uses
            for name in use.claims
        ),
    )


def _tests(
    tests: tuple[Requirement, ...], template: Template, references: References
) -> tuple[TestPlan, ...]:
    return tuple(_test(test, template, references) for test in tests if test.raw is None)


def _test(test: Requirement, template: Template, references: References) -> TestPlan:
    use = _use(test, template, references, absent_is_value=False)
    other = getattr(test, "or_", None)
    wider = other and _use(other, template, references, absent_is_value=False)
    claims = use.claims + (wider.claims if wider else ())
    return TestPlan(id=test.id, use=use, wider=wider, claims=claims)


def _criterion(criterion: Criterion, template: Template, references: References) -> CriterionPlan:
    uses = tuple(
        _use(level, template, references, absent_is_value=_absent_is_value(criterion, level))
        for level in criterion.levels
        if level.raw is None
    )
    fields = tuple(dict.fromkeys(name for use in uses for name in use.claims))
    applies = criterion.applies_when
    return CriterionPlan(
        criterion=criterion,
        is_raw=criterion.is_raw,
        uses=uses,
        scope=scope_of(criterion),
        claim_fields=(*fields, applies.claim) if applies else fields,
        applies_to=(applies.claim, find_table(applies.groups, references)) if applies else None,
        reads_numbers_only=bool(uses)
        and all(use.claims and set(use.claims) <= NUMBER_FIELDS for use in uses),
    )


def scope_of(criterion: Criterion) -> tuple[str, ...]:
    """The fields that must all be empty for a line to be unscoped; none: never unscoped."""
    if criterion.on_authorization_missing == "zero":
        return ()
    named = criterion.scope or tuple(
        level.authorization for level in criterion.levels if level.authorization
    )
    scope = tuple(dict.fromkeys(map(_stored, named)))
    return () if _ALWAYS_THERE & set(scope) else scope


def _stored(name: str) -> str:
    """The field that is present where there is a value: a procedure is stored in three fields."""
    return "procedure.from" if name == "procedure" else name


def _absent_is_value(criterion: Criterion, level: Comparand) -> bool:
    if criterion.claim_absent_is is not None:
        return criterion.claim_absent_is == "value"
    fields = [CLAIM_FIELDS[name] for name in level.claim if name in CLAIM_FIELDS]
    return bool(fields) and all(field.absent_is_value for field in fields)


def _use(
    comparand: Comparand, template: Template, references: References, *, absent_is_value: bool
) -> Use:
    match_days = template.settings.match_days
    if comparand.days == "match_days":
        before, after = match_days.before, match_days.after
    else:
        before = after = comparand.days or 0
    return Use(
        comparison=comparisons()[comparand.comparison or ""],
        field=comparand.authorization or "",
        claims=comparand.claim,
        constants=(comparand.value,) if comparand.value else (),
        how=How(
            days_before=before,
            days_after=after,
            length=comparand.length or 0,
            groups=find_table(comparand.groups, references) if comparand.groups else None,
        ),
        expand=find_table(comparand.expand, references) if comparand.expand else None,
        when_absent=tuple(map(_stored, comparand.when_absent)),
        absent_is_value=absent_is_value,
    )


def find_table(name: str, references: References) -> GroupTable:
    """The group table of this id, or of ``id@version``; raises UnknownTable."""
    wanted, _, version = name.partition("@")
    table = references.groups.get(wanted)
    if table is None:
        raise UnknownTable(f"{wanted}: no such group table")
    if version and table.version != version:
        raise UnknownTable(f"{name}: no such version, {wanted} is at {table.version}")
    return table


def _expanded(value: ClaimValue | None, table: GroupTable) -> ClaimValue | None:
    if value is None:
        return None
    given = (value,) if isinstance(value, str) else value
    return tuple(
        dict.fromkeys(
            each
            for code in given
            for each in (code, *(table.groups[code].members if code in table.groups else ()))
        )
    )
