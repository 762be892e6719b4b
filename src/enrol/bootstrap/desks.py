"""The desks of a server, and the parts that they share."""

import secrets
from dataclasses import dataclass

import structlog

from enrol.adapters.fetch import HttpsCertificateFetcher, NoFetcher
from enrol.adapters.store import RegisterStore
from enrol.bootstrap.limiting import Limiters
from enrol.bootstrap.stating import statements_of
from enrol.bootstrap.tracing import Tracing
from enrol.registration.authenticate import Authenticator
from enrol.registration.certificates import CertificateJudge
from enrol.registration.client_authentication import ClientAuthenticator
from enrol.registration.client_secret import ClientSecrets
from enrol.registration.entitlement import Entitlement
from enrol.registration.granting import Granting
from enrol.registration.grants import TokenDesk
from enrol.registration.issued_tokens import Gateways, IssuedTokenDesk
from enrol.registration.keys import KeyFinder
from enrol.registration.meters import CallMeter
from enrol.registration.ports import CertificateFetcher, Clock
from enrol.registration.ratelimit import LocalRateLimiter
from enrol.registration.service import RegistrationDesk
from enrol.settings import Settings

_log = structlog.get_logger("enrol.bootstrap")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the desks share; `secret` is what tokens and secrets of clients derive from."""

    settings: Settings
    clock: Clock
    secret: bytes
    store: RegisterStore
    judge: CertificateJudge
    entitlement: Entitlement
    client_secrets: ClientSecrets
    limiters: Limiters
    calls: CallMeter
    tracing: Tracing


def registration_desk(parts: Parts) -> RegistrationDesk:
    """Return the desk that registers clients."""
    settings, store, tracing = parts.settings, parts.store, parts.tracing
    granting = Granting(
        *(parts.judge, parts.entitlement, settings.dialect, secrets.token_bytes),
        *(parts.client_secrets, statements_of(settings)),
    )
    return RegistrationDesk(
        authenticator=tracing.over(_authenticator(parts), authenticate="authenticate"),
        granting=tracing.over(granting, new_record="decide", next_record="decide"),
        clients=tracing.over(store.clients, commit="commit"),
        audit=store.audit,
        clock=parts.clock,
        settings=settings.desk,
        registrations=parts.limiters.registrations,
    )


def token_desk(parts: Parts) -> TokenDesk:
    """Return the desk of the token endpoint."""
    settings = parts.settings
    return TokenDesk(
        judge=parts.judge,
        entitlement=parts.entitlement,
        clients=parts.store.clients,
        tokens=parts.tracing.over(parts.store.tokens, add="commit"),
        clock=parts.clock,
        random=secrets.token_bytes,
        settings=settings.grants,
        requests=parts.limiters.requests,
        authenticator=ClientAuthenticator(
            judge=parts.judge, secrets=parts.client_secrets, audience=_token_audience(settings)
        ),
    )


def issued_token_desk(parts: Parts, gateways: Gateways) -> IssuedTokenDesk:
    """Return the desk that gateways ask about tokens, and that ends them."""
    settings = parts.settings
    return IssuedTokenDesk(
        gateways=gateways,
        judge=parts.judge,
        clients=parts.store.clients,
        tokens=parts.store.tokens,
        clock=parts.clock,
        issuer=settings.public_url,
        generic_client_id=settings.grants.generic_client_id,
        questions=LocalRateLimiter(settings.rate(settings.introspection.requests_per_minute)),
        requests=parts.limiters.requests,
    )


def _authenticator(parts: Parts) -> Authenticator:
    settings, store = parts.settings, parts.store
    return _kind_of_authenticator(settings)(
        judge=parts.judge,
        keys=KeyFinder(store.clients, _fetcher(settings, parts.calls)),
        clients=store.clients,
        tokens=store.tokens,
        secret=parts.secret,
        clock=parts.clock,
        dialect=settings.dialect,
        signatures=settings.signature_policies,
        requests=parts.limiters.requests,
    )


def _kind_of_authenticator(settings: Settings) -> type[Authenticator]:
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


def _token_audience(settings: Settings) -> frozenset[str]:
    """Return what an assertion of a client may mean this server by: issuer or token endpoint."""
    return frozenset({settings.public_url, settings.public_url + settings.paths.token})
