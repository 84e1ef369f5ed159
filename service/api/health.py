"""Whether the service lives, whether it can answer, and its metrics."""

import os

from fastapi import APIRouter, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
    multiprocess,
)
from starlette.responses import Response

from service import __version__
from service.api.body import json_response
from service.api.caller import application_of
from service.application.parts import Stores
from service.domain.engine_fault import EngineFault

router = APIRouter(tags=["health"])


@router.get("/health/live", summary="The process answers")
async def live() -> Response:
    """Say that the process runs, whatever its engines do."""
    return json_response({"status": "live", "version": __version__})


@router.get("/health/ready", summary="Claims can be matched")
async def ready(request: Request) -> Response:
    """Ask the engines: 503 while Elasticsearch does not answer, `degraded` while Redis does not.

    Without Redis claims are matched as ever and pushes get 503, so that a balancer should go on.
    `adjudication` says whether units may be moved, or why not, `outbox` how many pushes wait to be
    stored: matches of their members are 503 until they are.
    """
    stores = application_of(request).stores
    has_redis = await stores.health.check()
    obstacle = await _obstacle(stores) if has_redis else "redis does not answer"
    waiting = await _waiting(stores) if has_redis else None
    return json_response(
        {
            "status": "degraded" if obstacle or waiting else "ready",
            "adjudication": obstacle or "ready",
            "outbox": waiting,
        }
    )


async def _waiting(stores: Stores) -> int | None:
    """Count what waits in the outbox; None where it cannot be counted."""
    try:
        return await stores.courier.waiting()
    except EngineFault:
        return None


async def _obstacle(stores: Stores) -> str | None:
    """Say why no units may be moved, which matching does not need; None when they may."""
    try:
        await stores.guard.ensure()
    except EngineFault as fault:
        return f"{fault.engine}: {fault.reason}"
    return None


@router.get("/metrics", summary="Metrics for Prometheus", include_in_schema=False)
async def metrics() -> Response:
    """Give the metrics of all workers."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
