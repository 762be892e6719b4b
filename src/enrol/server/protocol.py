"""One TLS connection: uvicorn's HTTP protocol, made strict and given deadlines."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from enrol.errors import MalformedRequestError, RefusalError, RequestTimeoutError
from enrol.server.answer import Answer
from enrol.server.drain import Drain
from enrol.server.framing import body_length, check_size, request_target, unknown_method
from enrol.server.listener_settings import ListenerSettings
from enrol.server.tls import tls_extension
from enrol.server.wire import to_bytes

_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all connections of a listener share.

    `closing` turns a refusal into the answer that ends a connection; `lost` is told of its end.
    """

    limits: ListenerSettings
    drain: Drain
    closing: Callable[[RefusalError], Answer]
    lost: Callable[[], None]


class _SurplusError(Exception):
    """A request came in one piece with the chunked body before it; its start is not known."""


class TlsProtocol(HttpToolsProtocol):
    """HTTP/1.1 over TLS, one request at a time.

    A head is checked on its own bytes before the application sees it. What a client sends ahead
    waits unread until the answer before it is out, so that an answer is never given out of turn
    and nothing after a refused request is looked at.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        surroundings: Surroundings,
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._limits = surroundings.limits
        self._around = surroundings
        self.timeout_keep_alive = self._limits.idle  # type: ignore[assignment]  # a float serves
        self.established = False
        self._tls: dict[str, Any] = {}
        self._head = b""  # of the next request, as far as it came
        self._target: bytes | None = None  # of a whole head, until the parser has read it
        self._in_body = False
        self._body_left: int | None = 0  # bytes; None: chunked
        self._wire_bytes = 0  # of a chunked body
        self._keep_alive = True  # once the body is complete
        self._ahead = b""  # sent before the answer to the request before it
        self._deaf = False  # what comes now is not looked at any more
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether everything a request has sent so far is answered."""
        return not (self._in_body or self._head or self._ahead or self._answer_due)

    @property
    def _answer_due(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's
        """Read once what TLS tells of the peer, and start the clock for its first request."""
        super().connection_made(transport)
        self.established = True
        self._tls = {"tls": tls_extension(transport.get_extra_info("ssl_object"))}
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything that was to happen later."""
        super().connection_lost(exc)
        self._stop_timers()
        self._around.lost()

    def pause_writing(self) -> None:
        """Give a peer that does not read its answer some time, not for ever."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.write, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the peer reads."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()

    def shutdown(self) -> None:
        """Close when idle, else after the answer that is due."""
        if self._answer_due:
            self.cycle.keep_alive = False
        elif self.idle:
            self.transport.close()

    # Bytes

    def data_received(self, data: bytes) -> None:
        """Take what came, as far as it is wanted; what breaks a rule is refused here."""
        if self._deaf or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        try:
            self._take(data)
        except RefusalError as refusal:
            self._refuse(refusal)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._take_parser_error(error)

    def _take(self, data: bytes) -> None:
        if self._in_body:
            self._take_body(data)
        elif self._answer_due:
            self._ahead += data
            self.flow.pause_reading()
        else:
            self._take_head(data)

    def _take_head(self, data: bytes) -> None:
        if not self._head:
            data = data.lstrip(b"\r\n")  # empty lines before a request (RFC 9112 §2.2)
        before, head = len(self._head), self._head + data
        self._head, self._body_left = head, 0
        end = head.find(_END)
        check_size(head if end < 0 else head[:end], self._limits)
        if end < 0:
            self.parser.feed_data(data)
            self._await_head()
            return
        self._target = request_target(head[:end], self._limits)
        rest = end + len(_END) - before
        self.parser.feed_data(data[:rest])
        if self._head:  # the parser sees no end here
            raise MalformedRequestError("http_malformed")
        if len(data) > rest:
            self._take(data[rest:])

    def _take_body(self, data: bytes) -> None:
        if self._body_left is None:
            self._wire_bytes += len(data)
            if self._wire_bytes > self._limits.body_wire_bytes:
                raise MalformedRequestError("body_too_large")
            self.parser.feed_data(data)
            return
        here, ahead = data[: self._body_left], data[self._body_left :]
        self._body_left -= len(here)
        self.parser.feed_data(here)
        if ahead:
            self._take(ahead)

    # Callbacks of the parser; what they raise comes out as the context of the parser's error

    def on_message_begin(self) -> None:
        """Start a request where one can start."""
        if self._body_left is None:
            raise _SurplusError
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header field, without white space at its end; refuse a trailer."""
        if self._in_body:  # a trailer would join the fields the application has judged already
            raise MalformedRequestError("http_malformed")
        super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """Check the whole head, then hand the request to the application."""
        if self._target is None:  # the parser sees an end where there is none
            raise MalformedRequestError("http_malformed")
        self._body_left = body_length(self.headers)
        if self.parser.should_upgrade():
            raise MalformedRequestError("upgrade_not_offered")
        extensions = {**self._tls, "enrol.request_target": {"target": self._target}}
        self.scope["extensions"] = extensions
        self._head, self._target = b"", None
        self._in_body, self._wire_bytes = True, 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()
        # An answer before the end of the body ends the connection; see on_message_complete.
        self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_message_complete(self) -> None:
        """Note the end of the body: from here on another request can follow."""
        self._in_body = False
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keep_alive and not self._around.drain.draining
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Turn to what the client sent ahead."""
        super().on_response_complete()
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            self.data_received(ahead)

    # Refusals

    def _take_parser_error(self, error: Exception) -> None:
        cause = error.__context__
        if isinstance(cause, _SurplusError):
            self._deaf = True
            self.cycle.keep_alive = False
        elif isinstance(cause, RefusalError):
            self._refuse(cause)
        elif isinstance(error, httptools.HttpParserInvalidMethodError):
            self._refuse(unknown_method(self._head))
        else:
            self._refuse(MalformedRequestError("http_malformed"))

    def _refuse(self, refusal: RefusalError) -> None:
        """Answer once, read no more, close; a request whose body breaks off is cut short."""
        self._deaf = True
        self._stop_timers()
        if self._answer_due:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not self._answer_due or not self.cycle.response_started:
            fields = tuple(self.server_state.default_headers)
            self.transport.write(to_bytes(self._around.closing(refusal), before=fields))
        self.transport.close()

    # Deadlines

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.headers, self._head_expired)

    def _head_expired(self) -> None:
        if self._head:
            self._refuse(RequestTimeoutError("request_timeout"))
        else:
            self.transport.close()

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
