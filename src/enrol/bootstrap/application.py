"""The application, its desks and its adapters."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import msgspec
import structlog
from starlette.types import ASGIApp

from enrol import __version__
from enrol.adapters.opening import open_register
from enrol.adapters.service_manager import feed_watchdog
from enrol.adapters.store import StoreSettings
from enrol.bootstrap.desks import (
    Parts,
    issued_token_desk,
    registration_desk,
    token_desk,
)
from enrol.bootstrap.housekeeping import (
    activate_clients,
    forget_expired_tokens,
    keep_head,
    recheck_clients,
    spare_the_collector,
)
from enrol.bootstrap.limiting import limiting_of
from enrol.bootstrap.operating import house_of, serve_commands
from enrol.bootstrap.operations import Operations
from enrol.bootstrap.station import Station
from enrol.bootstrap.telling import deliver_events, gateways_of, sender_of, told_events
from enrol.bootstrap.tracing import tracing_of
from enrol.bootstrap.trusting import (
    check_trust,
    entitlement_of,
    follow_lists,
    refresh_lists,
    revocations_of,
)
from enrol.oauth.server_metadata import TokenEndpoints, describe_server
from enrol.registration.certificates import CertificateJudge
from enrol.registration.client_secret import ClientSecrets
from enrol.registration.issued_tokens import Gateways
from enrol.registration.ports import Clock, TrustSource
from enrol.registration.preflight import PreflightDesk
from enrol.registration.response import shape_of
from enrol.server.app import Documents, build_app
from enrol.server.drain import Drain
from enrol.server.issued_tokens import IssuedTokenRoutes
from enrol.server.openapi import describe_api
from enrol.server.preflight import PreflightRoute
from enrol.server.public import Health
from enrol.server.resource import House
from enrol.server.room import Room
from enrol.server.routes import RegistrationRoutes, TokenRoute
from enrol.server.seal import Sealing, read_seal
from enrol.settings import Settings, read_secret

_log = structlog.get_logger("enrol.bootstrap")


def assemble(
    settings: Settings,
    *,
    trust: TrustSource,
    clock: Clock,
    drain: Drain,
    operations: Operations,
    station: Station,
) -> ASGIApp:
    """Return the application with its adapters; they open when it starts and close when it ends."""
    meters = operations.meters
    owners, sender, gateways = house_of(settings), sender_of(settings), gateways_of(settings)
    secret = read_secret(settings.server.secret)
    limiting, tracing = limiting_of(settings, secret, clock), tracing_of(settings)
    limiters = limiting.limiters
    revocations, rules = revocations_of(settings, meters.calls), settings.certificate_rules
    store = open_register(
        settings.location,
        StoreSettings(told=told_events(settings)),
        meter=meters.commits,
    )
    parts = Parts(
        settings=settings,
        clock=clock,
        secret=secret,
        store=store,
        judge=CertificateJudge(trust, revocations, rules),
        entitlement=entitlement_of(settings),
        client_secrets=ClientSecrets(secret, clock, settings.client_secret_lifetime),
        limiters=limiters,
        calls=meters.calls,
        tracing=tracing,
    )
    operations.watch(
        store=store, trust=trust, revocations=revocations, drain=drain, limiters=limiters.named()
    )

    operations.read(limiting.readings())

    def duties() -> tuple[Coroutine[object, object, None], ...]:
        """Return what one process of a node has to do."""
        return (
            forget_expired_tokens(store, clock),
            *refresh_lists(settings, trust, clock),
            recheck_clients(settings, trust, store, clock, operations),
            activate_clients(store.clients, clock),
            keep_head(store, settings.seen_head),
            deliver_events(settings, sender, store.outbox, clock),
        )

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        housekeeping = [
            asyncio.create_task(each)
            for each in (
                feed_watchdog(station.superior),
                store.watch(),
                limiting.serve(),
                *follow_lists(trust),
                *(duties() if station.is_first else ()),
            )
        ]
        spare_the_collector()
        async with operations.served():
            async with serve_commands(settings, station.control, owners, store, clock):
                yield
            for each in housekeeping:
                each.cancel()
            await asyncio.gather(*housekeeping, return_exceptions=True)
            await store.aclose()
            await tracing.aclose()

    app = build_app(
        house=House(
            clock=clock,
            limits=settings.request_limits,
            room=Room(settings.limits.in_flight, meters),
            failures=limiters.failures,
            error_base=error_base(settings),
            sealing=sealing_of(settings),
            meters=meters,
        ),
        drain=drain,
        paths=settings.paths,
        registration=RegistrationRoutes(
            registration_desk(parts),
            _register_uri(settings),
            secret,
            clock,
            dialect=settings.dialect,
            shape=shape_of(settings.dialect),
            error_base=error_base(settings),
            client_secrets=parts.client_secrets,
        ),
        token=TokenRoute(token_desk(parts), settings.dialect.metadata.token_endpoint_auth_methods),
        issued_tokens=IssuedTokenRoutes(issued_token_desk(parts, gateways)),
        preflight=PreflightRoute(
            PreflightDesk(trust, revocations, rules, parts.entitlement),
            clock,
            limiters.requests,
            limiters.failures,
        ),
        health=Health(drain, store.healthy, lambda: check_trust(trust, at=clock())),
        documents=_documents(settings, gateways),
        lifespan=lifespan,
        listing=settings.registration.listing,
    )
    return tracing.app(app)


def sealing_of(settings: Settings) -> Sealing | None:
    """Return what signs the answers of the registration endpoint, None where nothing does."""
    given = settings.signatures
    if given.response_certificate is None or given.response_key is None:
        return None
    seal = read_seal(given.response_certificate, given.response_key, keyid=given.response_key_id)
    return Sealing(seal, settings.paths.register.encode("ascii"))


def _register_uri(settings: Settings) -> str:
    return settings.public_url + settings.paths.register


def error_base(settings: Settings) -> str:
    """Return the URI that the code of a refusal is appended to."""
    return f"{settings.public_url}/errors/"


def _documents(settings: Settings, gateways: Gateways) -> Documents:
    desk, paths = settings.desk, settings.paths
    metadata = describe_server(
        issuer=settings.public_url,
        endpoints=TokenEndpoints(
            paths.token, paths.revocation, paths.introspection, gateways.methods
        ),
        register_uri=_register_uri(settings),
        scopes=tuple(desk.dialect.metadata.scopes),
        auth_methods=desk.dialect.metadata.token_endpoint_auth_methods,
    )
    description = describe_api(
        version=__version__,
        server_url=settings.public_url,
        paths=paths,
        dialect=desk.dialect,
        listing=settings.registration.listing,
        gateway_methods=gateways.methods,
    )
    return Documents(
        server_metadata=msgspec.json.encode(metadata),
        openapi=description if settings.server.openapi else None,
    )
