"""A server from its start to its end."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from enrol.adapters.clock import system_clock
from enrol.adapters.opening import prepare_register
from enrol.adapters.seen_head import check_not_rolled_back
from enrol.adapters.service_manager import READY
from enrol.adapters.telemetry import configure_logging
from enrol.adapters.trustlists.source import SnapshotTrustSource
from enrol.bootstrap.application import assemble, error_base, sealing_of
from enrol.bootstrap.limiting import limiting_of
from enrol.bootstrap.listening import acquaintance_of, listener_settings, tls_settings
from enrol.bootstrap.operating import house_of
from enrol.bootstrap.operations import Operations
from enrol.bootstrap.readings import reading_of_log, readings_of_listener
from enrol.bootstrap.stating import statements_of
from enrol.bootstrap.station import Station, bound_sockets
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
    """Serve in this process until told to stop, and return its exit code.

    `on_ready` is called with host and port once connections are accepted. Raises
    `ConfigurationError` before that.
    """
    with bound_sockets(settings, workers=1) as sockets:
        return serve(settings, Station(sockets), clock=clock, on_ready=on_ready)


def serve(
    settings: Settings, station: Station, *, clock: Clock, on_ready: Callable[[str, int], None]
) -> int:
    """Serve as one of the processes of a server; as `run` else."""
    worker = station.number if station.size > 1 else None
    sink = configure_logging(sys.stderr, line_format=settings.log.format, worker=worker)
    silence_warnings_of_names()
    prepare_register(settings.location)
    check_not_rolled_back(settings.location, settings.seen_head)
    drain = Drain()
    trust = trust_of(settings)
    operations = Operations(settings, clock, station.operations)
    operations.read([reading_of_log(sink)])
    operations.read_certificates()

    listeners: list[Listener] = []

    def know_listener(listener: Listener) -> None:
        def use(cas: tuple[bytes, ...]) -> None:
            listener.use(server_context(tls_settings(settings, cas)))
            operations.read_certificates()

        listeners.append(listener)
        operations.read(readings_of_listener(listener))
        if isinstance(trust, SnapshotTrustSource) and settings.proxy.hop == "off":
            trust.follow(use)

    def ready(host: str, port: int) -> None:
        on_ready(host, port)
        station.superior.heed(retire=retire, stop=listeners[0].stop)
        station.superior.tell(READY)

    def retire() -> None:
        operations.retire()
        listeners[0].retire()

    app = assemble(
        settings, trust=trust, clock=clock, drain=drain, operations=operations, station=station
    )
    return run_listener(
        cast("ASGI3Application", app),
        listener_settings(settings),
        tls=tls_settings(settings, authorities_of(settings, trust))
        if settings.proxy.hop != "socket"
        else None,
        know=acquaintance_of(settings),
        sockets=[station.sockets.tpps],
        drain=drain,
        clock=clock,
        error_base=error_base(settings),
        on_ready=ready,
        on_listener=know_listener,
        meters=operations.meters,
    )


def check(settings: Settings) -> None:
    """Read the files the settings name; raises `ConfigurationError` for one that is wrong."""
    secret = read_secret(settings.server.secret)
    limiting_of(settings, secret, system_clock)
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
