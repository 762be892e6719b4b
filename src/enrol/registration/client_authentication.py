"""Whether who asks for a token is the client it names, by the method that client registered."""

import hashlib
from datetime import datetime

from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.oauth import jwk
from enrol.oauth.certificate_name import NAME_MEMBERS, is_named
from enrol.oauth.client_authentication import Assertion, not_believed, verify_assertion
from enrol.oauth.grant import TokenRequest
from enrol.oauth.jws import JwsKey, key_of
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.certificates import CertificateJudge
from enrol.registration.client_secret import ClientSecrets
from enrol.registration.ports import AssertionUse
from enrol.registration.record import ClientRecord


def use_of(client_id: ClientId, assertion: Assertion) -> AssertionUse:
    """Return what is remembered of an assertion, so that it is used once."""
    parts = (client_id.encode(), assertion.jti.encode())
    named = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return AssertionUse(hashlib.sha256(named).digest(), assertion.expires_at)


class ClientAuthenticator:
    """Believes clients by the methods of RFC 6749, RFC 7523 and RFC 8705.

    `audience` are the texts that an assertion may mean this server by. That the certificate of
    the connection is of the client's organisation was found before.
    """

    def __init__(
        self, *, judge: CertificateJudge, secrets: ClientSecrets, audience: frozenset[str]
    ) -> None:
        self._judge = judge
        self._secrets = secrets
        self._audience = audience

    async def authenticate(
        self, record: ClientRecord, request: TokenRequest, *, certificate: Certificate, at: datetime
    ) -> AssertionUse | None:
        """Return the assertion that a client proved itself by, to be used up with its token.

        `certificate` is that of the connection; by the other methods there is no assertion. Raises
        `GrantError`, and what the judge raises of a key that may not sign any more.
        """
        match record.metadata.token_endpoint_auth_method:
            case None | "tls_client_auth":
                _check_names(record.metadata, certificate)
            case "self_signed_tls_client_auth":
                _check_registered(record.metadata, certificate)
            case "private_key_jwt":
                return await self._check_assertion(record, request, at)
            case "client_secret_basic":
                self._check_secret(record, request)
            case _:
                raise not_believed("client_method_unknown")
        return None

    def _check_secret(self, record: ClientRecord, request: TokenRequest) -> None:
        if request.basic is None:
            raise not_believed("client_secret_missing")
        self._secrets.check(record, request.basic.client_secret)

    async def _check_assertion(
        self, record: ClientRecord, request: TokenRequest, at: datetime
    ) -> AssertionUse:
        """Verify an assertion by the registered keys alone."""
        if request.assertion is None:
            raise not_believed("assertion_missing")
        keys = _keys_of(record)
        assertion = verify_assertion(
            request.assertion,
            client_id=record.client_id,
            keys=[key for key, _ in keys],
            audience=self._audience,
            at=at,
        )
        certificate = next(der for key, der in keys if key is assertion.key)
        await self._judge.qsealc(certificate, at=at)
        return use_of(record.client_id, assertion)


def _check_names(metadata: ClientMetadata, certificate: Certificate) -> None:
    """Compare the name a client registered; one without a name is known by its organisation."""
    for member in NAME_MEMBERS:
        value = getattr(metadata, member)
        if value is not None and not is_named(certificate.loaded, member, value):
            raise not_believed("client_certificate_differs")


def _check_registered(metadata: ClientMetadata, certificate: Certificate) -> None:
    """Find the certificate among those the client registered (RFC 8705 §2.2)."""
    keys = metadata.jwks.keys if metadata.jwks is not None else ()
    if not any(certificate.der in jwk.certificates(key)[:1] for key in keys):
        raise not_believed("client_certificate_unknown")


def _keys_of(record: ClientRecord) -> list[tuple[JwsKey, bytes]]:
    """Return the keys a client may sign with, each with the DER of its certificate."""
    found = [
        (key_of(parse_certificate(key.certificate).public_key, kid=key.kid), key.certificate)
        for key in record.keys
    ]
    return [(key, der) for key, der in found if key is not None]
