"""One connection: uvicorn's HTTP protocol, made strict and given deadlines."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from enrol.errors import MalformedRequestError, RefusalError, RequestTimeoutError
from enrol.server.answer import CLOSE, DELIVERY, Answer
from enrol.server.call import REQUEST_TARGET, WHOLE_BODY
from enrol.server.drain import Drain
from enrol.server.framing import body_length, check_size, request_target, unknown_method
from enrol.server.linger import LingeringTransport
from enrol.server.listener_settings import ListenerSettings
from enrol.server.peer import Acquaintance, Extensions, Introduction
from enrol.server.wire import to_bytes

_END = b"\r\n\r\n"
_AHEAD_BYTES = 1 << 20  # the application resumes reading with each `receive`, so more can pile up


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all connections of a listener share.

    `know` reads what a new connection tells of its peer. `closing` turns a refusal into the answer
    that ends a connection; `lost` is told of its end.
    """

    limits: ListenerSettings
    drain: Drain
    know: Acquaintance
    closing: Callable[[RefusalError], Answer]
    lost: Callable[[], None]


class StrictProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a TPP over TLS, or with a proxy, one request at a time.

    A head is checked on its own bytes before the parser and the application see it. What a client
    sends ahead waits unread until the answer before it is out, so that an answer is never given
    out of turn and nothing after a refused request is looked at.
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
        self.established = False
        self._dealings: Extensions = {
            DELIVERY: {"deliver": self._deliver},
            WHOLE_BODY: {"take": self._take_whole_body},
        }
        self._head = b""  # of the next request, as far as it came; empty once the parser has it
        self._target: bytes | None = None  # of a whole head, while the parser reads it
        self._left: int | None = 0  # bytes of the current request to come; None: chunked
        self._wire_bytes = 0  # of a chunked body
        self._trailers: list[tuple[bytes, bytes]] = []  # kept apart from what is judged already
        self._keep_alive = True  # once the current request has come whole
        self._ahead = b""  # sent before the answer to the request before it
        self._deaf = False  # what comes now is not looked at any more
        self._idle_from = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None  # looks now and then
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether everything a client has sent so far is answered."""
        return not (self._head or self._ahead or self._answer_due)

    @property
    def untried(self) -> bool:
        """Whether nothing was asked yet."""
        return self.cycle is None

    @property
    def _answer_due(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's
        """Read once what it tells of the peer, and start the clock for its first request."""
        if transport.get_extra_info("ssl_object") is None:
            transport = LingeringTransport(transport, linger=self._limits.linger)
        super().connection_made(transport)
        self.established = True
        self._introduce: Introduction = self._around.know(transport)
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
        try:
            self._take(data)
        except RefusalError as refusal:
            self._refuse(refusal)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._take_parser_error(error)

    def _take(self, data: bytes) -> None:
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._take_head(data)
        elif cycle.more_body:
            self._take_body(data)
        else:
            self._ahead += data
            self.flow.pause_reading()
            if len(self._ahead) > _AHEAD_BYTES:
                self._end_after_answer()

    def _take_head(self, data: bytes) -> None:
        if not self._head:
            data = data.lstrip(b"\r\n")  # empty lines before a request (RFC 9112 §2.2)
        before = len(self._head)
        head = self._head = self._head + data
        end = head.find(_END)
        if end < 0:
            check_size(head, len(head), self._limits)
            self.parser.feed_data(data)
            self._await_head()
            return
        check_size(head, end, self._limits)
        self._target = request_target(head)
        body = end + len(_END) - before
        self.parser.feed_data(data[:body])
        if self._head:  # the parser sees no end here
            raise MalformedRequestError("http_malformed")
        self._take_body(data[body:])

    def _take_body(self, data: bytes) -> None:
        left, cycle = self._left, self.cycle
        if left is None:
            self._take_chunks(data)
        else:
            if data:
                self.parser.feed_data(data if len(data) <= left else data[:left])
                self._left = max(left - len(data), 0)
            if cycle.more_body is not bool(self._left):  # the parser counts another way
                raise MalformedRequestError("http_malformed")
        if not cycle.more_body and not cycle.response_started:
            cycle.keep_alive = self._keep_alive and not self._around.drain.leaving
        if left is not None and len(data) > left:
            self._take(data[left:])

    def _take_chunks(self, data: bytes) -> None:
        self._wire_bytes += len(data)
        if self._wire_bytes > self._limits.chunked_bytes:
            raise MalformedRequestError("body_too_large")
        self.parser.feed_data(data)
        if self._trailers:
            raise MalformedRequestError("http_malformed")
        if self._has_surplus:
            self._end_after_answer()

    @property
    def _has_surplus(self) -> bool:
        """Whether the parser went on from a chunked body to what the client sent ahead.

        Where that starts is not known, so it cannot be set aside.
        """
        return not self._head and self.cycle is not None and self.scope is not self.cycle.scope

    # Callbacks of the parser; what they raise comes out as the context of the parser's error

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head, or a trailer, without white space at its end."""
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Judge the fields and hand the request to the application."""
        if self._target is None:  # the parser sees an end where there is none
            raise MalformedRequestError("http_malformed")
        self._left = body_length(self.headers, self._limits)
        if self.parser.should_upgrade():
            raise MalformedRequestError("upgrade_not_offered")
        extensions, self.scope["headers"] = self._introduce(self.headers)
        self.scope["extensions"] = {
            **extensions,
            **self._dealings,
            REQUEST_TARGET: {"target": self._target},
        }
        super().on_headers_complete()
        self._head, self._target, self._wire_bytes = b"", None, 0
        self.headers = self._trailers = []
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        # An answer before the end of the body ends the connection.
        self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False

    def _take_whole_body(self) -> bytes | None:
        """Return the body of the request where all of it has come, None where some has not."""
        cycle = self.cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        return bytes(cycle.body)

    async def _deliver(self, answer: Answer) -> None:
        """Send a whole answer at once.

        What uvicorn does for an answer in events, without looking at each field: `Answer` is made
        here, of checked values. One write is one TLS record.
        """
        cycle = self.cycle
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if cycle.disconnected:
            return
        if CLOSE[0] in answer.fields:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            answer = Answer(answer.status, answer.fields + CLOSE, answer.body)
        if cycle.scope["method"] == "HEAD":
            answer = Answer(answer.status, answer.fields, b"")
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        self.transport.write(to_bytes(answer))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Turn to what the client sent ahead, else wait for what it sends next.

        What uvicorn does, but for the timer, which is not made anew for each answer.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._idle_from = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self._limits.idle, self._look_if_idle)
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            self.data_received(ahead)

    # Refusals

    def _take_parser_error(self, error: Exception) -> None:
        cause = error.__context__
        if self._has_surplus and not self._trailers:
            self._end_after_answer()
        elif isinstance(cause, RefusalError):
            self._refuse(cause)
        elif isinstance(error, httptools.HttpParserInvalidMethodError):
            self._refuse(unknown_method(self._head))
        else:
            self._refuse(MalformedRequestError("http_malformed"))

    def _end_after_answer(self) -> None:
        self._deaf, self._ahead = True, b""
        self._keep_alive = self.cycle.keep_alive = False

    def _refuse(self, refusal: RefusalError) -> None:
        """Answer once, read no more, close; a request whose body breaks off is cut short."""
        self._deaf = True
        self._stop_timers()
        has_answer = self._answer_due and self.cycle.response_started
        if self._answer_due:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not has_answer:
            self.transport.write(to_bytes(self._around.closing(refusal)))
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

    def _look_if_idle(self) -> None:
        """Close a connection that nothing came on since its last answer, or look again later."""
        self._idle_timer = None
        if not self.idle:
            return  # its next answer, or the deadline of its head, ends that
        due = self._idle_from + self._limits.idle
        if due > self.loop.time():
            self._idle_timer = self.loop.call_at(due, self._look_if_idle)
        else:
            self.transport.close()

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._write_timer, self._idle_timer):
            if timer is not None:
                timer.cancel()
