"""How connections come in: TLS, or a proxy's hop."""

from enrol.server.hop import ROOM, Hop, fingerprints
from enrol.server.listener_settings import ListenerSettings
from enrol.server.peer import Acquaintance, know_by_handshake
from enrol.server.tls import TlsSettings
from enrol.settings import Settings, read_secret

_OPERATORS = 32


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


def listener_settings(settings: Settings) -> ListenerSettings:
    """Return where is listened and within which limits; a hop gets room for its own fields.

    Where the next worker comes before one goes, connections that are open may ask once more.
    """
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
        farewell=deadlines.drain if settings.is_shared else 0.0,
    )


def operations_settings(settings: Settings, *, index: int = 0) -> ListenerSettings | None:
    """Return where operators ask the worker with this index, None where they cannot."""
    given = settings.operations
    if given.port is None:
        return None
    port = given.port + index if given.port else 0
    return ListenerSettings(host=given.host, port=port, connections=_OPERATORS, drain=1)
