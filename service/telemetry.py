"""Spans and metrics by OpenTelemetry, where that is configured; else nothing is imported or done.

They tell stages, routes, statuses and counts, and nothing of whom or what a request is about.
"""

import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from prometheus_client import REGISTRY

from service import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation
    from opentelemetry.trace import Tracer

Stage = Literal["requirement", "search", "score", "draw"]
Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Any, Any], Awaitable[None]]

_OWN = "authmatch_"
_FAULT = 500
_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
"""Seconds."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_NOTHING = nullcontext()


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Makes spans, and counts how long they take."""

    tracer: "Tracer"
    stages: Any
    requests: Any

    @contextmanager
    def stage(self, name: Stage, lines: int) -> Iterator[None]:
        """Tell of one stage of a claim; of an error only that there was one."""
        began = time.perf_counter()
        with self.tracer.start_as_current_span(
            name, attributes={"authmatch.lines": lines}, record_exception=False
        ):
            try:
                yield
            finally:
                self.stages.record(time.perf_counter() - began, {"authmatch.stage": name})


_telemetry: Telemetry | None = None


def stage(name: Stage, lines: int) -> AbstractContextManager[None]:
    """A span of one stage, over so many lines of a claim; without telemetry nothing."""
    return _NOTHING if _telemetry is None else _telemetry.stage(name, lines)


def is_installed() -> bool:
    """Whether the packages are there, by which spans and metrics are sent."""
    return all(find_spec(f"opentelemetry{each}") for each in ("", ".sdk", ".exporter"))


@contextmanager
def telemetry(url: str | None) -> Iterator[None]:
    """Send spans and metrics to the collector at an address for the time of the block.

    Headers, sampling and intervals are those of the OTEL_... variables. What cannot be sent is
    dropped, and nobody waits for it, but at the end for a moment.
    """
    global _telemetry
    if url is None:
        yield
        return
    made, ends = _opened(url.rstrip("/"))
    _telemetry = made
    try:
        yield
    finally:
        _telemetry = None
        for end in ends:
            end()


def _opened(url: str) -> tuple[Telemetry, tuple[Callable[[], object], ...]]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create(
        {
            "service.name": "authmatch",
            "service.version": __version__,
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        }
    )
    spans = TracerProvider(resource=resource, shutdown_on_exit=False)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics"))
    metrics = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    meter = metrics.get_meter("authmatch", __version__)
    _observe_all(meter)
    made = Telemetry(
        tracer=spans.get_tracer("authmatch", __version__),
        stages=_histogram(meter, "authmatch.stage.duration"),
        requests=_histogram(meter, "http.server.request.duration"),
    )
    return made, (spans.shutdown, metrics.shutdown)


def _histogram(meter: "Meter", name: str) -> Any:
    return meter.create_histogram(name, unit="s", explicit_bucket_boundaries_advisory=_BUCKETS)


def _observe_all(meter: "Meter") -> None:
    """Send what `/metrics` counts as well, under the same names and labels, of this worker."""
    make = {"counter": meter.create_observable_counter, "gauge": meter.create_observable_gauge}
    for family in REGISTRY.collect():
        if family.name.startswith(_OWN) and family.type in make:
            name = f"{family.name}_total" if family.type == "counter" else family.name
            make[family.type](name, [_observer(name)], description=family.documentation)


def _observer(name: str) -> "Callable[[CallbackOptions], Iterable[Observation]]":
    from opentelemetry.metrics import Observation

    def observed(_: "CallbackOptions") -> "Iterable[Observation]":
        families = REGISTRY.restricted_registry([name]).collect()
        samples = (each for family in families for each in family.samples)
        return [Observation(each.value, each.labels) for each in samples if each.name == name]

    return observed


@dataclass(frozen=True, slots=True)
class Traced:
    """A plain ASGI layer: a span for each request, within the trace that the caller names."""

    app: Asgi

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve one request, and tell of it."""
        if scope["type"] != "http" or _telemetry is None:
            await self.app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        began, told = time.perf_counter(), _FAULT
        named = {"traceparent": _value_of(scope, b"traceparent")}  # nothing else of it goes on

        async def give(message: MutableMapping[str, Any]) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                told = message["status"]
            await send(message)

        with _telemetry.tracer.start_as_current_span(
            "request",
            context=TraceContextTextMapPropagator().extract(named),
            kind=SpanKind.SERVER,
            record_exception=False,
        ) as span:
            try:
                await self.app(scope, receive, give)
            finally:
                seconds, attributes = time.perf_counter() - began, _attributes(scope, told)
                span.update_name(f"{attributes['http.request.method']} {attributes['http.route']}")
                span.set_attributes(attributes)
                if told >= _FAULT:
                    span.set_status(StatusCode.ERROR)
                if _telemetry is not None:
                    _telemetry.requests.record(seconds, attributes)


def _value_of(scope: Scope, name: bytes) -> str:
    """The first value of a header."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _attributes(scope: Scope, status: int) -> dict[str, str | int]:
    """What is said of a request: its route, never its path, which has ids."""
    return {
        "http.request.method": scope["method"] if scope["method"] in _METHODS else "_OTHER",
        "http.route": getattr(scope.get("route"), "path", "unknown"),
        "http.response.status_code": status,
    }
