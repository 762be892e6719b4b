"""One signed registration request before an authenticator that knows nobody yet."""

import asyncio
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

from cryptography import x509

from dialects import STET, document
from eidas.minting import AT, DAY, Authority, mint, mint_crl, mint_seal, rsa_key
from eidas.refusals import refusal_of
from enrol.client.messages import registration_request
from enrol.client.metadata import registration_body
from enrol.client.seal import make_seal, signing_key
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateRules
from enrol.httpsig.message import HttpMessage
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.tokens import MANAGE_REGISTRATION, AccessToken
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.authenticate import Authenticator
from enrol.registration.certificates import CertificateJudge
from enrol.registration.keys import KeyFinder
from enrol.registration.ratelimit import LocalRateLimiter
from enrol.registration.request import UnverifiedRequest
from enrol.registration.signatures import SignaturePolicies

ORGANIZATION = "PSDFR-ACPR-12345"
URL = "https://bank.test/stet/setting/v1/register"
TOKEN = "t" * 43


class Nothing:
    """Stores in which there is nothing."""

    async def find(self, *_):
        return None

    find_entry = find

    async def find_keys(self, *_):
        return ()


class Tokens:
    """Knows one token, bound to one certificate."""

    def __init__(self, der: bytes) -> None:
        self._der = der

    async def find(self, token_hash: bytes) -> AccessToken:
        return AccessToken(
            token_hash=token_hash,
            client_id=ClientId("PSD2_TPPRegister"),
            organization_identifier=ORGANIZATION,
            x5t_s256=x5t_s256(sha256(self._der).digest()),
            scope=frozenset({MANAGE_REGISTRATION}),
            expires_at=AT + DAY,
        )


class Revocations:
    """What the one QTSP has revoked: nothing."""

    def __init__(self, qtsp: Authority) -> None:
        self._evidence = RevocationEvidence.of_lists([mint_crl(qtsp)])

    def basis(self):
        return self._evidence

    async def evidence_for(self, *_, **__):
        return self._evidence


def refusal_of_request(
    qtsp: Authority,
    *,
    seal_of: str = ORGANIZATION,
    signed_with: str = "seal",
    token_of: bytes | None = None,
) -> str | None:
    """Return the code a registration is refused with.

    The seal names the organisation `seal_of`, the signature is made with the key `signed_with`,
    the token is bound to the certificate `token_of`, by default that of the connection.
    """
    qwac = mint(qtsp)
    key = rsa_key("seal")
    der = mint_seal(qtsp, public_key=key.public_key(), organizations=(seal_of,))
    seal = make_seal([x509.load_der_x509_certificate(der)], key)
    signing = replace(seal, key=signing_key(rsa_key(signed_with)))
    request = registration_request(
        "POST",
        URL,
        seal=signing,
        token=TOKEN,
        request_id="1",
        body=registration_body(document(), seal),
    )
    message = HttpMessage(
        "POST",
        request.url.raw_path,
        tuple((name.lower(), value) for name, value in request.headers.raw),
        request.content,
    )
    authenticator = Authenticator(
        judge=CertificateJudge(
            SimpleNamespace(anchors=lambda: qtsp.anchors), Revocations(qtsp), CertificateRules()
        ),
        keys=KeyFinder(Nothing(), SimpleNamespace()),
        clients=Nothing(),
        tokens=Tokens(token_of or qwac),
        secret=bytes(32),
        clock=lambda: AT,
        dialect=STET,
        signatures=SignaturePolicies(STET.signature.policy),
        requests=LocalRateLimiter(None),
    )
    call = authenticator.authenticate(UnverifiedRequest(RequestId("1"), message, qwac))
    return refusal_of(asyncio.run, call)
