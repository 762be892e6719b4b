"""The two clients against a bank behind the transport: every behaviour must hold for both."""

import asyncio
import json
from urllib.parse import parse_qs

import httpx
import pytest

from enrol.client import (
    AsyncTppClient,
    BankUnreachableError,
    Profile,
    RegistrationRefusedError,
    Seal,
    TppClient,
    UnreadableAnswerError,
    make_seal,
)
from enrol.client.conversation import Conversation
from enrol.client.steps import pause_before_retry
from enrol.errors import ConfigurationError
from enrol.oauth.metadata import ISSUED_MEMBERS
from enrol.sandbox import pki
from fake_bank import NOW, TOKEN_ENDPOINT, FakeBank

METADATA = {"client_name": "Acme", "redirect_uris": ["https://a.example/1"], "scope": "aisp"}


class Desk:
    """One of the two clients, called the same way; `pauses` are the seconds it would have slept."""

    def __init__(self, profile: Profile, bank: FakeBank, *, is_async: bool) -> None:
        self.pauses: list[float] = []
        self._profile, self._bank, self._is_async = profile, bank, is_async

    def call(self, *steps: tuple[object, ...], **options: object) -> list[object]:
        """Make calls on one client and return what they return."""
        if self._is_async:
            return asyncio.run(self._call_async(steps, options))
        with TppClient(
            self._profile.bank,
            self._profile.credentials,
            transport=httpx.MockTransport(self._bank),
            sleep=self.pauses.append,
        ) as client:
            return [getattr(client, str(name))(*args, **options) for name, *args in steps]

    async def _call_async(
        self, steps: tuple[tuple[object, ...], ...], options: dict[str, object]
    ) -> list[object]:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        async with AsyncTppClient(
            self._profile.bank,
            self._profile.credentials,
            transport=httpx.MockTransport(self._bank),
            sleep=sleep,
        ) as client:
            return [await getattr(client, str(name))(*args, **options) for name, *args in steps]


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def desk(request: pytest.FixtureRequest, profile: Profile, bank: FakeBank) -> Desk:
    return Desk(profile, bank, is_async=request.param)


def refused() -> httpx.ConnectError:
    error = httpx.ConnectError("x")
    error.__cause__ = ConnectionRefusedError()
    return error


def unavailable(retry_after: str | None) -> httpx.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    body = {"error": "temporarily_unavailable", "error_uri": "https://b/e/draining"}
    return httpx.Response(503, json=body, headers=headers)


def test_a_registration_lives_from_register_to_delete(desk: Desk, bank: FakeBank) -> None:
    client_id = "PSDFR-ACPR-12345-1"
    registered, shown, updated, deleted = desk.call(
        ("register", METADATA),
        ("show", client_id),
        ("update", client_id, METADATA | {"client_name": "New"}),
        ("delete", client_id),
    )
    assert registered.client_id == shown.client_id == updated.client_id == client_id
    assert updated.document["client_name"] == "New"
    assert deleted is None
    assert bank.clients == {}


def test_a_token_is_asked_for_once_and_used_for_all(desk: Desk, bank: FakeBank) -> None:
    desk.call(("register", METADATA), ("show", "PSDFR-ACPR-12345-1"), ("token",))
    (request,) = [r for r in bank.requests if r.url.path == TOKEN_ENDPOINT]
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["manageRegistration"],
        "client_id": ["PSD2_TPPRegister"],
    }
    assert "signature" not in request.headers


def test_an_update_sends_everything_but_what_the_bank_issued(desk: Desk, bank: FakeBank) -> None:
    (registered,) = desk.call(("register", METADATA))
    desk.call(("update", registered.client_id, registered.document))
    body = json.loads(bank.calls("PUT")[0].content)
    assert body.keys().isdisjoint(ISSUED_MEMBERS)
    assert body["client_id"] == registered.client_id
    assert {name: body[name] for name in METADATA} == METADATA


def test_a_new_seal_is_registered_by_a_request_of_the_old_one(
    desk: Desk, bank: FakeBank, seal: Seal, authority: pki.Authority
) -> None:
    issued = pki.issue(authority, at=NOW, kind="qsealc")
    new_seal = make_seal([issued.certificate], issued.private_key)
    desk.call(("register", METADATA))
    desk.call(("update", "PSDFR-ACPR-12345-1", METADATA), seals=(new_seal,))
    (request,) = bank.calls("PUT")
    assert f'keyId="{seal.kid}"' in request.headers["signature"]
    assert json.loads(request.content)["jwks"]["keys"][0]["kid"] == new_seal.kid


def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(desk: Desk, bank: FakeBank) -> None:
    bank.lost_answers = 2
    (registered,) = desk.call(("register", METADATA))
    first, *again = bank.calls("POST")
    assert registered.client_id == "PSDFR-ACPR-12345-1"
    assert len(bank.clients) == 1
    assert [(r.headers.raw, r.content) for r in again] == [(first.headers.raw, first.content)] * 2
    assert desk.pauses == [0.5, 2.0]


def test_an_answer_lost_three_times_is_an_error_that_names_the_request(
    desk: Desk, bank: FakeBank
) -> None:
    bank.lost_answers = 3
    with pytest.raises(BankUnreachableError) as caught:
        desk.call(("register", METADATA))
    assert caught.value.code == "bank_connection_lost"
    (registered,) = desk.call(("register", METADATA), request_id=caught.value.request_id)
    assert registered.client_id == "PSDFR-ACPR-12345-1"
    assert len(bank.clients) == 1


def test_a_short_unavailability_is_waited_for(desk: Desk, bank: FakeBank) -> None:
    bank.next_answers += [unavailable("2"), unavailable("5")]
    desk.call(("register", METADATA))
    assert desk.pauses == [2, 5]
    assert len({r.headers["x-request-id"] for r in bank.calls("POST")}) == 1


@pytest.mark.parametrize("retry_after", ["6", None, "soon"])
def test_a_long_unavailability_is_left_to_the_caller(
    desk: Desk, bank: FakeBank, retry_after: str | None
) -> None:
    bank.next_answers.append(unavailable(retry_after))
    with pytest.raises(RegistrationRefusedError) as caught:
        desk.call(("register", METADATA))
    assert (caught.value.status, caught.value.code) == (503, "draining")
    assert desk.pauses == []


def test_an_unavailability_that_lasts_is_a_refusal(desk: Desk, bank: FakeBank) -> None:
    bank.next_answers += [unavailable("1")] * 3
    with pytest.raises(RegistrationRefusedError):
        desk.call(("register", METADATA))
    assert len(bank.calls("POST")) == 3


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout("slow"), httpx.ConnectTimeout("slow"), httpx.DecodingError("gzip")],
    ids=lambda error: type(error).__name__,
)
def test_what_repeating_does_not_help_is_not_repeated(
    desk: Desk, bank: FakeBank, error: httpx.RequestError
) -> None:
    bank.next_answers.append(error)
    with pytest.raises(BankUnreachableError):
        desk.call(("register", METADATA))
    assert len(bank.calls("POST")) == 1


def test_a_yes_that_cannot_be_read_is_an_error(desk: Desk, bank: FakeBank) -> None:
    bank.next_answers.append(httpx.Response(200, text="<html>"))
    with pytest.raises(UnreadableAnswerError):
        desk.call(("register", METADATA))


def test_a_token_that_is_refused_is_not_used_again(profile: Profile, bank: FakeBank) -> None:
    bank.next_answers.append(httpx.Response(401, json={"error": "invalid_token"}))
    with TppClient(
        profile.bank, profile.credentials, transport=httpx.MockTransport(bank)
    ) as client:
        with pytest.raises(RegistrationRefusedError):
            client.register(METADATA)
        client.register(METADATA)
    assert len([r for r in bank.requests if r.url.path == TOKEN_ENDPOINT]) == 2


def test_an_illegal_request_id_is_refused_before_anything_is_sent(
    desk: Desk, bank: FakeBank
) -> None:
    with pytest.raises(ConfigurationError):
        desk.call(("register", METADATA), request_id="a b")
    assert bank.requests == []


def test_requests_have_deadlines(desk: Desk, bank: FakeBank) -> None:
    desk.call(("register", METADATA))
    assert all(r.extensions["timeout"]["read"] for r in bank.requests)


def test_a_token_is_renewed_half_a_minute_before_its_end(seal: Seal, profile: Profile) -> None:
    moments = iter([0.0, 0.0, 29.0, 30.1, 31.0])
    talk = Conversation(profile.bank, seal, clock=lambda: next(moments))

    def ask(token: str) -> tuple[bool, str]:
        """Return whether a token was asked for, and the one in use."""
        flow = talk.token()
        try:
            next(flow)
            flow.send(httpx.Response(200, json={"access_token": token, "expires_in": 60}))
        except StopIteration as stop:
            return stop.value == token, stop.value
        raise AssertionError

    assert ask("first") == (True, "first")
    assert ask("second") == (False, "first")
    assert ask("third") == (True, "third")


def test_each_message_is_traced(profile: Profile, bank: FakeBank) -> None:
    seen: list[object] = []
    transport = httpx.MockTransport(bank)
    with TppClient(
        profile.bank, profile.credentials, transport=transport, trace=seen.append
    ) as client:
        client.register(METADATA)
    kinds = [type(message) for message in seen]
    assert kinds == [httpx.Request, httpx.Response] * 2


@pytest.mark.parametrize(
    ("outcome", "attempt", "pause"),
    [
        (httpx.Response(201), 0, None),
        (httpx.Response(500), 0, None),
        (httpx.Response(429, headers={"Retry-After": "1"}), 0, None),
        (httpx.Response(503, headers={"Retry-After": "0"}), 0, 0),
        (httpx.Response(503, headers={"Retry-After": "1"}), 2, None),
        (httpx.ReadError("x"), 0, 0.5),
        (httpx.RemoteProtocolError("x"), 1, 2.0),
        (httpx.ReadError("x"), 2, None),
        (refused(), 0, None),
        (refused(), 1, 2.0),
        (None, 0, None),
    ],
)
def test_only_lost_answers_and_short_waits_are_worth_a_retry(
    outcome: httpx.Response | httpx.RequestError | None, attempt: int, pause: float | None
) -> None:
    assert pause_before_retry(outcome, attempt) == pause
