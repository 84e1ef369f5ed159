"""Makes the application: rooms of endpoints, problems, metrics, documentation."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from fastapi_swagger import patch_fastapi

from service import __version__
from service.api import accumulators, adjudication, authorizations, claims, health, matching
from service.api.caller import Credentials
from service.api.observation import Observation
from service.api.problem import install_handlers
from service.api.schema import describe
from service.bootstrap import application
from service.settings import Settings

GC_ALLOCATIONS = 50_000
DESCRIPTION = (
    "Tells a health payer, for every line of a claim, which prior authorization or referral covers "
    "it, how surely, and why."
)


def _quieten_collector() -> None:
    """Let the garbage collector pass over the rules, and look less often.

    A claim makes thousands of short-lived values and no cycles; by default the collector would
    walk all rules again and again for nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 20, 20)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application; nothing is read or opened before it starts."""
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
        async with application(settings, serving=True) as parts:
            app.state.application = parts
            _quieten_collector()
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
    for room in (matching, adjudication, claims, authorizations, accumulators, health):
        app.include_router(room.router)
    install_handlers(app)
    describe(app)
    patch_fastapi(app, docs_url="/docs")
    app.add_middleware(Observation)
    return app
