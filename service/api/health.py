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

router = APIRouter(tags=["health"])


@router.get("/health/live", summary="The process answers")
async def live() -> Response:
    """Say that the process runs, whatever its engines do."""
    return json_response({"status": "live", "version": __version__})


@router.get("/health/ready", summary="Claims can be matched")
async def ready(request: Request) -> Response:
    """Ask the engines: 503 while Elasticsearch does not answer, `degraded` while Redis does not.

    Without Redis claims are matched as ever and pushes get 503, so that a balancer should go on.
    """
    has_redis = await application_of(request).stores.health.check()
    return json_response({"status": "ready" if has_redis else "degraded"})


@router.get("/metrics", summary="Metrics for Prometheus", include_in_schema=False)
async def metrics() -> Response:
    """Give the metrics of all workers."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
