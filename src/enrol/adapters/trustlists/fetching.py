"""Lists over the network: one request each, no redirect, bounded in size and time."""

import asyncio
import ssl
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from enrol.adapters.trustlists.document import LARGEST, Pointer
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.job import EU_LOTL

_OK: Final = 200
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class ListFetchPolicy:
    """How lists are fetched; `timeout` in seconds is that of a whole list.

    Plain HTTP is for tests: what a list says is believed for its signature, yet who reads it over
    the shoulder or keeps an old one back is somebody else's choice then.
    """

    lotl: str = EU_LOTL
    timeout: float = 30.0
    parallel: int = 8
    ca_file: Path | None = None
    plain_http: bool = False


class HttpsListSource:
    """A `ListSource` over HTTPS, for one event loop; every list is fetched once."""

    def __init__(self, policy: ListFetchPolicy) -> None:
        self._policy = policy
        self._tls = ssl.create_default_context(cafile=policy.ca_file)
        self._parallel = asyncio.Semaphore(policy.parallel)

    async def lotls(self) -> Sequence[bytes]:
        """Fetch the list of the lists."""
        return (await self._fetch(self._policy.lotl),)

    async def pivots(self, location: str) -> Sequence[bytes]:
        """Fetch a pivot, which must be on the host of the list of the lists."""
        if urlsplit(location).netloc != urlsplit(self._policy.lotl).netloc:
            raise ListRefusedError("list_unreachable", "a pivot is on another host")
        return (await self._fetch(location),)

    async def lists(self, pointer: Pointer) -> Sequence[bytes]:
        """Fetch the list a pointer names."""
        return (await self._fetch(pointer.location),)

    async def _fetch(self, location: str) -> bytes:
        schemes = {"https", "http"} if self._policy.plain_http else {"https"}
        if urlsplit(location).scheme.lower() not in schemes:
            raise ListRefusedError("list_unreachable", f"{location} is not an HTTPS URL")
        try:
            async with self._parallel, asyncio.timeout(self._policy.timeout):
                return await self._get(location)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, zlib.error) as exc:
            raise ListRefusedError(
                "list_unreachable", f"{location}: {type(exc).__name__} {exc}".rstrip()
            ) from exc

    async def _get(self, location: str) -> bytes:
        headers = {
            "Accept": "application/vnd.etsi.tsl+xml, application/xml, text/xml",
            "Accept-Encoding": "identity",
            "User-Agent": "enrol",
        }
        async with (
            httpx.AsyncClient(
                verify=self._tls,
                trust_env=True,
                follow_redirects=False,
                timeout=self._policy.timeout,
            ) as client,
            client.stream("GET", location, headers=headers) as response,
        ):
            if response.status_code != _OK:
                raise ValueError(f"answered {response.status_code}")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LARGEST:
                    raise ListRefusedError("list_too_large", f"{location} goes on too long")
            return _plain(bytes(body), response.headers.get("content-encoding", "identity"))


def _plain(body: bytes, encoding: str) -> bytes:
    """Return the body without its compression, never more than a list may have."""
    match encoding.strip().lower():
        case "identity" | "":
            return body
        case "gzip" | "x-gzip":
            inflater = zlib.decompressobj(_GZIP_WINDOW)
            plain = inflater.decompress(body, LARGEST + 1)
            if len(plain) > LARGEST:
                raise ListRefusedError("list_too_large", "it unpacks to too much")
            return plain
        case other:
            raise ValueError(f"packed as {other}")
