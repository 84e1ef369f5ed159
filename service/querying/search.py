"""The two searches of a claim: for all candidates of a member, and scored for one line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.comparison.comparison import Clause
from service.comparison.prepared import AskedCriterion, AskedLine, AskedTest, render
from service.domain.fields import ROOT_TWINS
from service.domain.template import RankKey, Template

CANDIDATES_MAX = 200
"""How many candidates one search for a claim takes; with more, each line is searched alone."""

_SORT_FIELDS: dict[RankKey, str] = {
    "certification_date": "certification_date",
    "effective.from": "starts_on",
    "number": "number",
    "authorization_id": "authorization_id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a template asks of Elasticsearch; the store adds payer, member, limits and routing."""

    filter: tuple[Clause, ...] = ()
    must: tuple[Clause, ...] = ()
    must_not: tuple[Clause, ...] = ()
    should: tuple[Clause, ...] = ()
    sort: tuple[dict[str, Any], ...] = ()
    size: int = CANDIDATES_MAX
    timeout_ms: int = 800
    scored: bool = False
    after: tuple[object, ...] = field(default=())

    def query(self) -> Clause:
        """The clauses as one bool query."""
        parts = {
            "filter": self.filter,
            "must": self.must,
            "must_not": self.must_not,
            "should": self.should,
        }
        return {"bool": {name: list(clauses) for name, clauses in parts.items() if clauses}}


def candidate_search(asked: Sequence[AskedLine], *, nearby: bool) -> Search:
    """Search for every authorization that could be a candidate of any of the lines.

    The lines share template and requested type. What the lines differ in is widened to the hull of
    their days, and left to the scorer otherwise. With ``nearby`` all are found that are valid on
    the days or carry a number that was submitted, whatever their kind and setting.
    """
    first = asked[0]
    template = first.plan.template
    required, excluded = _raw_tests(first)
    return Search(
        filter=(*(_nearby(asked) if nearby else _root_clauses(asked)), *required),
        must_not=excluded,
        should=_raw_criteria(asked),
        timeout_ms=template.settings.timeout_ms,
    )


def scored_search(asked: AskedLine, *, after: tuple[object, ...] = ()) -> Search:
    """Search for one line with all its criteria, so that ``_score`` is the scorer's total."""
    template = asked.plan.template
    required, excluded = _raw_tests(asked)
    return Search(
        filter=(*_root_clauses([asked]), *required),
        must=(_lines_box(asked),),
        must_not=excluded,
        should=_raw_criteria([asked]),
        sort=scored_sort(template),
        size=template.settings.max_results + 1,
        timeout_ms=template.settings.timeout_ms,
        scored=True,
        after=after,
    )


def scored_sort(template: Template) -> tuple[dict[str, Any], ...]:
    """The order of a scored search: points, then as ranked, then by id, missing last."""
    keys = dict.fromkeys([*(_SORT_FIELDS[key] for key in template.rank), "authorization_id"])
    return (
        {"_score": {"order": "desc"}},
        *({key: {"order": "asc", "missing": "_last"}} for key in keys),
    )


def _nearby(asked: Sequence[AskedLine]) -> tuple[Clause, ...]:
    """What is valid on the days of the lines, or carries a number that was submitted."""
    days = [each for each in _root_clauses(asked) if "range" in each]
    numbers = sorted({each for line in asked for each in submitted(line)})
    if not days or not numbers:
        return tuple(days)
    valid = {"bool": {"filter": days}}
    return ({"bool": {"should": [valid, {"terms": {"numbers_all": numbers}}]}},)


def finds_all(wide: Sequence[Clause], narrow: Sequence[Clause]) -> bool:
    """Whether the filter of a search for what is nearby finds all that another one finds.

    Raw clauses are never known to be within others.
    """
    if not wide:
        return True
    one, other = _nearby_parts(wide), _nearby_parts(narrow)
    if one is None or other is None:
        return False
    return other[1] <= one[1] and all(
        any(_is_within(inner, outer) for inner in other[0]) for outer in one[0]
    )


def _nearby_parts(clauses: Sequence[Clause]) -> tuple[list[Clause], frozenset[str]] | None:
    """The days and the numbers of a filter that was made by ``_nearby``; None for another one."""
    days, numbers = list(clauses), frozenset[str]()
    if len(days) == 1 and "bool" in days[0]:
        valid, carries = days[0]["bool"]["should"]
        days, numbers = list(valid["bool"]["filter"]), frozenset(carries["terms"]["numbers_all"])
    return (days, numbers) if all(each.keys() == {"range"} for each in days) else None


def _is_within(inner: Clause, outer: Clause) -> bool:
    ((name, asked),), ((other, wider),) = inner["range"].items(), outer["range"].items()
    alike = name == other and asked["relation"] == wider["relation"]
    return bool(alike and wider["gte"] <= asked["gte"] and asked["lte"] <= wider["lte"])


def submitted(asked: AskedLine) -> Iterator[str]:
    """The numbers that a line was submitted with, of the kinds that its template reads."""
    for name in asked.plan.number_fields:
        yield from asked.values.get(name, ())


def _root_clauses(asked: Sequence[AskedLine]) -> tuple[Clause, ...]:
    """What can be asked at the root for all lines: same kind, same setting, hull of the days."""
    clauses = []
    by_line = [{each.plan.id: each for each in line.require} for line in asked]
    for test in asked[0].require:
        uses = [use for use in (test.plan.use, test.plan.wider) if use is not None]
        if any(use.when_absent or use.field not in ROOT_TWINS for use in uses):
            continue
        same = [known[test.plan.id] for known in by_line if test.plan.id in known]
        if len(same) < len(asked):
            continue  # a line without the value does not require it
        use = test.plan.use
        if use.field == "effective":
            if use.comparison.widens and len(uses) == 1:
                days = [each.value for each in same]
                hull = (min(first for first, _ in days), max(last for _, last in days))
                clauses.append(replace(test, value=hull).clause(ROOT_TWINS))
        elif all(_asks_alike(each, test) for each in same):
            clauses.append(test.clause(ROOT_TWINS))
    return tuple(clauses)


def _asks_alike(one: AskedTest, other: AskedTest) -> bool:
    return one.value == other.value and (one.wider or None) == (other.wider or None)


def _lines_box(asked: AskedLine) -> Clause:
    """Compile the nested box: a line must meet the requirements itself to lend its points."""
    box: dict[str, list[Clause]] = {
        "filter": [each.clause() for each in asked.require],
        "must_not": [each.clause() for each in asked.exclude],
        "should": [
            criterion_clause(each)
            for each in asked.criteria
            if each.levels and not each.plan.is_raw
        ],
    }
    query = {"bool": {name: clauses for name, clauses in box.items() if clauses}}
    return {"nested": {"path": "lines", "score_mode": "max", "query": query}}


def criterion_clause(asked: AskedCriterion) -> Clause:
    """Compile one criterion: the best of its levels, or all it can give where it is unscoped."""
    levels = [
        _points(level.weight, asked.plan.uses[place].clause(value))
        for place, level, value in asked.levels
    ]
    if asked.plan.scope:
        absent = [{"exists": {"field": f"lines.{name}"}} for name in asked.plan.scope]
        levels.insert(0, _points(asked.of, {"bool": {"must_not": absent}}))
    return {"dis_max": {"tie_breaker": 0.0, "queries": levels}}


def _points(weight: int, clause: Clause) -> Clause:
    return {"constant_score": {"boost": weight, "filter": clause}}


def _raw_criteria(asked: Sequence[AskedLine]) -> tuple[Clause, ...]:
    """Compile raw criteria: at the root and named, for only Elasticsearch can judge them.

    A line to which a criterion does not apply leaves it to the others.
    """
    of_lines = zip(*(line.criteria for line in asked), strict=True)
    applied = (next((each for each in same if each.levels), same[0]) for same in of_lines)
    return tuple(
        {
            "dis_max": {
                "tie_breaker": 0.0,
                "queries": [
                    {
                        "constant_score": {
                            "boost": level.weight,
                            "filter": rendered,
                            "_name": f"{each.plan.criterion.id}.{level.id}",
                        }
                    }
                    for _, level, rendered in each.levels
                ],
            }
        }
        for each in applied
        if each.plan.is_raw and each.levels
    )


def _raw_tests(asked: AskedLine) -> tuple[tuple[Clause, ...], tuple[Clause, ...]]:
    """Render the raw requirements and exclusions that this claim has values for."""
    template = asked.plan.template
    found: list[tuple[Clause, ...]] = []
    for tests in (template.require, template.exclude):
        rendered = (render(each.raw, asked.values) for each in tests if each.raw is not None)
        found.append(tuple(each for each in rendered if each is not None))
    return found[0], found[1]
