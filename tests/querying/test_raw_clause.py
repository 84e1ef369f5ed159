"""Raw clauses: what a template may hold of Elasticsearch, and what is refused."""

# ruff: noqa: E501 - a row of a table is one line

import json
from typing import Any

import pytest

from service.domain.misfits import pointer
from service.querying._raw_clause import CLAUSES_MAX, DEPTH_MAX, TERMS_MAX, RawCheck, mapped_fields
from tests.builders import references


def problems_of(raw: Any) -> list[tuple[str, str, str]]:
    """Give code, path and message of what is wrong with a clause."""
    check = RawCheck(references().attached)
    return [(each.code, pointer(each.path), each.message) for each in check.check(raw, ("raw",))]


def deep(levels: int) -> dict[str, Any]:
    """Put a clause so many levels deep."""
    clause: dict[str, Any] = {"term": {"number": "a"}}
    for _ in range(levels - 1):
        clause = {"bool": {"filter": clause}}
    return clause


ALLOWED: list[dict[str, Any]] = [
    {"term": {"number": "AU1"}},
    {"term": {"number": {"value": "AU1", "case_insensitive": True}}},
    {"terms": {"setting": ["inpatient", "outpatient"]}},
    {"range": {"certification_date": {"gte": "2026-01-01", "lt": "2027-01-01"}}},
    {"range": {"windows": {"gte": "${line.from}", "lte": "${line.to}", "relation": "contains"}}},
    {"match": {"status": {"query": "open", "operator": "and"}}},
    {"exists": {"field": "attached.region"}},
    {"prefix": {"number": "AU"}},
    {"prefix": {"number": "${drg}"}},
    {"bool": {"should": [{"term": {"number": "a"}}], "minimum_should_match": 1}},
    {"terms": {"number": ["a"] * TERMS_MAX}},
    {"term": {"attached.region": "${claim.attached.region}"}},
    {"term": {"attached.region": "${line.attached.region}"}},
    {"terms": {"numbers_all": "${numbers.authorization}"}},
    {"terms": {"numbers_all": ["AU1", "${drg}"]}},
    {"nested": {"path": "lines", "query": {"term": {"lines.tooth": "14"}}}},
    {"nested": {"path": "lines", "query": {"term": {"lines.attached.region": "TX"}}}},
    {"nested": {"path": "lines", "query": {"range": {"lines.procedure.from": {"lte": "9"}}}}},
    {"constant_score": {"filter": {"term": {"number": "a"}}}},
    {"dis_max": {"queries": [{"term": {"number": "a"}}, {"term": {"number": "b"}}]}},
    {
        "bool": {
            "filter": [{"term": {"number": "a"}}],
            "must": {"term": {"number": "a"}},
            "must_not": [{"exists": {"field": "status"}}],
            "should": [],
            "minimum_should_match": 0,
        }
    },
    deep(DEPTH_MAX),
    {"bool": {"should": [{"term": {"number": "a"}}] * (CLAUSES_MAX - 1)}},
]

TERM = {"term": {"number": "a"}}
TOOTH = {"term": {"lines.tooth": "1"}}

FORBIDDEN: list[tuple[Any, str, str, str]] = [
    ({"script": {"script": "1"}}, "T013", "/raw", "may not use script"),
    ({"script_score": {}}, "T013", "/raw", "may not use script_score"),
    ({"function_score": {}}, "T013", "/raw", "may not use function_score"),
    ({"query_string": {"query": "*"}}, "T013", "/raw", "may not use query_string"),
    ({"simple_query_string": {}}, "T013", "/raw", "may not use simple_query_string"),
    ({"regexp": {"number": ".*"}}, "T013", "/raw", "may not use regexp"),
    ({"wildcard": {"number": "*"}}, "T013", "/raw", "may not use wildcard"),
    ({"fuzzy": {"number": "a"}}, "T013", "/raw", "may not use fuzzy"),
    ({"has_child": {}}, "T013", "/raw", "may not use has_child"),
    ({"has_parent": {}}, "T013", "/raw", "may not use has_parent"),
    ({"percolate": {}}, "T013", "/raw", "may not use percolate"),
    ({"match_all": {}}, "T013", "/raw", "may not use match_all"),
    ({"more_like_this": {}}, "T013", "/raw", "may not use more_like_this"),
    ({"terms": {"number": {"index": "i", "id": "1", "path": "p"}}}, "T013", "/raw/terms/number", "look terms up"),
    ({"term": {"number": {"value": "a", "_name": "x"}}}, "T013", "/raw/term/number/_name", "may not use _name"),
    ({"term": {"number": {"value": "a", "boost": 2}}}, "T013", "/raw/term/number/boost", "may not use boost"),
    ({"bool": {"filter": [TERM], "_name": "x"}}, "T013", "/raw/bool/_name", "may not use _name in bool"),
    ({"bool": {"filter": [TERM], "boost": 2}}, "T013", "/raw/bool/boost", "may not use boost in bool"),
    ({"nested": {"path": "lines", "query": TOOTH, "inner_hits": {}}}, "T013", "/raw/nested/inner_hits", "may not use inner_hits"),
    ({"nested": {"path": "notes", "query": TOOTH}}, "T013", "/raw/nested/path", "only lines are nested"),
    (
        {"nested": {"path": "lines", "query": {"nested": {"path": "lines", "query": {"term": {"lines.tooth": "1"}}}}}},
        "T013", "/raw/nested/query/nested", "may not hold another",
    ),
    (deep(DEPTH_MAX + 1), "T013", "/raw" + "/bool/filter" * DEPTH_MAX, f"deeper than {DEPTH_MAX}"),
    ({"bool": {"should": [TERM] * CLAUSES_MAX}}, "T013", "/raw", f"more than {CLAUSES_MAX} clauses"),
    ({"term": TERM, "terms": TERM}, "T013", "/raw", "one key"),
    ({}, "T013", "/raw", "one key"),
    ({"bool": {"filter": ["x"]}}, "T013", "/raw/bool/filter/0", "one key"),
    ({"bool": []}, "T013", "/raw/bool", "bool is a mapping"),
    ({"term": "x"}, "T013", "/raw/term", "names one field"),
    ({"term": {"number": "a", "status": "b"}}, "T013", "/raw/term", "names one field"),
    ({"term": {"number": "x${drg}"}}, "T013", "/raw/term/number", "a whole value"),
    ({"term": {"number": "${drg} "}}, "T013", "/raw/term/number", "a whole value"),
    ({"range": {"windows": {"gte": "now-${drg}d"}}}, "T013", "/raw/range/windows/gte", "a whole value"),
    ({"prefix": {"number": ""}}, "T013", "/raw/prefix/number", "at least 2 characters"),
    ({"prefix": {"number": {"value": "A"}}}, "T013", "/raw/prefix/number", "at least 2 characters"),
    ({"range": {"windows": {"gte": "now-99999999999999999999d"}}}, "T013", "/raw/range/windows/gte", "written out"),
    ({"range": {"windows": {"lt": "2026-01-01||+1M/d"}}}, "T013", "/raw/range/windows/lt", "written out"),
    ({"range": {"windows": {"lt": "2026-01-01", "relation": "near"}}}, "T013", "/raw/range/windows/relation", "intersects"),
    ({"match": {"status": {"query": "a", "operator": "evil"}}}, "T013", "/raw/match/status/operator", "and or or"),
    ({"term": {"number": {"value": "a", "case_insensitive": "x"}}}, "T013", "/raw/term/number/case_insensitive", "true or false"),
    ({"bool": {"should": [TERM], "minimum_should_match": "3<90% 9<-99"}}, "T013", "/raw/bool/minimum_should_match", "whole number"),
    ({"bool": {"should": [TERM], "minimum_should_match": -1}}, "T013", "/raw/bool/minimum_should_match", "whole number"),
    ({"terms": {"number": ["a"] * (TERMS_MAX + 1)}}, "T013", "/raw/terms/number", "more than 1024 terms"),
    ({"term": {"payer": "p"}}, "T012", "/raw/term/payer", "filtered by the store alone"),
    ({"exists": {"field": "member_id"}}, "T012", "/raw/exists/field", "filtered by the store alone"),
    ({"term": {"void": False}}, "T012", "/raw/term/void", "filtered by the store alone"),
    ({"term": {"current": False}}, "T012", "/raw/term/current", "filtered by the store alone"),
    ({"term": {"colour": "red"}}, "T003", "/raw/term/colour", "colour is not in the mapping"),
    ({"exists": {}}, "T013", "/raw/exists", "names one field"),
    ({"exists": {"name": "x"}}, "T003", "/raw/exists/field", "None is not in the mapping"),
    ({"term": {"source.notes": "x"}}, "T003", "/raw/term/source.notes", "not in the mapping"),
    ({"term": {"lines.tooth": "1"}}, "T005", "/raw/term/lines.tooth", "put it inside nested"),
    ({"nested": {"path": "lines", "query": TERM}}, "T005", "/raw/nested/query/term/number", "stands at the root"),
    ({"term": {"number": "${line.tuth}"}}, "T004", "/raw/term/number", "line.tuth is not a field"),
    ({"term": {"number": "${attached.colour}"}}, "T004", "/raw/term/number", "attached.colour is not"),
    ({"terms": {"number": ["a", "${zzz}"]}}, "T004", "/raw/terms/number/1", "zzz is not a field"),
]  # fmt: skip


@pytest.mark.parametrize("raw", ALLOWED, ids=lambda raw: json.dumps(raw)[:60])
def test_a_finder_by_value_is_allowed(raw: dict[str, Any]) -> None:
    """Term, terms, range, match, exists, prefix, and what puts them together."""
    assert problems_of(raw) == []


@pytest.mark.parametrize(("raw", "code", "path", "message"), FORBIDDEN)
def test_what_could_harm_is_refused(raw: Any, code: str, path: str, message: str) -> None:
    """Scripts, patterns, look-ups, other payers' data, names of our own, text that is joined."""
    found = problems_of(raw)

    assert [(code, path)] == [each[:2] for each in found]
    assert message in found[0][2]


def test_every_mapped_field_has_its_type() -> None:
    """Fields of the root, of the lines, and attached data in both places."""
    fields = mapped_fields(references().attached)

    assert tuple(
        fields[name]
        for name in ("lines.tooth", "windows", "attached.risk_level", "lines.attached.risk_level")
    ) == ("keyword", "date_range", "long", "long")
    assert "lines.procedure" not in fields
