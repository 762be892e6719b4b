"""Which of several servers of PostgreSQL is connected to: the first that answers and may write.

A machine that is gone answers nothing at all, so the next one is not kept waiting for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import asyncpg

HEAD_START: Final = 0.3
"""Seconds after which the next server is tried beside one that has not answered."""


class _Connection(Protocol):
    def terminate(self) -> None: ...


C = TypeVar("C", bound=_Connection)


def each_host(dsn: str) -> tuple[str, ...]:
    """Return a URL for each host of ``postgresql://…@host[:port][,host[:port]]/…``."""
    parts = urlsplit(dsn)
    credentials, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return (dsn,)
    return tuple(
        parts._replace(netloc=f"{credentials}{at}{host}").geturl() for host in hosts.split(",")
    )


async def first_of(attempts: Sequence[Callable[[], Awaitable[C]]]) -> C:
    """Return the first connection; an attempt begins when those before failed or have had a while.

    Raises what the last of them raised, or what a server said rather than that another is away.
    """
    ahead = list(attempts)
    running: set[asyncio.Task[C]] = set()
    trouble: BaseException | None = None
    try:
        while ahead or running:
            if ahead:
                running.add(asyncio.ensure_future(ahead.pop(0)()))
            patience = HEAD_START if ahead else None
            done, _ = await asyncio.wait(
                running, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in done:
                failed = attempt.exception()
                if failed is None:
                    running.discard(attempt)
                    return attempt.result()
                running.discard(attempt)
                if not isinstance(trouble, asyncpg.PostgresError):
                    trouble = failed
    finally:
        await _give_up(running)
    raise trouble or AssertionError("there is a host")


async def _give_up(attempts: set[asyncio.Task[Any]]) -> None:
    """End attempts that nobody waits for any more, also one that came second."""
    for attempt in attempts:
        attempt.cancel()
    for outcome in await asyncio.gather(*attempts, return_exceptions=True):
        if not isinstance(outcome, BaseException):
            outcome.terminate()
