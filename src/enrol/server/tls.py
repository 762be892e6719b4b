"""TLS of the embedded listener: who is let in, and what the application is told of the peer."""

import functools
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enrol.errors import ConfigurationError
from enrol.server.alerts import AlertingContext

# TLS 1.2: forward secrecy and AEAD only; level 2: no key under 112 bits, no SHA-1 signature.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2"

# X509_V_FLAG_NO_CHECK_TIME, which Python's ssl does not name. A client certificate that is expired
# or not valid yet passes the handshake, because validity is judged by the application, against
# its own clock and with an answer that says so; a TLS alert would say nothing. Nothing else is let
# through: a chain that does not end at a configured authority fails in the handshake.
_NO_CHECK_TIME = 0x200000

_AT_ONCE = 16
_VERSIONS = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Certificate chain and key of the server, PEM files; PEM certificates accepted as issuers.

    `client_authorities` is None while no issuer is trusted: then nobody is asked for a certificate.
    """

    certificate: Path
    key: Path
    client_authorities: tuple[bytes, ...] | None


def server_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return a context that asks for a client certificate and refuses untrusted ones.

    No certificate is let through as well: the application answers 401 in plain words, and some
    entry points need none. A change of authorities or certificate means a new context.
    Raises ConfigurationError.
    """
    context = _hardened_context()
    _load_identity(context, settings)
    if settings.client_authorities is None:
        context.verify_mode = ssl.CERT_NONE
        return context
    if not settings.client_authorities:
        raise ConfigurationError(
            "tls_client_authorities_empty", "no issuer of client certificates is configured"
        )
    try:
        for some in _batched(settings.client_authorities):
            context.load_verify_locations(cadata=b"\n".join(some).decode("ascii"))
    except (ValueError, ssl.SSLError) as error:
        raise ConfigurationError(
            "tls_client_authority_unreadable",
            "an issuer of client certificates is not a PEM certificate",
        ) from error
    return context


def _batched(authorities: tuple[bytes, ...]) -> Iterator[tuple[bytes, ...]]:
    """Yield a few authorities at a time: while OpenSSL reads, no other thread of Python runs."""
    for start in range(0, len(authorities), _AT_ONCE):
        yield authorities[start : start + _AT_ONCE]


def _hardened_context() -> ssl.SSLContext:
    context = AlertingContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= (
        ssl.OP_NO_RENEGOTIATION
        | ssl.OP_NO_COMPRESSION
        | ssl.OP_NO_TICKET
        | ssl.OP_CIPHER_SERVER_PREFERENCE
    )
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_OPTIONAL
    # An issuing authority is an anchor by itself; its root need not be known.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def _load_identity(context: ssl.SSLContext, settings: TlsSettings) -> None:
    try:
        # An encrypted key fails for its empty password, instead of asking at the terminal.
        context.load_cert_chain(settings.certificate, settings.key, password="")
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "tls_identity_unreadable",
            f"{settings.certificate} and {settings.key} are not a PEM certificate and its "
            "unencrypted PEM key",
        ) from error


def tls_extension(tls: ssl.SSLObject) -> dict[object, object]:
    """Return what a connection knows of its peer, in the shape of the ASGI TLS extension."""
    cipher = tls.cipher()
    return {
        "server_cert": None,
        "client_cert_chain": _verified_chain(tls),
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": _VERSIONS[tls.version() or ""],
        "cipher_suite": _cipher_suites().get(cipher[0]) if cipher else None,
    }


def _verified_chain(tls: ssl.SSLObject) -> list[str]:
    """Return the PEM certificates from the peer's to the authority that is trusted, or nothing.

    A resumed TLS 1.2 session knows the peer's certificate only.
    """
    certificate = tls.getpeercert(binary_form=True)
    if certificate is None:
        return []
    if sys.version_info >= (3, 13):
        chain = [ssl.DER_cert_to_PEM_cert(der) for der in tls.get_verified_chain()]
    else:  # the same call, which only Python 3.13 gave a public name
        verified = tls._sslobj.get_verified_chain()  # type: ignore[attr-defined]  # private
        chain = [each.public_bytes() for each in verified or ()]
    return chain or [ssl.DER_cert_to_PEM_cert(certificate)]


@functools.cache
def _cipher_suites() -> dict[str, int]:
    return {suite["name"]: suite["id"] & 0xFFFF for suite in _hardened_context().get_ciphers()}
