"""The TPPs of the load: each has certificates of the sandbox, and requests signed beforehand."""

import base64
import hashlib
import http.client
import json
import secrets
import ssl
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, repeat

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bench.load import OK, Line
from enrol.sandbox.draft import Kind
from enrol.sandbox.files import PairPaths, key_pem, write_pair
from enrol.sandbox.folder import Sandbox
from enrol.sandbox.pki import Issued, issue

REGISTER, TOKEN = "/stet/setting/v1/register", "/stet/psd2/oauth/token"
_TOKEN_FORM = "grant_type=client_credentials&scope=manageRegistration&client_id=PSD2_TPPRegister"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request without the fields that are the same in all: its first line, and those it has."""

    first: bytes
    fields: bytes


@dataclass(slots=True)
class Tpp:
    """One organisation; `signed` are registrations, and `reads` readings of clients."""

    identifier: str
    tls: ssl.SSLContext
    seal: bytes
    seal_key: bytes
    kid: str
    body: bytes
    signed: list[Signed] = field(default_factory=list)
    reads: list[Signed] = field(default_factory=list)

    def line(self, port: int, unsent: Iterator[Signed]) -> Line:
        """Return a line of registrations with a new token of the bank on `port`."""
        common = self._common(port) + _content_fields(self.body) + _digest_field(self.body)
        return Line(
            (each.first + common + each.fields + b"\r\n" + self.body for each in unsent), self.tls
        )

    def reading_line(self, port: int) -> Line:
        """Return a line of readings, again and again; each connection begins at another."""
        common, own = self._common(port), self.reads
        begin = secrets.randbelow(len(own))
        turns = chain.from_iterable(repeat(own[begin:] + own[:begin]))
        requests = (each.first + common + each.fields + b"\r\n" for each in turns)
        return Line(requests, self.tls, expected=OK)

    def plain_line(self, port: int, body: bytes) -> Line:
        """Return a line of registrations without signature, all of them alike."""
        request = _first("POST", REGISTER) + self._common(port) + _content_fields(body)
        return Line(repeat(request + b"\r\n" + body), self.tls)

    def token(self, port: int) -> str:
        """Return a new access token of the bank on `port`."""
        connection = http.client.HTTPSConnection("localhost", port, context=self.tls, timeout=20)
        connection.request(
            "POST", TOKEN, _TOKEN_FORM, {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = json.load(connection.getresponse())
        connection.close()
        return str(answer["access_token"])

    def _common(self, port: int) -> bytes:
        return (
            f"Host: localhost:{port}\r\nAccept: application/json\r\n"
            f"Authorization: Bearer {self.token(port)}\r\n"
        ).encode()


def _first(method: str, target: str) -> bytes:
    return f"{method} {target} HTTP/1.1\r\n".encode()


def _content_fields(body: bytes) -> bytes:
    return f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n".encode()


def _digest_field(body: bytes) -> bytes:
    return f"Digest: {_digest(body)}\r\n".encode()


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
    return Tpp(
        identifier,
        tls,
        qsealc.certificate.public_bytes(Encoding.DER),
        key_pem(qsealc.private_key),
        kid,
        _metadata(identifier, kid, qsealc),
    )


def sign_ahead(tpps: Sequence[Tpp], count: int) -> None:
    """Give every TPP `count` signed registrations, on all CPUs."""
    missing = [[REGISTER] * (count - len(tpp.signed)) for tpp in tpps]
    for tpp, signed in zip(tpps, _sign_all("POST", tpps, missing), strict=True):
        tpp.signed += signed


def sign_reads(tpps: Sequence[Tpp], client_ids: Sequence[Sequence[str]]) -> None:
    """Give every TPP signed readings of its clients, on all CPUs."""
    targets = [[f"{REGISTER}/{client_id}" for client_id in own] for own in client_ids]
    for tpp, signed in zip(tpps, _sign_all("GET", tpps, targets), strict=True):
        tpp.reads = signed


def _sign_all(
    method: str, tpps: Sequence[Tpp], targets: Sequence[Sequence[str]]
) -> list[list[Signed]]:
    with ProcessPoolExecutor() as pool:
        jobs = [
            pool.submit(
                _sign, method, tpp.seal_key, tpp.kid, tpp.body if method == "POST" else None, own
            )
            for tpp, own in zip(tpps, targets, strict=True)
        ]
        return [job.result() for job in jobs]


def _sign(
    method: str, seal_key: bytes, kid: str, body: bytes | None, targets: Sequence[str]
) -> list[Signed]:
    """Return a request for each target, signed with an X-Request-ID of its own."""
    key = load_pem_private_key(seal_key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    digest = "" if body is None else f"digest: {_digest(body)}\n"
    covered = f"(request-target) {'digest ' if digest else ''}x-request-id"
    signed = []
    for target in targets:
        request_id = uuid.uuid4()
        text = f"(request-target): {method.lower()} {target}\n{digest}x-request-id: {request_id}"
        signature = base64.b64encode(
            key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        ).decode()
        fields = (
            f"X-Request-ID: {request_id}\r\n"
            f'Signature: keyId="{kid}",algorithm="rsa-sha256",headers="{covered}",'
            f'signature="{signature}"\r\n'
        )
        signed.append(Signed(_first(method, target), fields.encode()))
    return signed


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
