"""Pages as HTML: templates that escape all they are given, what guards them, and what stands still.

No page has a script or a style in it, and none asks another host for anything.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from service.api.app import SHAPES
from service.api.problem import Refused, Shape, answer_to, problem, refused_of
from service.application.refusals import EngineFault, NotFound
from service.domain.work_item import line_item
from service.workbench import words
from service.workbench.visit import TOKEN, Fields, PayerNeeded, SendAgain, SignInNeeded, Visit

PREFIX = "/workbench"
_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
}
ROOMS = (
    ("/worklist", "Worklist", "worklist.work"),
    ("/requests", "Requests", "clinical.authorization.request"),
    ("/alerts", "Alerts", "clinical.authorization.read"),
    ("/intake", "Intake", "intake.operate"),
    ("/rules", "Rules", "rules.read"),
)
"""What the top of every page leads to: path, name, and the scope that it needs."""
_FOR_A_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}

still = APIRouter(prefix=f"{PREFIX}/static", include_in_schema=False)
"""The stylesheet, the script and the icon, which say nothing of anybody."""


@still.get("/{name}")
async def static(name: str) -> Response:
    """A file that pages are made with; its address changes with its content."""
    if name not in _files():
        raise NotFound("there is no such file")
    content, _ = _files()[name]
    return Response(content, media_type=_MEDIA[name.rpartition(".")[2]], headers=_FOR_A_YEAR)


def address(room: str, name: str, *further: object) -> str:
    """Where a page about something is, by its id."""
    parts = (room, name, *further)
    return "/".join((PREFIX, *(quote(str(each), safe="") for each in parts)))


def page(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
    """A page for somebody who is known."""
    caller = visit.caller
    sessions = {
        "visit": visit,
        "payer": caller.payer,
        "payers": sorted(caller.subject.payers),
        "name": caller.subject.name,
        "token": visit.token,
        "here": visit.request.url.path,
    }
    return _html(template, status, {**sessions, **values})


def fault_page(refused: Refused, scope: Scope) -> Response:
    """What could not be done, what was kept, and what to do, as a page.

    Outside the pages, where one signs in and out, only to who would look at it.
    """
    if not scope["path"].startswith(PREFIX) and b"text/html" not in _accepted(scope):
        return problem(refused)
    headers = {
        name: value for name, value in (refused.headers or {}).items() if name != "WWW-Authenticate"
    }
    values = {"refused": refused, "advice": words.advice(refused)}
    return _html("fault.html", refused.status, values, headers)


PAGES: Mapping[str, Shape] = {PREFIX: fault_page, "/session": fault_page}
"""Where a browser is told what could not be done."""


def _accepted(scope: Scope) -> bytes:
    return b",".join(value for name, value in scope["headers"] if name == b"accept")


async def sign_in_page(request: Request, needed: SignInNeeded) -> Response:
    """Where to sign in; what a form would have sent is kept in the page."""
    can_sign_in = request.app.state.application.gate.sign_in is not None
    place = request.url.path if request.method == "GET" else PREFIX
    values = {
        "token": "",
        "reason": str(needed),
        **_kept(request, needed.fields),
        "sign_in": f"/session/sign-in?next={quote(place)}" if can_sign_in else None,
    }
    return _html("sign_in.html", 401, values)


async def again_page(request: Request, again: SendAgain) -> Response:
    """What was typed under another session, to be looked at and sent again."""
    values = {"token": again.token, "refused": None, "advice": ""}
    return _html("again.html", 409, {**values, **_kept(request, again.fields)})


async def engine_page(request: Request, fault: EngineFault) -> Response:
    """What a form said when an engine failed, to be sent again; a page without one, as ever."""
    is_page = f"{request.url.path}/".startswith(f"{PREFIX}/")
    typed = dict(getattr(request.state, "typed", {})) if is_page else {}
    if not typed:
        return answer_to(fault, request.scope, {**SHAPES, **PAGES})
    refused = refused_of(fault)
    token = typed.pop(TOKEN, ("",))[-1]
    values = {"refused": refused, "advice": words.advice(refused), "token": token}
    return _html("again.html", refused.status, values | _kept(request, typed), refused.headers)


def _kept(request: Request, fields: Fields) -> dict[str, Any]:
    """A form as it came: its address, with the queue that it is in, and what is sent once more.

    Of files the names alone: a page cannot choose one.
    """
    query = request.url.query
    return {
        "here": f"{request.url.path}?{query}" if query else request.url.path,
        "fields": [(name, value) for name, values in fields.items() for value in values],
        "files": sorted(getattr(request.state, "files", ())),
    }


async def payer_page(request: Request, needed: PayerNeeded) -> Response:
    """The payers for which somebody works, to choose from."""
    here = request.url.path if request.method == "GET" else PREFIX
    values = {"payers": needed.payers, "token": needed.token, "here": here}
    return _html("payer.html", 403, values)


def _html(
    template: str,
    status: int,
    values: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Response:
    text = _environment().get_template(template).render(values)
    return HTMLResponse(text, status, {**HEADERS, **(headers or {})})


@cache
def _files() -> Mapping[str, tuple[bytes, str]]:
    """The files by name, with what tells that one changed."""
    found = {each.name: each.read_bytes() for each in sorted(_STATIC.iterdir())}
    return {name: (text, hashlib.sha256(text).hexdigest()[:12]) for name, text in found.items()}


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        prefix=PREFIX,
        static={name: f"{PREFIX}/static/{name}?v={told}" for name, (_, told) in _files().items()},
        words=words,
        rooms=ROOMS,
        address=address,
        line_item=line_item,
    )
    made.filters["json"] = lambda value: orjson.dumps(value).decode()
    return made
