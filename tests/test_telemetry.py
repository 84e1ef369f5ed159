"""Spans and metrics reach a collector, without a word of whom they are about; or there are none."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service import telemetry
from tests.api.bodies import authorization_body, claim_body
from tests.ground import Ground, ground, new_prefix, uninstall
from tests.redis_process import free_port
from tests.serving import client_of, serving

__all__ = ["ground"]

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
CANARY = "CANARY-7Q"
ALLOWED = {
    *("authmatch.lines", "authmatch.stage"),
    *("http.request.method", "http.route", "http.response.status_code"),
}


@dataclass
class Collector:
    """Takes OTLP over HTTP on loopback, and keeps what came."""

    bodies: dict[str, list[bytes]] = field(default_factory=dict)
    url: str = ""

    @property
    def spans(self) -> list[Span]:
        """All spans."""
        requests = [ExportTraceServiceRequest.FromString(each) for each in self.of("/v1/traces")]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def metrics(self) -> dict[str, Any]:
        """The newest of each metric, by name."""
        requests = [ExportMetricsServiceRequest.FromString(each) for each in self.of("/v1/metrics")]
        return {
            metric.name: metric
            for request in requests
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def of(self, path: str) -> list[bytes]:
        """What came to an address."""
        return self.bodies.get(path, [])


@pytest.fixture
def collector() -> Iterator[Collector]:
    """One that listens."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.bodies.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, name="collector")
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def told_of(traced: Ground, url: str, prefix: str = "") -> list[int]:
    """A push, a match, an adjudication and what fails, of somebody with a name of canaries."""
    changed = traced.settings.model_copy(update={"otlp_url": url, "index_prefix": new_prefix()})
    member = {"id": CANARY}
    numbers = [{"value": CANARY}]
    claim = claim_body(claim_id=CANARY, member=member, authorization_numbers=numbers)
    body = authorization_body(authorization_id=CANARY, member=member, number=CANARY)

    async def install(stores: Any) -> None:
        await stores.installation.install()

    own = Ground(changed, traced.rules)
    own.run(install)
    try:
        with serving(changed) as address, client_of(address) as client:
            client.headers["traceparent"] = PARENT
            client.headers["baggage"] = f"who={CANARY}"
            answers = [
                client.put(f"/authorizations/{CANARY}", json=body),
                client.post("/match", json=claim),
                client.post("/adjudicate", json=claim),
                client.get(f"/authorizations/{CANARY}-2"),
                client.post("/match", json={**claim, CANARY: CANARY}),
            ]
    finally:
        own.run(uninstall)
    return [each.status_code for each in answers]


def test_each_stage_is_a_span_of_its_request_and_nobody_is_named(
    ground: Ground, collector: Collector
) -> None:
    """In the trace that the caller began; by an allow-list, and no canary in any byte."""
    assert told_of(ground, collector.url) == [201, 200, 200, 404, 422]

    spans = {each.span_id: each for each in collector.spans}
    stages = {
        (spans[each.parent_span_id].name, each.name)
        for each in spans.values()
        if each.parent_span_id in spans
    }
    assert {each.trace_id.hex() for each in spans.values()} == {TRACE}
    assert stages >= {
        *(("POST /match", each) for each in ("requirement", "search", "score")),
        *(("POST /adjudicate", each) for each in ("requirement", "search", "score", "draw")),
    }
    assert "GET /authorizations/{authorization_id}" in {each.name for each in spans.values()}
    keys = {item.key for each in spans.values() for item in each.attributes}
    assert keys == ALLOWED - {"authmatch.stage"}
    assert [each for each in spans.values() if each.events] == []

    metrics = collector.metrics
    drawn = metrics["authmatch_dispositions_total"].sum.data_points
    points = metrics["authmatch.stage.duration"].histogram.data_points
    assert sum(each.as_double for each in drawn) >= 1
    assert {item.value.string_value for each in points for item in each.attributes} == {
        *("requirement", "search", "score", "draw"),
    }
    assert metrics["http.server.request.duration"].histogram.data_points
    sent = b"".join(each for bodies in collector.bodies.values() for each in bodies)
    assert CANARY.encode() not in sent


def test_nobody_waits_for_a_collector_that_is_away(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be sent is dropped."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    assert told_of(ground, f"http://127.0.0.1:{free_port()}") == [201, 200, 200, 404, 422]


def test_without_a_collector_nothing_is_imported_and_nothing_is_made() -> None:
    """But what clients of engines look for by themselves; stages share one idle context."""
    assert telemetry.stage("search", 1) is telemetry.stage("draw", 2)
    program = (
        "import sys; from service.workbench.app import create_app; create_app();"
        "print([each for each in sys.modules if each.startswith('opentelemetry.exporter')])"
    )
    told = subprocess.run((sys.executable, "-c", program), capture_output=True, check=True)
    assert told.stdout.strip() == b"[]"


def test_without_the_extra_it_says_what_to_install() -> None:
    """Before anything is served."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None;"
        "sys.argv = ['authmatch', 'serve']; from service.cli import main; main()"
    )
    told = subprocess.run(
        (sys.executable, "-c", program),
        env={"AUTHMATCH_OTLP_URL": "http://127.0.0.1:4318", "NO_COLOR": "1"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert told.returncode == 2
    assert told.stderr == "error: AUTHMATCH_OTLP_URL is set: install authmatch[otel]\n"
