"""Refreshes in the background: a child process each time, tried again sooner when it failed."""

import asyncio
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from enrol.adapters.trustlists.job import Order, RefreshJob, RefreshReport

_log = structlog.get_logger(__name__)

_LONGEST_RUN: Final = 900.0
_FIRST_RETRY: Final = timedelta(minutes=1)
_JITTER: Final = 0.1
_ALARMS: Final = frozenset({"list_signature_invalid", "list_rolled_back", "list_from_future"})
"""What is no weather but somebody's doing."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often is refreshed; `last` says when it was done last (aware UTC), None for never."""

    every: timedelta
    clock: Callable[[], datetime]
    last: Callable[[], datetime | None]


async def keep_fresh(job: RefreshJob, rhythm: Rhythm) -> None:
    """Refresh for ever, at `rhythm`; a failure is tried again after a minute, then two, then four.

    To be cancelled; a child at work ends with it.
    """
    failures = 0
    while True:
        await asyncio.sleep(_pause(rhythm, failures).total_seconds())
        report = await refresh_apart(job, at=rhythm.clock())
        failures = failures + 1 if report.code else 0
        _say(report)


def _pause(rhythm: Rhythm, failures: int) -> timedelta:
    """Return how long to wait, so that not all banks come at once."""
    jitter = 1 + random.uniform(-_JITTER, _JITTER)  # noqa: S311 - not a secret
    if failures:
        return min(_FIRST_RETRY * (1 << min(failures - 1, 16)), rhythm.every) * jitter
    last = rhythm.last()
    if last is None:
        return timedelta(0)
    return max(timedelta(0), last + rhythm.every * jitter - rhythm.clock())


async def refresh_apart(job: RefreshJob, *, at: datetime) -> RefreshReport:
    """Refresh in a process of its own and return its report."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "enrol.adapters.trustlists.process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # what stops the server by the keyboard is not for the child
    )
    said = b""
    try:
        async with asyncio.timeout(_LONGEST_RUN):
            output, said = await process.communicate(msgspec.json.encode(Order(job, at)))
        return msgspec.json.decode(output, type=RefreshReport)
    except TimeoutError:
        return RefreshReport(code="refresh_failed", detail="it took too long")
    except msgspec.DecodeError:
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return RefreshReport(
            code="refresh_failed", detail=f"it ended with {process.returncode}: {last}"
        )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _say(report: RefreshReport) -> None:
    """Write down what came of it: an attack loudly, an outage not."""
    for territory, trouble in report.troubles.items():
        code = trouble.partition(":")[0]
        _warn("trusted_list_not_renewed", code, territory=territory, cause=trouble)
    if report.code is not None:
        _warn("trust_refresh_failed", report.code, cause=report.detail)
    elif report.sequence_number is not None:
        _log.info("trust_refreshed", lotl=report.sequence_number, lists=report.lists)


def _warn(event: str, code: str, **facts: str | None) -> None:
    if code in _ALARMS:
        _log.error(event, code=code, **facts)
    else:
        _log.warning(event, code=code, **facts)
