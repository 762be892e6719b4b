"""What becomes of tokens once they are issued: gateways ask about them, TPPs revoke them."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from enrol.errors import TokenError
from enrol.oauth.introspection import INACTIVE, Introspection, describe_token
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.tokens import AccessToken, hash_token
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.audit import EventType
from enrol.registration.certificates import CertificateJudge
from enrol.registration.evidence import event_of_token
from enrol.registration.ports import ClientStore, Clock, TokenStore
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.states import State, state_at


@dataclass(frozen=True, slots=True)
class Gateways:
    """Who may ask about tokens: the bank's own gateways.

    What is set is needed: one of `secrets` as bearer, one of the certificates whose SHA-256 are
    `certificates`. With neither nobody may.
    """

    secrets: tuple[bytes, ...] = ()
    certificates: frozenset[bytes] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.secrets or self.certificates)

    @property
    def methods(self) -> tuple[str, ...]:
        """How they are known, in the words of RFC 8414 §2 and RFC 8705 §2.2."""
        methods = {"Bearer": self.secrets, "self_signed_tls_client_auth": self.certificates}
        return tuple([method for method, known in methods.items() if known])

    def check(self, bearer: bytes | None, peer_certificate: bytes | None) -> None:
        """Raise `TokenError` ``gateway_unknown`` for anybody else."""
        shown = sha256(peer_certificate).digest() if peer_certificate is not None else None
        believed = bool(self)
        if self.secrets:
            believed &= _is_one_of(bearer or b"", self.secrets)
        if self.certificates:
            believed &= shown in self.certificates
        if not believed:
            raise TokenError("gateway_unknown")


class IssuedTokenDesk:
    """Says which tokens are active, and ends those that their holders want ended.

    `questions` counts what all gateways ask together, `requests` what the holder of a QWAC does.
    """

    def __init__(
        self,
        *,
        gateways: Gateways,
        judge: CertificateJudge,
        clients: ClientStore,
        tokens: TokenStore,
        clock: Clock,
        issuer: str,
        generic_client_id: ClientId,
        questions: RateLimiter,
        requests: RateLimiter,
    ) -> None:
        self._gateways = gateways
        self._judge = judge
        self._clients = clients
        self._tokens = tokens
        self._clock = clock
        self._issuer = issuer
        self._generic_client_id = generic_client_id
        self._questions = questions
        self._requests = requests

    @property
    def is_asked(self) -> bool:
        """Whether anybody may ask about tokens."""
        return bool(self._gateways)

    async def check_gateway(self, bearer: bytes | None, peer_certificate: bytes | None) -> None:
        """Let a gateway ask; raises `TokenError`, `RateLimitError`."""
        self._gateways.check(bearer, peer_certificate)
        await self._questions.take("gateways", self._clock())

    async def introspect(self, text: str) -> Introspection:
        """Return what there is to say of a token (RFC 7662 §2.2).

        One is active while it is known, in time, and its client is; it is looked up anew each time.
        """
        token = await self._tokens.find(hash_token(text))
        at = self._clock()
        if token is None or at >= token.expires_at or not await self._is_active(token, at):
            return INACTIVE
        return describe_token(token, issuer=self._issuer)

    async def revoke(
        self, text: str, *, peer_certificate: bytes | None, request_id: RequestId | None
    ) -> None:
        """End a token of whoever shows the QWAC it is bound to (RFC 7009 §2.1).

        For any other token nothing happens, and nobody learns whether there is one. Raises
        `CertificateError`, `RateLimitError`, `UnavailableError`.
        """
        at = self._clock()
        qwac = await self._judge.qwac(peer_certificate, at=at)
        await self._requests.take(qwac.certificate.sha256, at)
        token = await self._tokens.find(hash_token(text))
        if token is None or token.organization_identifier != qwac.organization_identifier:
            return
        if hmac.compare_digest(token.x5t_s256, x5t_s256(qwac.certificate.sha256)):
            revoked = EventType.TOKEN_REVOKED
            event = event_of_token(token, qwac, request_id=request_id, at=at, event=revoked)
            await self._tokens.revoke(token, event)

    async def _is_active(self, token: AccessToken, at: datetime) -> bool:
        if token.client_id == self._generic_client_id:
            return True
        record = await self._clients.find(token.client_id)
        return record is not None and state_at(record.standing, at) is State.ACTIVE


def _is_one_of(bearer: bytes, secrets: Collection[bytes]) -> bool:
    """Compare with every secret, whichever fits."""
    return sum(hmac.compare_digest(bearer, secret) for secret in secrets) > 0
