"""Faults and bad input as problem details (RFC 9457): one table for all of them.

A problem says where and why, never what was written there: it may be health data.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Scope

from service.access.act import current
from service.application import refusals
from service.application.authorizations import TITLES
from service.application.refusals import EngineFault, EngineRefused, NotTaken
from service.domain.misfits import Misfit, misfits, pointer

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 100


@dataclass(eq=False)
class Refused(Exception):
    """A request that cannot be served: status, a short title, the reason, and the places.

    ``dead_letter`` names where what was sent is kept, ``on_file`` what stands in its way, ``fault``
    the line of the log that says more.
    """

    status: int
    title: str
    detail: str
    errors: Sequence[Mapping[str, object]] | None = None
    headers: dict[str, str] | None = None
    dead_letter: str | None = None
    on_file: str | None = None
    fault: str | None = None


def problem_content(refused: Refused) -> dict[str, Any]:
    """What a problem response says."""
    kind = refused.title.lower().replace(" ", "-")
    content: dict[str, Any] = {
        "type": f"urn:authmatch:problem:{kind}",
        "title": refused.title,
        "status": refused.status,
        "detail": refused.detail,
    }
    if refused.errors:
        content["errors"] = refused.errors[:ERRORS_MAX]
    if refused.dead_letter:
        content["dead_letter"] = refused.dead_letter
    if refused.on_file:
        content["on_file"] = refused.on_file
    if refused.fault:
        content["fault"] = refused.fault
    return content


def in_line(refused: Refused) -> dict[str, Any]:
    """What a line of a stream says of one that cannot be answered, or of the rest."""
    told = {
        "status": refused.status,
        "title": refused.title,
        "detail": refused.detail,
        "errors": refused.errors or [],
    }
    return {"problem": told | ({"fault": refused.fault} if refused.fault else {})}


def problem(refused: Refused) -> Response:
    """Write a problem response."""
    content = orjson.dumps(problem_content(refused))
    return Response(content, refused.status, refused.headers, MEDIA_TYPE)


def _of_validation(error: ValidationError) -> Refused:
    """Tell text that is not JSON (400) from JSON that does not fit (422)."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        errors = [{"path": "", "message": first["msg"]}]
        return Refused(400, "Malformed JSON", first["msg"], errors=errors)
    reason, errors = misfits(error, most=ERRORS_MAX)
    return Refused(422, "Invalid content", reason, errors=errors)


def _of_fault(fault: EngineFault) -> Refused:
    """Log that an engine failed, and say when to try again; a refusal is ours to mend."""
    kind, name = type(fault).__name__, _new_fault()
    log.error("engine_fault", fault=name, engine=fault.engine, kind=kind, reason=fault.reason)
    if isinstance(fault, EngineRefused):
        detail = f"{fault.engine} refused the request as wrong"
        return Refused(500, "Engine refused", detail, fault=name)
    return Refused(
        503,
        "Engine unavailable",
        f"{fault.engine}: {fault.reason}; nothing was decided, try again",
        headers={"Retry-After": str(fault.retry_after_s)},
        fault=name,
    )


def _new_fault() -> str:
    """A name by which what a caller was told is found in the log."""
    return secrets.token_hex(6)


def _of_not_taken(error: NotTaken) -> Refused:
    fault = None
    if error.code == "refused":
        fault = _new_fault()
        log.error("push_refused", fault=fault, reason=str(error))
    return Refused(
        {"unreadable": 400, "invalid": 422, "refused": 500}.get(error.code, 409),
        TITLES[error.code],
        str(error),
        errors=error.errors,
        dead_letter=error.dead_letter,
        on_file=error.on_file,
        fault=fault,
    )


def _of_table(error: refusals.TableFault) -> Refused:
    log.error("table_fault", reason=str(error))
    return Refused(503, "Decision table failed", "a decision table could not decide")


def _of_nobody(error: refusals.NotAuthenticated) -> Refused:
    headers = {"WWW-Authenticate": "Bearer"}
    return Refused(401, "Not authenticated", str(error), headers=headers)


def _of_not_permitted(error: refusals.NotPermitted) -> Refused:
    act = current()
    if act is not None:
        act.scope = error.scope
    told = f'Bearer error="insufficient_scope", scope="{error.scope}"'
    is_path = error.part is not None and error.part.startswith("/")
    errors = [{"path": str(error.part), "message": str(error)}] if is_path else None
    headers = {"WWW-Authenticate": told}
    return Refused(403, "Not permitted", str(error), errors=errors, headers=headers)


def _of_too_many(error: refusals.TooMany) -> Refused:
    quota, retry_after = error.quota, str(error.retry_after_s)
    named, of_requests = f'"{quota.limit}"', quota.window_s is not None
    measure = f"w={quota.window_s}" if of_requests else 'qu="concurrent-requests"'
    headers = {
        "Retry-After": retry_after,
        "RateLimit-Policy": f"{named};q={quota.most};{measure}",
        "RateLimit": f"{named};r=0" + (f";t={retry_after}" if of_requests else ""),
    }
    if quota.limit == "failures":
        headers["Connection"] = "close"
    return Refused(429, "Too many requests", str(error), headers=headers)


def _of_rules(error: refusals.RulesRefused) -> Refused:
    errors = [
        {name: value for name, value in each.as_dict().items() if value or name == "path"}
        for each in error.problems
    ]
    status = 409 if error.is_conflict else 422
    return Refused(status, "Rules refused", str(error), errors=errors)


def _of_step(error: refusals.StepRefused) -> Refused:
    errors = [{"path": error.path, "message": error.reason, "hint": error.hint}]
    status = 422 if error.path == "/effective_from" else 409
    return Refused(status, "Rules refused", str(error), errors=errors)


def _of_place(error: refusals.BadPart | refusals.BadCorrection) -> Refused:
    errors = [{"path": error.path, "message": str(error)}]
    return Refused(422, "Invalid content", f"{error.path}: {error}", errors=errors)


def _of_parameters(error: RequestValidationError) -> Refused:
    errors = [
        {"path": pointer(each["loc"]), "message": str(each["msg"])} for each in error.errors()
    ]
    detail = f"{errors[0]['path']}: {errors[0]['message']}"
    return Refused(422, "Invalid parameter", detail, errors=errors)


def _of_http(error: HTTPException) -> Refused:
    headers = dict(error.headers) if error.headers else None
    title = str(error.detail)
    return Refused(error.status_code, title, title, headers=headers)


def _of_unexpected(error: Exception) -> Refused:
    name = _new_fault()
    log.error("unexpected", fault=name, exc_info=error)
    return Refused(500, "Unexpected fault", "the fault was logged", fault=name)


def _of_misfit(error: Misfit) -> Refused:
    detail = f"{error.path or '/'}: {error}"
    return Refused(422, "Invalid content", detail, errors=_placed(error))


def _of_waiting(error: refusals.TooMuchWaits) -> Refused:
    return Refused(429, "Too much waits", str(error), headers={"Retry-After": "30"})


def _of_conflict(error: Misfit) -> Refused:
    errors = _placed(error) if error.path else None
    return Refused(409, "Adjudication conflict", str(error), errors=errors)


def _placed(error: Misfit) -> list[dict[str, str]]:
    return [{"path": error.path, "message": str(error)}]


_TABLE: tuple[tuple[type[Exception], Callable[[Any], Refused]], ...] = (
    (Refused, lambda refused: refused),
    (refusals.RecordLost, lambda error: Refused(410, "Record lost", error.reason)),
    (EngineFault, _of_fault),
    (refusals.TableFault, _of_table),
    (ValidationError, _of_validation),
    (refusals.Conflict, _of_conflict),
    (Misfit, _of_misfit),
    (NotTaken, _of_not_taken),
    (refusals.NotAuthenticated, _of_nobody),
    (refusals.Forged, lambda error: Refused(403, "Not permitted", str(error))),
    (refusals.NotForPayer, lambda error: Refused(403, "Not permitted", str(error))),
    (refusals.NotPermitted, _of_not_permitted),
    (refusals.TooMany, _of_too_many),
    (refusals.BadPart, _of_place),
    (refusals.BadCorrection, _of_place),
    (refusals.RulesRefused, _of_rules),
    (refusals.StepRefused, _of_step),
    (refusals.NotFound, lambda error: Refused(404, "Not found", str(error))),
    (refusals.MergeRefused, lambda error: Refused(409, "Merge refused", str(error))),
    (
        refusals.UnknownClaim,
        lambda _: Refused(404, "Claim not found", "no claim of this id was adjudicated"),
    ),
    (refusals.RequestConflict, lambda error: Refused(409, "Request conflict", str(error))),
    (refusals.LetterConflict, lambda error: Refused(409, "Dead letter conflict", str(error))),
    (refusals.NoSuchStudy, lambda error: Refused(404, "Not found", str(error))),
    (refusals.TooMuchWaits, _of_waiting),
    (refusals.NotOffered, lambda error: Refused(404, "Not on the worklist", str(error))),
    (refusals.Stale, lambda error: Refused(412, "Precondition failed", str(error))),
    (RequestValidationError, _of_parameters),
    (HTTPException, _of_http),
    (ClientDisconnect, lambda _: Refused(408, "Request timeout", "the body did not come")),
    (Exception, _of_unexpected),
)


def refused_of(error: Exception) -> Refused:
    """Say of any exception what a caller is told."""
    return next(translate(error) for kind, translate in _TABLE if isinstance(error, kind))


Shape = Callable[[Refused, Scope], Response]


def answer_to(error: Exception, scope: Scope, shapes: Mapping[str, Shape]) -> Response:
    """Write what a caller is told of any exception, as the addresses under a path say it."""
    refused, path = refused_of(error), scope["path"]
    under = (each for root, each in shapes.items() if f"{path}/".startswith(f"{root}/"))
    shape = next(under, None)
    return shape(refused, scope) if shape else problem(refused)


def _methods_at(app: FastAPI, request: Request) -> list[str]:
    """All methods that the routes of an address take; the framework names those of the first."""
    path = request.url.path
    routes = [each for each in iter_route_contexts(app.routes) if each.methods and each.path]
    found = [each for each in routes if compile_path(str(each.path))[0].match(path)]
    return sorted({method for each in found for method in each.methods or ()})


def install_handlers(app: FastAPI, shapes: Mapping[str, Shape]) -> None:
    """Turn every exception that is expected of an endpoint into a problem.

    ``shapes`` write it otherwise for the addresses under a path. The framework would raise those
    that nobody expected once more behind their answer.
    """

    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            error.headers = {"Allow": ", ".join(_methods_at(app, request))}
        return answer_to(error, request.scope, shapes)

    for kind, _ in _TABLE:
        if kind is not Exception:
            app.add_exception_handler(kind, handle)
