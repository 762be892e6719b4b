"""The span of a request; imported only where traces are asked for."""

from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Receive, Scope, Send

from enrol.server.answer import DELIVERY, Answer
from enrol.server.resource import Resource

_TRACEPARENT: Final = b"traceparent"


class TracedApp:
    """Gives every request a span of its own; an ASGI application.

    The span is always a root: whether it is kept is decided here, not by who calls. What a caller
    says of its own trace (W3C Trace Context) becomes a link.
    """

    def __init__(self, inside: ASGIApp, tracer: Tracer) -> None:
        self._inside = inside
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, in its span."""
        if scope["type"] != "http":
            await self._inside(scope, receive, send)
            return
        with self._tracer.start_as_current_span(
            "request",
            context=Context(),
            kind=SpanKind.SERVER,
            links=_links(scope),
            record_exception=False,
        ) as span:
            _watch_delivery(scope, span)
            try:
                await self._inside(scope, receive, send)
            finally:
                _name(span, scope)


def _links(scope: Scope) -> list[Link]:
    """Return the caller's span, where it names exactly one."""
    named = [value for name, value in scope["headers"] if name == _TRACEPARENT]
    if len(named) != 1:
        return []
    carrier = {"traceparent": named[0].decode("latin-1")}
    found = get_current_span(TraceContextTextMapPropagator().extract(carrier, Context()))
    context = found.get_span_context()
    return [Link(context)] if context.is_valid else []


def _watch_delivery(scope: Scope, span: Span) -> None:
    """Note the status and the request's id of the answer on its way to the listener."""
    extensions = scope["extensions"]
    listener = extensions.get(DELIVERY)
    if listener is None or not span.is_recording():
        return

    async def deliver(answer: Answer) -> None:
        span.set_attribute("http.response.status_code", answer.status)
        for name, value in answer.fields:
            if name == b"x-request-id":
                span.set_attribute("enrol.request_id", value.decode("ascii"))
        if answer.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        await listener["deliver"](answer)

    extensions[DELIVERY] = {"deliver": deliver}


def _name(span: Span, scope: Scope) -> None:
    """Name a span after the template of its path: the path received is anybody's text."""
    entry_point = scope.get("endpoint")
    if isinstance(entry_point, Resource) and entry_point.template:
        method = entry_point.label_of(scope["method"])
        span.update_name(f"{method} {entry_point.template}")
        span.set_attribute("http.route", entry_point.template)
        span.set_attribute("http.request.method", method)
