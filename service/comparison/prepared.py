"""A claim line set against a template: what is asked, and what can be reached."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.comparison.comparison import Clause
from service.comparison.plan import CriterionPlan, Plan, TestPlan
from service.domain.claim_values import ClaimValue, ClaimValues
from service.domain.effective import LineValues
from service.domain.template import Level


@dataclass(slots=True, kw_only=True, eq=False)
class AskedCriterion:
    """A criterion with the claim's values read into its levels.

    ``levels`` holds those that have a claim value, by their place in the template; ``of`` is what
    can be reached; an empty ``levels`` is not evaluated. Compared by identity, so that lines with
    the same values share one and it is judged once.
    """

    plan: CriterionPlan
    levels: tuple[tuple[int, Level, Any], ...]
    bars_exact: bool
    of: int = field(init=False)

    def __post_init__(self) -> None:
        """The best level that has a claim value gives the points that can be reached."""
        self.of = self.levels[0][1].weight if self.levels else 0


@dataclass(slots=True, kw_only=True, eq=False)
class AskedTest:
    """A requirement, exclusion or condition of exactness with the claim's value.

    ``wider`` is the value of its alternative, empty where the claim has none.
    """

    plan: TestPlan
    value: Any
    wider: Any = None

    def fits(self, line: LineValues) -> bool:
        """Judge one line of an authorization, by the test or its alternative."""
        if self.plan.use.fits(line, self.value):
            return True
        wider = self.plan.wider if self.wider else None
        return wider is not None and wider.fits(line, self.wider)

    def fits_each(self, lines: Sequence[LineValues]) -> list[bool]:
        """Judge many lines, each as ``fits`` does."""
        fits = self.plan.use.fits_each(lines, self.value)
        if self.plan.wider is None or not self.wider:
            return fits
        others = self.plan.wider.fits_each(lines, self.wider)
        return [one or other for one, other in zip(fits, others, strict=True)]

    def clause(self, twins: Mapping[str, str] | None = None) -> Clause:
        """The same judgement as a clause; of the ``twins`` of its fields at the root."""
        asked = [(self.plan.use, self.value)]
        if self.plan.wider is not None and self.wider:
            asked.append((self.plan.wider, self.wider))
        clauses = [
            use.clause(value, prefix="", field=twins[use.field]) if twins else use.clause(value)
            for use, value in asked
        ]
        return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses}}


@dataclass(slots=True, kw_only=True, eq=False)
class AskedLine:
    """One claim line, ready to be searched for and scored."""

    line: int
    plan: Plan
    values: ClaimValues
    require: tuple[AskedTest, ...]
    exclude: tuple[AskedTest, ...]
    exact: tuple[AskedTest, ...]
    criteria: tuple[AskedCriterion, ...]
    attainable: int = field(init=False)

    def __post_init__(self) -> None:
        """All criteria together give the points that this claim line could reach."""
        self.attainable = sum([each.of for each in self.criteria])


Key = tuple[object, ...]


@dataclass(slots=True)
class Preparation:
    """Prepares the lines of one claim; equal values are read once."""

    plan: Plan
    _criteria: dict[Key, AskedCriterion] = field(default_factory=dict)
    _tests: dict[Key, AskedTest] = field(default_factory=dict)

    def line(self, number: int, values: ClaimValues) -> AskedLine:
        """Prepare one line."""
        plan = self.plan
        return AskedLine(
            line=number,
            plan=plan,
            values=values,
            require=self._asked_tests("require", plan.require, values),
            exclude=self._asked_tests("exclude", plan.exclude, values),
            exact=self._asked_tests("exact", plan.exact, values),
            criteria=tuple(
                [
                    self._asked_criterion(place, each, values)
                    for place, each in enumerate(plan.criteria)
                ]
            ),
        )

    def _asked_tests(
        self, kind: str, tests: tuple[TestPlan, ...], values: ClaimValues
    ) -> tuple[AskedTest, ...]:
        """The tests that the claim has a value for: without one nothing can be required."""
        asked = []
        for test in tests:
            key = (kind, test.id, *map(values.get, test.claims))
            known = self._tests.get(key)
            if known is None:
                wider = test.wider.read(values) if test.wider else None
                value = test.use.read(values)
                known = self._tests[key] = AskedTest(plan=test, value=value, wider=wider)
            if known.value is not None:
                asked.append(known)
        return tuple(asked)

    def _asked_criterion(
        self, place: int, plan: CriterionPlan, values: ClaimValues
    ) -> AskedCriterion:
        given: Iterable[object] = (
            values.items() if plan.is_raw else map(values.get, plan.claim_fields)
        )
        key = (place, *given)
        asked = self._criteria.get(key)
        if asked is None:
            asked = self._criteria[key] = ask_criterion(plan, values)
        return asked


def ask_criterion(plan: CriterionPlan, values: ClaimValues) -> AskedCriterion:
    """A criterion with the claim's values read into its levels."""
    criterion = plan.criterion
    if plan.applies_to is not None:
        claim_field, table = plan.applies_to
        code = values.get(claim_field)
        if not isinstance(code, str) or not table.groups_of(code):
            return AskedCriterion(plan=plan, levels=(), bars_exact=False)
    levels = []
    for place, level in enumerate(criterion.levels):
        is_raw = level.raw is not None
        value = render(level.raw, values) if is_raw else plan.uses[place].read(values)
        if value is not None:
            levels.append((place, level, value))
    barred = not levels and criterion.on_claim_missing == "skip_and_bar_exact"
    return AskedCriterion(plan=plan, levels=tuple(levels), bars_exact=barred)


class _Missing(Exception):
    """A raw clause names a claim value that this claim does not have."""


def render(raw: Any, values: ClaimValues) -> dict[str, Any] | None:
    """Put claim values into a raw clause as values, never as text; None when one is missing."""
    try:
        rendered = _rendered(raw, values)
    except _Missing:
        return None
    return rendered if isinstance(rendered, dict) else None


def _rendered(node: Any, values: ClaimValues) -> Any:
    if isinstance(node, dict):
        rendered = {key: _rendered(each, values) for key, each in node.items()}
        return _fitting(*next(iter(rendered.items()))) if len(rendered) == 1 else rendered
    if isinstance(node, list):
        return [_rendered(each, values) for each in node]
    name = placeholder(node)
    if name is None:
        return node
    value: ClaimValue | None = values.get(name)
    if value is None:
        raise _Missing
    return list(value) if isinstance(value, tuple) else value


def _fitting(kind: str, body: Any) -> dict[str, Any]:
    """Let one value stand where Elasticsearch wants several, and several where it wants one."""
    if kind in ("term", "terms") and isinstance(body, dict) and len(body) == 1:
        ((field, value),) = body.items()
        if kind == "terms":
            return {kind: {field: value if isinstance(value, list) else [value]}}
        bare = value.get("value") if isinstance(value, dict) else value
        if isinstance(bare, list):
            return {"terms": {field: bare}}
    if kind in _OF_ONE and _holds_list(body):
        raise _Missing
    return {kind: body}


_OF_ONE = ("range", "prefix", "match")


def _holds_list(body: Any) -> bool:
    """Whether several values stand where there can be but one."""
    if isinstance(body, dict):
        return any(map(_holds_list, body.values()))
    return isinstance(body, list)


def placeholder(node: Any) -> str | None:
    """The claim field that ``${...}`` names, None for any other value."""
    if isinstance(node, str) and node.startswith("${") and node.endswith("}"):
        return node[2:-1].removeprefix("claim.")
    return None
