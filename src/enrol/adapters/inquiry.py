"""Questions to issuers' hosts: how many at a time, and how long a silent one is left alone."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

import structlog

from enrol.adapters.cache import LruCache
from enrol.adapters.outbound import FAILURES, Question, Reach, Target, WayOut, outcome_of
from enrol.adapters.places import url_of
from enrol.eidas.rules import CertificateRules
from enrol.registration.meters import CallKind, CallMeter

_log = structlog.get_logger(__name__)

T = TypeVar("T")

TOLERANCE: Final = CertificateRules().clock_tolerance


@dataclass(frozen=True, slots=True)
class InquiryPolicy:
    """What an inquiry may take. Sizes are in octets, `deadline` and `ocsp_timeout` in seconds.

    `deadline` is that of everything asked about one certificate; a fetch that lasts longer goes on
    for as long again, for those who ask next. `kept_answers` and `kept_lists` are counts.
    """

    reach: Reach = field(default_factory=Reach)
    deadline: float = 5.0
    largest_list: int = 8 * 1024 * 1024
    parallel: int = 16
    parallel_lists: int = 4
    parallel_of_host: int = 4
    ocsp_kept_for: timedelta = timedelta(hours=1)
    list_kept_for: timedelta = timedelta(hours=24)
    failure_kept_for: timedelta = timedelta(seconds=10)
    kept_answers: int = 4096
    kept_lists: int = 32

    @property
    def ocsp_timeout(self) -> float:
        """How long a responder has: half of all, so that a list can still be asked for."""
        return self.deadline / 2


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What came of a question asked at `since`, None where nothing did; good until `until`."""

    value: T | None
    since: datetime
    until: datetime

    def is_fresh(self, at: datetime) -> bool:
        """Say whether it can be used at `at`, also by a clock that was set back."""
        return self.since - TOLERANCE <= at < self.until


class Inquirer:
    """Asks hosts through the one way out, for one event loop; what it asks is of one `kind`."""

    def __init__(
        self,
        policy: InquiryPolicy,
        *,
        kind: CallKind,
        parallel: int,
        way_out: WayOut,
        meter: CallMeter,
    ) -> None:
        self._policy = policy
        self._kind = kind
        self._meter = meter
        self._way_out = way_out
        self._all = asyncio.Semaphore(parallel)
        self._known: LruCache[str, Kept[bool]] = LruCache(policy.kept_answers)
        self._hosts: LruCache[str, asyncio.Semaphore] = LruCache(policy.kept_answers)

    async def ask(
        self,
        target: Target,
        question: Question,
        *,
        within: float,
        at: datetime,
    ) -> bytes | None:
        """Return what a host answers `within` seconds; None where that is, or just was, nothing.

        A place that failed is tried by one, and the others do not wait for that.
        """
        async with self._host(target), self._all:
            place = url_of(target)
            known = self._known.get(place)
            if known is not None and known.value is False and known.is_fresh(at):
                return None
            failed = Kept(False, at, at + self._policy.failure_kept_for)
            if known is not None and known.value is False:
                self._known.put(place, failed)
            try:
                body = await self._send(target, question, within=within)
            except FAILURES as exc:
                _log.warning("revocation_unreachable", host=target.host, cause=type(exc).__name__)
                self._known.put(place, failed)
                return None
            self._known.put(place, Kept(True, at, at))
            return body

    async def _send(self, target: Target, question: Question, *, within: float) -> bytes:
        """Return what a host answers, and count the call; raises `FAILURES`."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(within):
                body = await self._way_out.send(target, question)
        except FAILURES as exc:
            self._meter.called(self._kind, outcome_of(exc), seconds=time.monotonic() - began)
            raise
        self._meter.called(self._kind, "ok", seconds=time.monotonic() - began)
        return body

    def _host(self, target: Target) -> asyncio.Semaphore:
        """Return what limits the questions to one host, so a slow one does not hold all."""
        limit = self._hosts.get(target.host) or asyncio.Semaphore(self._policy.parallel_of_host)
        self._hosts.put(target.host, limit)
        return limit
