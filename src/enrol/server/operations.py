"""What operators ask a server, on a listener of its own: metrics, and whether it lives and works.

Nothing here comes from a TPP, and nothing here is for one.
"""

import contextlib
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from enrol.errors import RefusalError
from enrol.server.answer import Answer
from enrol.server.drain import Drain
from enrol.server.listener import Listener
from enrol.server.listener_settings import ListenerSettings
from enrol.server.wire import closing_answer

_JSON: Final = "application/json"
_NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether one thing that requests need is there, and why, in words for an operator."""

    ok: bool
    why: str


Check = Callable[[], Condition]


class ConditionBody(msgspec.Struct, frozen=True):
    """One check by itself."""

    ok: bool
    why: str


class ReadinessBody(msgspec.Struct, frozen=True):
    """Whether a server may be given requests; each check by its name."""

    ready: bool
    checks: dict[str, ConditionBody]


def operations_app(
    *,
    metrics: Callable[[], bytes],
    metrics_type: str,
    checks: Mapping[str, Check],
) -> ASGIApp:
    """Return the application: ``/metrics``, ``/health/live`` and ``/health/ready``."""

    async def get_metrics(_: Request) -> Response:
        return Response(metrics(), headers=_NO_STORE, media_type=metrics_type)

    async def get_live(_: Request) -> Response:
        """Answer 200: whoever can answer lives."""
        return Response(b'{"live":true}', headers=_NO_STORE, media_type=_JSON)

    async def get_ready(_: Request) -> Response:
        """Answer 200, or 503 where one of the checks fails."""
        found = {name: check() for name, check in checks.items()}
        ready = all(condition.ok for condition in found.values())
        told = {name: ConditionBody(each.ok, each.why) for name, each in found.items()}
        return Response(
            msgspec.json.encode(ReadinessBody(ready, told)),
            200 if ready else 503,
            headers=_NO_STORE,
            media_type=_JSON,
        )

    endpoints: Iterable[tuple[str, Callable[[Request], Awaitable[Response]]]] = (
        ("/metrics", get_metrics),
        ("/health/live", get_live),
        ("/health/ready", get_ready),
    )
    return Router([Route(path, endpoint) for path, endpoint in endpoints], redirect_slashes=False)


class OperationsListener(Listener):
    """A plain listener beside the one for TPPs, in the same loop; it leaves signals to that."""

    def __init__(
        self,
        app: ASGIApp,
        settings: ListenerSettings,
        *,
        clock: Callable[[], datetime],
        on_ready: Callable[[str, int], None],
    ) -> None:
        def closing(refusal: RefusalError) -> Answer:
            return closing_answer(refusal, at=clock(), error_base="")

        super().__init__(
            app,  # type: ignore[arg-type]  # uvicorn's own names for the same thing
            settings,
            tls=None,
            drain=Drain(),
            closing=closing,
            on_ready=on_ready,
            know=lambda _: lambda fields: ({}, fields),
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield
