"""Traces by OpenTelemetry, sent to a collector; imported only where they are asked for."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar, cast

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from enrol import __version__
from enrol.errors import RefusalError

T = TypeVar("T")

_EXPORT_SECONDS: Final = 5


def provider_of(share: float) -> TracerProvider:
    """Return what makes spans, of a share of the requests between 0 and 1."""
    return TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(share)),
        resource=Resource({"service.name": "enrol", "service.version": __version__}),
        shutdown_on_exit=False,
    )


def exporting_provider(url: str, share: float) -> TracerProvider:
    """Return a provider whose spans go to the collector at `url` (OTLP over HTTP), in a thread."""
    provider = provider_of(share)
    exporter = OTLPSpanExporter(endpoint=url, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def traced(target: T, spans: Mapping[str, str], tracer: trace.Tracer) -> T:
    """Return what does as `target` does, its coroutine methods in `spans` in a span of that name.

    A refusal leaves its code in the span; no text of an exception does.
    """
    return cast("T", _Traced(target, spans, tracer))


class _Traced:
    def __init__(self, target: object, spans: Mapping[str, str], tracer: trace.Tracer) -> None:
        self._target = target
        for method, name in spans.items():
            setattr(self, method, _in_span(getattr(target, method), name, tracer))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the target has
        return getattr(self._target, name)


def _in_span(
    method: Callable[..., Awaitable[object]], name: str, tracer: trace.Tracer
) -> Callable[..., Awaitable[object]]:
    @functools.wraps(method)
    async def call(*args: object, **kwargs: object) -> object:
        with tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                return await method(*args, **kwargs)
            except RefusalError as exc:
                span.set_attribute("enrol.code", exc.code)
                raise

    return call
