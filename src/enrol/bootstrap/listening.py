"""How connections come in: TLS, or a proxy's hop."""

import socket

from enrol.adapters.unix_socket import bind_unix_socket
from enrol.server.hop import ROOM, Hop, fingerprints
from enrol.server.listener_settings import ListenerSettings
from enrol.server.peer import Acquaintance, know_by_handshake
from enrol.server.tls import TlsSettings
from enrol.settings import Settings, read_secret


def tls_settings(settings: Settings, authorities: tuple[bytes, ...]) -> TlsSettings:
    """Return the TLS of the listener, which asks for certificates of `authorities`."""
    if settings.proxy.hop == "tls":
        authorities = tuple(path.read_bytes() for path in settings.proxy.certificates)
    certificate, key = settings.server.certificate, settings.server.key
    assert certificate is not None  # noqa: S101 - checked when the settings were loaded
    assert key is not None  # noqa: S101 - same
    return TlsSettings(certificate=certificate, key=key, client_authorities=authorities or None)


def acquaintance_of(settings: Settings) -> Acquaintance:
    """Return how the listener gets to know TPPs: by the handshake, or through a proxy."""
    given = settings.proxy
    if given.hop == "off":
        return know_by_handshake
    return Hop(
        secrets=tuple(read_secret(path) for path in given.secrets),
        certificates=None if given.hop == "socket" else fingerprints(given.certificates),
        states_address=given.client_address,
    ).know


def sockets_of(settings: Settings) -> list[socket.socket] | None:
    """Return the socket a proxy comes by; None lets the listener bind its own address."""
    return [bind_unix_socket(settings.proxy.socket)] if settings.proxy.socket is not None else None


def listener_settings(settings: Settings) -> ListenerSettings:
    """Return where is listened and within which limits; a hop gets room for its own fields."""
    limits, deadlines = settings.limits, settings.deadlines
    added_bytes, added_fields = (0, 0) if settings.proxy.hop == "off" else ROOM
    return ListenerSettings(
        host=settings.server.host,
        port=settings.server.port,
        connections=limits.connections,
        request_line_bytes=limits.request_line_bytes,
        header_bytes=limits.header_bytes + added_bytes,
        header_fields=limits.header_fields + added_fields,
        handshake=deadlines.handshake,
        headers=deadlines.headers,
        idle=deadlines.idle,
        write=deadlines.write,
        drain=deadlines.drain,
    )
