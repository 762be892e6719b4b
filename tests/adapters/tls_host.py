"""A host on the loopback that says over TLS whatever a test wants it to say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "cdn.tpp.test"

Speaker = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Host:
    """What came to the host, and where it listens."""

    address: tuple[str, int]
    ca_file: Path
    heads: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def say(*parts: bytes) -> Speaker:
    """Return a speaker that sends these bytes and closes."""

    async def speak(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return speak


def ok(body: bytes, *fields: bytes) -> Speaker:
    head = (b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *fields, b"", b"")
    return say(b"\r\n".join(head), body)


async def silent(writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other end goes."""
    await asyncio.Event().wait()


@asynccontextmanager
async def listening(folder: Path, speak: Speaker, *, name: str = NAME) -> AsyncIterator[Host]:
    """Listen with a certificate for `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca_file = write_certificate(folder, name, context)
    host = Host(("127.0.0.1", 0), ca_file)
    context.sni_callback = lambda _connection, asked, _context: host.names.append(asked)
    talks: set[asyncio.Task] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            host.heads.append(await reader.readuntil(b"\r\n\r\n"))
            await speak(writer)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    host.address = server.sockets[0].getsockname()
    try:
        yield host
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()


def write_certificate(folder: Path, name: str, context: ssl.SSLContext) -> Path:
    """Give a context a certificate for `name` that is its own CA, and return its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / f"{name}.key").write_bytes(private)
    path.write_bytes(public)
    context.load_cert_chain(path, folder / f"{name}.key")
    return path
