"""Where operators' orders are carried out: in the server that runs, or without one."""

import grp
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import structlog

from enrol.adapters.clock import system_clock
from enrol.adapters.control.client import Control
from enrol.adapters.control.peers import House, actor_of
from enrol.adapters.control.server import Office, bind_control, serve_control
from enrol.adapters.control.wire import control_path
from enrol.adapters.recheck import SetStates
from enrol.adapters.store import SqliteStore
from enrol.bootstrap.telling import told_events
from enrol.errors import ConfigurationError
from enrol.registration.message_orders import MessageDesk, MessageOrder
from enrol.registration.operators import OperatorDesk, Order
from enrol.registration.ports import Clock
from enrol.registration.record import ClientRecord
from enrol.registration.standing import carry_out
from enrol.settings import Settings

CarryOut = Callable[[Order], Awaitable[ClientRecord]]
"""Carries an order out, and returns the client as it is then."""

_log = structlog.get_logger("enrol.bootstrap")


def house_of(settings: Settings) -> House:
    """Return whose the register of a server is; raises `ConfigurationError`."""
    name = settings.server.operators
    if name is None:
        return House(os.geteuid())
    try:
        return House(os.geteuid(), grp.getgrnam(name).gr_gid)
    except KeyError as exc:
        raise ConfigurationError(
            "operators_unknown", f"server.operators: this machine has no group {name!a}."
        ) from exc


@asynccontextmanager
async def serve_commands(
    settings: Settings, house: House, store: SqliteStore, clock: Clock
) -> AsyncIterator[None]:
    """Let commands change the register through the server that has it.

    Where no socket can be made, say so and serve TPPs all the same.
    """
    path = control_path(settings.storage.path)
    try:
        listening = bind_control(path, house)
    except (ConfigurationError, OSError) as exc:
        _log.error(
            "control_unavailable",
            cause=str(exc),
            meaning="enrol admin does nothing while this runs",
        )
        yield
        return
    messages = MessageDesk(store.outbox, clock)
    office = Office(_operator_desk(settings, store, clock), store.clients, messages, house)
    async with serve_control(listening, path, office):
        yield


@asynccontextmanager
async def operating(settings: Settings, *, actor: str | None) -> AsyncIterator[CarryOut]:
    """Give out what carries orders out, in the name of `actor` if one is given.

    Through the server that uses the register, or by a desk like the server's where none does. It
    raises `RefusalError`. Raises that, too, where this account may not act in that name, and
    `ConfigurationError` where neither server nor register can be reached.
    """
    path = settings.storage.path
    control = Control(path)
    if await control.is_served():
        yield partial(control.carry_out, actor=actor)
        return
    name = actor_of(os.geteuid(), actor, House(_owner(path)))
    async with _opened(settings) as store:
        yield partial(_operator_desk(settings, store, system_clock).carry_out, actor=name)


@asynccontextmanager
async def writing_states(settings: Settings) -> AsyncIterator[SetStates]:
    """Give out what makes changes of state durable, as `operating` does orders."""
    control = Control(settings.storage.path)
    if await control.is_served():
        yield control.set_states
        return
    async with _opened(settings) as store:
        yield partial(carry_out, store.clients)


@asynccontextmanager
async def handling_messages(
    settings: Settings, *, actor: str | None
) -> AsyncIterator[Callable[[MessageOrder], Awaitable[None]]]:
    """Give out what carries orders about messages out, as `operating` does those about clients."""
    path = settings.storage.path
    control = Control(path)
    if await control.is_served():
        yield partial(control.handle_messages, actor=actor)
        return
    name = actor_of(os.geteuid(), actor, House(_owner(path)))
    async with _opened(settings) as store:
        yield partial(MessageDesk(store.outbox, system_clock).carry_out, actor=name)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[SqliteStore]:
    path = settings.storage.path
    try:
        store = SqliteStore.open(path, told=told_events(settings))
    except ConfigurationError as exc:
        if exc.code != "database_in_use":
            raise
        raise Control(path).unreachable() from exc
    try:
        yield store
    finally:
        await store.aclose()


def _operator_desk(settings: Settings, store: SqliteStore, clock: Clock) -> OperatorDesk:
    return OperatorDesk(clients=store.clients, clock=clock, approval=settings.approval.rules)


def _owner(path: Path) -> int:
    """Return the account a register belongs to; that of this process where there is none."""
    try:
        return path.stat().st_uid
    except OSError:
        return os.geteuid()
