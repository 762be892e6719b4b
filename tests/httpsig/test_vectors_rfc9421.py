"""RFC 9421: the published examples and the registration request in the modern mode."""

import hmac
from base64 import b64decode
from dataclasses import replace
from hashlib import sha256

import pytest

from enrol.errors import EnrolError
from enrol.httpsig import (
    STET,
    ComponentSource,
    Mode,
    SignatureError,
    signature_base,
    verification_key,
    verify_message,
)
from enrol.httpsig.components import read_component
from enrol.httpsig.structured import InnerList, parse_dictionary, serialize_inner_list
from httpsig_cases import PRIMITIVES, Vector, cases, load, message_of, moment, public_key

MODERN = replace(STET, modes=(Mode.RFC9421,))


def judge(vector: Vector) -> str | None:
    def find(keyid: str):
        entry = load("rfc9421_psd2")["keys"].get(keyid)
        if entry is None:
            raise SignatureError("KEY-2")
        return verification_key(public_key(entry["public_key_pem"]), PRIMITIVES[entry["algorithm"]])

    try:
        verify_message(message_of(vector["request"]), find, at=moment(vector), policy=MODERN)
    except EnrolError as refusal:
        # Keys are refused under the same codes in both modes.
        return "M-KEY" if refusal.code.startswith("KEY-") else refusal.code
    return None


@pytest.mark.parametrize("vector", cases("rfc9421_psd2"))
def test_registration_request_has_its_verdict(vector: Vector):
    code = judge(vector)
    if vector["expect"]["verdict"] == "accept":
        assert code is None
    else:
        assert code in vector["expect"]["violates"]


def source_of(vector: Vector) -> ComponentSource:
    """Return the message of a vector, a response with the request it answers."""
    if not vector["response"]:
        return ComponentSource(message_of(vector["request"]))
    answered = message_of(vector["related_request"]) if vector["related_request"] else None
    response = message_of({"method": "GET", "target": "/", **vector["response"]})
    return ComponentSource(response, status=vector["response"]["status"], request=answered)


def covered_by(source: ComponentSource, label: str) -> InnerList:
    return dict(parse_dictionary(source.message.combined(b"signature-input")))[label]


@pytest.mark.parametrize("vector", cases("rfc9421"))
def test_published_signature_base(vector: Vector):
    source = source_of(vector)
    covered = covered_by(source, vector["label"])
    components = [read_component(item) for item in covered.items]
    base = signature_base(source, components, serialize_inner_list(covered))
    assert base.decode() == vector["signing_string"]
    genuine = vector["expect"]["crypto"] == "valid"
    assert holds(vector, b64decode(vector["signature_b64"]), base) == genuine


def holds(vector: Vector, signature: bytes, base: bytes) -> bool:
    if vector["algorithm"] == "hmac-sha256":
        secret = b64decode(load("rfc9421")["shared_secret_b64"])
        return hmac.compare_digest(signature, hmac.digest(secret, base, sha256))
    key = public_key(vector["public_key_pem"])
    return verification_key(key, PRIMITIVES[vector["algorithm"]]).verify(signature, base)


@pytest.mark.parametrize("vector", cases("rfc9421"))
def test_published_signature_does_not_register_a_client(vector: Vector):
    message = source_of(vector).message
    key = load("keys")["keys"]["test-key-rsa-pss"]["public_pem"]
    with pytest.raises(EnrolError):
        verify_message(
            message,
            lambda _: verification_key(public_key(key), PRIMITIVES["rsa-pss-sha512:64"]),
            at=moment(vector),
            policy=MODERN,
        )
