"""What is served: the API, and the pages beside it."""

from fastapi import FastAPI

from service.api import app as api
from service.application.refusals import EngineFault
from service.rules.book import RuleBook
from service.settings import Settings
from service.workbench import (
    alerts,
    authorizations,
    billing,
    charges,
    claims,
    documents,
    home,
    intake,
    members,
    requests,
    resolution,
    rules,
    worklist,
)
from service.workbench.rendering import (
    PAGES,
    again_page,
    engine_page,
    payer_page,
    sign_in_page,
    still,
)
from service.workbench.visit import PayerNeeded, SendAgain, SignInNeeded

ROOMS = (
    home,
    billing,
    charges,
    requests,
    claims,
    authorizations,
    documents,
    members,
    worklist,
    resolution,
    alerts,
    intake,
    rules,
)
"""Each of their routes asks who looks, and declares the scopes that it needs."""


def create_app(settings: Settings | None = None, given: RuleBook | None = None) -> FastAPI:
    """Make the application as ``service.api.app`` does, with the pages."""
    app = api.create_app(settings, given, PAGES)
    for room in ROOMS:
        app.include_router(room.router)
    app.include_router(still)
    app.add_exception_handler(EngineFault, engine_page)  # type: ignore[arg-type]
    app.add_exception_handler(SignInNeeded, sign_in_page)  # type: ignore[arg-type]
    app.add_exception_handler(SendAgain, again_page)  # type: ignore[arg-type]
    app.add_exception_handler(PayerNeeded, payer_page)  # type: ignore[arg-type]
    return app
