"""TLS alerts: a handshake that fails ends with the reason, not with silence."""

import contextlib
import ssl
from collections.abc import Callable
from contextvars import ContextVar

Send = Callable[[bytes], object]

# How to send to the peer, past the event loop; to be set before the loop takes the socket over.
alert: ContextVar[Send | None] = ContextVar("alert", default=None)


class AlertingContext(ssl.SSLContext):
    """An SSLContext whose failing handshakes send their alert.

    Event loops close the socket as soon as OpenSSL reports a failure, with the alert still in the
    outgoing buffer; a client would then learn nothing, not even that its certificate is at fault
    (RFC 8446 §6.2). So the alert goes out before the failure is reported.
    """

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Return a TLS connection as `ssl.SSLContext` does, which knows where alerts go."""
        handshake = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if isinstance(handshake, _AlertingObject):
            handshake.outgoing = outgoing
            handshake.alert = alert.get()
        return handshake


class _AlertingObject(ssl.SSLObject):
    outgoing: ssl.MemoryBIO
    alert: Send | None

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            if self.alert is not None:
                with contextlib.suppress(OSError):  # a peer that is gone needs no alert
                    self.alert(self.outgoing.read())
            raise


AlertingContext.sslobject_class = _AlertingObject
