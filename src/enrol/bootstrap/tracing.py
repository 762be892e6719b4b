"""Traces, where the settings ask for them; else nothing of theirs is imported."""

import asyncio
from typing import Protocol, TypeVar

from starlette.types import ASGIApp

from enrol.errors import ConfigurationError
from enrol.settings import Settings

T = TypeVar("T")


class Tracing(Protocol):
    """What parts are wrapped in so that their work is traced."""

    def over(self, target: T, **spans: str) -> T:
        """Return `target` with its coroutine methods in the spans that are named."""

    def app(self, app: ASGIApp) -> ASGIApp:
        """Return an application whose requests are spans."""

    async def aclose(self) -> None:
        """Send what is left."""


class NoTracing:
    """Leaves everything as it is."""

    def over(self, target: T, **_spans: str) -> T:
        """Return `target`."""
        return target

    def app(self, app: ASGIApp) -> ASGIApp:
        """Return `app`."""
        return app

    async def aclose(self) -> None:
        """Do nothing."""


def tracing_of(settings: Settings) -> Tracing:
    """Return the tracing of the settings; raises `ConfigurationError` where it is not installed."""
    given = settings.operations
    if given.traces_url is None:
        return NoTracing()
    try:
        from enrol.adapters.tracing import exporting_provider, traced  # noqa: PLC0415
        from enrol.server.tracing import TracedApp  # noqa: PLC0415
    except ImportError as exc:
        raise ConfigurationError(
            "traces_not_installed",
            "operations.traces_url is set, and OpenTelemetry is not installed: "
            "pip install 'enrol[otel]'.",
        ) from exc
    provider = exporting_provider(given.traces_url, given.traces_share)
    tracer = provider.get_tracer("enrol")

    class Traces:
        def over(self, target: T, **spans: str) -> T:
            return traced(target, spans, tracer)

        def app(self, app: ASGIApp) -> ASGIApp:
            return TracedApp(app, tracer)

        async def aclose(self) -> None:
            await asyncio.to_thread(provider.shutdown)

    return Traces()
