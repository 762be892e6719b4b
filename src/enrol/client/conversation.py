"""The conversation with a bank, without the sending: what to send next, and what it means.

Each call is a generator that yields a `Step` and is sent what came of it, so that the sync and
the async client share every decision and differ only in how they wait.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol, TypeVar

import httpx

from enrol.client.answers import (
    Registration,
    check_deleted,
    parse_examination,
    parse_registration,
    parse_token,
    parse_update,
)
from enrol.client.auth import new_request_id
from enrol.client.bank import Bank, Bearer
from enrol.client.dry_run import PREFER, DryRun, parse_dry_run
from enrol.client.errors import BankUnreachableError, Call, Purpose, telling
from enrol.client.listing import MOST_PAGES, page_query, parse_page
from enrol.client.messages import (
    check_request_id,
    preflight_request,
    registration_request,
    registration_url,
    token_request,
)
from enrol.client.metadata import registration_body
from enrol.client.seal import Seal
from enrol.client.steps import (
    MAXIMUM_RETRIES,
    Flow,
    Outcome,
    OwnToken,
    Pause,
    T,
    Trace,
    no_token,
    no_trace,
    pause_before_retry,
)
from enrol.client.tls import failure_code
from enrol.eidas.examination import ExaminationReport
from enrol.errors import ConfigurationError
from enrol.oauth.strict_json import JsonObject
from enrol.oauth.types import ClientId

_EARLY: Final = 30.0  # seconds before its end that a token is no longer used


Answered_co = TypeVar("Answered_co", covariant=True)
_METHODS: Final = {
    Purpose.REGISTER: "POST",
    Purpose.SHOW: "GET",
    Purpose.UPDATE: "PUT",
    Purpose.DELETE: "DELETE",
    Purpose.LIST: "GET",
}


class Parse(Protocol[Answered_co]):
    """Reads an answer, or raises what it refuses."""

    def __call__(self, response: httpx.Response, *, request_id: str) -> Answered_co:
        """Return what `response` says."""


def _call_of(purpose: Purpose, request: httpx.Request) -> Call:
    return Call(purpose, request.method, str(request.url))


def _now() -> datetime:
    return datetime.now(UTC)


class Conversation:
    """All calls to one bank; it keeps the access token for its lifetime."""

    def __init__(
        self,
        bank: Bank,
        seal: Seal,
        *,
        trace: Trace = no_trace,
        own_token: OwnToken = no_token,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._bank = bank
        self._seal = seal
        self._trace = trace
        self._own_token = own_token
        self._answered_tokens: dict[str, str] = {}
        self._clock = clock
        self._now = now
        self._token = ""
        self._token_ends = float("-inf")

    def token(self) -> Flow[str]:
        """Get an access token, or the one at hand."""
        if self._clock() < self._token_ends - _EARLY:
            return self._token
        request_id = new_request_id()
        request = token_request(self._bank, request_id=request_id)
        with telling(_call_of(Purpose.TOKEN, request)):
            response = yield from self._exchange(request)
            token = parse_token(response, request_id=request_id)
        self._token, self._token_ends = token.access_token, self._clock() + token.lifetime
        return self._token

    def register(
        self, metadata: Mapping[str, object], *, request_id: str | None = None
    ) -> Flow[Registration]:
        """Register a new client."""
        body = registration_body(metadata, self._seal)
        return (
            yield from self._call(
                Purpose.REGISTER, None, parse_registration, body=body, request_id=request_id
            )
        )

    def show(self, client_id: str) -> Flow[Registration]:
        """Read a registration."""
        return (yield from self._call(Purpose.SHOW, client_id, parse_registration))

    def update(
        self,
        client_id: str,
        metadata: Mapping[str, object],
        *,
        seals: tuple[Seal, ...] = (),
        request_id: str | None = None,
    ) -> Flow[Registration]:
        """Replace the metadata of a client, and its keys where there are other seals."""
        body = self._body(metadata, seals, client_id)
        return (
            yield from self._call(
                Purpose.UPDATE,
                client_id,
                partial(parse_update, client_id=ClientId(client_id)),
                body=body,
                request_id=request_id,
            )
        )

    def delete(self, client_id: str, *, request_id: str | None = None) -> Flow[None]:
        """Delete a client."""
        yield from self._call(Purpose.DELETE, client_id, check_deleted, request_id=request_id)

    def rehearse(
        self,
        metadata: Mapping[str, object],
        *,
        client_id: str | None = None,
        seals: tuple[Seal, ...] = (),
    ) -> Flow[DryRun]:
        """Learn what would come of a registration, or of an update of a client."""
        body = self._body(metadata, seals, client_id)
        changed = None if client_id is None else ClientId(client_id)
        parse = partial(parse_dry_run, client_id=changed)
        return (yield from self._call(Purpose.REHEARSE, client_id, parse, body=body))

    def list_registrations(self) -> Flow[tuple[JsonObject, ...]]:
        """Read the list of all clients of the organisation, page by page."""
        clients: tuple[JsonObject, ...] = ()
        for _ in range(MOST_PAGES):
            query = page_query(str(clients[-1]["client_id"]) if clients else "")
            page = yield from self._call(Purpose.LIST, None, parse_page, query=query)
            clients += page.clients
            if page.is_last:
                break
        return clients

    def check(self) -> Flow[ExaminationReport]:
        """Have the certificates examined; nothing is registered."""
        request_id = new_request_id()
        request = preflight_request(self._bank, self._seal, request_id=request_id)
        with telling(_call_of(Purpose.CHECK, request)):
            response = yield from self._exchange(request)
            return parse_examination(response, request_id=request_id)

    def _call(
        self,
        purpose: Purpose,
        client_id: str | None,
        parse: Parse[T],
        *,
        body: bytes | None = None,
        request_id: str | None = None,
        query: str = "",
    ) -> Flow[T]:
        """Send one signed request and return what its answer says."""
        url = registration_url(self._bank, client_id) + query
        own_id = check_request_id(request_id) if request_id else new_request_id()
        token = yield from self._bearer(client_id)
        method = _METHODS.get(purpose) or ("POST" if client_id is None else "PUT")
        request = registration_request(
            method, url, seal=self._seal, token=token, request_id=own_id, body=body
        )
        if purpose is Purpose.REHEARSE:
            request.headers["Prefer"] = PREFER
        with telling(_call_of(purpose, request)):
            response = yield from self._exchange(request)
            if response.status_code == 401:  # the next call asks for a new token
                self._token_ends = float("-inf")
            if self._bank.seal is not None:
                self._bank.seal.check(response, request=request, at=self._now())
            answer = parse(response, request_id=own_id)
        if isinstance(answer, Registration) and answer.registration_access_token is not None:
            self._answered_tokens[answer.client_id] = answer.registration_access_token
        return answer

    def _body(
        self, metadata: Mapping[str, object], seals: tuple[Seal, ...], client_id: str | None
    ) -> bytes:
        sent_back = self._bank.update_members
        own = seals or (self._seal,)
        return registration_body(metadata, *own, client_id=client_id, sent_back=sent_back)

    def _bearer(self, client_id: str | None) -> Flow[str | None]:
        """Return the token that the bank wants with a call, None where it wants none."""
        bank = self._bank
        match bank.registration_token if client_id is None else bank.management_token:
            case Bearer.MANAGE_REGISTRATION:
                return (yield from self.token())
            case Bearer.REGISTRATION_ACCESS_TOKEN:
                known = client_id or ""
                token = self._answered_tokens.get(known) or self._own_token(known)
                if token is None:
                    raise ConfigurationError(
                        "registration_access_token_unknown",
                        "The bank gave no registration_access_token for this client that is kept "
                        "here. Set ENROL_REGISTRATION_ACCESS_TOKEN to the one it gave.",
                    )
                return token
            case Bearer.NONE:
                return None

    def _exchange(self, request: httpx.Request) -> Flow[httpx.Response]:
        """Send a request, the same bytes again where that helps, and return the last answer."""
        outcome: Outcome = None
        for attempt in range(1 + MAXIMUM_RETRIES):
            self._trace(request)
            outcome = yield request
            if isinstance(outcome, httpx.Response):
                self._trace(outcome)
            pause = pause_before_retry(outcome, attempt)
            if pause is None:
                break
            yield Pause(pause)
        if isinstance(outcome, httpx.Response):
            return outcome
        request_id = request.headers["x-request-id"]
        if outcome is None:
            raise BankUnreachableError("bank_connection_lost", request_id=request_id)
        raise BankUnreachableError(failure_code(outcome), request_id=request_id) from outcome
