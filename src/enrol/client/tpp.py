"""The clients a TPP registers with, sync and async: two thin senders of one conversation."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self

import httpx

from enrol.client.answers import Registration
from enrol.client.bank import Bank
from enrol.client.conversation import Conversation
from enrol.client.dry_run import DryRun
from enrol.client.profile import Credentials
from enrol.client.seal import Seal
from enrol.client.steps import (
    Flow,
    Outcome,
    OwnToken,
    Pause,
    Step,
    T,
    Trace,
    no_token,
    no_trace,
)
from enrol.client.tls import FAILURES, tls_context
from enrol.eidas.examination import ExaminationReport
from enrol.oauth.strict_json import JsonObject


class TppClient:
    """Registers with one bank over mTLS, each request signed.

    Every call gets a token when it needs one and keeps it for its lifetime. When the connection
    breaks, or the bank answers 503 with a Retry-After of at most five seconds, the same bytes are
    sent again with the same X-Request-ID, at most twice. Calls raise `RegistrationRefusedError`
    where the bank refuses and `BankError` where no usable answer came; the same call with the
    `request_id` of that error then finds out what the bank did. Use it in a ``with`` block.

    `transport` stands in for the network. `trace` sees each request and response as it is.
    `own_token` knows the registration access tokens of clients, for a bank that wants them.
    """

    def __init__(
        self,
        bank: Bank,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        trace: Trace = no_trace,
        own_token: OwnToken = no_token,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._conversation = Conversation(bank, credentials.seal, trace=trace, own_token=own_token)
        self._sleep = sleep
        context = tls_context(bank, credentials) if transport is None else True
        self._http = httpx.Client(transport=transport, verify=context)

    def token(self) -> str:
        """Return an access token with scope ``manageRegistration``."""
        return self._run(self._conversation.token())

    def register(
        self, metadata: Mapping[str, object], *, request_id: str | None = None
    ) -> Registration:
        """Register a client with `metadata` and the QSealC (RFC 7591 §3)."""
        return self._run(self._conversation.register(metadata, request_id=request_id))

    def show(self, client_id: str) -> Registration:
        """Return the registration of a client (RFC 7592 §2.1)."""
        return self._run(self._conversation.show(client_id))

    def update(
        self,
        client_id: str,
        metadata: Mapping[str, object],
        *,
        seals: tuple[Seal, ...] = (),
        request_id: str | None = None,
    ) -> Registration:
        """Replace all metadata of a client (RFC 7592 §2.2).

        `seals` are the QSealCs to register from now on, if others than the one that signs.
        """
        return self._run(
            self._conversation.update(client_id, metadata, seals=seals, request_id=request_id)
        )

    def delete(self, client_id: str, *, request_id: str | None = None) -> None:
        """Delete a client (RFC 7592 §2.3)."""
        self._run(self._conversation.delete(client_id, request_id=request_id))

    def rehearse(
        self,
        metadata: Mapping[str, object],
        *,
        client_id: str | None = None,
        seals: tuple[Seal, ...] = (),
    ) -> DryRun:
        """Return what would come of a registration, or of an update of a client.

        A bank that does not know dry runs does what is asked: `DryRunIgnoredError`.
        """
        return self._run(self._conversation.rehearse(metadata, client_id=client_id, seals=seals))

    def list_registrations(self) -> tuple[JsonObject, ...]:
        """Return all clients of the organisation as the bank lists them; not every bank does."""
        return self._run(self._conversation.list_registrations())

    def check(self) -> ExaminationReport:
        """Return what the bank thinks of the QWAC and the QSealC; nothing is registered.

        It is an entry point of Enrol, which other banks do not have.
        """
        return self._run(self._conversation.check())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        outcome: Outcome = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as stop:
                value: T = stop.value
                return value
            outcome = self._take(step)

    def _take(self, step: Step) -> Outcome:
        match step:
            case Pause(seconds):
                return self._sleep(seconds)
            case request:
                try:
                    return self._http.send(request)
                except FAILURES as exc:
                    return exc


class AsyncTppClient:
    """Registers with one bank as `TppClient` does, in an event loop of asyncio.

    Use it in an ``async with`` block.
    """

    def __init__(
        self,
        bank: Bank,
        credentials: Credentials,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        trace: Trace = no_trace,
        own_token: OwnToken = no_token,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._conversation = Conversation(bank, credentials.seal, trace=trace, own_token=own_token)
        self._sleep = sleep
        context = tls_context(bank, credentials) if transport is None else True
        self._http = httpx.AsyncClient(transport=transport, verify=context)

    async def token(self) -> str:
        """Return an access token, as `TppClient.token`."""
        return await self._run(self._conversation.token())

    async def register(
        self, metadata: Mapping[str, object], *, request_id: str | None = None
    ) -> Registration:
        """Register a client, as `TppClient.register`."""
        return await self._run(self._conversation.register(metadata, request_id=request_id))

    async def show(self, client_id: str) -> Registration:
        """Return the registration of a client, as `TppClient.show`."""
        return await self._run(self._conversation.show(client_id))

    async def update(
        self,
        client_id: str,
        metadata: Mapping[str, object],
        *,
        seals: tuple[Seal, ...] = (),
        request_id: str | None = None,
    ) -> Registration:
        """Replace all metadata of a client, as `TppClient.update`."""
        return await self._run(
            self._conversation.update(client_id, metadata, seals=seals, request_id=request_id)
        )

    async def delete(self, client_id: str, *, request_id: str | None = None) -> None:
        """Delete a client, as `TppClient.delete`."""
        await self._run(self._conversation.delete(client_id, request_id=request_id))

    async def rehearse(
        self,
        metadata: Mapping[str, object],
        *,
        client_id: str | None = None,
        seals: tuple[Seal, ...] = (),
    ) -> DryRun:
        """Return what would come of a call, as `TppClient.rehearse`."""
        return await self._run(
            self._conversation.rehearse(metadata, client_id=client_id, seals=seals)
        )

    async def list_registrations(self) -> tuple[JsonObject, ...]:
        """Return all clients of the organisation, as `TppClient.list_registrations`."""
        return await self._run(self._conversation.list_registrations())

    async def check(self) -> ExaminationReport:
        """Return what the bank thinks of the certificates, as `TppClient.check`."""
        return await self._run(self._conversation.check())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        outcome: Outcome = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as stop:
                value: T = stop.value
                return value
            outcome = await self._take(step)

    async def _take(self, step: Step) -> Outcome:
        match step:
            case Pause(seconds):
                await self._sleep(seconds)
                return None
            case request:
                try:
                    return await self._http.send(request)
                except FAILURES as exc:
                    return exc
