"""Who is at the other end of a request; the one place that says which certificate is believed.

A listener of our own knows it from the handshake. Where TPPs come through a proxy, the hop from it
says so (`enrol.server.hop`). Whatever else a header field claims is refused.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Callable

import msgspec
from starlette.types import Scope
from uvicorn.protocols.utils import get_remote_addr

from enrol.errors import RefusalError
from enrol.server.claims import Field, claims_certificate
from enrol.server.tls import tls_extension

_EXTENSION = "enrol.peer"

Extensions = dict[str, dict[object, object]]
Introduction = Callable[[list[Field]], tuple[Extensions, list[Field]]]
"""Reads the fields of one request; returns what the ASGI scope says of the peer, and the fields
that are the peer's own."""

Acquaintance = Callable[[asyncio.Transport], Introduction]
"""Reads once what a new connection tells, and returns how its requests are introduced."""


class Peer(msgspec.Struct, frozen=True):
    """The TPP's end of a request.

    `certificate` is the DER whose key did the handshake, None where none was shown; `address` is
    empty where it is not known. `claims_certificate` says whether a field of the request claims
    one. `fault` is why nobody can be believed here, whatever the request says.
    """

    certificate: bytes | None = None
    address: str = ""
    claims_certificate: bool = False
    fault: RefusalError | None = None


def introduced(peer: Peer) -> Extensions:
    """Return what the ASGI scope of a request says of its peer."""
    return {_EXTENSION: {"peer": peer}}


def know_by_handshake(transport: asyncio.Transport) -> Introduction:
    """Return the introduction of a TPP that connected to us itself."""
    tls = tls_extension(transport.get_extra_info("ssl_object"))
    chain = tls["client_cert_chain"]
    der = ssl.PEM_cert_to_DER_cert(chain[0]) if isinstance(chain, list) and chain else None
    address = (get_remote_addr(transport) or ("", 0))[0]
    known = introduced(Peer(der, address)) | {"tls": tls}
    boasting = introduced(Peer(der, address, claims_certificate=True)) | {"tls": tls}

    def introduce(fields: list[Field]) -> tuple[Extensions, list[Field]]:
        return boasting if claims_certificate(fields) else known, fields

    return introduce


def peer_of(scope: Scope) -> Peer:
    """Return the peer of a request; raises the refusal of one that cannot be believed."""
    peer = _peer(scope)
    if peer.fault is not None:
        raise peer.fault
    return peer


def counted_as(scope: Scope) -> str | bytes | None:
    """Return what failures are counted by: the address, else the certificate, else nothing."""
    peer = _peer(scope)
    if peer.address or peer.certificate is None:
        return peer.address or None
    return hashlib.sha256(peer.certificate).digest()


def _peer(scope: Scope) -> Peer:
    peer: Peer = scope["extensions"][_EXTENSION]["peer"]
    return peer
