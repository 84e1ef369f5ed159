"""What a template must fulfil beyond its shape: fields, types, weights, windows, tables."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from service.comparison.plan import UnknownTable, find_table
from service.comparison.registry import comparisons
from service.domain.fields import (
    AUTHORIZATION_FIELDS,
    CLAIM_FIELDS,
    COUNTED,
    STORE_FIELDS,
    AuthorizationField,
)
from service.domain.reference import References
from service.domain.template import (
    MATCH_DAYS_MAX,
    RESULTS_MAX,
    WEIGHT_TOTAL_MAX,
    Comparand,
    Template,
)
from service.querying.operand_check import operand_faults
from service.querying.problem import Problem
from service.querying.raw_clause import RawCheck
from service.querying.source import Node, Path, problem_at

WINDOWS = frozenset({"window", "overlaps", "inside"})
_OPTIONS = ("days", "length", "groups")


def check_template(template: Template, node: Node, references: References) -> list[Problem]:
    """Give every problem of a template whose shape is right."""
    check = _Check(template, node, references)
    return [*check.settings(), *check.ids(), *check.tests(), *check.criteria(), *check.rank()]


class _Check:
    def __init__(self, template: Template, node: Node, references: References) -> None:
        self._template = template
        self._node = node
        self._references = references
        self._raw = RawCheck(node, references.attached)

    def _problem(self, code: str, path: Path, message: str, hint: str | None = None) -> Problem:
        return problem_at(self._node, code, path, message, hint)

    def settings(self) -> Iterator[Problem]:
        """Check thresholds and windows against one another."""
        template, settings = self._template, self._template.settings
        days = settings.match_days
        if days.max > MATCH_DAYS_MAX:
            yield self._problem(
                "T011", ("settings", "match_days", "max"), f"at most {MATCH_DAYS_MAX} days"
            )
        widths = [("before", days.before), ("after", days.after)]
        for name, width in widths:
            if width > days.max:
                path: Path = ("settings", "match_days", name)
                yield self._problem("T011", path, f"{name} {width} exceeds the limit {days.max}")
        for place, step in enumerate(template.relax):
            if step.match_days is not None and step.match_days > days.max:
                yield self._problem(
                    "T011",
                    ("relax", place, "match_days"),
                    f"{step.match_days} exceeds the limit {days.max}",
                )
        if settings.max_results > RESULTS_MAX:
            yield self._problem(
                "T010", ("settings", "max_results"), f"at most {RESULTS_MAX} results"
            )
        if settings.min_results > settings.max_results:
            yield self._problem(
                "T010", ("settings", "min_results"), "more than max_results, so never reached"
            )
        if template.non_exact.min > template.auto_resolve.min:
            yield self._problem(
                "T010",
                ("non_exact", "min"),
                f"{template.non_exact.min} is above auto_resolve.min {template.auto_resolve.min}",
            )

    def ids(self) -> Iterator[Problem]:
        """Check that no id is used twice, and that ids which are named exist."""
        template = self._template
        tests = (*template.require, *template.exclude, *template.exact)
        yield from self._twice((each.id for each in tests), ("require",))
        yield from self._twice((each.id for each in template.relax), ("relax",))
        yield from self._twice((each.id for each in template.criteria), ("criteria",))
        for place, criterion in enumerate(template.criteria):
            yield from self._twice(
                (level.id for level in criterion.levels), ("criteria", place, "levels")
            )
        known = [each.id for each in template.criteria]
        for place, name in enumerate(template.non_exact.needs):
            if name not in known:
                yield self._unknown(("non_exact", "needs", place), name, known, "criterion")
        required = [each.id for each in template.require]
        for at, step in enumerate(template.relax):
            for place, name in enumerate(step.drop):
                if name not in required:
                    yield self._unknown(("relax", at, "drop", place), name, required, "requirement")

    def _unknown(self, path: Path, name: str, known: list[str], what: str) -> Problem:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else None
        return self._problem("T001", path, f"there is no {what} {name}", hint)

    def _twice(self, ids: Iterable[str], path: Path) -> Iterator[Problem]:
        seen: set[str] = set()
        for name in ids:
            if name in seen:
                yield self._problem("T007", path, f"the id {name} is used twice")
            seen.add(name)

    def tests(self) -> Iterator[Problem]:
        """Check requirements, exclusions and conditions, and that a window anchors them."""
        template = self._template
        for kind in ("require", "exclude", "exact"):
            for place, each in enumerate(getattr(template, kind)):
                yield from self._comparand(each, (kind, place))
                if kind == "exact" and each.raw is not None:
                    yield self._problem(
                        "T013", (kind, place, "raw"), "raw clauses cannot stand here"
                    )
        dropped = {name for step in template.relax for name in step.drop}
        anchors = [each.id for each in template.require if each.comparison in WINDOWS]
        if not [name for name in anchors if name not in dropped]:
            yield self._problem(
                "T012", ("require",), "no requirement sets the claim's dates against `effective`"
            )

    def criteria(self) -> Iterator[Problem]:
        """Check every level, and that weights fall from level to level."""
        total = 0
        for place, criterion in enumerate(self._template.criteria):
            path: Path = ("criteria", place)
            total += max(level.weight for level in criterion.levels)
            yield from self._scope(criterion.scope, (*path, "scope"))
            if criterion.applies_when:
                applies = criterion.applies_when
                yield from self._claim(applies.claim, (*path, "applies_when", "claim"))
                yield from self._table(applies.groups, (*path, "applies_when", "groups"))
            if len({level.raw is None for level in criterion.levels}) > 1:
                yield self._problem(
                    "T013", (*path, "levels"), "raw levels and compared ones cannot be mixed"
                )
            heaviest = None
            for at, level in enumerate(criterion.levels):
                here: Path = (*path, "levels", at)
                yield from self._comparand(level, here)
                if heaviest is not None and level.weight > heaviest.weight:
                    message = (
                        f"{criterion.id}.{level.id} ({level.weight}) must not be above "
                        f"{criterion.id}.{heaviest.id} ({heaviest.weight})"
                    )
                    yield self._problem("T006", (*here, "weight"), message)
                heaviest = level
        if total > WEIGHT_TOTAL_MAX:
            yield self._problem(
                "T006", ("criteria",), f"weights sum to {total}, at most {WEIGHT_TOTAL_MAX}"
            )

    def rank(self) -> Iterator[Problem]:
        """Check that the order is total: the last key tells any two authorizations apart."""
        rank = self._template.rank
        if not rank or rank[-1] not in ("number", "authorization_id"):
            yield self._problem(
                "T016", ("rank",), "the last key does not tell all apart", "end rank with number"
            )

    def _comparand(self, each: Comparand, path: Path) -> Iterator[Problem]:
        if each.raw is not None:
            yield from self._raw.check(each.raw, (*path, "raw"))
            return
        for name in each.claim:
            yield from self._claim(name, (*path, "claim"))
        for name in each.when_absent:
            yield from self._scope((name,), (*path, "when_absent"))
        for option in ("groups", "expand"):
            if getattr(each, option):
                yield from self._table(getattr(each, option), (*path, option))
        field = self._field(each.authorization or "")
        if field is None:
            yield self._unknown_field(each.authorization or "", (*path, "authorization"))
        else:
            yield from self._comparison(each, field, path)

    def _comparison(
        self, each: Comparand, field: AuthorizationField, path: Path
    ) -> Iterator[Problem]:
        comparison = comparisons().get(each.comparison or "")
        if comparison is None:
            close = get_close_matches(each.comparison or "", comparisons(), n=1)
            hint = f"did you mean {close[0]}?" if close else None
            message = f"there is no comparison {each.comparison}"
            yield self._problem("T005", (*path, "comparison"), message, hint)
            return
        if field.type not in comparison.types:
            message = f"{comparison.name} cannot compare {each.authorization}, a {field.type}"
            yield self._problem("T005", (*path, "comparison"), message)
        if comparison.name == "subset" and each.authorization not in COUNTED:
            yield self._problem(
                "T005",
                (*path, "authorization"),
                f"subset needs a field stored with its size: {', '.join(COUNTED)}",
            )
        for option in _OPTIONS:
            given = getattr(each, option) is not None
            if given and option not in comparison.options:
                yield self._problem("T005", (*path, option), f"{comparison.name} has no {option}")
            if not given and option in comparison.options and option != "days":
                yield self._problem("T005", path, f"{comparison.name} needs {option}")
        fewest, most = comparison.claims
        if each.claim and not fewest <= len(each.claim) <= most:
            message = f"{comparison.name} takes {fewest} to {most} claim fields"
            yield self._problem("T005", (*path, "claim"), message)
        for key, fault in operand_faults(each, field, comparison, self._references.attached):
            yield self._problem("T005", (*path, key), fault)
        if each.expand and not self._is_enumerable(each.expand):
            yield self._problem(
                "T005", (*path, "expand"), f"{each.expand} has ranges and cannot be expanded"
            )

    def _is_enumerable(self, name: str) -> bool:
        table = self._references.groups.get(name.partition("@")[0])
        return table is None or table.is_enumerable()

    def _field(self, name: str) -> AuthorizationField | None:
        start, _, rest = name.partition(".")
        if start == "attached" and rest in self._references.attached.fields:
            kind = self._references.attached.fields[rest]
            return AuthorizationField(kind, "attached data", many=True)
        return AUTHORIZATION_FIELDS.get(name)

    def _scope(self, names: Iterable[str], path: Path) -> Iterator[Problem]:
        for name in names:
            if self._field(name) is None:
                yield self._unknown_field(name, path)

    def _unknown_field(self, name: str, path: Path) -> Problem:
        if name.split(".")[0] in {*STORE_FIELDS, "member"}:
            return self._problem("T012", path, f"{name} is filtered by the store alone")
        attached = (f"attached.{each}" for each in self._references.attached.fields)
        close = get_close_matches(name, [*AUTHORIZATION_FIELDS, *attached], n=1)
        hint = f"closest: {close[0]}" if close else None
        return self._problem("T003", path, f"{name} is not in the authorization mapping", hint)

    def _claim(self, name: str, path: Path) -> Iterator[Problem]:
        start, _, rest = name.removeprefix("line.").partition(".")
        attached = self._references.attached.fields
        if name in CLAIM_FIELDS or (start == "attached" and rest in attached):
            return
        close = get_close_matches(name, CLAIM_FIELDS, n=1)
        hint = f"closest: {close[0]}" if close else None
        yield self._problem("T004", path, f"{name} is not a field of the claim", hint)

    def _table(self, name: str, path: Path) -> Iterator[Problem]:
        try:
            find_table(name, self._references)
        except UnknownTable as error:
            yield self._problem("T014", path, str(error))
