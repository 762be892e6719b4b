"""The one way out: fetches the certificate behind the URL in a keyId.

A stranger chooses the URL, so nothing about it is believed: KEY-1 of the signature rules, and
CWE-918. The name is resolved once, every address is checked, and the connection goes to a checked
address; the name is only used for TLS and Host.
"""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import structlog

from enrol.adapters.addresses import is_public, parse_address
from enrol.adapters.cache import LruCache
from enrol.errors import ConfigurationError, SignatureError

_log = structlog.get_logger(__name__)

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the addresses of a DNS name, as text; raises OSError."""

_URL: Final = re.compile(
    r"https://([0-9A-Za-z.-]{1,253})(?::443)?(/[0-9A-Za-z!$%&'()*+,\-./:;=@_~]*)?"
)
_LABEL: Final = re.compile(r"[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?")
_LETTER: Final = re.compile(r"[a-z]")
_OK: Final = 200
_TRIED_ADDRESSES: Final = 3


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What a fetch may take and where it may go. Times are in seconds, sizes in bytes.

    `allowed_hosts` names hosts that are not looked up but reached at an address and port given
    here, loopback included; a sandbox or an operator lists them, nobody else. `budget` fetches
    reach one host in a `budget_window`, however many URLs name it.
    """

    allowed_hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    ca_file: Path | None = None
    total_timeout: float = 5.0
    connect_timeout: float = 2.0
    resolve_timeout: float = 2.0
    largest_body: int = 65_536
    parallel: int = 8
    budget: int = 20
    budget_window: float = 60.0
    kept: int = 256
    kept_for: float = 3600.0
    failure_kept_for: float = 30.0


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a URL leads: the name for TLS and Host, the path as it stands in the URL."""

    host: str
    path: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """The outcome of a fetch, the body or the code of the refusal, and when it is forgotten."""

    outcome: bytes | str
    until: float


class NoFetcher:
    """A `CertificateFetcher` that is switched off."""

    async def fetch(self, url: str) -> bytes:  # noqa: ARG002 - the port has it
        """Refuse; raises `SignatureError` ``key_url_refused``."""
        raise SignatureError("key_url_refused")


class HttpsCertificateFetcher:
    """A `CertificateFetcher` over HTTPS, for one event loop."""

    def __init__(
        self,
        policy: FetchPolicy = FetchPolicy(),
        *,
        resolve: Resolver | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._resolve = resolve or _look_up
        self._monotonic = monotonic
        self._tls = _tls_context(policy.ca_file)
        self._parallel = asyncio.Semaphore(policy.parallel)
        self._bodies: LruCache[str, _Kept] = LruCache(policy.kept)
        self._failures: LruCache[str, _Kept] = LruCache(policy.kept)
        self._budgets: LruCache[str, tuple[float, int]] = LruCache(policy.kept)

    async def fetch(self, url: str) -> bytes:
        """Return the bytes behind `url`, at most 64 kB; remembered for an hour, failures for 30 s.

        Raises `SignatureError`: ``key_url_refused`` where the policy forbids the URL, its host or
        an address of it, without connecting; ``key_url_unreachable`` for everything else.
        """
        target = self._parse(url)
        kept = self._recall(url)
        if kept is None:
            self._spend(target.host)
            kept = await self._fetch_anew(url, target)
        if isinstance(kept, str):
            raise SignatureError(kept)
        return kept

    def _parse(self, url: str) -> _Target:
        match = _URL.fullmatch(url)
        if match is None:
            raise SignatureError("key_url_refused")
        host = match[1].lower()
        if host not in self._policy.allowed_hosts and not _is_dns_name(host):
            raise SignatureError("key_url_refused")
        return _Target(host, match[2] or "/")

    def _recall(self, url: str) -> bytes | str | None:
        kept = self._bodies.get(url) or self._failures.get(url)
        return kept.outcome if kept is not None and self._monotonic() < kept.until else None

    def _spend(self, host: str) -> None:
        """Count a fetch from `host`; raises when its budget is used up, so nobody is flooded."""
        now = self._monotonic()
        begun, spent = self._budgets.get(host) or (now, 0)
        if now - begun >= self._policy.budget_window:
            begun, spent = now, 0
        if spent >= self._policy.budget:
            raise SignatureError("key_url_unreachable")
        self._budgets.put(host, (begun, spent + 1))

    async def _fetch_anew(self, url: str, target: _Target) -> bytes | str:
        """Fetch, and remember the body or the code of the refusal."""
        policy = self._policy
        try:
            async with asyncio.timeout(policy.total_timeout), self._parallel:
                body = await self._get(target)
        except (SignatureError, httpx.HTTPError, httpx.StreamError, OSError, ValueError) as exc:
            code = exc.code if isinstance(exc, SignatureError) else "key_url_unreachable"
            _log.warning("key_url_failed", code=code, host=target.host, cause=type(exc).__name__)
            self._failures.put(url, _Kept(code, self._monotonic() + policy.failure_kept_for))
            return code
        self._bodies.put(url, _Kept(body, self._monotonic() + policy.kept_for))
        return body

    async def _get(self, target: _Target) -> bytes:
        """Return the body; the next address is tried where one takes no connection."""
        failure: Exception = OSError("no address")
        for address, port in (await self._addresses(target.host))[:_TRIED_ADDRESSES]:
            try:
                return await self._get_from(target, address, port)
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                failure = exc
        raise failure

    async def _addresses(self, host: str) -> list[tuple[str, int]]:
        """Return where `host` is; raises where one of its addresses is not public."""
        if host in self._policy.allowed_hosts:
            return [self._policy.allowed_hosts[host]]
        async with asyncio.timeout(self._policy.resolve_timeout):
            addresses = [parse_address(text) for text in await self._resolve(host)]
        if not all(address is not None and is_public(address) for address in addresses):
            raise SignatureError("key_url_refused")
        return [(str(address), 443) for address in addresses]

    async def _get_from(self, target: _Target, address: str, port: int) -> bytes:
        """Return the body that `address` gives, over a connection of its own."""
        request = httpx.Request(
            "GET",
            httpx.URL(scheme="https", host=address, port=port, path="/"),
            headers={
                "Host": target.host,
                "Accept": "application/x-pem-file, */*",
                "Accept-Encoding": "identity",
                "Connection": "close",
                "User-Agent": "enrol",
            },
            extensions={
                "sni_hostname": target.host,
                "target": target.path.encode("ascii"),
                "timeout": {
                    "connect": self._policy.connect_timeout,
                    **dict.fromkeys(("read", "write", "pool"), self._policy.total_timeout),
                },
            },
        )
        async with httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False) as transport:
            response = await transport.handle_async_request(request)
            _check_peer(response, address, port)
            return await self._read(response)

    async def _read(self, response: httpx.Response) -> bytes:
        """Return the body of a plain 200 that keeps to the limit."""
        if response.status_code != _OK or "content-encoding" in response.headers:
            raise ValueError("not a plain 200")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._policy.largest_body:
                raise ValueError("body too large")
        return bytes(body)


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that believes the system's CAs, and those in `ca_file`."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as exc:  # ssl.SSLError is one
            raise ConfigurationError(
                "fetch_ca_file", f"{ca_file} cannot be read as certificates in PEM."
            ) from exc
    return context


def _check_peer(response: httpx.Response, address: str, port: int) -> None:
    """Refuse an answer from another address than the one that was checked."""
    peer = response.extensions["network_stream"].get_extra_info("server_addr")
    if peer is None or parse_address(peer[0]) != parse_address(address) or peer[1] != port:
        raise SignatureError("key_url_refused")


def _is_dns_name(host: str) -> bool:
    """Return whether `host` is a name with a dot whose last label holds a letter."""
    labels = host.split(".")
    return (
        len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and _LETTER.search(labels[-1]) is not None
    )


async def _look_up(host: str) -> list[str]:
    """Return the addresses the system's resolver knows for `host`."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, 443, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    return [str(address[0]) for *_, address in found]
