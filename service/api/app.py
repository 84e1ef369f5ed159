"""Makes the application: rooms of endpoints, problems, metrics, documentation."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from fastapi import Depends, FastAPI
from fastapi_swagger import patch_fastapi
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import __version__
from service.api import (
    accumulators,
    adjudication,
    authorizations,
    claims,
    dead_letters,
    fhir,
    fhir_intake,
    health,
    keys,
    matching,
    members,
    worklist,
    x12,
)
from service.api.caller import caller_of
from service.api.fhir_outcome import refusal
from service.api.problem import install_handlers
from service.api.schema import describe
from service.application.parts import application, quieten_collector
from service.background import reason_of
from service.logs import log_as_service, stdout_writer
from service.rules.book import RuleBook
from service.settings import Settings

log = structlog.get_logger()

ROOMS = (
    matching,
    adjudication,
    claims,
    worklist,
    authorizations,
    x12,
    fhir,
    fhir_intake,
    accumulators,
    members,
    dead_letters,
    keys,
)
"""Each of their routes needs a key, whether the endpoint asks who calls or not."""
PUBLIC = (health.router, fhir.public)
"""These say nothing of any payer."""
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


@dataclass(frozen=True, slots=True)
class Observation:
    """A plain ASGI layer around the application."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and measure it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = _FAULT

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, observe)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "unknown")
            SECONDS.labels(route, str(status)).observe(seconds)
            if status >= _FAULT:
                log.warning("request_failed", route=route, status=status, seconds=round(seconds, 3))


def create_app(settings: Settings | None = None, rules: RuleBook | None = None) -> FastAPI:
    """Make the application; nothing is read or opened before it starts.

    Without ``rules`` those of the files are read.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log_as_service(settings.log_level)
        try:
            async with application(settings, serving=True, rules=rules) as parts:
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
    )
    rooms = [room.router for room in ROOMS]
    for router in rooms:
        app.include_router(router, dependencies=[Depends(caller_of)])
    for router in PUBLIC:
        app.include_router(router)
    install_handlers(app, {"/fhir": refusal})
    describe(app, rooms)
    patch_fastapi(app, docs_url="/docs")
    app.add_middleware(Observation)
    return app
