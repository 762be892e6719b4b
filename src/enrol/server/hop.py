"""The hop from a proxy: how it proves itself, and what it may tell of the TPP (RFC 9440).

The proxy ends TLS, checks that the TPP has the key of its certificate, judges nothing, and hands
the certificate on in ``Client-Cert``. It is believed when the connection is its own (a Unix socket
others cannot reach, or a pinned certificate) and the request carries the shared secret.
"""

import asyncio
import hashlib
import hmac
import re
import ssl
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from enrol.errors import AuthenticationError, ConfigurationError, MalformedRequestError
from enrol.httpsig.octets import decode_base64
from enrol.server.claims import Field, claims_certificate
from enrol.server.peer import Extensions, Introduction, Peer, introduced

SECRET = b"enrol-hop-secret"
CERTIFICATE = b"client-cert"
ROOM = (16_384, 4)
"""The bytes and the fields that what a proxy tells may add to the head of a request."""
CHAIN = b"client-cert-chain"  # nobody needs it: a path is built from the trust of the server
ADDRESS = b"x-real-ip"

_BINARY = re.compile(rb":([A-Za-z0-9+/]+={0,2}):")  # RFC 8941 §3.3.5, not empty


@dataclass(frozen=True, slots=True)
class Hop:
    """What a proxy must show.

    `secrets` are those in force, so that one can follow another. `certificates` are the SHA-256 of
    the DER of the client certificates a proxy may have, None on a Unix socket. `states_address`
    says whether it names the address of the TPP in ``X-Real-IP``.
    """

    secrets: tuple[bytes, ...]
    certificates: frozenset[bytes] | None = None
    states_address: bool = False

    @property
    def _names(self) -> frozenset[bytes]:
        always = frozenset({SECRET, CERTIFICATE, CHAIN})
        return always | {ADDRESS} if self.states_address else always

    def know(self, transport: asyncio.Transport) -> Introduction:
        """Return the introduction of those who come through the proxy at this connection."""
        is_proxy = self._is_proxy(transport.get_extra_info("ssl_object"))
        return partial(self._introduce, is_proxy, self._names)

    def _is_proxy(self, tls: ssl.SSLObject | None) -> bool:
        if self.certificates is None:
            return tls is None
        shown = tls.getpeercert(binary_form=True) if tls is not None else None
        return shown is not None and hashlib.sha256(shown).digest() in self.certificates

    def _introduce(
        self, is_proxy: bool, names: frozenset[bytes], fields: list[Field]
    ) -> tuple[Extensions, list[Field]]:
        """Take the proxy's fields out of a request; the rest is the TPP's own."""
        told = [field for field in fields if field[0] in names]
        rest = [field for field in fields if field[0] not in names]
        if not is_proxy or not self._knows_secret(told):
            return introduced(Peer(fault=AuthenticationError("hop_not_authenticated"))), rest
        try:
            peer = Peer(_certificate(told), self._address(told), claims_certificate(rest))
        except MalformedRequestError as refusal:
            peer = Peer(fault=refusal)
        return introduced(peer), rest

    def _knows_secret(self, told: list[Field]) -> bool:
        given = _values(told, SECRET)
        matches = [hmac.compare_digest(given[0], known) for known in self.secrets if given]
        return len(given) == 1 and any(matches)

    def _address(self, told: list[Field]) -> str:
        if not self.states_address:
            return ""
        try:
            (text,) = _values(told, ADDRESS)
            return str(ip_address(text.decode("ascii")))
        except ValueError as exc:
            raise MalformedRequestError("client_address_malformed") from exc


def fingerprints(files: tuple[Path, ...]) -> frozenset[bytes]:
    """Return the SHA-256 of the certificate in each PEM file; raises `ConfigurationError`."""
    found = set()
    for path in files:
        try:
            der = ssl.PEM_cert_to_DER_cert(path.read_text("ascii").strip())
        except (OSError, ValueError) as exc:
            raise ConfigurationError(
                "hop_certificate_unreadable", f"{path}: not one certificate in PEM"
            ) from exc
        found.add(hashlib.sha256(der).digest())
    return frozenset(found)


def _certificate(told: list[Field]) -> bytes | None:
    """Return the DER in ``Client-Cert``, None where the TPP showed no certificate."""
    values = _values(told, CERTIFICATE)
    if not values:
        return None
    binary = _BINARY.fullmatch(values[0])
    der = decode_base64(binary[1]) if binary else None
    if der is None or len(values) > 1:
        raise MalformedRequestError("client_cert_malformed")
    return der


def _values(told: list[Field], name: bytes) -> list[bytes]:
    return [value for key, value in told if key == name]
