"""From bytes and a connection to a request that is believed.

A `VerifiedRequest` is made here and nowhere else.
"""

import hashlib
import hmac
from datetime import datetime
from functools import lru_cache

import msgspec

from enrol.eidas.certificate import Certificate
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.validate import QualifiedCertificate, check_same_organization
from enrol.errors import InsufficientScopeError, TokenError
from enrol.httpsig.coverage import digest_is_required
from enrol.httpsig.crypto import VerificationKey, verification_key
from enrol.httpsig.digest import verify_digest
from enrol.httpsig.message import HttpMessage, check_hygiene
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.verify import VerifiedSignature, parse_signature, verify_signature
from enrol.oauth.metadata import ClientMetadata, parse_client_metadata
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.strict_json import JsonObject, parse_json_object
from enrol.oauth.tokens import (
    MANAGE_REGISTRATION,
    check_token,
    hash_token,
    parse_bearer,
    registration_access_token,
)
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.certificates import CertificateJudge
from enrol.registration.keys import KeyFinder, NamedCertificate
from enrol.registration.ports import ClientStore, Clock, LedgerEntry, TokenStore
from enrol.registration.ratelimit import RateLimiter

_WITH_BODY = frozenset({"POST", "PUT"})
_MOST_KEYS = 10_000


class UnverifiedRequest(msgspec.Struct, frozen=True):
    """A request as received: its id, its bytes, the client it addresses and the peer's certificate.

    `peer_certificate` is the DER the TLS end checked possession of, None where there was none.
    """

    request_id: RequestId
    message: HttpMessage
    peer_certificate: bytes | None
    client_id: ClientId | None = None


class Body(msgspec.Struct, frozen=True):
    """A request body: the JSON object and the metadata of the contract in it."""

    document: JsonObject
    metadata: ClientMetadata


class VerifiedRequest(msgspec.Struct, frozen=True):
    """A request whose sender, certificate, token, body and signature belong together."""

    request_id: RequestId
    client_id: ClientId | None
    qwac: QualifiedCertificate
    qsealc: QualifiedCertificate
    signature: VerifiedSignature
    signed_with: NamedCertificate
    body: Body | None
    ledger_key: bytes
    signature_digest: bytes
    at: datetime

    @property
    def organization_identifier(self) -> OrganizationIdentifier:
        """The organisation that every credential of the request names."""
        return self.qwac.organization_identifier


class RepeatedRequest(msgspec.Struct, frozen=True):
    """A request whose very bytes were answered before; nothing of it is carried out again."""

    request_id: RequestId
    entry: LedgerEntry


class Authenticator:
    """Believes requests, or refuses them with the rule they break."""

    def __init__(
        self,
        *,
        judge: CertificateJudge,
        keys: KeyFinder,
        clients: ClientStore,
        tokens: TokenStore,
        secret: bytes,
        clock: Clock,
        signatures: SignaturePolicy,
        requests: RateLimiter,
    ) -> None:
        self._judge = judge
        self._keys = keys
        self._clients = clients
        self._tokens = tokens
        self._secret = secret
        self._clock = clock
        self._signatures = signatures
        self._requests = requests

    async def authenticate(self, request: UnverifiedRequest) -> VerifiedRequest | RepeatedRequest:
        """Return the request as verified, or as the repetition of one.

        1. the certificate of the connection is a QWAC, qualified now;
        2. it does not ask too often;
        3. the bearer token is bound to it and may manage registrations;
        4. the message has one reading, and the Digest is that of the body;
        5. the same bytes were not answered before;
        6. the body is JSON of the contract's types;
        7. keyId names a QSealC, qualified now, of the same organisation;
        8. its key made the signature.
        """
        at = self._clock()
        message = request.message
        qwac = await self._judge.qwac(request.peer_certificate, at=at)  # (1)
        self._requests.take(qwac.certificate.sha256, at)  # (2)
        await self._check_bearer(request, qwac, at)  # (3)
        check_hygiene(message)  # (4)
        digest = verify_digest(message, required=digest_is_required(message, self._signatures))
        ledger_key = _ledger_key(qwac.organization_identifier, request)  # (5)
        signature_digest = hashlib.sha256(b"\n".join(message.values(b"signature"))).digest()
        entry = await self._clients.find_entry(ledger_key)
        if entry is not None and hmac.compare_digest(entry.signature, signature_digest):
            return RepeatedRequest(request.request_id, entry)
        body = _parse_body(message)  # (6)
        parameters = parse_signature(message, policy=self._signatures)
        named = await self._keys.find(  # (7)
            parameters.unverified_keyid,
            organization_identifier=qwac.organization_identifier,
            client_id=request.client_id,
            jwks=body.metadata.jwks if body and request.client_id is None else None,
        )
        qsealc = await self._judge.qsealc(named.der, intermediates=named.intermediates, at=at)
        check_same_organization(qwac, qsealc)
        signature = verify_signature(  # (8)
            message,
            parameters,
            _key(qsealc.certificate),
            at=at,
            policy=self._signatures,
            digest=digest,
        )
        return VerifiedRequest(
            request_id=request.request_id,
            client_id=request.client_id,
            qwac=qwac,
            qsealc=qsealc,
            signature=signature,
            signed_with=named,
            body=body,
            ledger_key=ledger_key,
            signature_digest=signature_digest,
            at=at,
        )

    async def _check_bearer(
        self, request: UnverifiedRequest, qwac: QualifiedCertificate, at: datetime
    ) -> None:
        """Check the token: one from the token endpoint, or the one the addressed client was given.

        The second carries no binding of its own; the client's organisation is compared later.
        """
        token = parse_bearer(request.message.values(b"authorization"))
        if request.client_id is not None and hmac.compare_digest(
            token, registration_access_token(self._secret, request.client_id)
        ):
            return
        access = check_token(
            await self._tokens.find(hash_token(token)),
            x5t_s256=x5t_s256(qwac.certificate.sha256),
            at=at,
        )
        if access.organization_identifier != qwac.organization_identifier:
            raise TokenError("token_not_bound")
        if MANAGE_REGISTRATION not in access.scope:
            raise InsufficientScopeError("token_scope")


@lru_cache(maxsize=_MOST_KEYS)
def _key(certificate: Certificate) -> VerificationKey:
    return verification_key(certificate.public_key)


def _parse_body(message: HttpMessage) -> Body | None:
    if message.method not in _WITH_BODY:
        return None
    document = parse_json_object(message.body)
    return Body(document, parse_client_metadata(document))


def _ledger_key(organization: OrganizationIdentifier, request: UnverifiedRequest) -> bytes:
    """Return the 32 bytes a request is remembered by: who, which id, what."""
    message = request.message
    parts = (
        organization.encode(),
        request.request_id.encode("ascii"),
        message.method.encode("ascii"),
        message.target,
    )
    named = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return hashlib.sha256(named + message.body).digest()
