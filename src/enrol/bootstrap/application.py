"""The application, its desks and its adapters."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import structlog
from starlette.types import ASGIApp

from enrol import __version__
from enrol.adapters.fetch import HttpsCertificateFetcher, NoFetcher
from enrol.adapters.service_manager import feed_watchdog
from enrol.adapters.store import SqliteStore
from enrol.bootstrap.housekeeping import (
    activate_clients,
    forget_expired_tokens,
    recheck_clients,
    spare_the_collector,
)
from enrol.bootstrap.operating import house_of, serve_commands
from enrol.bootstrap.operations import Operations
from enrol.bootstrap.stating import statements_of
from enrol.bootstrap.telling import deliver_events, gateways_of, sender_of, told_events
from enrol.bootstrap.tracing import tracing_of
from enrol.bootstrap.trusting import check_trust, entitlement_of, follow_lists, revocations_of
from enrol.oauth.server_metadata import TokenEndpoints, describe_server
from enrol.registration.authenticate import Authenticator
from enrol.registration.certificates import CertificateJudge
from enrol.registration.client_authentication import ClientAuthenticator
from enrol.registration.client_secret import ClientSecrets
from enrol.registration.granting import Granting
from enrol.registration.grants import TokenDesk
from enrol.registration.issued_tokens import Gateways, IssuedTokenDesk
from enrol.registration.keys import KeyFinder
from enrol.registration.meters import CallMeter
from enrol.registration.ports import CertificateFetcher, Clock, TrustSource
from enrol.registration.preflight import PreflightDesk
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.response import shape_of
from enrol.registration.service import RegistrationDesk
from enrol.server.app import Documents, build_app
from enrol.server.drain import Drain
from enrol.server.issued_tokens import IssuedTokenRoutes
from enrol.server.openapi import describe_api
from enrol.server.preflight import PreflightRoute
from enrol.server.public import Health
from enrol.server.resource import House
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
    operations: Operations | None = None,
) -> ASGIApp:
    """Return the application with its adapters; they open when it starts and close when it ends."""
    operations = operations or Operations(settings, clock)
    meters = operations.meters
    secret = read_secret(settings.server.secret)
    sender, gateways = sender_of(settings), gateways_of(settings)
    owners = house_of(settings)
    store = SqliteStore.open(
        settings.storage.path, told=told_events(settings), meter=meters.commits
    )
    limits = settings.limits
    requests = RateLimiter(settings.rate(limits.requests_per_minute))
    revocations, rules = revocations_of(settings, meters.calls), settings.certificate_rules
    judge = CertificateJudge(trust, revocations, rules)
    failures = RateLimiter(settings.rate(limits.failures_per_minute))
    registrations = RateLimiter(settings.rate(limits.registrations_per_minute))
    tracing = tracing_of(settings)
    authenticator = _authenticator(settings)(
        judge=judge,
        keys=KeyFinder(store.clients, _fetcher(settings, meters.calls)),
        clients=store.clients,
        tokens=store.tokens,
        secret=secret,
        clock=clock,
        dialect=settings.dialect,
        signatures=settings.signature_policies,
        requests=requests,
    )
    entitlement = entitlement_of(settings)
    client_secrets = ClientSecrets(secret, clock, settings.client_secret_lifetime)
    desk = RegistrationDesk(
        authenticator=tracing.over(authenticator, authenticate="authenticate"),
        granting=tracing.over(
            Granting(
                *(judge, entitlement, settings.dialect, secrets.token_bytes),
                *(client_secrets, statements_of(settings)),
            ),
            new_record="decide",
            next_record="decide",
        ),
        clients=tracing.over(store.clients, commit="commit"),
        audit=store.audit,
        clock=clock,
        settings=settings.desk,
        registrations=registrations,
    )
    grants = TokenDesk(
        judge=judge,
        entitlement=entitlement,
        clients=store.clients,
        tokens=tracing.over(store.tokens, add="commit"),
        clock=clock,
        random=secrets.token_bytes,
        settings=settings.grants,
        requests=requests,
        authenticator=ClientAuthenticator(
            judge=judge, secrets=client_secrets, audience=_token_audience(settings)
        ),
    )
    issued_tokens = IssuedTokenDesk(
        gateways=gateways,
        judge=judge,
        clients=store.clients,
        tokens=store.tokens,
        clock=clock,
        issuer=settings.public_url,
        generic_client_id=settings.grants.generic_client_id,
        questions=RateLimiter(settings.rate(settings.introspection.requests_per_minute)),
        requests=requests,
    )

    operations.watch(
        store=store,
        trust=trust,
        revocations=revocations,
        drain=drain,
        limiters={"requests": requests, "registrations": registrations, "failures": failures},
    )

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        housekeeping = [
            asyncio.create_task(each)
            for each in (
                feed_watchdog(),
                forget_expired_tokens(store, clock),
                *follow_lists(settings, trust, clock),
                recheck_clients(settings, trust, store.clients, clock, operations),
                activate_clients(store.clients, clock),
                deliver_events(settings, sender, store.outbox, clock),
            )
        ]
        spare_the_collector()
        async with operations.served():
            async with serve_commands(settings, owners, store, clock):
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
            failures=failures,
            error_base=error_base(settings),
            sealing=sealing_of(settings),
            meters=meters,
        ),
        drain=drain,
        paths=settings.paths,
        registration=RegistrationRoutes(
            desk,
            _register_uri(settings),
            secret,
            clock,
            dialect=settings.dialect,
            shape=shape_of(settings.dialect),
            error_base=error_base(settings),
            client_secrets=client_secrets,
        ),
        token=TokenRoute(grants, settings.dialect.metadata.token_endpoint_auth_methods),
        issued_tokens=IssuedTokenRoutes(issued_tokens),
        preflight=PreflightRoute(
            PreflightDesk(trust, revocations, rules, entitlement), clock, requests, failures
        ),
        health=Health(drain, store.healthy, lambda: check_trust(trust, at=clock())),
        documents=_documents(settings, gateways),
        lifespan=lifespan,
        listing=settings.registration.listing,
    )
    return tracing.app(app)


def _authenticator(settings: Settings) -> type[Authenticator]:
    """Return who believes requests; one who explains refusals is imported on a test system only."""
    if not settings.registration.explain_refusals:
        return Authenticator
    from enrol.registration.explained import ExplainingAuthenticator  # noqa: PLC0415

    _log.warning("refusals_explained", meaning="not for production: answers explain signatures")
    return ExplainingAuthenticator


def _fetcher(settings: Settings, meter: CallMeter) -> CertificateFetcher:
    if not settings.key_urls.fetch:
        return NoFetcher()
    return HttpsCertificateFetcher(settings.fetch_policy, meter=meter)


def sealing_of(settings: Settings) -> Sealing | None:
    """Return what signs the answers of the registration endpoint, None where nothing does."""
    given = settings.signatures
    if given.response_certificate is None or given.response_key is None:
        return None
    seal = read_seal(given.response_certificate, given.response_key, keyid=given.response_key_id)
    return Sealing(seal, settings.paths.register.encode("ascii"))


def _token_audience(settings: Settings) -> frozenset[str]:
    """Return what an assertion of a client may mean this server by: issuer or token endpoint."""
    return frozenset({settings.public_url, settings.public_url + settings.paths.token})


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
