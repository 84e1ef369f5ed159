"""Makes the application: rooms of endpoints, problems, metrics, documentation."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from fastapi_swagger import patch_fastapi

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
    matching,
    members,
    worklist,
    x12,
)
from service.api.caller import Credentials
from service.api.fhir_outcome import refusal
from service.api.observation import Observation
from service.api.problem import install_handlers
from service.api.schema import describe
from service.bootstrap import application, quieten_collector
from service.flow.rules import RuleBook
from service.settings import Settings

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
    health,
)
DESCRIPTION = (
    "Tells a health payer, for every line of a claim, which prior authorization or referral covers "
    "it, how surely, and why."
)


def create_app(settings: Settings | None = None, rules: RuleBook | None = None) -> FastAPI:
    """Make the application; nothing is read or opened before it starts.

    Without ``rules`` those of the files are read.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(
                logging.getLevelNamesMapping()[settings.log_level]
            ),
        )
        async with application(settings, serving=True, rules=rules) as parts:
            app.state.application = parts
            quieten_collector()
            yield

    app = FastAPI(
        title="authmatch",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.credentials = Credentials(settings)
    for room in ROOMS:
        app.include_router(room.router)
    install_handlers(app, {"/fhir": refusal})
    describe(app)
    patch_fastapi(app, docs_url="/docs")
    app.add_middleware(Observation)
    return app
