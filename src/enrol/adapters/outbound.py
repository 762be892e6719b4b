"""The one hardened way out: one request to a host that somebody else named.

Nothing about the name is believed (CWE-918): it is resolved once, every address is checked, and the
connection goes to a checked address; the name is only used for TLS and Host. There are no
redirects, no cookies, no proxies of the environment and no compressed answers.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Literal

import httpx

from enrol.adapters.addresses import is_public, parse_address
from enrol.adapters.outward_tls import context_with
from enrol.registration.meters import CallOutcome

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the addresses of a DNS name, as text; raises OSError."""

FAILURES: Final = (httpx.HTTPError, httpx.StreamError, OSError, ValueError)
"""What `WayOut.send` raises; TimeoutError is an OSError."""

_LABEL: Final = re.compile(r"[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?")
_LETTER: Final = re.compile(r"[a-z]")
_OK: Final = 200
_TRIED_ADDRESSES: Final = 3
_RESOLVERS: Final = 4
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class AddressRefusedError(ValueError):
    """A host, or one of its addresses, is not one that may be connected to."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a way out may lead, and how long each step may take, in seconds.

    `allowed_hosts` names hosts that are not looked up but reached at an address and port given
    here, loopback included; a sandbox or an operator lists them, nobody else.
    """

    allowed_hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    ca_file: Path | None = None
    resolve_timeout: float = 2.0
    connect_timeout: float = 2.0
    read_timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: `host` in lower case, `path` as it stands in the URL, with its query."""

    scheme: Literal["https", "http"]
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What Host says: the port only where it is not that of the scheme."""
        is_default = self.port == _DEFAULT_PORTS[self.scheme]
        return self.host if is_default else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a host; its answer may have `largest` octets."""

    method: Literal["GET", "POST"]
    headers: Mapping[str, str]
    largest: int
    content: bytes = b""


def outcome_of(failure: Exception) -> CallOutcome:
    """Return what one of `FAILURES` is counted as."""
    match failure:
        case AddressRefusedError():
            return "refused"
        case TimeoutError() | httpx.TimeoutException():
            return "timeout"
        case _:
            return "failed"


class WayOut:
    """Sends one request on a connection of its own; for one event loop."""

    def __init__(self, reach: Reach, *, resolve: Resolver | None = None) -> None:
        """Read the CA file; raises `ConfigurationError` ``fetch_ca_file`` where it cannot."""
        self._reach = reach
        self._resolve = resolve or _system_resolver()
        self._tls = context_with(reach.ca_file, code="fetch_ca_file")

    def is_allowed(self, host: str) -> bool:
        """Say whether `host`, in lower case, may be looked up or is listed."""
        return host in self._reach.allowed_hosts or _is_dns_name(host)

    async def send(self, target: Target, question: Question) -> bytes:
        """Return the body of a plain 200; the next address is tried where one takes no connection.

        Raises `AddressRefusedError` where the host or an address is not to be reached, without
        connecting, and `FAILURES` for everything else. Who calls sets the deadline of the whole.
        """
        if not self.is_allowed(target.host):
            raise AddressRefusedError("not the name of a host")
        failure: Exception = OSError("no address")
        for address, port in (await self._addresses(target))[:_TRIED_ADDRESSES]:
            try:
                return await self._send_to(target, question, address, port)
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                failure = exc
        raise failure

    async def _addresses(self, target: Target) -> list[tuple[str, int]]:
        """Return where the host is; raises where one of its addresses is not public."""
        if target.host in self._reach.allowed_hosts:
            return [self._reach.allowed_hosts[target.host]]
        async with asyncio.timeout(self._reach.resolve_timeout):
            addresses = [parse_address(text) for text in await self._resolve(target.host)]
        if not all(address is not None and is_public(address) for address in addresses):
            raise AddressRefusedError("an address that is not public")
        return [(str(address), target.port) for address in addresses]

    async def _send_to(self, target: Target, question: Question, address: str, port: int) -> bytes:
        """Return the body that `address` gives."""
        request = httpx.Request(
            question.method,
            httpx.URL(scheme=target.scheme, host=address, port=port, path="/"),
            headers={
                "Host": target.authority,
                "Accept-Encoding": "identity",
                "Connection": "close",
                "User-Agent": "enrol",
                **question.headers,
            },
            content=question.content or None,
            extensions={
                "sni_hostname": target.host,
                "target": target.path.encode("ascii"),
                "timeout": {
                    "connect": self._reach.connect_timeout,
                    **dict.fromkeys(("read", "write", "pool"), self._reach.read_timeout),
                },
            },
        )
        async with httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False) as transport:
            response = await transport.handle_async_request(request)
            _check_peer(response, address, port)
            return await _read(response, question.largest)


async def _read(response: httpx.Response, largest: int) -> bytes:
    """Return the body of a plain 200 that keeps to the limit."""
    if response.status_code != _OK or "content-encoding" in response.headers:
        raise ValueError("not a plain 200")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > largest:
            raise ValueError("body too large")
    return bytes(body)


def _check_peer(response: httpx.Response, address: str, port: int) -> None:
    """Refuse an answer from another address than the one that was checked."""
    peer = response.extensions["network_stream"].get_extra_info("server_addr")
    if peer is None or parse_address(peer[0]) != parse_address(address) or peer[1] != port:
        raise AddressRefusedError("another peer than the one that was checked")


def _is_dns_name(host: str) -> bool:
    """Return whether `host` is a name with a dot whose last label holds a letter."""
    labels = host.split(".")
    return (
        len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and _LETTER.search(labels[-1]) is not None
    )


def _system_resolver() -> Resolver:
    """Return a resolver that asks the system, in threads of its own: a dead one holds nobody else.

    The threads are made when they are first needed.
    """
    threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="enrol-resolver")
    ask = partial(socket.getaddrinfo, port=443, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)

    async def resolve(host: str) -> list[str]:
        found = await asyncio.get_running_loop().run_in_executor(threads, ask, host)
        return [str(address[0]) for *_, address in found]

    return resolve
