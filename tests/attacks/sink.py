"""A loopback host that a keyId may name: serves what an attacker serves, and counts its visits."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Answer = Callable[[], Iterable[bytes]]
"""Makes the octets of one whole HTTP answer, piece by piece."""

_PATIENCE = 10.0


class Sink:
    """An HTTPS server whose answers are prepared path by path; everything else is 404."""

    def __init__(self, folder: Path, hosts: Iterable[str]) -> None:
        self.answers: dict[str, Answer] = {}
        self.visits = 0
        self._certificate = folder / "sink.pem"
        _write_identity(self._certificate, folder / "sink.key", [*hosts])
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(self._certificate, folder / "sink.key")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self._listening.getsockname()[1])

    def settings(self, hosts: Iterable[str]) -> str:
        """Return the table of enrol.toml by which a bank finds these hosts here."""
        named = ", ".join(f'"{host}" = "127.0.0.1:{self.port}"' for host in hosts)
        return f'\n[key_urls]\nhosts = {{ {named} }}\nca = "{self._certificate}"\n'

    def close(self) -> None:
        """Take no more visits."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(_PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listening.accept()
            except OSError:
                return
            self.visits += 1
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(_PATIENCE)
        with contextlib.suppress(OSError), raw:
            with self._tls.wrap_socket(raw, server_side=True) as visitor:
                request = b""
                while b"\r\n\r\n" not in request and (received := visitor.recv(4096)):
                    request += received
                path = request.split(b" ", 2)[1].decode("ascii") if b" " in request else "?"
                for piece in self.answers.get(path, not_found)():
                    visitor.sendall(piece)


def answer(body: bytes, *fields: str, status: str = "200 OK") -> Answer:
    """Return an answer with that body, its length and further fields."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *fields]
    octets = "\r\n".join([*lines, "", ""]).encode("ascii") + body
    return lambda: [octets]


not_found = answer(b"", status="404 Not Found")


def _write_identity(certificate_file: Path, key_file: Path, hosts: list[str]) -> None:
    """Write a certificate for these hosts that is its own CA, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a host of the attacker's")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
