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
from enrol.adapters.recheck import take_what_is_handed_over
from enrol.adapters.store import SqliteStore
from enrol.bootstrap.housekeeping import forget_expired_tokens, recheck_clients, spare_the_collector
from enrol.bootstrap.trusting import check_trust, entitlement_of, follow_lists, revocations_of
from enrol.oauth.server_metadata import describe_server
from enrol.registration.authenticate import Authenticator
from enrol.registration.certificates import CertificateJudge
from enrol.registration.granting import Granting
from enrol.registration.grants import TokenDesk
from enrol.registration.keys import KeyFinder
from enrol.registration.ports import CertificateFetcher, Clock, TrustSource
from enrol.registration.preflight import PreflightDesk
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.response import shape_of
from enrol.registration.service import RegistrationDesk
from enrol.server.app import Documents, build_app
from enrol.server.drain import Drain
from enrol.server.openapi import describe_api
from enrol.server.preflight import PreflightRoute
from enrol.server.public import Health
from enrol.server.resource import House
from enrol.server.routes import RegistrationRoutes, TokenRoute
from enrol.server.seal import Sealing, read_seal
from enrol.settings import Settings, read_secret

_log = structlog.get_logger("enrol.bootstrap")


def assemble(settings: Settings, *, trust: TrustSource, clock: Clock, drain: Drain) -> ASGIApp:
    """Return the application with its adapters; they open when it starts and close when it ends."""
    secret = read_secret(settings.server.secret)
    store = SqliteStore.open(settings.storage.path)
    limits = settings.limits
    requests = RateLimiter(settings.rate(limits.requests_per_minute))
    revocations, rules = revocations_of(settings), settings.certificate_rules
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
    entitlement = entitlement_of(settings)
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
                forget_expired_tokens(store, clock),
                *follow_lists(settings, trust, clock),
                take_what_is_handed_over(settings.storage.path, store.clients),
                recheck_clients(settings, trust, store.clients, clock),
            )
        ]
        spare_the_collector()
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
            error_base=error_base(settings),
            sealing=sealing_of(settings),
        ),
        drain=drain,
        paths=settings.paths,
        registration=RegistrationRoutes(
            desk,
            _register_uri(settings),
            secret,
            dialect=settings.dialect,
            shape=shape_of(settings.dialect),
            error_base=error_base(settings),
        ),
        token=TokenRoute(grants),
        preflight=PreflightRoute(
            PreflightDesk(trust, revocations, rules, entitlement), clock, requests, failures
        ),
        health=Health(drain, store.healthy, lambda: check_trust(trust, at=clock())),
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


def _fetcher(settings: Settings) -> CertificateFetcher:
    if not settings.key_urls.fetch:
        return NoFetcher()
    return HttpsCertificateFetcher(settings.fetch_policy)


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
