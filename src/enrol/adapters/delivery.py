"""Brings the messages of the outbox to their receiver, beside the requests.

At least once, and those of one client in their order: of each client one message is under way at a
time. A receiver that is not there is asked by one message now and then, whatever waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from enrol.adapters.outbox import Delivered, Message, Postponed, Settlement
from enrol.adapters.outbox_store import OutboxStore
from enrol.adapters.webhooks import PARALLEL, Receipt, Verdict
from enrol.errors import UnavailableError
from enrol.registration.ports import Clock

_log = structlog.get_logger(__name__)

Send = Callable[[Message, datetime], Awaitable[Receipt]]
"""Sends a message at a time, and returns what became of it; raises nothing."""

_IDLE: Final = 60.0
_OFF_DUTY: Final = 5.0
_TROUBLE: Final = 5.0
_MOST_DOUBLINGS: Final = 20


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a message is sent again, in seconds: after `first`, then twice as long each time.

    It is given up once it failed for `longest`. What is refused is retried every `most_refused`
    in the end; where nobody is there it is every `most_absent`.
    """

    longest: timedelta = timedelta(hours=72)
    first: float = 1.0
    most_refused: float = 3600.0
    most_absent: float = 60.0

    def pause(self, failures: int, verdict: Verdict, jitter: float) -> timedelta:
        """Return the pause after so many failures, half of it left to chance (`jitter`, 0 to 1)."""
        most = self.most_absent if verdict is Verdict.ABSENT else self.most_refused
        whole = min(most, self.first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
        return timedelta(seconds=whole * (1 + jitter) / 2)


class Delivery:
    """Sends what is due, and settles what became of it, until it is cancelled."""

    def __init__(
        self,
        outbox: OutboxStore,
        send: Send,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        policy: RetryPolicy,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._clock = clock
        self._jitter = jitter
        self._policy = policy
        self._absences = 0
        self._quiet_until: datetime | None = None
        self._is_unwanted = False

    async def run(self) -> None:
        """Deliver for ever; whatever fails is tried again."""
        while True:
            try:
                pause = await self.step()
            except UnavailableError as exc:
                _log.warning("webhooks_wait", code=exc.code)
                pause = _TROUBLE
            except Exception:
                _log.exception("webhooks_failed")
                pause = _TROUBLE
            await self._outbox.news.wait(pause)

    async def step(self) -> float:
        """Send what is due now, and return the seconds after which to look again."""
        at = self._clock()
        if self._outbox.news.take_urgency():
            self._absences, self._quiet_until, self._is_unwanted = 0, None, False
        if self._is_unwanted:
            return _IDLE
        if not await self._outbox.is_mine():
            return _OFF_DUTY
        if self._quiet_until is not None and at < self._quiet_until:
            return (self._quiet_until - at).total_seconds()
        messages = await self._outbox.due(at, 1 if self._absences else PARALLEL)
        if not messages:
            return await self._seconds_to_next(at)
        receipts = await asyncio.gather(*(self._send(message, at) for message in messages))
        at = self._clock()
        self._learn(receipts, at)
        pairs = zip(messages, receipts, strict=True)
        outcomes = tuple([self._outcome(message, receipt, at) for message, receipt in pairs])
        await self._outbox.settle(Settlement(outcomes, at))
        return 0.0

    def _learn(self, receipts: Sequence[Receipt], at: datetime) -> None:
        """Draw from some attempts whether the receiver is there, and when to ask it next."""
        absent = [receipt for receipt in receipts if receipt.verdict is Verdict.ABSENT]
        if any(receipt.verdict is Verdict.GONE for receipt in receipts):
            self._is_unwanted = True
            _log.error("webhooks_unwanted", detail="status 410; retried after a restart or by hand")
        if not absent:
            self._absences, self._quiet_until = 0, None
            return
        self._absences += 1
        pause = self._policy.pause(self._absences, Verdict.ABSENT, self._jitter())
        asked = timedelta(seconds=max(receipt.retry_after for receipt in absent))
        self._quiet_until = at + max(pause, asked)

    def _outcome(self, message: Message, receipt: Receipt, at: datetime) -> Delivered | Postponed:
        if receipt.verdict is Verdict.TAKEN:
            return Delivered(message)
        next_at: datetime | None = at
        if receipt.verdict is not Verdict.GONE:
            failing_for = at - (message.failing_since or at)
            pause = self._policy.pause(message.attempts + 1, receipt.verdict, self._jitter())
            pause = max(pause, timedelta(seconds=receipt.retry_after))
            next_at = None if failing_for >= self._policy.longest else at + pause
        event = "webhook_given_up" if next_at is None else "webhook_not_taken"
        (_log.error if next_at is None else _log.warning)(
            event,
            id=message.id,
            client_id=message.client_id,
            type=message.type,
            failure=receipt.detail,
        )
        return Postponed(message, receipt.detail, next_at)

    async def _seconds_to_next(self, at: datetime) -> float:
        next_time = await self._outbox.next_time()
        if next_time is None:
            return _IDLE
        return min(_IDLE, max(0.0, (next_time - at).total_seconds()))
