"""All query templates of one set of files: parsed, merged, checked and made ready."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

import orjson
from pydantic import BaseModel, ValidationError

from service.comparison.plan import Plan, make_plan
from service.domain.reference import References
from service.domain.template import Template
from service.querying._inheritance import resolve
from service.querying._template_check import check_template
from service.querying.problem import Problem
from service.querying.source import Node, Path, problem_at, read_source

_SCHEMA_URI = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Library:
    """Plans by template id, the resolved texts they came from, and what is wrong with the files."""

    plans: Mapping[str, Plan]
    resolved: Mapping[str, Node]
    problems: tuple[Problem, ...]


def load_library(files: Mapping[str, str], references: References) -> Library:
    """Load templates from texts by file name; a template with a problem has no plan."""
    problems: list[Problem] = []
    sources: dict[str, Node] = {}
    for file, text in files.items():
        node = read_source(text, file)
        if isinstance(node, Problem):
            problems.append(node)
        else:
            problems += _named(node, sources)
    plans: dict[str, Plan] = {}
    resolved: dict[str, Node] = {}
    for name, source in sources.items():
        if source.get("abstract") is True:
            continue
        merged = resolve(name, sources)
        if isinstance(merged, Problem):
            problems.append(merged)
            continue
        resolved[name] = merged
        template, found = read_template(merged)
        if template is not None and not found:
            found = check_template(template, merged, references)
        if template is not None and not found:
            plans[name] = make_plan(template, references, content_hash=content_hash(template))
        problems += found
    return Library(plans, resolved, tuple(problems))


def _named(node: Node, sources: dict[str, Node]) -> list[Problem]:
    """Keep a source under its id; the problem where that is not text, or taken."""
    name = node.get("id")
    if not isinstance(name, str):
        return [problem_at(node, "T001", ("id",), "a template needs its id")]
    if name in sources:
        return [problem_at(node, "T007", ("id",), f"two templates are called {name}")]
    sources[name] = node
    return []


def read_template(node: Node) -> tuple[Template | None, list[Problem]]:
    """The template of a merged source, or None with what is wrong with its shape."""
    try:
        return Template.model_validate(node.plain()), []
    except ValidationError as error:
        return None, [_shape_problem(node, each) for each in error.errors()]


def _shape_problem(node: Node, error: Any) -> Problem:
    place: Path = tuple(error["loc"])
    # Behind the place of an error pydantic names the alternatives that it tried.
    path = place if error["type"] == "missing" else node.known(place)
    if error["type"] == "extra_forbidden":
        close = get_close_matches(str(path[-1]), _keys_at(path[:-1]), n=1)
        hint = f"did you mean {close[0]}?" if close else None
        return problem_at(node, "T001", path, f"{path[-1]}: unknown key", hint)
    message = str(error["msg"]).removeprefix("Value error, ")
    return problem_at(node, _code_of(path), path, message)


def _code_of(path: Path) -> str:
    if "weight" in path:
        return "T006"
    if "match_days" in path or "days" in path:
        return "T011"
    if {"non_exact", "auto_resolve", "min_results", "max_results"} & set(path):
        return "T010"
    if path and path[0] == "rank":
        return "T016"
    return "T005"


def _keys_at(path: Path) -> list[str]:
    model: type[BaseModel] = Template
    for step in path:
        if isinstance(step, str) and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation names, itself or within a tuple or an alternative."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def content_hash(template: Template) -> str:
    """The SHA-256 of the resolved template, so that a change of a parent shows."""
    content = template.model_dump(mode="json", by_alias=True)
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def template_schema() -> dict[str, Any]:
    """The JSON Schema of a template, for editors."""
    schema = Template.model_json_schema(by_alias=True)
    return {"$schema": _SCHEMA_URI, **schema, "title": "authmatch query template"}
