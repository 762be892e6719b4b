"""The TPPs of the load: each has certificates of the sandbox, and requests signed beforehand."""

import base64
import hashlib
import http.client
import json
import ssl
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bench.load import Line
from enrol.sandbox.draft import Kind
from enrol.sandbox.files import PairPaths, key_pem, write_pair
from enrol.sandbox.folder import Sandbox
from enrol.sandbox.pki import Issued, issue

REGISTER, TOKEN = "/stet/setting/v1/register", "/stet/psd2/oauth/token"
_TOKEN_FORM = "grant_type=client_credentials&scope=manageRegistration&client_id=PSD2_TPPRegister"
_COVERED = "(request-target) digest x-request-id"


@dataclass(slots=True)
class Tpp:
    """One organisation; `signed` are the two header lines that differ from request to request."""

    tls: ssl.SSLContext
    seal_key: bytes
    kid: str
    body: bytes
    signed: list[bytes] = field(default_factory=list)

    def line(self, port: int, unsent: Iterator[bytes]) -> Line:
        """Return a line of registrations with a new token of the bank on `port`."""
        head = "\r\n".join(
            [
                f"POST {REGISTER} HTTP/1.1",
                f"Host: localhost:{port}",
                "Accept: application/json",
                f"Authorization: Bearer {self._token(port)}",
                "Content-Type: application/json",
                f"Content-Length: {len(self.body)}",
                f"Digest: {_digest(self.body)}",
                "",
            ]
        ).encode()
        end = b"\r\n" + self.body
        return Line((head + own + end for own in unsent), self.tls)

    def _token(self, port: int) -> str:
        connection = http.client.HTTPSConnection("localhost", port, context=self.tls, timeout=20)
        connection.request(
            "POST", TOKEN, _TOKEN_FORM, {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = json.load(connection.getresponse())
        connection.close()
        return str(answer["access_token"])


def make_tpp(sandbox: Sandbox, identifier: str) -> Tpp:
    """Issue a QWAC and a QSealC to an organisation."""
    at = datetime.now(UTC)
    qwac, qsealc = (
        issue(sandbox.authority, at=at, kind=kind, organization_identifier=identifier)
        for kind in (Kind.QWAC, Kind.QSEALC)
    )
    pair = PairPaths(*(sandbox.tpp / f"{identifier}.{kind}" for kind in ("pem", "key")))
    write_pair(pair, qwac)
    tls = ssl.create_default_context(cafile=str(sandbox.path / "server-ca.pem"))
    tls.load_cert_chain(pair.certificate, pair.key)
    kid = str(qsealc.certificate.serial_number)
    return Tpp(tls, key_pem(qsealc.private_key), kid, _metadata(identifier, kid, qsealc))


def sign_ahead(tpps: Sequence[Tpp], count: int) -> None:
    """Give every TPP `count` signed requests, on all CPUs."""
    with ProcessPoolExecutor() as pool:
        jobs = [
            pool.submit(_signed_lines, tpp.seal_key, tpp.kid, tpp.body, count - len(tpp.signed))
            for tpp in tpps
        ]
        for tpp, job in zip(tpps, jobs, strict=True):
            tpp.signed += job.result()


def _signed_lines(seal_key: bytes, kid: str, body: bytes, count: int) -> list[bytes]:
    key = load_pem_private_key(seal_key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    digest, lines = _digest(body), []
    for _ in range(count):
        request_id = uuid.uuid4()
        text = f"(request-target): post {REGISTER}\ndigest: {digest}\nx-request-id: {request_id}"
        signature = base64.b64encode(
            key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        ).decode()
        lines.append(
            f"X-Request-ID: {request_id}\r\n"
            f'Signature: keyId="{kid}",algorithm="rsa-sha256",headers="{_COVERED}",'
            f'signature="{signature}"\r\n'.encode()
        )
    return lines


def _digest(body: bytes) -> str:
    return f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode()}"


def _metadata(identifier: str, kid: str, qsealc: Issued) -> bytes:
    """Return a body with every member that TPPs send, as the public clients of this API do."""
    der = qsealc.certificate.public_bytes(Encoding.DER)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    site = "https://tpp.example"
    metadata = {
        "client_name": "Acme Paiements",
        "redirect_uris": [f"{site}/callback", f"{site}/other"],
        "token_endpoint_auth_method": "tls_client_auth",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "contacts": ["psd2@tpp.example"],
        "contact": {
            "contact_name": "Acme Paiements",
            "email": "psd2@tpp.example",
            "phone_number": "+33100000000",
        },
        "provider_legal_id": identifier,
        "scope": "aisp pisp",
        "client_uri": site,
        "logo_uri": f"{site}/logo.png",
        "tos_uri": f"{site}/terms",
        "policy_uri": f"{site}/privacy",
        "software_id": "acme",
        "software_version": "1.0",
        "jwks": {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": kid,
                    "x5c": [base64.b64encode(der).decode()],
                    "x5t#S256": thumbprint,
                }
            ]
        },
    }
    return json.dumps(metadata, separators=(",", ":")).encode()
