"""What runs beside the requests."""

import asyncio
import gc
from dataclasses import asdict
from pathlib import Path

import structlog

from enrol.adapters.recheck import leisurely, recheck_at_leisure
from enrol.adapters.seen_head import write_seen_head
from enrol.adapters.store import RegisterStore
from enrol.bootstrap.operations import Operations
from enrol.bootstrap.trusting import recheck_with
from enrol.errors import UnavailableError
from enrol.registration.activation import activate_due
from enrol.registration.chain import Head
from enrol.registration.ports import ClientStates, Clock, TrustSource
from enrol.settings import Settings

_HOUR = 3600.0
_GC_THRESHOLDS = (20_000, 20, 100)
_FIRST_RECHECK = 600.0
_ACTIVATED_EVERY = 5.0
_HEAD_KEPT_EVERY = 5.0
_log = structlog.get_logger("enrol.bootstrap")


def spare_the_collector() -> None:
    """Let garbage collection pass over what the start made, and come less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


async def forget_expired_tokens(store: RegisterStore, clock: Clock) -> None:
    """Delete expired tokens at start and every hour; a register that cannot now can later."""
    while True:
        try:
            await store.purge_tokens(clock())
        except UnavailableError as exc:
            _log.warning("expired_tokens_kept", code=exc.code)
        await asyncio.sleep(_HOUR)


async def activate_clients(states: ClientStates, clock: Clock) -> None:
    """Write down soon which clients became active as their time came; to be cancelled."""
    while True:
        try:
            await activate_due(states, at=clock())
        except UnavailableError as exc:
            _log.warning("activations_delayed", code=exc.code)
        await asyncio.sleep(_ACTIVATED_EVERY)


async def keep_head(store: RegisterStore, path: Path) -> None:
    """Keep in a file where the audit trail ends, so that a start can tell; to be cancelled."""
    kept = Head()
    try:
        while True:
            kept = await _keep_head(store, path, kept)
            await asyncio.sleep(_HEAD_KEPT_EVERY)
    finally:
        await _keep_head(store, path, kept)


async def _keep_head(store: RegisterStore, path: Path, kept: Head) -> Head:
    """Write the head down unless it is `kept` already, and return what is written."""
    try:
        head = await store.find_head()
        if head != kept:
            await asyncio.to_thread(write_seen_head, path, head)
    except (UnavailableError, OSError) as exc:
        _log.warning("head_not_kept", cause=type(exc).__name__)
        return kept
    return head


async def recheck_clients(
    settings: Settings,
    trust: TrustSource,
    store: RegisterStore,
    clock: Clock,
    operations: Operations,
) -> None:
    """Judge all clients anew soon after the start, then as often as is set; to be cancelled.

    Of several servers the one on duty does it.
    """
    await asyncio.sleep(_FIRST_RECHECK)
    while True:
        if not await store.duty.is_mine():
            await asyncio.sleep(_FIRST_RECHECK)
            continue
        recheck = recheck_with(settings, trust, at=clock(), pace=leisurely())
        try:
            report = await recheck_at_leisure(store.clients, recheck)
        except Exception:  # whatever it fails of, the next one is tried
            _log.exception("clients_recheck_failed")
        else:
            operations.rechecked(report)
            _log.info("clients_rechecked", **asdict(report))
        await asyncio.sleep(settings.trust.recheck_hours * _HOUR)
