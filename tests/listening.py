"""A listener on a thread, certificates for both ends, and clients that send bytes as they are."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from enrol.server.drain import Drain
from enrol.server.listener import Listener
from enrol.server.listener_settings import ListenerSettings
from enrol.server.peer import Acquaintance, know_by_handshake
from enrol.server.tls import TlsSettings
from enrol.server.wire import closing_answer

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)
ERROR_BASE = "https://bank.test/errors/"
PATIENCE = 10  # seconds after which a test that waits has failed


@dataclass(frozen=True)
class Identity:
    """A certificate, its key, and the certificates to send along."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        encoded = (
            c.public_bytes(serialization.Encoding.PEM) for c in (self.certificate, *self.chain)
        )
        return b"".join(encoded)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, key


def issue(
    name: str,
    issuer: Identity | None = None,
    *,
    not_before: datetime = NOW - timedelta(days=1),
    not_after: datetime = NOW + YEAR,
    authority: bool = False,
    key_usage: x509.KeyUsage | None = None,
    extended_key_usage: tuple[x509.ObjectIdentifier, ...] = (),
    chain: tuple[x509.Certificate, ...] = (),
) -> Identity:
    """Return a new identity, self-signed without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    if key_usage is not None:
        builder = builder.add_extension(key_usage, critical=True)
    if extended_key_usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended_key_usage), critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Identity(certificate, key, chain)


class Pki:
    """A root and its issuing authority for clients, and the server's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = issue("Root", authority=True)
        self.issuing = issue("Issuing", self.root, authority=True)
        self.server_ca = issue("Server CA", authority=True)
        self.server = issue(
            "localhost", self.server_ca, extended_key_usage=(ExtendedKeyUsageOID.SERVER_AUTH,)
        )
        self.client = issue(
            "TPP", self.issuing, extended_key_usage=(ExtendedKeyUsageOID.CLIENT_AUTH,)
        )

    def settings(self, *authorities: Identity) -> TlsSettings:
        certificate, key = self.server.write(self.folder, "server")
        return TlsSettings(certificate, key, tuple(a.pem for a in authorities or (self.issuing,)))


class Client:
    """A TLS connection that sends bytes and reads until the server closes."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.sock = sock
        self.unread = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """Return status, fields (names in lower case) and body of the next answer."""
        while b"\r\n\r\n" not in self.unread:
            self._more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        line, *lines = head.split(b"\r\n")
        fields = {name.lower(): value for name, _, value in (f.partition(b": ") for f in lines)}
        length = int(fields.get(b"content-length", 0))
        while len(self.unread) < length:
            self._more()
        body, self.unread = self.unread[:length], self.unread[length:]
        return int(line.split(b" ")[1]), fields, body

    def answers(self) -> list[tuple[int, dict[bytes, bytes], bytes]]:
        """Return all answers until the server closes."""
        self.unread = self.rest()
        answers = []
        while self.unread:
            answers.append(self.answer())
        return answers

    def rest(self) -> bytes:
        """Return all that comes until the server closes."""
        with contextlib.suppress(ConnectionError):
            while data := self.sock.recv(65536):
                self.unread += data
        rest, self.unread = self.unread, b""
        return rest

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionResetError("the server closed")
        self.unread += data


class Running:
    """A listener that serves an application on a thread of its own."""

    def __init__(
        self,
        app,
        pki: Pki,
        settings: ListenerSettings,
        tls: TlsSettings | None,
        *,
        know: Acquaintance = know_by_handshake,
        sockets: list[socket] | None = None,
    ) -> None:
        self.pki, self.drain = pki, Drain()
        self._ready = threading.Event()
        self._clients: list[Client] = []
        self.listener = Listener(
            app,
            settings,
            tls=tls,
            drain=self.drain,
            closing=lambda refusal: closing_answer(refusal, at=NOW, error_base=ERROR_BASE),
            on_ready=self._take_address,
            know=know,
        )
        self.thread = threading.Thread(target=self.listener.run, args=(sockets,), daemon=True)

    def _take_address(self, host: str, port: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.address = (host, port)
        self._ready.set()

    def start(self) -> None:
        self.thread.start()
        assert self._ready.wait(PATIENCE)

    def stop(self) -> None:
        for client in self._clients:
            client.sock.close()
        self.listener.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def connect(self, identity: Identity | None = None, **options: object) -> Client:
        """Return a client after its handshake; `options` are attributes of its SSLContext."""
        context = client_context(self.pki, identity)
        for name, value in options.items():
            setattr(context, name, value)
        return self.handshake(context)

    def handshake(self, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Client:
        self._clients.append(handshake(self.address, context, session))
        return self._clients[-1]


def handshake(
    address: tuple[str, int], context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> Client:
    sock = create_connection(address, timeout=PATIENCE)
    sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    return Client(context.wrap_socket(sock, server_hostname="localhost", session=session))


def client_context(pki: Pki, identity: Identity | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pki.server_ca.pem.decode())
    if identity is not None:
        context.load_cert_chain(*identity.write(pki.folder, "client"))
    return context


@contextlib.contextmanager
def running(
    app,
    pki: Pki,
    *,
    tls: TlsSettings | None = None,
    know: Acquaintance = know_by_handshake,
    sockets: list[socket] | None = None,
    **limits,
) -> Iterator[Running]:
    """Serve on a port, or without TLS on `sockets`."""
    settings = ListenerSettings(port=0, **limits)
    secured = None if sockets else tls or pki.settings()
    server = Running(app, pki, settings, secured, know=know, sockets=sockets)
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def lifespan(receive, send) -> None:
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return


async def answer(send, body: bytes = b"ok", *, status: int = 200, fields: tuple = ()) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *fields]})
    await send({"type": "http.response.body", "body": body})
