"""From bytes and a connection to a request that is believed.

A `VerifiedRequest` is made here and nowhere else.
"""

import hashlib
import hmac
from contextlib import suppress
from datetime import datetime
from functools import lru_cache

import structlog

from enrol.eidas.certificate import Certificate
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.validate import CertificateUse, QualifiedCertificate, check_same_organization
from enrol.errors import (
    AuthenticationError,
    InsufficientScopeError,
    RefusalError,
    TokenError,
)
from enrol.httpsig.coverage import digest_is_required
from enrol.httpsig.crypto import VerificationKey, verification_key
from enrol.httpsig.digest import VerifiedDigest, verify_digest
from enrol.httpsig.message import HttpMessage, check_hygiene
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.verify import read_signature, verify_signature
from enrol.oauth.metadata import parse_client_metadata
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.strict_json import parse_json_object
from enrol.oauth.tokens import (
    MANAGE_REGISTRATION,
    check_token,
    hash_token,
    parse_bearer,
)
from enrol.registration.certificates import CertificateJudge, check_form
from enrol.registration.dialect import Credential, Dialect, Presence
from enrol.registration.keys import KeyFinder, NamedCertificate
from enrol.registration.management_token import ManagementTokens
from enrol.registration.ports import ClientStore, Clock, TokenStore, TokenUse
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.reading import read_document
from enrol.registration.request import (
    Body,
    RepeatedRequest,
    Seal,
    UnverifiedRequest,
    VerifiedRequest,
    check_claim,
)
from enrol.registration.signatures import SignaturePolicies

_WITH_BODY = frozenset({"POST", "PUT"})
_MOST_KEYS = 10_000
_log = structlog.get_logger("enrol.registration")


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
        dialect: Dialect,
        signatures: SignaturePolicies,
        requests: RateLimiter,
    ) -> None:
        self._judge = judge
        self._keys = keys
        self._clients = clients
        self._tokens = tokens
        self._own_tokens = ManagementTokens(clients, secret)
        self._clock = clock
        self._dialect = dialect
        self._signatures = signatures
        self._requests = requests

    async def authenticate(self, request: UnverifiedRequest) -> VerifiedRequest | RepeatedRequest:
        """Return the request as verified, or as the repetition of one.

        1. the certificate of the connection is a QWAC, qualified now; no field claims another;
        2. it does not ask too often;
        3. the bearer token, where one is wanted, is bound to it and may manage registrations, or
           was issued with the addressed client;
        4. the message has one reading, and the Digest is that of the body, as the policy for this
           caller wants it;
        5. a token of the client still holds, and the body is JSON of the contract's types;
        6. keyId names a QSealC, qualified now, of the same organisation, and its key made the
           signature; only where the dialect lets it may there be none;
        7. the first use of a token of the client is written down, and ends those before it.

        What fails from 5 on may be bytes that were answered before: a key can have gone since.
        """
        at = self._clock()
        message = request.message
        check_claim(claims_certificate=request.claims_certificate)  # (1)
        qwac = await self._judge.qwac(request.peer_certificate, at=at)
        check_form(qwac.certificate, self._dialect.certificates, use=CertificateUse.QWAC)
        await self._requests.take(qwac.certificate.sha256, at)  # (2)
        use = await self._check_bearer(request, qwac, at)  # (3)
        policy = await self._signatures.choose(
            qwac.organization_identifier, request.client_id, self._clients
        )
        check_hygiene(message)  # (4)
        signed = self._must_be_verified(message)
        digest = verify_digest(message, required=signed and digest_is_required(message, policy))
        ledger_key = _ledger_key(qwac.organization_identifier, request)
        signature_digest = _signature_digest(message)
        try:
            is_first = use is not None and await self._own_tokens.is_first_use(  # (5)
                use, qwac.organization_identifier
            )
            body = self._parse_body(message)
            seal = None  # (6)
            if signed:
                seal = await self._verify_seal(
                    request, body, qwac=qwac, policy=policy, digest=digest, at=at
                )
                _report_quirks(seal, request, qwac)
        except RefusalError as refusal:
            entry = await self._clients.find_entry(ledger_key)
            if entry is not None and hmac.compare_digest(entry.signature, signature_digest):
                return RepeatedRequest(request.request_id, entry, refusal)
            raise
        if use is not None and is_first:
            await self._clients.note_use(use)  # (7)
        return VerifiedRequest(
            request_id=request.request_id,
            client_id=request.client_id,
            qwac=qwac,
            seal=seal,
            message=message,
            body=body,
            ledger_key=ledger_key,
            signature_digest=signature_digest,
            at=at,
        )

    def _must_be_verified(self, message: HttpMessage) -> bool:
        """Tell whether a signature is to be verified: always, or where there is one."""
        if self._dialect.signature.presence is Presence.REQUIRED:
            return True
        return message.has(b"signature") or message.has(b"signature-input")

    def _parse_body(self, message: HttpMessage) -> Body | None:
        if message.method not in _WITH_BODY:
            return None
        document = read_document(parse_json_object(message.body), self._dialect.reading)
        return Body(document, parse_client_metadata(document))

    async def _verify_seal(
        self,
        request: UnverifiedRequest,
        body: Body | None,
        *,
        qwac: QualifiedCertificate,
        policy: SignaturePolicy,
        digest: VerifiedDigest,
        at: datetime,
    ) -> Seal:
        """Find the certificate that keyId names, judge it, and verify the signature with it."""
        message = request.message
        parameters = read_signature(message, policy=policy)

        async def verify(named: NamedCertificate) -> Seal:
            qsealc = await self._judge.qsealc(named.der, intermediates=named.intermediates, at=at)
            check_form(qsealc.certificate, self._dialect.certificates, use=CertificateUse.QSEALC)
            check_same_organization(qwac, qsealc)
            signature = verify_signature(
                message, parameters, _key(qsealc.certificate), at=at, policy=policy, digest=digest
            )
            return Seal(signature, policy, named, qsealc)

        *others, last = await self._keys.find(
            parameters.unverified_keyid,
            organization_identifier=qwac.organization_identifier,
            client_id=request.client_id,
            jwks=body.metadata.jwks if body else None,
        )
        for named in others:
            with suppress(AuthenticationError):
                return await verify(named)
        return await verify(last)

    async def _check_bearer(
        self, request: UnverifiedRequest, qwac: QualifiedCertificate, at: datetime
    ) -> TokenUse | None:
        """Check the token: one from the token endpoint, or one the addressed client was given.

        The second is returned; it carries no binding of its own, and the register is asked later
        whether it holds. Where the dialect wants neither, Authorization is not looked at.
        """
        rules = self._dialect.credentials
        accepted = rules.register if request.client_id is None else rules.manage
        if not accepted:
            return None
        token = parse_bearer(request.message.values(b"authorization"))
        if Credential.REGISTRATION_ACCESS_TOKEN in accepted:
            use = self._own_tokens.recognise(token, request.client_id)
            if use is not None:
                return use
        if Credential.MANAGE_REGISTRATION not in accepted:
            raise TokenError("token_unknown")
        access = check_token(
            await self._tokens.find(hash_token(token)),
            x5t_s256=x5t_s256(qwac.certificate.sha256),
            at=at,
        )
        if access.organization_identifier != qwac.organization_identifier:
            raise TokenError("token_not_bound")
        if MANAGE_REGISTRATION not in access.scope:
            raise InsufficientScopeError("token_scope")
        return None


def _report_quirks(seal: Seal, request: UnverifiedRequest, qwac: QualifiedCertificate) -> None:
    """Log which known mistakes were let pass."""
    if seal.signature.warnings:
        _log.warning(
            "signature_quirk",
            request_id=request.request_id,
            organization_identifier=qwac.organization_identifier,
            client_id=request.client_id,
            quirks=seal.signature.warnings,
        )


@lru_cache(maxsize=_MOST_KEYS)
def _key(certificate: Certificate) -> VerificationKey:
    return verification_key(certificate.public_key)


def _signature_digest(message: HttpMessage) -> bytes:
    """Return the SHA-256 of the fields a signature is in, of either mode."""
    lines = message.values(b"signature-input") + message.values(b"signature")
    return hashlib.sha256(b"\n".join(lines)).digest()


def _ledger_key(organization: OrganizationIdentifier, request: UnverifiedRequest) -> bytes:
    """Return the 32 bytes a request is remembered by: who, which id, what."""
    message = request.message
    who, what = _framed(organization), _framed(message.method) + _framed(message.target)
    request_id = request.request_id.encode("ascii")
    named = who + len(request_id).to_bytes(4, "big") + request_id + what
    return hashlib.sha256(named + message.body).digest()


@lru_cache(maxsize=1024)  # most requests are to one entry point
def _framed(part: str | bytes) -> bytes:
    octets = part.encode() if isinstance(part, str) else part
    return len(octets).to_bytes(4, "big") + octets
