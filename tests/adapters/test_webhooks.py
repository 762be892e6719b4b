"""Messages on the wire: signed as Standard Webhooks has it, and what an answer means."""

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
import standardwebhooks

from adapters.receiver import Receiver
from enrol.adapters.outbox import Message
from enrol.adapters.webhooks import (
    LONGEST_WAIT,
    Endpoint,
    Receipt,
    Verdict,
    WebhookSender,
    parse_signing_secret,
    receipt_of,
    signatures,
)
from enrol.errors import ConfigurationError
from enrol.oauth.types import ClientId

KEY, OLD_KEY = bytes(range(32)), bytes(range(1, 33))
SOMEWHERE = Path("secret")


def message(payload: bytes = b'{"type":"client.registered"}') -> Message:
    return Message(7, "evt_0123", ClientId("client-1"), "client.registered", payload)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_the_published_example_is_signed_as_published():
    """The vector of the reference libraries of Standard Webhooks."""
    key = parse_signing_secret(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", source=SOMEWHERE)
    signature = signatures(
        (key,), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("key", [KEY, OLD_KEY], ids=["the new secret", "the old secret"])
def test_while_secrets_rotate_either_verifies(key):
    at, payload = now(), '{"type":"client.updated","é":"ü"}'
    fields = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures(
            (KEY, OLD_KEY), "evt_1", int(at.timestamp()), payload.encode()
        ),
    }
    oracle = standardwebhooks.Webhook("whsec_" + b64encode(key).decode())
    assert oracle.verify(payload, fields) == json.loads(payload)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        oracle.verify(payload + " ", fields)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b64encode(KEY), id="without its prefix"),
        pytest.param(b"whsec_" + b64encode(KEY[:23]), id="too short"),
        pytest.param(b"whsec_" + b64encode(bytes(65)), id="too long"),
        pytest.param(b"whsec_" + b64encode(KEY) + b"!", id="not base64"),
        pytest.param(b"whsk_" + b64encode(KEY), id="a secret of another scheme"),
    ],
)
def test_a_secret_of_another_form_is_refused(text):
    with pytest.raises(ConfigurationError) as refusal:
        parse_signing_secret(text, source=SOMEWHERE)
    assert refusal.value.code == "webhook_secret_malformed"


@pytest.mark.parametrize(
    ("status", "retry_after", "receipt"),
    [
        (200, "", Receipt(Verdict.TAKEN)),
        (204, "", Receipt(Verdict.TAKEN)),
        (302, "", Receipt(Verdict.REFUSED, "status 302")),
        (400, "", Receipt(Verdict.REFUSED, "status 400")),
        (410, "", Receipt(Verdict.GONE, "status 410")),
        (429, "7", Receipt(Verdict.ABSENT, "status 429", 7)),
        (500, "", Receipt(Verdict.REFUSED, "status 500")),
        (502, "", Receipt(Verdict.ABSENT, "status 502")),
        (503, "99999999", Receipt(Verdict.ABSENT, "status 503", LONGEST_WAIT)),
        (503, "Wed, 21 Oct 2026 07:28:00 GMT", Receipt(Verdict.ABSENT, "status 503")),
        (503, "-1", Receipt(Verdict.ABSENT, "status 503")),
        (503, "١", Receipt(Verdict.ABSENT, "status 503")),
        (504, "", Receipt(Verdict.ABSENT, "status 504")),
    ],
)
def test_what_a_status_means(status, retry_after, receipt):
    assert receipt_of(status, retry_after) == receipt


async def test_a_message_arrives_with_its_fields_and_bytes():
    async with Receiver() as receiver:
        sender = WebhookSender(Endpoint(receiver.url, (KEY,)))
        at = now()
        assert await sender.send(message(), at) == Receipt(Verdict.TAKEN)
        assert await sender.send(message(), at) == Receipt(Verdict.TAKEN)
        await sender.aclose()
    (first, second) = receiver.requests
    assert first == second
    assert first.body == message().payload
    assert first.fields["content-type"] == "application/json"
    assert first.fields["webhook-timestamp"] == str(int(at.timestamp()))
    standardwebhooks.Webhook("whsec_" + b64encode(KEY).decode()).verify(first.body, first.fields)
    assert receiver.connections == 1


async def test_a_redirect_is_not_followed():
    async with Receiver() as elsewhere, Receiver() as receiver:
        receiver.answer = (
            b"HTTP/1.1 307 x\r\nLocation: "
            + elsewhere.url.encode()
            + b"\r\nContent-Length: 0\r\n\r\n"
        )
        sender = WebhookSender(Endpoint(receiver.url, (KEY,)))
        assert (await sender.send(message(), now())).verdict is Verdict.REFUSED
        await sender.aclose()
    assert elsewhere.requests == []


async def test_a_long_answer_is_not_read_to_its_end():
    async with Receiver() as receiver:
        receiver.answer = b"HTTP/1.1 200 x\r\nContent-Length: 1000000000\r\n\r\n" + bytes(100_000)
        sender = WebhookSender(Endpoint(receiver.url, (KEY,), timeout=30))
        assert await sender.send(message(), now()) == Receipt(Verdict.TAKEN)
        await sender.aclose()


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"", "RemoteProtocolError"),
        (b"nonsense\r\n\r\n", "RemoteProtocolError"),
        (b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nhalf", "RemoteProtocolError"),
    ],
    ids=["hangs up", "speaks no HTTP", "breaks off"],
)
async def test_a_receiver_that_does_not_answer_properly_is_absent(answer, detail):
    async with Receiver() as receiver:
        receiver.answer, receiver.hangs_up = answer, True
        sender = WebhookSender(Endpoint(receiver.url, (KEY,)))
        assert await sender.send(message(), now()) == Receipt(Verdict.ABSENT, detail)
        await sender.aclose()


async def test_a_receiver_that_never_answers_is_absent():
    async with Receiver() as receiver:
        receiver.answer = None
        sender = WebhookSender(Endpoint(receiver.url, (KEY,), timeout=0.05))
        receipt = await sender.send(message(), now())
        await sender.aclose()
    assert receipt.verdict is Verdict.ABSENT


async def test_nobody_there_is_absent():
    async with Receiver() as receiver:
        pass
    sender = WebhookSender(Endpoint(receiver.url, (KEY,)))
    assert await sender.send(message(), now()) == Receipt(Verdict.ABSENT, "ConnectError")
    await sender.aclose()


def test_cas_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(ConfigurationError) as refusal:
        WebhookSender(Endpoint("https://127.0.0.1:1", (KEY,), ca_file=tmp_path / "none.pem"))
    assert refusal.value.code == "webhook_ca_file"


async def test_a_stop_is_not_taken_for_an_absence():
    async with Receiver() as receiver:
        receiver.answer = None
        sender = WebhookSender(Endpoint(receiver.url, (KEY,)))
        sending = asyncio.create_task(sender.send(message(), now()))
        await receiver.received.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await sender.aclose()
