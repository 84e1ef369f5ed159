"""What the API's documentation says of bodies; the endpoints read them themselves, for speed."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.api.adjudication_bodies import BenefitLimits
from service.api.matching_bodies import WhyNotQuestion
from service.domain.adjudication import Adjudication, ClaimChange
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.domain.person import MemberMergeBody
from service.domain.work_item import ItemDecision

_REFERENCE = "#/components/schemas/{model}"
_PROBLEM_STATUSES = {
    400: "The body is empty or not JSON.",
    401: "No valid API key.",
    413: "The body is too large.",
    422: "The content does not fit; `errors` says where and why.",
    503: "An engine failed and nothing was decided; try again after `Retry-After` seconds.",
}


class ProblemPlace(BaseModel):
    """One thing that does not fit: a JSON pointer and the reason."""

    path: str
    message: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemPlace] = []
    dead_letter: str | None = None


_MODELS: tuple[type[BaseModel], ...] = (
    Authorization,
    Claim,
    WhyNotQuestion,
    Adjudication,
    ClaimChange,
    BenefitLimits,
    ItemDecision,
    MemberMergeBody,
    Problem,
)


def problems(**more: str) -> dict[int | str, dict[str, Any]]:
    """Describe the problem answers of a room; ``more`` are further ones, as status_404="why"."""
    schema = {"$ref": _REFERENCE.format(model="Problem")}
    further = {int(name.removeprefix("status_")): why for name, why in more.items()}
    return {
        status: {
            "description": why,
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status, why in (_PROBLEM_STATUSES | further).items()
    }


def fhir_answers(**more: str) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of FHIR addresses, which are OperationOutcomes; ``more`` as above."""
    content = {"application/fhir+json": {"schema": {"type": "object"}}}
    return {
        status: {"description": each["description"], "content": content}
        for status, each in problems(**more).items()
    }


def fhir_body() -> dict[str, Any]:
    """Describe a body that is a resource of FHIR, or a stream of them."""
    types = ("application/fhir+json", "application/json", "application/fhir+ndjson")
    content = {each: {"schema": {"type": "object"}} for each in types}
    return {"requestBody": {"required": True, "content": content}}


def parameters(**described: str) -> dict[str, Any]:
    """Describe parameters of an address that the endpoint reads itself."""
    return {
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}
            for name, text in described.items()
        ]
    }


def form_body() -> dict[str, Any]:
    """Describe a body that is a form of parameters."""
    content = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    return {"requestBody": {"required": False, "content": content}}


def json_body(model: str) -> dict[str, Any]:
    """Describe a JSON body of a model."""
    return {"requestBody": _body("application/json", model)}


def ndjson_body(model: str) -> dict[str, Any]:
    """Describe a stream of one model a line."""
    return {"requestBody": _body("application/x-ndjson", model)}


def x12_body() -> dict[str, Any]:
    """Describe a body of X12 interchanges."""
    content = {"application/edi-x12": {"schema": {"type": "string"}}}
    return {"requestBody": {"required": True, "content": content}}


def claim_body(model: str) -> dict[str, Any]:
    """Describe a JSON body of a model, or the same as X12."""
    body = _body("application/json", model)
    body["content"]["application/edi-x12"] = {"schema": {"type": "string"}}
    return {"requestBody": body}


def optional_body(*media_types: str) -> dict[str, Any]:
    """Describe a body that may be left out, of any of these types."""
    return {"requestBody": {"required": False, "content": {each: {} for each in media_types}}}


def _body(media_type: str, model: str) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model=model)}
    return {"required": True, "content": {media_type: {"schema": schema}}}


def describe(app: FastAPI) -> None:
    """Add the models to the OpenAPI document of the application."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            _, schemas = models_json_schema(
                [(model, "validation") for model in _MODELS],
                ref_template=_REFERENCE,
            )
            known = document.setdefault("components", {}).setdefault("schemas", {})
            known.update(schemas["$defs"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
