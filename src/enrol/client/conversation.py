"""The conversation with a bank, without the sending: what to send next, and what it means.

Each call is a generator that yields a `Step` and is sent what came of it, so that the sync and
the async client share every decision and differ only in how they wait.
"""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar

import httpx

from enrol.client.answers import (
    Registration,
    check_deleted,
    parse_registration,
    parse_token,
    retry_after,
)
from enrol.client.auth import new_request_id
from enrol.client.errors import BankUnreachableError
from enrol.client.messages import (
    check_request_id,
    registration_request,
    registration_url,
    token_request,
)
from enrol.client.metadata import registration_body
from enrol.client.profile import Bank
from enrol.client.seal import Seal
from enrol.client.tls import Failure, failure_code

MAXIMUM_RETRIES: Final = 2
LONGEST_PAUSE: Final = 5
"""Seconds of Retry-After that are waited; a longer wait is left to the caller."""

_PAUSES: Final = (0.5, 2.0)
_EARLY: Final = 30.0  # seconds before its end that a token is no longer used


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to send for some seconds."""

    seconds: float


T = TypeVar("T")
Step: TypeAlias = httpx.Request | Pause
Outcome: TypeAlias = httpx.Response | Failure | None
Flow: TypeAlias = Generator[Step, Outcome, T]
Trace: TypeAlias = Callable[[httpx.Request | httpx.Response], None]


def _now() -> datetime:
    return datetime.now(UTC)


def no_trace(_message: httpx.Request | httpx.Response) -> None:
    """Look at nothing."""


def pause_before_retry(outcome: Outcome, attempt: int) -> float | None:
    """Return the seconds to wait before the same bytes are sent again, or None to leave it.

    `attempt` counts from 0. Sent again are requests whose connection broke, for the answer may be
    lost and not the request, and those answered 503 with a Retry-After of at most 5 seconds; never
    more than twice. A bank that follows STET does nothing twice for the same X-Request-ID. A bank
    that refuses connections is tried again only after one broke, as it may be restarting.
    """
    if attempt >= MAXIMUM_RETRIES:
        return None
    match outcome:
        case httpx.Response(status_code=503):
            seconds = retry_after(outcome)
            return seconds if seconds is not None and seconds <= LONGEST_PAUSE else None
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            code = failure_code(outcome)
            is_lost = code == "bank_connection_lost"
            is_restarting = code == "bank_connection_refused" and attempt > 0
            return _PAUSES[attempt] if is_lost or is_restarting else None
        case _:
            return None


class Conversation:
    """All calls to one bank; it keeps the access token for its lifetime."""

    def __init__(
        self,
        bank: Bank,
        seal: Seal,
        *,
        trace: Trace = no_trace,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._bank = bank
        self._seal = seal
        self._trace = trace
        self._clock = clock
        self._now = now
        self._token = ""
        self._token_ends = float("-inf")

    def token(self) -> Flow[str]:
        """Get an access token, or the one at hand."""
        if self._clock() < self._token_ends - _EARLY:
            return self._token
        request_id = new_request_id()
        response = yield from self._exchange(token_request(self._bank, request_id=request_id))
        token = parse_token(response, request_id=request_id)
        self._token, self._token_ends = token.access_token, self._clock() + token.lifetime
        return self._token

    def register(
        self, metadata: Mapping[str, object], *, request_id: str | None = None
    ) -> Flow[Registration]:
        """Register a new client."""
        body = registration_body(metadata, self._seal)
        sent, response = yield from self._call("POST", body=body, request_id=request_id)
        return parse_registration(response, request_id=sent)

    def show(self, client_id: str) -> Flow[Registration]:
        """Read a registration."""
        sent, response = yield from self._call("GET", client_id)
        return parse_registration(response, request_id=sent)

    def update(
        self,
        client_id: str,
        metadata: Mapping[str, object],
        *,
        new_seal: Seal | None = None,
        request_id: str | None = None,
    ) -> Flow[Registration]:
        """Replace the metadata of a client, and its key where there is a new seal."""
        body = registration_body(metadata, new_seal or self._seal, client_id=client_id)
        sent, response = yield from self._call("PUT", client_id, body=body, request_id=request_id)
        return parse_registration(response, request_id=sent)

    def delete(self, client_id: str, *, request_id: str | None = None) -> Flow[None]:
        """Delete a client."""
        sent, response = yield from self._call("DELETE", client_id, request_id=request_id)
        check_deleted(response, request_id=sent)

    def _call(
        self,
        method: str,
        client_id: str | None = None,
        *,
        body: bytes | None = None,
        request_id: str | None = None,
    ) -> Flow[tuple[str, httpx.Response]]:
        """Send one signed request and return its X-Request-ID and what was answered."""
        url = registration_url(self._bank, client_id)
        own_id = check_request_id(request_id) if request_id else new_request_id()
        token = yield from self.token()
        request = registration_request(
            method, url, seal=self._seal, token=token, request_id=own_id, body=body
        )
        response = yield from self._exchange(request)
        if response.status_code == 401:  # the next call asks for a new token
            self._token_ends = float("-inf")
        if self._bank.seal is not None:
            self._bank.seal.check(response, request=request, at=self._now())
        return own_id, response

    def _exchange(self, request: httpx.Request) -> Flow[httpx.Response]:
        """Send a request, the same bytes again where that helps, and return the last answer."""
        outcome: Outcome = None
        for attempt in range(1 + MAXIMUM_RETRIES):
            self._trace(request)
            outcome = yield request
            if isinstance(outcome, httpx.Response):
                self._trace(outcome)
            pause = pause_before_retry(outcome, attempt)
            if pause is None:
                break
            yield Pause(pause)
        if isinstance(outcome, httpx.Response):
            return outcome
        request_id = request.headers["x-request-id"]
        if outcome is None:
            raise BankUnreachableError("bank_connection_lost", request_id=request_id)
        raise BankUnreachableError(failure_code(outcome), request_id=request_id) from outcome
