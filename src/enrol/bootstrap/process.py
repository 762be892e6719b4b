"""A server from its start to its end."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from enrol.adapters.database import SchemaState, schema_state, was_opened
from enrol.adapters.service_manager import READY, tell_service_manager
from enrol.adapters.telemetry import configure_logging
from enrol.adapters.trustlists.source import SnapshotTrustSource
from enrol.bootstrap.application import assemble, error_base, sealing_of
from enrol.bootstrap.listening import acquaintance_of, listener_settings, sockets_of, tls_settings
from enrol.bootstrap.operating import house_of
from enrol.bootstrap.operations import Operations
from enrol.bootstrap.readings import reading_of_log, readings_of_listener
from enrol.bootstrap.stating import statements_of
from enrol.bootstrap.telling import gateways_of, sender_of
from enrol.bootstrap.tracing import tracing_of
from enrol.bootstrap.trusting import authorities_of, revocations_of, trust_of
from enrol.eidas.loading import silence_warnings_of_names
from enrol.registration.ports import Clock
from enrol.server.drain import Drain
from enrol.server.listener import Listener, run_listener
from enrol.server.tls import server_context
from enrol.settings import Settings, read_secret

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application


def run(settings: Settings, *, clock: Clock, on_ready: Callable[[str, int], None]) -> int:
    """Serve until told to stop, and return the exit code of the process.

    `on_ready` is called with host and port once connections are accepted. Raises
    `ConfigurationError` before that. A database is made at the first start only: one that was
    there and is missing now is not replaced by an empty one.
    """
    sink = configure_logging(sys.stderr, line_format=settings.log.format)
    silence_warnings_of_names()
    path = settings.storage.path
    bring_up_to_date(path, create=not was_opened(path))
    drain = Drain()
    trust = trust_of(settings)
    operations = Operations(settings, clock)
    operations.read([reading_of_log(sink)])
    operations.read_certificates()

    def know_listener(listener: Listener) -> None:
        def use(cas: tuple[bytes, ...]) -> None:
            listener.use(server_context(tls_settings(settings, cas)))
            operations.read_certificates()

        operations.read(readings_of_listener(listener))
        if isinstance(trust, SnapshotTrustSource) and settings.proxy.hop == "off":
            trust.follow(use)

    def ready(host: str, port: int) -> None:
        on_ready(host, port)
        tell_service_manager(READY)

    app = assemble(settings, trust=trust, clock=clock, drain=drain, operations=operations)
    return run_listener(
        cast("ASGI3Application", app),
        listener_settings(settings),
        tls=tls_settings(settings, authorities_of(settings, trust))
        if settings.proxy.hop != "socket"
        else None,
        know=acquaintance_of(settings),
        sockets=sockets_of(settings),
        drain=drain,
        clock=clock,
        error_base=error_base(settings),
        on_ready=ready,
        on_listener=know_listener,
        meters=operations.meters,
    )


def bring_up_to_date(path: Path, *, create: bool = True) -> None:
    """Bring the schema of the database at `path` up to date, or make one if `create` is true.

    Raises `ConfigurationError`.
    """
    if schema_state(path) is not SchemaState.CURRENT:
        # the tool for migrations takes as much memory and time as the server: only where needed
        from enrol.adapters.migration import migrate  # noqa: PLC0415

        migrate(path, create=create)


def check(settings: Settings) -> None:
    """Read the files the settings name; raises `ConfigurationError` for one that is wrong."""
    read_secret(settings.server.secret)
    revocations_of(settings)
    sealing_of(settings)
    acquaintance_of(settings)
    gateways_of(settings)
    tracing_of(settings)
    house_of(settings)
    sender_of(settings)
    statements_of(settings)
    if settings.proxy.hop != "socket":
        server_context(tls_settings(settings, authorities_of(settings, trust_of(settings))))
