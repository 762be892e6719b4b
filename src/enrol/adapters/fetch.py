"""Fetches the certificate behind the URL in a keyId (KEY-1 of the signature rules).

A stranger chooses the URL, so it goes through the one way out, and only over HTTPS on its port.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from enrol.adapters.cache import LruCache
from enrol.adapters.outbound import (
    FAILURES,
    AddressRefusedError,
    Question,
    Reach,
    Resolver,
    Target,
    WayOut,
    outcome_of,
)
from enrol.errors import SignatureError
from enrol.registration.meters import CallMeter

_log = structlog.get_logger(__name__)

_URL: Final = re.compile(
    r"https://([0-9A-Za-z.-]{1,253})(?::443)?(/[0-9A-Za-z!$%&'()*+,\-./:;=@_~]*)?"
)
_ACCEPT: Final = {"Accept": "application/x-pem-file, */*"}


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What a fetch may take and where it may go. Times are in seconds, sizes in bytes.

    `allowed_hosts` and `ca_file` are those of `Reach`. `budget` fetches reach one host in a
    `budget_window`, however many URLs name it.
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

    @property
    def reach(self) -> Reach:
        """Where it may go."""
        return Reach(
            allowed_hosts=self.allowed_hosts,
            ca_file=self.ca_file,
            resolve_timeout=self.resolve_timeout,
            connect_timeout=self.connect_timeout,
            read_timeout=self.total_timeout,
        )


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
        meter: CallMeter | None = None,
    ) -> None:
        self._policy = policy
        self._meter = meter or CallMeter()
        self._monotonic = monotonic
        self._way_out = WayOut(policy.reach, resolve=resolve)
        self._question = Question("GET", _ACCEPT, policy.largest_body)
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

    def _parse(self, url: str) -> Target:
        match = _URL.fullmatch(url)
        if match is None or not self._way_out.is_allowed(match[1].lower()):
            raise SignatureError("key_url_refused")
        return Target("https", match[1].lower(), 443, match[2] or "/")

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

    async def _fetch_anew(self, url: str, target: Target) -> bytes | str:
        """Fetch, and remember the body or the code of the refusal."""
        policy, began = self._policy, self._monotonic()
        try:
            async with asyncio.timeout(policy.total_timeout), self._parallel:
                body = await self._way_out.send(target, self._question)
        except FAILURES as exc:
            is_refused = isinstance(exc, AddressRefusedError)
            code = "key_url_refused" if is_refused else "key_url_unreachable"
            _log.warning("key_url_failed", code=code, host=target.host, cause=type(exc).__name__)
            self._meter.called("key_url", outcome_of(exc), seconds=self._monotonic() - began)
            self._failures.put(url, _Kept(code, self._monotonic() + policy.failure_kept_for))
            return code
        self._meter.called("key_url", "ok", seconds=self._monotonic() - began)
        self._bodies.put(url, _Kept(body, self._monotonic() + policy.kept_for))
        return body
