"""Digest, Content-Digest and Repr-Digest values with their bodies."""

import base64

import pytest

from enrol.errors import EnrolError
from enrol.httpsig import HttpMessage, verify_digest
from httpsig_cases import Vector, cases


def code_of(vector: Vector) -> str | None:
    # Without a content coding the representation is the content, so one reader judges both.
    name = vector["header"].lower().replace("repr-digest", "content-digest").encode()
    body = base64.b64decode(vector["body_b64"])
    fields = (
        (name, vector["value"].encode()),
        (b"signature-input", b"")[: 2 * (name != b"digest")],
    )
    message = HttpMessage("POST", b"/", tuple(f for f in fields if f), body)
    try:
        verify_digest(message, required=True)
    except EnrolError as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize("vector", cases("digest"))
def test_digest_value_has_its_verdict(vector: Vector):
    code = code_of(vector)
    if vector["expect"]["verdict"] == "accept":
        assert code is None
    else:
        assert code in vector["expect"]["violates"]
