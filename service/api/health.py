"""What the service is, whether it lives, whether it can answer, and its metrics."""

import asyncio

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from service import __version__
from service.api.body import json_response
from service.api.caller import Parts
from service.application.maintenance import Readiness, readiness
from service.application.statistics import metrics_registry

router = APIRouter(tags=["health"])

LINKS = {
    "documentation": "/docs",
    "openapi": "/openapi.json",
    "fhir": "/fhir/metadata",
    "health": "/health/ready",
}


@router.get("/", summary="What answers here")
async def root() -> Response:
    """Name the service, and say where its documentation is."""
    return json_response({"service": "authmatch", "version": __version__, **LINKS})


@router.get("/health/live", summary="The process answers")
async def live() -> Response:
    """Say that the process runs, whatever its engines do."""
    return json_response({"status": "live", "version": __version__})


@router.get("/health/ready", response_model=Readiness, summary="Claims can be matched")
async def ready(request: Request, parts: Parts) -> Response:
    """Ask the engines: 503 while Elasticsearch does not answer, `degraded` while Redis does not.

    Without Redis claims are matched as ever and pushes get 503, so that a balancer should go on.
    All who ask at a time are answered by one look. `adjudication` says whether units may be moved,
    or why not, `outbox` whether pushes wait to be stored (`empty`, `waiting`): matches of their
    members are 503 until they are.
    """
    state = request.app.state
    looking: asyncio.Task[Readiness] | None = getattr(state, "looking", None)
    if looking is None or looking.done():
        looking = state.looking = asyncio.create_task(readiness(parts))
    return json_response(await asyncio.shield(looking))


@router.get("/metrics", summary="Metrics for Prometheus", include_in_schema=False)
async def metrics() -> Response:
    """The metrics of all workers."""
    return Response(generate_latest(metrics_registry()), media_type=CONTENT_TYPE_LATEST)
