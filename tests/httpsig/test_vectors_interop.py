"""The same request signed by eight independent implementations."""

from dataclasses import replace

import pytest

from enrol.errors import EnrolError
from enrol.httpsig import (
    STET,
    STRICT,
    Mode,
    SignaturePolicy,
    verification_key,
    verify_message,
)
from httpsig_cases import PRIMITIVES, Vector, cases, load, message_of, moment, public_key

REFUSED = {
    "interop-03": "ALG-1",  # label ed25519-sha512
    "interop-04": "ALG-9",  # rsa-sha256 over (created)
    "interop-06": "SIG-1",  # PSS with a salt of 190 octets
    "interop-08": "ALG-1",  # label ed25519
    "interop-18": "ALG-9",
    "interop-31": "SIG-1",  # PSS with a salt of 32 octets
    "interop-32": "SIG-1",
    "interop-36": "ALG-1",
}
"""Genuine signatures that the rules refuse, and by which; all others hold in both profiles."""


def judge(vector: Vector, fields: list[list[str]], policy: SignaturePolicy) -> str | None:
    request = load("interop")["request"]
    message = message_of({**request, "headers": request["headers"] + fields})
    primitive = PRIMITIVES[vector["primitive"].replace(":190", ":64").replace(":32", ":64")]
    key = verification_key(public_key(vector["public_key_pem"]), primitive)
    try:
        verify_message(message, lambda _: key, at=moment(request), policy=policy)
    except EnrolError as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize("vector", cases("interop", "cavage"))
@pytest.mark.parametrize("policy", [STRICT, STET], ids=["strict", "stet"])
def test_signature_of_another_implementation(vector: Vector, policy: SignaturePolicy):
    value = vector["header"].removeprefix("Signature ")
    assert judge(vector, [["Signature", value]], policy) == REFUSED.get(vector["id"])


@pytest.mark.parametrize("vector", cases("interop", "rfc9421"))
def test_rfc9421_signature_of_another_implementation(vector: Vector):
    fields = [[name, value] for name, value in vector["headers"].items()]
    code = judge(vector, fields, replace(STET, modes=(Mode.RFC9421,)))
    assert code == (None if vector["conforms_salt64"] else "M-SIG")
