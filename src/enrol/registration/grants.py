"""The token endpoint's decision: who gets a token to manage registrations (RFC 6749 §4.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from enrol.eidas.validate import QualifiedCertificate
from enrol.errors import GrantError
from enrol.oauth.grant import TokenRequest, TokenResponse
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.tokens import MANAGE_REGISTRATION, AccessToken, encode_token, hash_token
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.certificates import CertificateJudge
from enrol.registration.client_authentication import ClientAuthenticator
from enrol.registration.entitlement import Entitlement
from enrol.registration.evidence import event_of_token
from enrol.registration.ports import AssertionUse, ClientStore, Clock, TokenStore
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.states import State, state_at

_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class GrantSettings:
    """`generic_client_id` works before any client exists; `lifetime` is that of a token."""

    generic_client_id: ClientId
    lifetime: timedelta


class TokenDesk:
    """Grants access tokens bound to the QWAC of the connection (RFC 8705 §3)."""

    def __init__(
        self,
        *,
        judge: CertificateJudge,
        entitlement: Entitlement,
        clients: ClientStore,
        tokens: TokenStore,
        clock: Clock,
        random: Callable[[int], bytes],
        settings: GrantSettings,
        requests: RateLimiter,
        authenticator: ClientAuthenticator,
    ) -> None:
        self._judge = judge
        self._entitlement = entitlement
        self._clients = clients
        self._tokens = tokens
        self._clock = clock
        self._random = random
        self._settings = settings
        self._requests = requests
        self._authenticator = authenticator

    async def grant(
        self, request: TokenRequest, *, peer_certificate: bytes | None, request_id: RequestId | None
    ) -> TokenResponse:
        """Return a new token, stored.

        Raises `CertificateError` for the connection, `GrantError` for the request,
        `EntitlementError` for the PSP.
        """
        at = self._clock()
        qwac = await self._judge.qwac(peer_certificate, at=at)
        await self._requests.take(qwac.certificate.sha256, at)
        if request.grant_type != "client_credentials":
            raise GrantError("grant_type_unsupported", error="unsupported_grant_type")
        if not request.scope <= {MANAGE_REGISTRATION}:
            raise GrantError("scope_not_offered", error="invalid_scope")
        client_id, assertion = await self._known_client(request, qwac, at)
        licence = self._entitlement.judge(qwac.organization_identifier, qwac.psp_roles, at=at)
        text = encode_token(self._random(_TOKEN_BYTES))
        token = AccessToken(
            token_hash=hash_token(text),
            client_id=client_id,
            organization_identifier=qwac.organization_identifier,
            x5t_s256=x5t_s256(qwac.certificate.sha256),
            scope=frozenset({MANAGE_REGISTRATION}),
            expires_at=at + self._settings.lifetime,
        )
        event = event_of_token(
            token, qwac, request_id=request_id, at=at, register_doubt=licence.doubt
        )
        await self._tokens.add(token, event, assertion)
        return TokenResponse(
            access_token=text,
            token_type="Bearer",  # noqa: S106 - RFC 6750 §4
            expires_in=int(self._settings.lifetime.total_seconds()),
            scope=MANAGE_REGISTRATION,
        )

    async def _known_client(
        self, request: TokenRequest, qwac: QualifiedCertificate, at: datetime
    ) -> tuple[ClientId, AssertionUse | None]:
        """Return the generic client_id, or that of an active client of the organisation.

        A registered client authenticates by the method it registered; an assertion is used up
        with the token it obtains.
        """
        if request.client_id == self._settings.generic_client_id:
            return self._settings.generic_client_id, None
        record = await self._clients.find(ClientId(request.client_id))
        if record is None or record.organization_identifier != qwac.organization_identifier:
            raise GrantError("client_unknown", error="invalid_client")
        certificate = qwac.certificate
        assertion = await self._authenticator.authenticate(
            record, request, certificate=certificate, at=at
        )
        state = state_at(record.standing, at)
        if state is not State.ACTIVE:
            raise GrantError(f"client_{state}", error="invalid_client")
        return record.client_id, assertion
