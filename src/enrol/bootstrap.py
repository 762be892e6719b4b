"""The one place where the parts are joined."""

import asyncio
import gc
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import structlog
from starlette.types import ASGIApp

from enrol import __version__
from enrol.adapters.database import SchemaState, schema_state, was_opened
from enrol.adapters.fetch import HttpsCertificateFetcher, NoFetcher
from enrol.adapters.recheck import leisurely, recheck_at_leisure, take_what_is_handed_over
from enrol.adapters.register.licences import SqliteLicenceRegister
from enrol.adapters.revocation import OnlineRevocationSource
from enrol.adapters.store import SqliteStore
from enrol.adapters.telemetry import configure_logging
from enrol.adapters.trust import FileRevocationSource, FileTrustSource
from enrol.adapters.trustlists.source import NoTrustSource, SnapshotTrustSource
from enrol.adapters.trustlists.supervisor import Rhythm, keep_fresh
from enrol.adapters.unix_socket import bind_unix_socket
from enrol.eidas.loading import silence_warnings_of_names
from enrol.eidas.validate import check_current
from enrol.errors import UnavailableError
from enrol.explanations import explain
from enrol.oauth.server_metadata import describe_server
from enrol.registration.authenticate import Authenticator
from enrol.registration.certificates import CertificateJudge
from enrol.registration.entitlement import Entitlement
from enrol.registration.granting import Granting
from enrol.registration.grants import TokenDesk
from enrol.registration.keys import KeyFinder
from enrol.registration.ports import (
    CertificateFetcher,
    ClientStates,
    Clock,
    RevocationSource,
    TrustSource,
)
from enrol.registration.preflight import PreflightDesk
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.response import shape_of
from enrol.registration.service import RegistrationDesk
from enrol.registration.standing import Pace, Recheck
from enrol.server.app import Documents, build_app
from enrol.server.drain import Drain
from enrol.server.hop import ROOM, Hop, fingerprints
from enrol.server.listener import Listener, run_listener
from enrol.server.listener_settings import ListenerSettings
from enrol.server.openapi import describe_api
from enrol.server.peer import Acquaintance, know_by_handshake
from enrol.server.preflight import PreflightRoute
from enrol.server.public import Health
from enrol.server.resource import House
from enrol.server.routes import RegistrationRoutes, TokenRoute
from enrol.server.seal import Sealing, read_seal
from enrol.server.tls import TlsSettings, server_context
from enrol.settings import Settings, read_secret

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application


_HOUR = 3600.0
_GC_THRESHOLDS = (20_000, 20, 100)
_FIRST_RECHECK = 600.0
_log = structlog.get_logger("enrol.bootstrap")


def run(settings: Settings, *, clock: Clock, on_ready: Callable[[str, int], None]) -> int:
    """Serve until told to stop, and return the exit code of the process.

    `on_ready` is called with host and port once connections are accepted. Raises
    `ConfigurationError` before that. A database is made at the first start only: one that was
    there and is missing now is not replaced by an empty one.
    """
    configure_logging(sys.stderr, line_format=settings.log.format)
    silence_warnings_of_names()
    path = settings.storage.path
    bring_up_to_date(path, create=not was_opened(path))
    drain = Drain()
    trust = _trust(settings)

    def follow_trust(listener: Listener) -> None:
        if isinstance(trust, SnapshotTrustSource) and settings.proxy.hop == "off":
            trust.follow(lambda cas: listener.use(server_context(_tls_settings(settings, cas))))

    return run_listener(
        cast("ASGI3Application", assemble(settings, trust=trust, clock=clock, drain=drain)),
        _listener_settings(settings),
        tls=_tls_settings(settings, _authorities(settings, trust))
        if settings.proxy.hop != "socket"
        else None,
        know=_acquaintance(settings),
        sockets=_sockets(settings),
        drain=drain,
        clock=clock,
        error_base=_error_base(settings),
        on_ready=on_ready,
        on_listener=follow_trust,
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
    _revocations(settings)
    _sealing(settings)
    _acquaintance(settings)
    if settings.proxy.hop != "socket":
        server_context(_tls_settings(settings, _authorities(settings, _trust(settings))))


def preflight_desk(settings: Settings) -> PreflightDesk:
    """Return the desk that examines certificates by what the settings trust."""
    return PreflightDesk(
        _trust(settings),
        _revocations(settings),
        settings.certificate_rules,
        _entitlement(settings),
    )


def assemble(settings: Settings, *, trust: TrustSource, clock: Clock, drain: Drain) -> ASGIApp:
    """Return the application with its adapters; they open when it starts and close when it ends."""
    secret = read_secret(settings.server.secret)
    store = SqliteStore.open(settings.storage.path)
    limits = settings.limits
    requests = RateLimiter(settings.rate(limits.requests_per_minute))
    revocations, rules = _revocations(settings), settings.certificate_rules
    judge = CertificateJudge(trust, revocations, rules)
    failures = RateLimiter(settings.rate(limits.failures_per_minute))
    authenticator = _authenticator(settings)(
        judge=judge,
        keys=KeyFinder(store.clients, _fetcher(settings)),
        clients=store.clients,
        tokens=store.tokens,
        secret=secret,
        clock=clock,
        dialect=settings.dialect,
        signatures=settings.signature_policies,
        requests=requests,
    )
    entitlement = _entitlement(settings)
    desk = RegistrationDesk(
        authenticator=authenticator,
        granting=Granting(judge, entitlement, settings.dialect, secrets.token_bytes),
        clients=store.clients,
        audit=store.audit,
        clock=clock,
        settings=settings.desk,
        registrations=RateLimiter(settings.rate(limits.registrations_per_minute)),
    )
    grants = TokenDesk(
        judge=judge,
        entitlement=entitlement,
        clients=store.clients,
        tokens=store.tokens,
        clock=clock,
        random=secrets.token_bytes,
        settings=settings.grants,
        requests=requests,
    )

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        housekeeping = [
            asyncio.create_task(each)
            for each in (
                _forget_expired_tokens(store, clock),
                *_follow_lists(settings, trust, clock),
                take_what_is_handed_over(settings.storage.path, store.clients),
                _recheck_clients(settings, trust, store.clients, clock),
            )
        ]
        _spare_the_collector()
        yield
        for each in housekeeping:
            each.cancel()
        await asyncio.gather(*housekeeping, return_exceptions=True)
        await store.aclose()

    return build_app(
        house=House(
            clock=clock,
            limits=settings.request_limits,
            failures=failures,
            error_base=_error_base(settings),
            sealing=_sealing(settings),
        ),
        drain=drain,
        paths=settings.paths,
        registration=RegistrationRoutes(
            desk,
            _register_uri(settings),
            secret,
            dialect=settings.dialect,
            shape=shape_of(settings.dialect),
            error_base=_error_base(settings),
        ),
        token=TokenRoute(grants),
        preflight=PreflightRoute(
            PreflightDesk(trust, revocations, rules, entitlement), clock, requests, failures
        ),
        health=Health(drain, store.healthy, lambda: _check_trust(trust, at=clock())),
        documents=_documents(settings),
        lifespan=lifespan,
        listing=settings.registration.listing,
    )


def _authenticator(settings: Settings) -> type[Authenticator]:
    """Return who believes requests; one who explains refusals is imported on a test system only."""
    if not settings.registration.explain_refusals:
        return Authenticator
    from enrol.registration.explained import ExplainingAuthenticator  # noqa: PLC0415

    _log.warning("refused signatures are explained in the answer; not for production")
    return ExplainingAuthenticator


def _spare_the_collector() -> None:
    """Let garbage collection pass over what the start made, and come less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


async def _forget_expired_tokens(store: SqliteStore, clock: Clock) -> None:
    """Delete expired tokens at start and every hour; a register that cannot now can later."""
    while True:
        try:
            await store.purge_tokens(clock())
        except UnavailableError as exc:
            _log.warning("expired tokens stay for an hour", code=exc.code)
        await asyncio.sleep(_HOUR)


async def _recheck_clients(
    settings: Settings, trust: TrustSource, states: ClientStates, clock: Clock
) -> None:
    """Judge all clients anew soon after the start, then as often as is set; to be cancelled."""
    await asyncio.sleep(_FIRST_RECHECK)
    while True:
        recheck = _recheck(settings, trust, at=clock(), pace=leisurely())
        try:
            report = await recheck_at_leisure(states, recheck)
        except Exception:  # whatever it fails of, the next one is tried
            _log.exception("clients_recheck_failed")
        else:
            _log.info("clients_rechecked", **asdict(report))
        await asyncio.sleep(settings.trust.recheck_hours * _HOUR)


def recheck_of(settings: Settings, *, at: datetime) -> Recheck:
    """Return a re-check of clients by what the settings trust."""
    return _recheck(settings, _trust(settings), at=at)


def _recheck(
    settings: Settings, trust: TrustSource, *, at: datetime, pace: Pace | None = None
) -> Recheck:
    """Return a re-check, which remembers verdicts itself and leaves those of the desk alone."""
    return Recheck(
        judge=CertificateJudge(
            trust, _revocations(settings), settings.certificate_rules, remembered=0
        ),
        entitlement=_entitlement(settings),
        dialect=settings.dialect,
        at=at,
        pace=pace,
    )


def _trust(settings: Settings) -> TrustSource:
    """Return whom the settings trust, and say so where it is nobody, or nobody qualified."""
    given, job = settings.trust, settings.refresh_job
    if given.source == "sandbox":
        _log.warning("trust_is_a_sandbox", meaning="certificates believed here are not qualified")
    if given.source == "none":
        _log.warning("trust_source_none", remedy=explain("trust_source_none").remedy)
        return NoTrustSource()
    if job is None:
        return FileTrustSource(given.anchors)
    return SnapshotTrustSource(Path(job.snapshot), grace=timedelta(days=job.grace))


def _check_trust(trust: TrustSource, *, at: datetime) -> None:
    """Raise `UnavailableError` where nobody can be judged; the code says why."""
    if isinstance(trust, NoTrustSource):
        raise UnavailableError("trust_source_none")
    check_current(trust.anchors(), at=at)


def _follow_lists(
    settings: Settings, trust: TrustSource, clock: Clock
) -> list[Coroutine[object, object, None]]:
    """Return what keeps a snapshot fresh, and what notices that it is."""
    job = settings.refresh_job
    if job is None or not isinstance(trust, SnapshotTrustSource):
        return []
    every = timedelta(hours=settings.trust.refresh_hours)
    rhythm = Rhythm(every, clock, lambda: trust.made_at)
    return [trust.watch(), keep_fresh(job, rhythm)]


def _entitlement(settings: Settings) -> Entitlement:
    return Entitlement(SqliteLicenceRegister(settings.register_path), settings.entitlement)


def _revocations(settings: Settings) -> RevocationSource:
    """Return who is asked about revocations, and say so where nobody need answer."""
    at_hand = FileRevocationSource(settings.trust.revocation_lists)
    if settings.revocation.mode == "warn":
        _log.warning(
            "revocation_not_required",
            meaning="certificates whose revocation cannot be checked are let in UNCHECKED",
            remedy='set revocation.mode = "require"',
        )
    if not settings.revocation.online:
        return at_hand
    return OnlineRevocationSource(at_hand, settings.inquiry_policy)


def _fetcher(settings: Settings) -> CertificateFetcher:
    if not settings.key_urls.fetch:
        return NoFetcher()
    return HttpsCertificateFetcher(settings.fetch_policy)


def _sealing(settings: Settings) -> Sealing | None:
    given = settings.signatures
    if given.response_certificate is None or given.response_key is None:
        return None
    seal = read_seal(given.response_certificate, given.response_key, keyid=given.response_key_id)
    return Sealing(seal, settings.paths.register.encode("ascii"))


def _authorities(settings: Settings, trust: TrustSource) -> tuple[bytes, ...]:
    """Return the CAs of the TPPs that come over TLS, PEM."""
    if isinstance(trust, SnapshotTrustSource):
        return trust.authorities()
    return tuple(path.read_bytes() for path in settings.trust.anchors)


def _tls_settings(settings: Settings, authorities: tuple[bytes, ...]) -> TlsSettings:
    if settings.proxy.hop == "tls":
        authorities = tuple(path.read_bytes() for path in settings.proxy.certificates)
    certificate, key = settings.server.certificate, settings.server.key
    assert certificate is not None  # noqa: S101 - checked when the settings were loaded
    assert key is not None  # noqa: S101 - same
    return TlsSettings(
        certificate=certificate,
        key=key,
        client_authorities=authorities or None,
    )


def _acquaintance(settings: Settings) -> Acquaintance:
    """Return how the listener gets to know TPPs: by the handshake, or through a proxy."""
    given = settings.proxy
    if given.hop == "off":
        return know_by_handshake
    return Hop(
        secrets=tuple(read_secret(path) for path in given.secrets),
        certificates=None if given.hop == "socket" else fingerprints(given.certificates),
        states_address=given.client_address,
    ).know


def _sockets(settings: Settings) -> list[socket.socket] | None:
    """Return the socket a proxy comes by; None lets the listener bind its own address."""
    return [bind_unix_socket(settings.proxy.socket)] if settings.proxy.socket is not None else None


def _listener_settings(settings: Settings) -> ListenerSettings:
    limits, deadlines = settings.limits, settings.deadlines
    added_bytes, added_fields = (0, 0) if settings.proxy.hop == "off" else ROOM
    return ListenerSettings(
        host=settings.server.host,
        port=settings.server.port,
        connections=limits.connections,
        request_line_bytes=limits.request_line_bytes,
        header_bytes=limits.header_bytes + added_bytes,
        header_fields=limits.header_fields + added_fields,
        handshake=deadlines.handshake,
        headers=deadlines.headers,
        idle=deadlines.idle,
        write=deadlines.write,
        drain=deadlines.drain,
    )


def _register_uri(settings: Settings) -> str:
    return settings.public_url + settings.paths.register


def _error_base(settings: Settings) -> str:
    return f"{settings.public_url}/errors/"


def _documents(settings: Settings) -> Documents:
    desk = settings.desk
    metadata = describe_server(
        issuer=settings.public_url,
        token_path=settings.paths.token,
        register_uri=_register_uri(settings),
        scopes=tuple(desk.dialect.metadata.scopes),
    )
    description = describe_api(
        version=__version__,
        server_url=settings.public_url,
        paths=settings.paths,
        dialect=desk.dialect,
        listing=settings.registration.listing,
    )
    return Documents(
        server_metadata=msgspec.json.encode(metadata),
        openapi=description if settings.server.openapi else None,
    )
