"""Entry points: a path, its methods, and the answers to whatever goes wrong on the way."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter

import structlog
from starlette.types import Receive, Scope, Send

from enrol.errors import (
    AuthenticationError,
    EntryPointError,
    MalformedRequestError,
    MethodError,
    RateLimitError,
    RefusalError,
    RequestTimeoutError,
    UnavailableError,
)
from enrol.registration.meters import Meters
from enrol.registration.ports import Clock
from enrol.registration.ratelimit import RateLimiter
from enrol.server.answer import CLOSE, DELIVERY, Answer, date_field
from enrol.server.call import Call, ClientGoneError, RequestLimits, receive_call
from enrol.server.deadlines import Deadline, Deadlines
from enrol.server.peer import counted_as
from enrol.server.problems import answer_refusal
from enrol.server.room import Room
from enrol.server.seal import Sealing

Handler = Callable[[Call], Awaitable[Answer]]

_CLOSING = (MalformedRequestError, RequestTimeoutError)


@dataclass(frozen=True, slots=True)
class House:
    """What every entry point shares.

    `failures` counts the refused authentications of an address; `error_base` is the URI that the
    code of a refusal is appended to; `sealing` signs answers, where the bank does; `meters`
    count them.
    """

    clock: Clock
    limits: RequestLimits
    room: Room
    failures: RateLimiter
    error_base: str
    sealing: Sealing | None = None
    meters: Meters = field(default_factory=Meters)


class Resource:
    """One entry point: answers its methods, refuses the others; an ASGI application.

    `template` stands for the path in answers and logs, since a path received is anybody's text.
    """

    def __init__(self, house: House, template: str, methods: Mapping[str, Handler]) -> None:
        self._house = house
        self.template = template
        self._methods = methods
        self._deadlines = Deadlines(house.limits.request_deadline)
        self._meter = house.meters.entry_point(template)
        self._log = structlog.get_logger("enrol.server").bind(entry_point=template)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; a defect becomes a 500 that says nothing."""
        started = perf_counter()
        call = receive_call(scope, receive, self._house.limits, self._house.room)
        try:
            answer, code = await self._answer(call)
        except ClientGoneError:
            return
        except Exception:
            self._log.exception("defect", request_id=call.request_id)
            code = "server_error"
            answer = self._refuse(RefusalError(code), call)
        fields = (date_field(self._house.clock()), *answer.fields)
        answer = Answer(answer.status, fields, answer.body)
        if self._house.sealing is not None:
            answer = await self._house.sealing.finish(answer, call.message(b""))
        await _send(answer, scope, send)
        seconds = perf_counter() - started
        method = self.label_of(call.method)
        self._meter.answered(method, answer.status, code, seconds=seconds)
        self._log.info(
            "request",
            request_id=call.request_id,
            method=method,
            status=answer.status,
            code=code,
            milliseconds=round(seconds * 1000, 2),
        )

    def label_of(self, method: str) -> str:
        """Return what a method is called in logs: none that is not offered is named."""
        return method if method in self._methods else "other"

    async def _answer(self, call: Call) -> tuple[Answer, str | None]:
        """Return the answer and, where it is a refusal, its code."""
        try:
            with Deadline(self._deadlines):
                return await self._handler(call)(call), None
        except TimeoutError:
            refusal: RefusalError = UnavailableError("overloaded")
        except RefusalError as exc:
            refusal = await self._charge(exc, call.scope)
        return self._refuse(refusal, call), refusal.code

    def _handler(self, call: Call) -> Handler:
        if not self._methods:
            raise EntryPointError("entry_point_unknown")
        handler = self._methods.get(call.method)
        if handler is None:
            raise MethodError("method_not_allowed", allowed=tuple(self._methods))
        return handler

    async def _charge(self, refusal: RefusalError, scope: Scope) -> RefusalError:
        """Count a failed authentication; beyond the rate the answer is that there are too many."""
        key = counted_as(scope)
        if isinstance(refusal, AuthenticationError) and key is not None:
            try:
                await self._house.failures.take(key, self._house.clock())
            except (RateLimitError, UnavailableError) as exc:
                return exc
        return refusal

    def _refuse(self, refusal: RefusalError, call: Call) -> Answer:
        answer = answer_refusal(
            refusal,
            request_id=call.request_id,
            path=self.template,
            at=self._house.clock(),
            error_base=self._house.error_base,
        )
        if CLOSE[0] not in answer.fields and _has_unread_body(refusal, call):
            return Answer(answer.status, answer.fields + CLOSE, answer.body)
        return answer


def _has_unread_body(refusal: RefusalError, call: Call) -> bool:
    """Tell whether the peer may still be sending what nobody will read."""
    return isinstance(refusal, _CLOSING) and bool(
        call.values(b"transfer-encoding") or call.values(b"content-length")
    )


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    """Give the answer to the listener as it is, to any other ASGI server in two events."""
    listener = scope["extensions"].get(DELIVERY)
    if listener is not None:
        await listener["deliver"](answer)
        return
    await send(
        {"type": "http.response.start", "status": answer.status, "headers": list(answer.fields)}
    )
    await send({"type": "http.response.body", "body": answer.body})
