"""What is kept of a decision, and what never is."""

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrol.errors import ClientMetadataError, EntitlementError, Finding, SignatureError
from enrol.httpsig import STET, HttpMessage, Mode, Primitive, VerifiedSignature, check_hygiene
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId, RequestId
from enrol.registration import evidence as evidence_module
from enrol.registration.audit import EventType
from enrol.registration.evidence import (
    LONGEST_REFUSED_BODY,
    Evidence,
    event_of_change,
    event_of_refusal,
    event_of_stranger,
)
from enrol.registration.kept import KeptCertificate, KeptPolicy, blob, keep_policy
from enrol.registration.kept_request import read_request, write_request
from enrol.registration.request import Body, Seal, UnverifiedRequest, VerifiedRequest

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = b"Bearer s3cr3t"
COVERED = ("(request-target)", "digest", "x-request-id")
STORED = KeptCertificate("c" * 64, "d" * 64, (blob(b"certificate"),))


@pytest.fixture(autouse=True)
def judged(monkeypatch):
    """Certificates are judged elsewhere."""
    monkeypatch.setattr(evidence_module, "keep_certificate", lambda _: STORED)


class Judged:
    organization_identifier = "PSDFR-ACPR-12345"


class Record:
    client_id = ClientId("client-1")
    version = 3
    standing = None


def message(*fields, body=b'{"a":1}'):
    base = [(b"Host", b"localhost"), (b"X-Request-ID", b"id"), (b"Authorization", SECRET)]
    return HttpMessage.of("PUT", b"/register/client-1", [*base, (b"Accept", b"*/*"), *fields], body)


def verified(sent=None, *, covered=COVERED, document=None):
    signature = VerifiedSignature(
        "k", Mode.CAVAGE, covered, None, Primitive.RSA_PKCS1V15_SHA256, ()
    )
    return VerifiedRequest(
        request_id=RequestId("id"),
        client_id=ClientId("client-1"),
        qwac=Judged(),
        seal=Seal(signature, STET, None, Judged()),
        message=sent or message((b"Digest", b"SHA-256=x"), (b"Signature", b"s")),
        body=Body({"a": 1} if document is None else document, ClientMetadata()),
        ledger_key=bytes(32),
        signature_digest=bytes(32),
        at=AT,
    )


def changed(request):
    return event_of_change(request, Record(), EventType.CLIENT_UPDATED)


def members(event):
    return msgspec.json.decode(event.evidence, type=Evidence)


def test_request_is_kept_with_what_is_signed_and_no_more():
    assert changed(verified()).request == (
        b"PUT /register/client-1 HTTP/1.1\r\nhost: localhost\r\nx-request-id: id\r\n"
        b'digest: SHA-256=x\r\nsignature: s\r\n\r\n{"a":1}'
    )


def test_event_names_what_it_rests_on_by_digest():
    event = changed(verified())
    kept = members(event)
    policy = keep_policy(STET)
    assert (kept.qwac, kept.qwac_verdict) == (STORED.certificate, STORED.verdict)
    assert kept.signature_policy == policy.sha256.hex()
    assert kept.withheld is msgspec.UNSET
    assert set(event.blobs) == {*STORED.blobs, policy}


def test_policy_is_read_again_as_it_was():
    kept = msgspec.json.decode(keep_policy(STET).content, type=KeptPolicy)
    assert keep_policy(kept.policy) == keep_policy(STET)


@pytest.mark.parametrize("name", ["authorization", "cookie"])
def test_secret_that_is_signed_is_withheld(name):
    sent = message((b"Cookie", SECRET), (b"Digest", b"x"), (b"Signature", b"s"))
    event = changed(verified(sent, covered=(*COVERED, name)))
    assert members(event).withheld == (name,)
    assert SECRET not in event.request


@pytest.mark.parametrize("member", ["client_secret", "registration_access_token"])
def test_body_with_a_secret_is_withheld(member):
    event = changed(verified(document={member: "s3cr3t"}))
    assert members(event).withheld == ("body",)
    assert event.request.endswith(b"\r\n\r\n")


def test_refusal_after_verification_keeps_request_and_every_rule():
    refusal = ClientMetadataError(Finding("member_missing", "jwks"), Finding("scope_unknown"))
    event = event_of_refusal(verified(), refusal)
    assert (event.code, event.organization_identifier) == ("member_missing", "PSDFR-ACPR-12345")
    assert members(event).codes == ("member_missing", "scope_unknown")
    assert event.request == changed(verified()).request


def test_long_body_of_a_refused_request_is_not_kept():
    sent = message((b"Digest", b"x"), (b"Signature", b"s"), body=b"x" * (LONGEST_REFUSED_BODY + 1))
    event = event_of_refusal(verified(sent), EntitlementError("client_not_yours"))
    assert members(event).withheld == ("body",)
    assert len(event.request) < 1000
    assert len(changed(verified(sent)).request) > LONGEST_REFUSED_BODY


def test_of_a_stranger_only_digests_are_kept():
    sent = message((b"Signature", b"unverified"), body=b"unverified body")
    request = UnverifiedRequest(RequestId("id"), sent, b"certificate", ClientId("client-1"))
    event = event_of_stranger(request, SignatureError("SIG-1"), at=AT)
    assert (event.code, event.request, event.blobs) == ("SIG-1", None, ())
    assert event.organization_identifier is None
    kept = members(event)
    assert kept.peer_certificate == hashlib.sha256(b"certificate").hexdigest()
    assert kept.body == hashlib.sha256(b"unverified body").hexdigest()
    assert b"unverified" not in msgspec.json.encode(event)


VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)).map(str.encode)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1).filter(lambda name: name not in COVERED)
VALUES = st.binary().map(lambda raw: bytes(b for b in raw if b >= 0x20 and b != 0x7F))


@given(VISIBLE, st.lists(st.tuples(NAMES, VALUES), max_size=5), st.binary())
def test_what_is_written_of_a_request_is_read_again(path, pairs, body):
    fields = [(name.encode(), value) for name, value in pairs if name != "authorization"]
    sent = HttpMessage.of("POST", b"/" + path, fields, body)
    try:
        check_hygiene(sent)
    except Exception:
        return
    kept = write_request(sent, tuple(name for name, _ in pairs))
    assert read_request(kept) == sent


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"POST / HTTP/1.1",
        b"POST /\r\n\r\n",
        b"\xff / HTTP/1.1\r\n\r\n",
        b"P / HTTP/1.1\r\nx\r\n\r\n",
    ],
)
def test_other_bytes_are_not_read_as_a_request(kept):
    with pytest.raises(ValueError, match="not a request"):
        read_request(kept)


@pytest.mark.parametrize("covered", ['"content-type"', '"content-type";sf', "content-type"])
def test_names_and_components_are_understood(covered):
    sent = message((b"Content-Type", b"application/json"))
    assert b"content-type: application/json" in write_request(sent, (covered,))
