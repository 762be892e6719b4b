"""A server of several processes: what the supervisor and its workers do."""

import gc
import sys
from collections.abc import Callable

from enrol.adapters.dialects import load_dialect
from enrol.adapters.telemetry import configure_logging
from enrol.bootstrap.process import check, serve
from enrol.bootstrap.station import Station, bound_sockets
from enrol.bootstrap.workers.crew import Crew
from enrol.bootstrap.workers.line import Line
from enrol.bootstrap.workers.supervisor import Supervisor, Trade
from enrol.bootstrap.workers.worker import Patience
from enrol.errors import ConfigurationError
from enrol.registration.ports import Clock
from enrol.settings import Settings

_MARGIN = 10.0
"""Seconds beyond the deadlines after which a worker that leaves is killed."""


def run_workers(
    reread: Callable[[], Settings],
    *,
    workers: int,
    clock: Clock,
    on_ready: Callable[[str, int], None],
    report: Callable[[ConfigurationError], int],
) -> int:
    """Serve with so many processes until told to stop, and return the exit code.

    `reread` returns the settings as they are. `on_ready` is called with host and port once all
    workers serve, `report` with what is wrong with the settings, and returns the exit code.
    Raises `ConfigurationError` before anything is started.
    """
    settings = reread()
    check_number(settings, workers)
    configure_logging(sys.stderr, line_format=settings.log.format)
    with bound_sockets(settings, workers=workers) as sockets:

        def be_worker(settings: Settings, number: int, line: Line) -> int:
            station = Station(sockets, number, workers, line)
            try:
                return serve(settings, station, clock=clock, on_ready=lambda *_: None)
            except ConfigurationError as exc:
                return report(exc)

        def reread_all() -> Settings:
            load_dialect.cache_clear()  # of a file, which may have changed as well
            return reread()

        def check_anew(given: Settings) -> None:
            check_reloadable(settings, given)
            check_number(given, workers)
            check(given)

        def ready() -> None:
            address = sockets.tpps.getsockname()
            on_ready(*((address, 0) if isinstance(address, str) else address[:2]))

        if settings.is_shared:  # it takes a server on SQLite memory for nothing
            import enrol.adapters.postgres.store  # noqa: F401, PLC0415
        gc.freeze()  # what is loaded is in common to all processes, and stays so
        crew = Crew(workers, overlaps=settings.is_shared, patience=patience_of(settings))
        return Supervisor(Trade(be_worker, reread_all, check_anew, ready), settings, crew).run()


def patience_of(settings: Settings) -> Patience:
    """Return how long workers may take."""
    drain = settings.deadlines.drain
    farewell = drain if settings.is_shared else 0.0
    return Patience(retire=farewell + drain + _MARGIN, stop=drain + _MARGIN)


def check_number(settings: Settings, workers: int) -> None:
    """Refuse several processes where one alone may have the register."""
    if workers > 1 and not settings.is_shared:
        raise ConfigurationError(
            "workers_need_postgresql",
            f"storage.path is a file of SQLite, which one process may write: before SQLite 3.51.3 "
            f"two of them can damage it. Start one worker, or set storage.url and serve a database "
            f"of PostgreSQL with {workers}.",
        )


def check_reloadable(before: Settings, now: Settings) -> None:
    """Refuse settings that differ in what is bound or opened once; those need a restart."""
    fixed, given = _fixed(before), _fixed(now)
    changed = [name for name, value in fixed.items() if given[name] != value]
    if changed:
        raise ConfigurationError(
            "restart_needed", f"{', '.join(changed)}: a change needs a restart, not a reload."
        )


def _fixed(settings: Settings) -> dict[str, object]:
    return {
        "server.host": settings.server.host,
        "server.port": settings.server.port,
        "server.operators": settings.server.operators,
        "proxy.socket": settings.proxy.socket,
        "operations.host": settings.operations.host,
        "operations.port": settings.operations.port,
        "storage.path": settings.storage.path,
        "storage.state": settings.storage.state,
    }
