"""A TPP written without Enrol's own client: sockets, ssl and `cryptography` only.

The command that issues its certificates runs within the process of the tests.
What it sends can be bent byte for byte; what it gets is parsed by the standard library.
"""

import base64
import hashlib
import http.client
import json
import socket
import ssl
import uuid
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from typer.testing import CliRunner

from enrol.cli.main import app

REGISTER = "/stet/setting/v1/register"
TOKEN = "/stet/psd2/oauth/token"
COVERED = ("(request-target)", "digest", "x-request-id")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; `fields` has lower-case names."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The rule id at the end of error_uri."""
        return str(self.json["error_uri"].rpartition("/")[2])


@dataclass
class Pair:
    """A certificate and its key, as files and as objects."""

    certificate_file: Path
    key_file: Path

    def __post_init__(self) -> None:
        self.certificate = x509.load_pem_x509_certificates(self.certificate_file.read_bytes())[0]
        # The sandbox wrote it: a second proof of its primes takes longer than most tests.
        self.key: Any = serialization.load_pem_private_key(
            self.key_file.read_bytes(), None, unsafe_skip_rsa_key_validation=True
        )
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)

    def sign(self, text: bytes) -> bytes:
        return bytes(self.key.sign(text, padding.PKCS1v15(), hashes.SHA256()))


def issue(
    folder: Path,
    kind: str,
    organization: str,
    *,
    roles: Iterable[str] = (),
    faults: Iterable[str] = (),
    name: str = "",
    out: Path | None = None,
) -> Pair:
    """Issue a certificate with the command a person would use."""
    out = out or folder / "issued"
    name = name or "-".join([kind, organization.replace(" ", "_"), *roles, *faults])
    if not (out / f"{name}.pem").exists():
        command = ["sandbox", "issue", str(folder), "--kind", kind]
        command += ["--organization-identifier", organization, "--name", name, "--out", str(out)]
        for role in roles:
            command += ["--role", role]
        for fault in faults:
            command += ["--fault", fault]
        issued = CliRunner().invoke(app, command)
        assert issued.exit_code == 0, issued.output
    return Pair(out / f"{name}.pem", out / f"{name}.key")


@dataclass
class Draft:
    """A request before it is signed; every part can be replaced."""

    method: str
    target: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def set(self, name: str, value: str | None) -> "Draft":
        """Replace a header field, or remove it."""
        self.fields = [(n, v) for n, v in self.fields if n.lower() != name.lower()]
        if value is not None:
            self.fields.append((name, value))
        return self

    def get(self, name: str) -> str | None:
        return next((v for n, v in self.fields if n.lower() == name.lower()), None)

    def to_bytes(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{n}: {v}" for n, v in self.fields)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


class Party:
    """One organisation with a QWAC, a QSealC and a connection to a bank."""

    def __init__(
        self, port: int, ca: Path, organization: str, qwac: Pair | None, qsealc: Pair
    ) -> None:
        self.port, self.ca, self.organization = port, ca, organization
        self.qwac, self.qsealc = qwac, qsealc
        self.kid = str(qsealc.certificate.serial_number)
        self.address = "127.0.0.1"
        self.register_path = REGISTER
        self._token: str | None = None
        self._socket: ssl.SSLSocket | None = None

    # Connections

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        if self.qwac is not None:
            context.load_cert_chain(self.qwac.certificate_file, self.qwac.key_file)
        return context

    def connect(self) -> ssl.SSLSocket:
        # Wrapped before it connects: a handshake that fails leaves something to close.
        connection = self.context().wrap_socket(socket.socket(), server_hostname="localhost")
        try:
            connection.settimeout(20)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.bind((self.address, 0))
            connection.connect(("127.0.0.1", self.port))
        except BaseException:
            connection.close()
            raise
        return connection

    def exchange(self, data: bytes) -> Reply:
        """Send bytes on a connection of their own and return the one answer."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_reply(connection)

    def send(self, draft: Draft) -> Reply:
        """Send a request on the kept connection, a new one where it was closed."""
        if self._socket is not None:
            with suppress(OSError, http.client.HTTPException):
                return self.send_once(draft)
        return self.send_once(draft)

    def send_once(self, draft: Draft) -> Reply:
        """Send a request on the kept connection, or a new one, and not again where it breaks."""
        try:
            if self._socket is None:
                self._socket = self.connect()
            self._socket.sendall(draft.to_bytes())
            return self._kept(read_reply(self._socket, draft.method))
        except BaseException:
            self.close()
            raise

    def _kept(self, reply: Reply) -> Reply:
        if reply.fields.get("connection") == "close":
            self.close()
        return reply

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # Requests

    def token_draft(self, **form: str) -> Draft:
        fields = {
            "grant_type": "client_credentials",
            "scope": "manageRegistration",
            "client_id": "PSD2_TPPRegister",
        } | form
        body = "&".join(f"{n}={v}" for n, v in fields.items()).encode()
        draft = Draft("POST", TOKEN, [("Host", "localhost")], body)
        draft.set("Content-Type", "application/x-www-form-urlencoded")
        return draft.set("Content-Length", str(len(body)))

    @property
    def token(self) -> str:
        if self._token is None:
            reply = self.send(self.token_draft())
            assert reply.status == 200, reply
            self._token = reply.json["access_token"]
        return self._token

    def use_token(self, token: str) -> None:
        """Send this token from now on, whoever issued it."""
        self._token = token

    def metadata(self, **changes: Any) -> dict[str, Any]:
        """Return metadata as the one public client of this API sends them."""
        thumbprint = hashlib.sha256(self.qsealc.der).digest()
        return {
            "client_name": "Acme Co.",
            "redirect_uris": ["https://tpp.test/cb"],
            "token_endpoint_auth_method": "tls_client_auth",
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "response_types": ["code"],
            "contact": {
                "contact_name": "Acme Co.",
                "email": "ops@tpp.test",
                "phone_number": "+33100000000",
            },
            "provider_legal_id": self.organization,
            "jwks": {
                "keys": [
                    {
                        "kty": "RSA",
                        "use": "sig",
                        "alg": "RS256",
                        "kid": self.kid,
                        "x5c": [base64.b64encode(self.qsealc.der).decode()],
                        "x5t#S256": base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode(),
                    }
                ]
            },
            "scope": "aisp,pisp",
        } | changes

    def draft(
        self, method: str, client_id: str | None = None, body: bytes | dict[str, Any] | None = None
    ) -> Draft:
        """Return a whole request but for Digest and Signature."""
        place = self.register_path
        target = place if client_id is None else f"{place}/{client_id}"
        content = (
            json.dumps(body, separators=(",", ":")).encode() if isinstance(body, dict) else body
        )
        draft = Draft(method, target, [("Host", "localhost")], content or b"")
        draft.set("Accept", "application/json").set("X-Request-ID", str(uuid.uuid4()))
        draft.set("Authorization", f"Bearer {self.token}")
        if content is not None:
            draft.set("Content-Type", "application/json")
            draft.set("Content-Length", str(len(content)))
        return draft

    def signed(
        self,
        draft: Draft,
        *,
        covered: tuple[str, ...] | None = None,
        keyid: str | None = None,
        pair: Pair | None = None,
        extra: str = "",
        algorithm: str = "rsa-sha256",
    ) -> Draft:
        """Add Digest (where there is a body) and Signature to a request."""
        if draft.method in ("POST", "PUT"):
            digest = base64.b64encode(hashlib.sha256(draft.body).digest()).decode()
            draft.set("Digest", f"SHA-256={digest}")
        names = covered or tuple(n for n in COVERED if n != "digest" or draft.get("digest"))
        lines = []
        for name in names:
            if name == "(request-target)":
                value = f"{draft.method.lower()} {draft.target}"
            else:
                value = ", ".join(v.strip() for n, v in draft.fields if n.lower() == name)
            lines.append(f"{name}: {value}")
        signature = base64.b64encode((pair or self.qsealc).sign("\n".join(lines).encode("latin-1")))
        return draft.set(
            "Signature",
            f'keyId="{keyid or self.kid}",algorithm="{algorithm}",{extra}'
            f'headers="{" ".join(names)}",signature="{signature.decode()}"',
        )

    def post(self, metadata: dict[str, Any] | bytes | None = None) -> Draft:
        return self.signed(
            self.draft("POST", body=self.metadata() if metadata is None else metadata)
        )

    def register(self, metadata: dict[str, Any] | None = None) -> Reply:
        return self.send(self.post(metadata))

    def get(self, client_id: str) -> Reply:
        return self.send(self.signed(self.draft("GET", client_id)))

    def put(self, client_id: str, metadata: dict[str, Any]) -> Reply:
        return self.send(self.signed(self.draft("PUT", client_id, metadata)))

    def delete(self, client_id: str) -> Reply:
        return self.send(self.signed(self.draft("DELETE", client_id)))


def read_reply(connection: socket.socket, method: str | None = None) -> Reply:
    with closing(http.client.HTTPResponse(connection, method=method)) as response:
        response.begin()
        body = response.read()
        return Reply(response.status, {n.lower(): v for n, v in response.getheaders()}, body)
