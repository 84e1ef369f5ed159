"""Makes the application: rooms of endpoints, problems, metrics, documentation."""

import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from fastapi import Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi_swagger import patch_fastapi
from prometheus_client import Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import __version__
from service.access.act import Act, acting
from service.api import (
    accumulators,
    adjudication,
    alerts,
    audit,
    authorizations,
    charges,
    claims,
    dead_letters,
    decision_metrics,
    documents,
    fhir,
    fhir_intake,
    golden,
    health,
    keys,
    matching,
    members,
    requests,
    rules,
    session,
    studies,
    worklist,
    x12,
)
from service.api.caller import act_of, caller_of
from service.api.fhir_outcome import refusal
from service.api.problem import Refused, Shape, answer_to, install_handlers, problem
from service.api.schema import describe
from service.application.collector import quieten_collector
from service.application.parts import application
from service.application.refusals import EngineFault
from service.background import reason_of
from service.logs import log_as_service, stdout_writer
from service.rules.book import RuleBook
from service.settings import Settings
from service.telemetry import Traced, telemetry

log = structlog.get_logger()

ROOMS = (
    matching,
    adjudication,
    charges,
    claims,
    worklist,
    authorizations,
    alerts,
    documents,
    x12,
    fhir,
    fhir_intake,
    accumulators,
    decision_metrics,
    members,
    requests,
    dead_letters,
    studies,
    golden,
    keys,
    rules,
    audit,
)
"""Each of their routes needs a key, whether the endpoint asks who calls or not."""
SHAPES: Mapping[str, Shape] = {"/fhir": refusal}
"""Problems are written otherwise under these addresses."""
PUBLIC = (health.router, fhir.public, session.router, alerts.feed)
"""These say nothing of any payer; those of sessions say who asks, and calendars have an address of
their own."""
DESCRIPTION = (
    "Tells a health payer, for every line of a claim, which prior authorization or referral covers "
    "it, how surely, and why."
)


SECONDS = Histogram(
    "authmatch_request_seconds",
    "Time to answer a request, by route and status.",
    ["route", "status"],
    buckets=(0.002, 0.004, 0.006, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_FAULT = 500
_MISDIRECTED = Refused(421, "Misdirected request", "the service has another name")
_PORT = re.compile(rb":\d{1,5}$")
PAGES = ("/docs", "/swagger/")
"""Shown in a browser, and of nobody's data."""
Header = tuple[bytes, bytes]
_ALWAYS: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_OF_DATA = (*_ALWAYS, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"))
_OF_PAGES = (
    *_ALWAYS,
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data:; frame-ancestors 'none'",
    ),
)
_OF_HTTPS: tuple[Header, ...] = ((b"strict-transport-security", b"max-age=31536000"),)


async def _docs(request: Request) -> Response:
    """The documentation of the API, by addresses without a host; no key stays in the browser."""
    root = request.scope.get("root_path", "").rstrip("/")
    return get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="authmatch",
        swagger_js_url=f"{root}/swagger/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/swagger/swagger-ui.css",
        swagger_favicon_url=f"{root}/swagger/favicon-32x32.png",
        swagger_ui_parameters={"filter": True, "displayRequestDuration": True},
    )


@dataclass(frozen=True, slots=True)
class Observation:
    """A plain ASGI layer around the application; ``hosts`` are its names, none: any.

    ``shapes`` write problems otherwise for the addresses under a path.
    """

    app: ASGIApp
    hosts: frozenset[bytes] = frozenset()
    shapes: Mapping[str, Shape] = field(default_factory=lambda: SHAPES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and measure it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = _FAULT
        act = act_of(scope)
        has_started = False

        async def give(message: Message) -> None:
            nonlocal status, has_started
            if message["type"] == "http.response.start":
                status, has_started = message["status"], True
                message["headers"] = _guarded(scope, message["headers"])
            await send(message)

        observe = _Told(act, scope, receive, give, self.shapes)
        try:
            with acting(act):
                if self.hosts and _host_of(scope) not in self.hosts:
                    await problem(_MISDIRECTED)(scope, receive, observe)
                else:
                    await self.app(scope, receive, observe)
        except Exception as error:  # whatever an endpoint did not expect
            answer = answer_to(error, scope, self.shapes)
            if has_started:
                raise  # the connection ends, or half an answer would look like a whole one
            await answer(scope, receive, observe)
        finally:
            if "bucket" in scope:
                scope["bucket"].at_once -= 1
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "unknown")
            SECONDS.labels(route, str(status)).observe(seconds)
            if status >= _FAULT:
                log.warning("request_failed", route=route, status=status, seconds=round(seconds, 3))


@dataclass(slots=True)
class _Told:
    """Gives an answer on once it is a row of the audit trail; what is none is not answered."""

    act: Act
    scope: Scope
    receive: Receive
    send: Send
    shapes: Mapping[str, Shape]
    is_refused: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            route = getattr(self.scope.get("route"), "path", "unknown")
            self.act.what = self.act.what or f"{self.scope['method']} {route}"
            try:
                await self.act.tell_answer(message["status"])
            except EngineFault as fault:
                self.is_refused = True
                answer = answer_to(fault, self.scope, self.shapes)
                await answer(self.scope, self.receive, self.send)
        if not self.is_refused:
            await self.send(message)


def _guarded(scope: Scope, headers: Iterable[Header]) -> list[Header]:
    """Headers that keep an answer out of caches, of other pages and of what it is not."""
    guards = _OF_PAGES if scope["path"].startswith(PAGES) else _OF_DATA
    named = {name.lower() for name, _ in headers}
    https = _OF_HTTPS if scope["scheme"] == "https" else ()
    return [*headers, *(each for each in (*guards, *https) if each[0] not in named)]


def _host_of(scope: Scope) -> bytes:
    """The name by which the service is called, without its port."""
    host: bytes = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return _PORT.sub(b"", host.lower())


def create_app(
    settings: Settings | None = None,
    given: RuleBook | None = None,
    shapes: Mapping[str, Shape] | None = None,
) -> FastAPI:
    """Make the application; nothing is read or opened before it starts.

    Without ``given`` rules are those that are in force on the engines. ``shapes`` write problems
    otherwise for the addresses of those who add some.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log_as_service(settings.log_level)
        try:
            with telemetry(settings.otlp_url):
                async with application(settings, serving=True, rules=given) as parts:
                    app.state.application = parts
                    quieten_collector()
                    yield
        except Exception as error:
            log.exception("not_started", reason=reason_of(error), exc_info=error)
            raise
        finally:
            stdout_writer().flush()

    app = FastAPI(
        title="authmatch",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,  # a redirect would lead to whatever host was named
    )
    _open_rooms(app)
    all_shapes = {**SHAPES, **(shapes or {})}
    install_handlers(app, all_shapes)
    app.add_route("/docs", _docs, include_in_schema=False)
    patch_fastapi(app, docs_url="/docs", redirect_from_root_to_docs=False)
    app.add_middleware(
        Observation,
        hosts=frozenset(each.lower().encode() for each in settings.hosts),
        shapes=all_shapes,
    )
    if settings.otlp_url is not None:
        app.add_middleware(Traced)
    return app


def _open_rooms(app: FastAPI) -> None:
    rooms = [room.router for room in ROOMS]
    for router in rooms:
        app.include_router(router, dependencies=[Depends(caller_of)])
    for router in PUBLIC:
        app.include_router(router)
    describe(app, rooms)
