"""What a template must fulfil beyond its shape: fields, types, weights, windows, tables."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from pydantic import TypeAdapter, ValidationError

from service.comparison.comparison import Comparison
from service.comparison.plan import UnknownTable, find_table
from service.comparison.registry import comparisons
from service.domain.fields import (
    AUTHORIZATION_FIELDS,
    CLAIM_FIELDS,
    COUNTED,
    STORE_FIELDS,
    KnownField,
)
from service.domain.reference import AttachedFields, References
from service.domain.template import (
    MATCH_DAYS_MAX,
    RESULTS_MAX,
    WEIGHT_TOTAL_MAX,
    Comparand,
    Criterion,
    Template,
)
from service.domain.values import Day
from service.querying._raw_clause import RawCheck, claim_field
from service.querying.problem import Problem
from service.querying.source import Fault, Node, Path, problem_at

_OPTIONS = ("days", "length", "groups")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
_DAY: TypeAdapter[object] = TypeAdapter(Day)


def check_template(template: Template, node: Node, references: References) -> list[Problem]:
    """Every problem of a template whose shape is right."""
    check = _Check(template, references)
    faults = (*check.settings(), *check.ids(), *check.tests(), *check.criteria(), *check.rank())
    return [problem_at(node, *fault) for fault in faults]


class _Check:
    def __init__(self, template: Template, references: References) -> None:
        self._template = template
        self._references = references
        self._raw = RawCheck(references.attached)

    def settings(self) -> Iterator[Fault]:
        """Check thresholds and windows against one another."""
        template, settings = self._template, self._template.settings
        days = settings.match_days
        at: Path = ("settings", "match_days")
        if days.max > MATCH_DAYS_MAX:
            yield Fault("T011", (*at, "max"), f"at most {MATCH_DAYS_MAX} days")
        for name, width in (("before", days.before), ("after", days.after)):
            if width > days.max:
                yield Fault("T011", (*at, name), f"{name} {width} exceeds the limit {days.max}")
        for place, step in enumerate(template.relax):
            if step.match_days is not None and step.match_days > days.max:
                message = f"{step.match_days} exceeds the limit {days.max}"
                yield Fault("T011", ("relax", place, "match_days"), message)
        if settings.max_results > RESULTS_MAX:
            yield Fault("T010", ("settings", "max_results"), f"at most {RESULTS_MAX} results")
        if settings.min_results > settings.max_results:
            message = "more than max_results, so never reached"
            yield Fault("T010", ("settings", "min_results"), message)
        taken_from = template.auto_resolve.min
        if template.non_exact.min > taken_from:
            message = f"{template.non_exact.min} is above auto_resolve.min {taken_from}"
            yield Fault("T010", ("non_exact", "min"), message)

    def ids(self) -> Iterator[Fault]:
        """Check that no id is used twice, and that ids which are named exist."""
        template = self._template
        tests = (*template.require, *template.exclude, *template.exact)
        yield from _twice((test.id for test in tests), ("require",))
        yield from _twice((step.id for step in template.relax), ("relax",))
        yield from _twice((criterion.id for criterion in template.criteria), ("criteria",))
        for place, criterion in enumerate(template.criteria):
            at: Path = ("criteria", place, "levels")
            yield from _twice((level.id for level in criterion.levels), at)
        known = [criterion.id for criterion in template.criteria]
        for place, name in enumerate(template.non_exact.needs):
            if name not in known:
                yield _unknown_id(("non_exact", "needs", place), name, known, "criterion")
        required = [test.id for test in template.require]
        for step_place, step in enumerate(template.relax):
            for place, name in enumerate(step.drop):
                if name not in required:
                    at = ("relax", step_place, "drop", place)
                    yield _unknown_id(at, name, required, "requirement")

    def tests(self) -> Iterator[Fault]:
        """Check requirements, exclusions and conditions, and that a window anchors them."""
        template = self._template
        for kind in ("require", "exclude", "exact"):
            for place, test in enumerate(getattr(template, kind)):
                yield from self._comparand(test, (kind, place))
                alternative = getattr(test, "or_", None)
                if alternative is not None:
                    yield from self._alternative(test, alternative, (kind, place, "or"))
                if kind == "exact" and test.raw is not None:
                    yield Fault("T013", (kind, place, "raw"), "raw clauses cannot stand here")
        dropped = {name for step in template.relax for name in step.drop}
        if not any(_is_anchor(test) for test in template.require if test.id not in dropped):
            message = "no requirement sets the claim's dates against `effective`"
            yield Fault("T012", ("require",), message)

    def _alternative(self, test: Comparand, other: Comparand, path: Path) -> Iterator[Fault]:
        """Check what may stand in for a requirement: Elasticsearch does not judge it alone."""
        if test.raw is not None or other.raw is not None:
            yield Fault("T013", path, "raw clauses have no alternative, and are none")
        else:
            yield from self._comparand(other, path)

    def criteria(self) -> Iterator[Fault]:
        """Check every level, and that weights fall from level to level."""
        total = 0
        for place, criterion in enumerate(self._template.criteria):
            total += max(level.weight for level in criterion.levels)
            yield from self._criterion(criterion, ("criteria", place))
        if total > WEIGHT_TOTAL_MAX:
            message = f"weights sum to {total}, at most {WEIGHT_TOTAL_MAX}"
            yield Fault("T006", ("criteria",), message)

    def _criterion(self, criterion: Criterion, path: Path) -> Iterator[Fault]:
        yield from self._scope(criterion.scope, (*path, "scope"))
        if criterion.applies_when:
            applies = criterion.applies_when
            yield from self._claim(applies.claim, (*path, "applies_when", "claim"))
            yield from self._table(applies.groups, (*path, "applies_when", "groups"))
        if len({level.raw is None for level in criterion.levels}) > 1:
            message = "raw levels and compared ones cannot be mixed"
            yield Fault("T013", (*path, "levels"), message)
        heavier = criterion.levels[0]
        for place, level in enumerate(criterion.levels):
            here: Path = (*path, "levels", place)
            yield from self._comparand(level, here)
            if level.weight > heavier.weight:
                message = (
                    f"{criterion.id}.{level.id} ({level.weight}) must not be above "
                    f"{criterion.id}.{heavier.id} ({heavier.weight})"
                )
                yield Fault("T006", (*here, "weight"), message)
            heavier = level

    def rank(self) -> Iterator[Fault]:
        """Check that the order is total: the last key tells any two authorizations apart."""
        rank = self._template.rank
        if not rank or rank[-1] not in ("number", "authorization_id"):
            message = "the last key does not tell all apart"
            yield Fault("T016", ("rank",), message, "end rank with number")

    def _comparand(self, comparand: Comparand, path: Path) -> Iterator[Fault]:
        if comparand.raw is not None:
            yield from self._raw.check(comparand.raw, (*path, "raw"))
            return
        for name in comparand.claim:
            yield from self._claim(name, (*path, "claim"))
        yield from self._scope(comparand.when_absent, (*path, "when_absent"))
        for option in ("groups", "expand"):
            if getattr(comparand, option):
                yield from self._table(getattr(comparand, option), (*path, option))
        field = self._field(comparand.authorization or "")
        if field is None:
            yield self._unknown_field(comparand.authorization or "", (*path, "authorization"))
        else:
            yield from self._comparison(comparand, field, path)

    def _comparison(self, comparand: Comparand, field: KnownField, path: Path) -> Iterator[Fault]:
        name = comparand.comparison or ""
        comparison = comparisons().get(name)
        if comparison is None:
            hint = _closest(name, comparisons(), "did you mean {}?")
            yield Fault("T005", (*path, "comparison"), f"there is no comparison {name}", hint)
            return
        if field.type not in comparison.types:
            message = f"{name} cannot compare {comparand.authorization}, a {field.type}"
            yield Fault("T005", (*path, "comparison"), message)
        if name == "subset" and comparand.authorization not in COUNTED:
            message = f"subset needs a field stored with its size: {', '.join(COUNTED)}"
            yield Fault("T005", (*path, "authorization"), message)
        for option in _OPTIONS:
            is_given = getattr(comparand, option) is not None
            if is_given and option not in comparison.options:
                yield Fault("T005", (*path, option), f"{name} has no {option}")
            if not is_given and option in comparison.options and option != "days":
                yield Fault("T005", path, f"{name} needs {option}")
        fewest, most = comparison.claims
        if comparand.claim and not fewest <= len(comparand.claim) <= most:
            message = f"{name} takes {fewest} to {most} claim fields"
            yield Fault("T005", (*path, "claim"), message)
        for key, message in _operand_faults(
            comparand, field, comparison, self._references.attached
        ):
            yield Fault("T005", (*path, key), message)
        if comparand.expand and not self._is_enumerable(comparand.expand):
            message = f"{comparand.expand} has ranges and cannot be expanded"
            yield Fault("T005", (*path, "expand"), message)

    def _is_enumerable(self, name: str) -> bool:
        table = self._references.groups.get(name.partition("@")[0])
        return table is None or table.is_enumerable()

    def _field(self, name: str) -> KnownField | None:
        start, _, rest = name.partition(".")
        if start == "attached" and rest in self._references.attached.fields:
            kind = self._references.attached.fields[rest]
            return KnownField(kind, "attached data", many=True)
        return AUTHORIZATION_FIELDS.get(name)

    def _scope(self, names: Iterable[str], path: Path) -> Iterator[Fault]:
        for name in names:
            if self._field(name) is None:
                yield self._unknown_field(name, path)

    def _unknown_field(self, name: str, path: Path) -> Fault:
        if name.split(".")[0] in {*STORE_FIELDS, "member"}:
            return Fault("T012", path, f"{name} is filtered by the store alone")
        attached = (f"attached.{known}" for known in self._references.attached.fields)
        hint = _closest(name, [*AUTHORIZATION_FIELDS, *attached], "closest: {}")
        return Fault("T003", path, f"{name} is not in the authorization mapping", hint)

    def _claim(self, name: str, path: Path) -> Iterator[Fault]:
        if claim_field(name, self._references.attached) is None:
            hint = _closest(name, CLAIM_FIELDS, "closest: {}")
            yield Fault("T004", path, f"{name} is not a field of the claim", hint)

    def _table(self, name: str, path: Path) -> Iterator[Fault]:
        try:
            find_table(name, self._references)
        except UnknownTable as error:
            yield Fault("T014", path, str(error))


def _is_anchor(test: Comparand) -> bool:
    """Whether a requirement sets days of the claim against a validity."""
    comparison = comparisons().get(test.comparison or "")
    return comparison is not None and "date_range" in comparison.types


def _twice(ids: Iterable[str], path: Path) -> Iterator[Fault]:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            yield Fault("T007", path, f"the id {name} is used twice")
        seen.add(name)


def _unknown_id(path: Path, name: str, known: Iterable[str], what: str) -> Fault:
    hint = _closest(name, known, "did you mean {}?")
    return Fault("T001", path, f"there is no {what} {name}", hint)


def _closest(name: str, known: Iterable[str], hint: str) -> str | None:
    close = get_close_matches(name, list(known), n=1)
    return hint.format(close[0]) if close else None


def _operand_faults(
    comparand: Comparand,
    field: KnownField,
    comparison: Comparison,
    attached: AttachedFields,
) -> Iterator[tuple[str, str]]:
    """Key and message of each operand that cannot be set against the authorization field.

    A value of another type would never be equal, or Elasticsearch would refuse the search of every
    claim.
    """
    if "keyword" not in comparison.types:
        for key in ("value", "expand"):
            if getattr(comparand, key):
                yield key, f"{comparison.name} takes fields of the claim as they are"
    if len(comparand.value) > 1 and comparison.claims == (1, 1):
        yield "value", f"{comparison.name} takes one value, any-of takes several"
    wanted = "date" if field.type == "date_range" else field.type
    if wanted not in ("date", "long", "boolean"):
        return
    for name in comparand.claim:
        given = claim_field(name, attached)
        if given is not None and given.type != wanted:
            yield "claim", f"{name} is a {given.type}, {comparand.authorization} a {field.type}"
    for text in comparand.value:
        if not _reads_as(text, wanted):
            yield "value", f"{text} is not a {wanted}, as {comparand.authorization} is"


def _reads_as(text: str, wanted: str) -> bool:
    if wanted == "boolean":
        return text in ("true", "false")
    if wanted == "long":
        return _WHOLE_NUMBER.fullmatch(text) is not None
    try:
        _DAY.validate_python(text)
    except ValidationError:
        return False
    return True
