"""What the API's documentation says of bodies; the endpoints read them themselves, for speed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.api.body import JSON, X12, JsonBody
from service.api.caller import SCHEMES, declared
from service.api.fhir_outcome import FHIR_JSON, refusal_content
from service.api.problem import MEDIA_TYPE, Refused, problem_content
from service.domain.adjudication import Adjudication
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.settings import shipped

_REFERENCE = "#/components/schemas/{model}"
_PROBLEMS = {
    400: ("Malformed JSON", "The body is empty or not JSON."),
    401: ("Not authenticated", "No valid credential."),
    403: ("Not permitted", "A scope is missing, or the payer is not one of the credential."),
    404: ("Not found", ""),
    406: ("Not acceptable", ""),
    409: ("Adjudication conflict", ""),
    410: ("Record lost", ""),
    412: ("Precondition failed", ""),
    413: ("Body too large", "The body is too large."),
    415: ("Unsupported media type", ""),
    422: ("Invalid content", "The content does not fit; `errors` says where and why."),
    428: ("Precondition required", ""),
    429: ("Too many requests", "A limit of the caller; try again after `Retry-After` seconds."),
    503: (
        "Engine unavailable",
        "An engine failed and nothing was decided; try again after `Retry-After` seconds.",
    ),
}
"""By status: a title that such a problem may have, and what is said of it everywhere."""


class ProblemPlace(BaseModel):
    """One thing that does not fit: a JSON pointer and the reason; of rules more."""

    path: str
    message: str
    file: str | None = None
    line: int | None = None
    code: str | None = None
    hint: str | None = None


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemPlace] = []
    dead_letter: str | None = None
    fault: str | None = None


_MODELS: tuple[type[BaseModel], ...] = (Authorization, Claim, Adjudication, Problem)
"""Of the bodies that an endpoint reads itself, for speed, and of every problem."""


def problems(**more: str) -> dict[int | str, dict[str, Any]]:
    """Describe the problem answers of a room; ``more`` are further ones, as status_404="why"."""
    schema = {"$ref": _REFERENCE.format(model="Problem")}
    return _answers(more, MEDIA_TYPE, schema, problem_content)


def fhir_answers(**more: str) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of FHIR addresses, which are OperationOutcomes; ``more`` as above."""
    return _answers(more, FHIR_JSON, {"type": "object"}, refusal_content)


def _answers(
    more: Mapping[str, str],
    media_type: str,
    schema: Mapping[str, str],
    content: Callable[[Refused], object],
) -> dict[int | str, dict[str, Any]]:
    everywhere = {status: why for status, (_, why) in _PROBLEMS.items() if why}
    further = {int(name.removeprefix("status_")): why for name, why in more.items()}
    answers: dict[int | str, dict[str, Any]] = {}
    for status, why in (everywhere | further).items():
        example = content(Refused(status, _PROBLEMS[status][0], why))
        answers[status] = {
            "description": why,
            "content": {media_type: {"schema": schema, "example": example}},
        }
    return answers


def parameters(**described: str) -> dict[str, Any]:
    """Describe parameters of an address that the endpoint reads itself."""
    return {
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}
            for name, text in described.items()
        ]
    }


def takes(*media_types: str, model: str | None = None, is_needed: bool = True) -> dict[str, Any]:
    """Describe a body that the endpoint reads itself; all but X12 is of the model."""
    schema = {"$ref": _REFERENCE.format(model=model)} if model else {"type": "object"}
    content = {
        each: {"schema": {"type": "string"} if each == X12 else schema} for each in media_types
    }
    return {"requestBody": {"required": is_needed, "content": content}}


def describe(app: FastAPI, rooms: Iterable[APIRouter]) -> None:
    """Add the bodies that the framework does not know to the OpenAPI document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _documented(app, rooms)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _documented(app: FastAPI, rooms: Iterable[APIRouter]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    models = {model.__name__: model for model in _MODELS}
    routes = (route for room in rooms for route in room.routes)
    for route in (route for route in routes if isinstance(route, APIRoute)):
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            scopes = list(declared(route.endpoint))
            operation["security"] = [{name: scopes} for name in SCHEMES]
            for body in (each.call for each in route.dependant.dependencies):
                if isinstance(body, JsonBody):
                    models[body.model.__name__] = body.model
                    operation |= takes(JSON, model=body.model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in models.values()], ref_template=_REFERENCE
    )
    known = document.setdefault("components", {}).setdefault("schemas", {})
    known.update(schemas["$defs"])
    document["components"]["securitySchemes"] = SCHEMES
    examples = orjson.loads((shipped("docs") / "examples" / "api.json").read_bytes())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _show(operation, examples[f"{method.upper()} {path}"])
    return document


def _show(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    """Put what was really sent and answered beside what is said of it."""
    for media_type, body in example["bodies"].items():
        operation["requestBody"]["content"][media_type]["example"] = body
    for status, answers in example["answers"].items():
        said = operation["responses"][status]
        known = said.get("content", {})
        said["content"] = {
            media_type: {**known.get(media_type, {}), "example": answer}
            for media_type, answer in answers.items()
        }
