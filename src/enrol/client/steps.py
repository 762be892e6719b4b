"""The steps of a conversation with a bank: what is sent, what comes of it, what is sent again."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

import httpx

from enrol.client.answers import retry_after
from enrol.client.tls import Failure, failure_code

MAXIMUM_RETRIES: Final = 2
LONGEST_PAUSE: Final = 5
"""Seconds of Retry-After that are waited; a longer wait is left to the caller."""

_PAUSES: Final = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to send for some seconds."""

    seconds: float


T = TypeVar("T")
Step: TypeAlias = httpx.Request | Pause
Outcome: TypeAlias = httpx.Response | Failure | None
Flow: TypeAlias = Generator[Step, Outcome, T]
Trace: TypeAlias = Callable[[httpx.Request | httpx.Response], None]
OwnToken: TypeAlias = Callable[[str], str | None]
"""Returns the registration access token of a client_id, None where it is not known."""


def no_trace(_message: httpx.Request | httpx.Response) -> None:
    """Look at nothing."""


def no_token(_client_id: str) -> None:
    """Know no registration access token."""


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
