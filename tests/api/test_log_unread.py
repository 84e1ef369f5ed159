"""A log that nobody reads holds up no request."""

import subprocess

import httpx

from tests.api.bodies import claim_body
from tests.api.service_process import ServiceProcess
from tests.ground import Ground
from tests.proxy import Proxy

REQUESTS = 250
"""A pipe holds 64 kB, and each of these logs some 400 bytes."""


def test_requests_go_on_when_nobody_reads_the_log(ground: Ground) -> None:
    """As an operator starts it, with stdout going into a pipe; a line of JSON for each event."""
    proxy = Proxy(ground.settings.elasticsearch_url or "")
    proxy.start()
    settings = ground.settings.model_copy(update={"elasticsearch_url": proxy.url})
    service = ServiceProcess(
        settings, stdout=subprocess.PIPE, AUTHMATCH_LOG_LEVEL="INFO", AUTHMATCH_LIMIT_RATE="10000"
    )
    try:
        with service, httpx.Client(base_url=service.url, timeout=20, trust_env=False) as client:
            body = claim_body()
            with proxy.failing("refuse"):
                statuses = {client.post("/match", json=body).status_code for _ in range(REQUESTS)}
            assert statuses == {503}
            assert client.get("/health/live").status_code == 200
            dropped = client.get("/metrics").text
            # What is served so has the bounds of a connection, too.
            assert client.get("/", headers={"x-long": "a" * 40_000}).status_code == 431
    finally:
        proxy.stop()
    assert "authmatch_log_lines_dropped_total" in dropped
