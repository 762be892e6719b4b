"""What one connection and one request may take of the listener."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Address, deadlines (seconds) and limits (bytes, counts) of the TLS listener.

    The application limits and times the body itself; `chunked_bytes` only bounds a chunked request
    with all its framing, so that padding of chunks cannot go on for ever. `linger` is how long a
    connection is kept after the last answer for a client that is still sending, `farewell` how long
    connections that are open may ask once more when others take over.
    """

    host: str = "127.0.0.1"
    port: int = 8443
    backlog: int = 2048
    connections: int = 1000

    request_line_bytes: int = 4096
    header_bytes: int = 16_384
    header_fields: int = 64
    chunked_bytes: int = 1_048_576

    handshake: float = 5.0
    headers: float = 5.0
    idle: float = 10.0
    write: float = 10.0
    linger: float = 2.0
    drain: float = 20.0
    farewell: float = 0.0
