"""Sends messages to a receiver of the bank, signed as Standard Webhooks 1.0.0 has it."""

import asyncio
import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from enrol.adapters.outbox import Message
from enrol.adapters.outward_tls import context_with
from enrol.errors import ConfigurationError

PARALLEL: Final = 8
"""How many messages, each of another client, are on their way at once."""

LONGEST_WAIT: Final = 3600
"""Seconds of a Retry-After that are heeded."""

_URL: Final = re.compile(r"https?://[A-Za-z0-9\[][A-Za-z0-9.:\]_-]*(/[!$-~]*)?")
_SECRET_PREFIX: Final = b"whsec_"
_SECRET_OCTETS: Final = range(24, 65)
_LARGEST_ANSWER: Final = 16 * 1024
_GONE: Final = 410
_OVERLOADED: Final = frozenset({429, 502, 503, 504})
_FAILURES: Final = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)


class Verdict(StrEnum):
    """What became of an attempt: taken, refused, nobody there or too busy, wanted no more."""

    TAKEN = "taken"
    REFUSED = "refused"
    ABSENT = "absent"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receiver did; `detail` is for operators, `retry_after` seconds it asks to wait."""

    verdict: Verdict
    detail: str = ""
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver: where it is, the keys it knows, and seconds until it has to have answered.

    The signature is made with every key, while they rotate with two. `ca_file` has CAs, in PEM,
    that are believed beside those of the system.
    """

    url: str
    keys: tuple[bytes, ...]
    timeout: float = 15.0
    ca_file: Path | None = None


def is_receiver(url: str) -> bool:
    """Tell whether messages may be sent to a URL: encrypted, or without leaving this machine."""
    if _URL.fullmatch(url) is None:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or _is_own(host))


def _is_own(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def parse_signing_secret(text: bytes, *, source: Path) -> bytes:
    """Return the key in ``whsec_…``, base64 of 24 to 64 octets; raises `ConfigurationError`."""
    try:
        key = b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except (BinasciiError, ValueError):
        key = b""
    if not text.startswith(_SECRET_PREFIX) or len(key) not in _SECRET_OCTETS:
        raise ConfigurationError(
            "webhook_secret_malformed",
            f"{source}: not whsec_ and base64 of 24 to 64 octets; make one with: "
            'echo "whsec_$(openssl rand -base64 32)"',
        )
    return key


def signatures(keys: tuple[bytes, ...], message_id: str, timestamp: int, payload: bytes) -> str:
    """Return the value of ``webhook-signature``; `timestamp` is in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode("ascii") + payload
    digests = [hmac.digest(key, signed, "sha256") for key in keys]
    return " ".join([f"v1,{b64encode(digest).decode('ascii')}" for digest in digests])


class WebhookSender:
    """Sends to one endpoint over a few connections that are kept; for one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Read the CA file; raises `ConfigurationError` ``webhook_ca_file`` where it cannot."""
        self._endpoint = endpoint
        self._client = httpx.AsyncClient(
            verify=context_with(endpoint.ca_file, code="webhook_ca_file"),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=PARALLEL, max_keepalive_connections=PARALLEL),
            timeout=endpoint.timeout,
            headers={"User-Agent": "enrol", "Content-Type": "application/json"},
        )

    async def send(self, message: Message, at: datetime) -> Receipt:
        """Send a message once and return what the receiver did, or that there was none."""
        fields = self._fields(message, int(at.timestamp()))
        try:
            async with (
                asyncio.timeout(self._endpoint.timeout),
                self._client.stream(
                    "POST", self._endpoint.url, content=message.payload, headers=fields
                ) as response,
            ):
                await _pass_over(response)
                return receipt_of(response.status_code, response.headers.get("retry-after", ""))
        except _FAILURES as exc:
            return Receipt(Verdict.ABSENT, type(exc).__name__)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _fields(self, message: Message, timestamp: int) -> dict[str, str]:
        return {
            "webhook-id": message.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(
                self._endpoint.keys, message.message_id, timestamp, message.payload
            ),
        }


def receipt_of(status: int, retry_after: str) -> Receipt:
    """Return what a status means (Standard Webhooks, delivery success and failure).

    A redirect is a failure: the address of the receiver is a setting, and nobody else's to choose.
    """
    if 200 <= status < 300:
        return Receipt(Verdict.TAKEN)
    detail = f"status {status}"
    if status == _GONE:
        return Receipt(Verdict.GONE, detail)
    is_number = retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 10
    wait = min(int(retry_after), LONGEST_WAIT) if is_number else 0
    verdict = Verdict.ABSENT if status in _OVERLOADED else Verdict.REFUSED
    return Receipt(verdict, detail, wait)


async def _pass_over(response: httpx.Response) -> None:
    """Read an answer to its end, so that the connection is kept; a long one ends it."""
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > _LARGEST_ANSWER:
            return
