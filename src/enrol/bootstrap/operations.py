"""What operators see of a server, from its start to its end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import structlog

from enrol.adapters.store import RegisterStore
from enrol.bootstrap.listening import operations_settings
from enrol.bootstrap.readiness import (
    check_of_drain,
    check_of_revocation,
    check_of_storage,
    check_of_trust,
    checks_of_register,
)
from enrol.bootstrap.readings import (
    ends_of_certificates,
    readings_of_certificates,
    readings_of_checks,
    readings_of_limits,
    readings_of_store,
    readings_of_trust,
)
from enrol.registration.meters import Meters, Reading
from enrol.registration.ports import Clock, RevocationSource, TrustSource
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.standing import RecheckReport
from enrol.server.drain import Drain
from enrol.server.listener_settings import ListenerSettings
from enrol.server.operations import Check, OperationsListener, operations_app
from enrol.settings import Settings

_log = structlog.get_logger("enrol.bootstrap")


class Operations:
    """The meters of a server, what is read beside them, and its readiness.

    Parts are made known as they come to be. Without a port in the settings nobody can ask.
    """

    def __init__(
        self, settings: Settings, clock: Clock, listening: socket.socket | None = None
    ) -> None:
        """Answer on a socket that is bound, or not at all."""
        self.meters = Meters()
        self.checks: dict[str, Check] = {}
        self._settings = settings
        self._clock = clock
        self._readings: list[Reading] = []
        self._ends: dict[str, datetime] = {}
        self._rechecked: tuple[RecheckReport, datetime] | None = None
        self._socket = listening
        self._listener: OperationsListener | None = None
        self.read(readings_of_certificates(self._ends))
        self.read(_readings_of_recheck(lambda: self._rechecked))

    def read(self, readings: Iterable[Reading]) -> None:
        """Show what else is read when metrics are asked for."""
        self._readings += readings

    def watch(
        self,
        *,
        store: RegisterStore,
        trust: TrustSource,
        revocations: RevocationSource,
        drain: Drain,
        limiters: Mapping[str, RateLimiter],
    ) -> None:
        """Show what the parts of the application say, and depend on them."""
        settings, clock = self._settings, self._clock
        self.read(readings_of_store(store))
        self.read(readings_of_trust(trust))
        self.read(readings_of_limits(limiters))
        self.checks |= {
            "draining": check_of_drain(drain),
            "storage": check_of_storage(store),
            "trust": check_of_trust(trust, clock),
            "revocation": check_of_revocation(settings, revocations, clock),
            **checks_of_register(settings, clock),
        }
        self.read(readings_of_checks(self.checks))

    def read_certificates(self) -> None:
        """Note when the server's own certificates end, as their files are now."""
        self._ends.update(ends_of_certificates(self._settings))

    def rechecked(self, report: RecheckReport) -> None:
        """Note what came of judging all clients anew."""
        self._rechecked = replace(report), self._clock()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Answer operators meanwhile, the end of the server included."""
        listening = operations_settings(self._settings)
        if listening is None or self._socket is None:
            yield
            return
        is_up = asyncio.Event()
        listener = self._listener = self._make_listener(listening, is_up)
        task = asyncio.create_task(listener.serve([self._socket]))
        await is_up.wait()
        try:
            yield
        finally:
            listener.stop()
            await task

    def retire(self) -> None:
        """Leave it to another process to answer operators from now on."""
        if self._listener is not None:
            self._listener.accept_no_more()

    def _make_listener(
        self, listening: ListenerSettings, is_up: asyncio.Event
    ) -> OperationsListener:
        """Return the listener; what renders metrics is imported only where somebody may ask."""
        from enrol.adapters.metrics import CONTENT_TYPE, Exposition  # noqa: PLC0415

        app = operations_app(
            metrics=Exposition(self.meters, self._readings).render,
            metrics_type=CONTENT_TYPE,
            checks=self.checks,
        )

        def say(host: str, port: int) -> None:
            _log.info("operations_listening", host=host, port=port)
            is_up.set()

        return OperationsListener(app, listening, clock=self._clock, on_ready=say)


def _readings_of_recheck(
    last: Callable[[], tuple[RecheckReport, datetime] | None],
) -> list[Reading]:
    """Return the clients as they were when they were last judged; counting them takes a while."""

    def of(read: Callable[[RecheckReport], int]) -> Callable[[], float | None]:
        def value() -> float | None:
            found = last()
            return None if found is None else read(found[0])

        return value

    def when() -> float | None:
        found = last()
        return None if found is None else found[1].timestamp()

    return [
        Reading("enrol_clients", "Clients, when last judged", of(lambda r: r.clients)),
        Reading(
            "enrol_clients_expiring",
            "Clients whose last good certificate ends within 30 days, when last judged",
            of(lambda r: r.expiring),
        ),
        Reading(
            "enrol_clients_undecided",
            "Clients about which nothing could be known, when last judged",
            of(lambda r: r.undecided),
        ),
        Reading(
            "enrol_clients_judged_timestamp_seconds", "When all clients were last judged", when
        ),
    ]
