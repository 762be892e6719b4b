"""Where operators' orders are carried out: in the server that runs, or without one."""

import asyncio
import grp
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import structlog

from enrol.adapters.clock import system_clock
from enrol.adapters.control.client import Control
from enrol.adapters.control.peers import House, actor_of
from enrol.adapters.control.server import Office, serve_control
from enrol.adapters.opening import open_register
from enrol.adapters.recheck import SetStates
from enrol.adapters.store import RegisterStore, StoreSettings
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
    settings: Settings,
    listening: socket.socket | None,
    house: House,
    store: RegisterStore,
    clock: Clock,
) -> AsyncIterator[None]:
    """Let commands change the register through the server that has it, where one listens."""
    if listening is None:
        yield
        return
    messages = MessageDesk(store.outbox, clock)
    office = Office(_operator_desk(settings, store, clock), store.clients, messages, house)
    async with serve_control(listening, office):
        yield


@asynccontextmanager
async def operating(settings: Settings, *, actor: str | None) -> AsyncIterator[CarryOut]:
    """Give out what carries orders out, in the name of `actor` if one is given.

    Through the server that uses the register, or by a desk like the server's where none does. It
    raises `RefusalError`. Raises that, too, where this account may not act in that name, and
    `ConfigurationError` where neither server nor register can be reached.
    """
    premises = settings.premises
    control = Control(premises)
    if await control.is_served():
        yield partial(control.carry_out, actor=actor)
        return
    name = actor_of(os.geteuid(), actor, House(_owner(premises)))
    async with _opened(settings) as store:
        yield partial(_operator_desk(settings, store, system_clock).carry_out, actor=name)


@asynccontextmanager
async def writing_states(settings: Settings) -> AsyncIterator[SetStates]:
    """Give out what makes changes of state durable, as `operating` does orders."""
    control = Control(settings.premises)
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
    premises = settings.premises
    control = Control(premises)
    if await control.is_served():
        yield partial(control.handle_messages, actor=actor)
        return
    name = actor_of(os.geteuid(), actor, House(_owner(premises)))
    async with _opened(settings) as store:
        yield partial(MessageDesk(store.outbox, system_clock).carry_out, actor=name)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[RegisterStore]:
    told = StoreSettings(told=told_events(settings))
    try:
        store = await asyncio.to_thread(open_register, settings.location, told)
    except ConfigurationError as exc:
        if exc.code != "database_in_use":
            raise
        raise Control(settings.premises).unreachable() from exc
    try:
        yield store
    finally:
        await store.aclose()


def _operator_desk(settings: Settings, store: RegisterStore, clock: Clock) -> OperatorDesk:
    return OperatorDesk(clients=store.clients, clock=clock, approval=settings.approval.rules)


def _owner(premises: Path) -> int:
    """Return the account a server's own belongs to; that of this process where there is none."""
    try:
        return premises.stat().st_uid
    except OSError:
        return os.geteuid()
