"""A registration request, keys and a clock that stands still."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from enrol.httpsig import HttpMessage, Primitive, SigningKey, digest_field, signing_key
from httpsig_signer import Signer

NOW = 1_700_000_000
BODY = b'{"client_name":"TPP"}'


@pytest.fixture
def at() -> datetime:
    return datetime.fromtimestamp(NOW, UTC)


@pytest.fixture(scope="session")
def rsa_key() -> SigningKey:
    return signing_key(rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="session")
def p256_key() -> SigningKey:
    return signing_key(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="session")
def every_key(rsa_key: SigningKey, p256_key: SigningKey) -> dict[Primitive, SigningKey]:
    p384, p521 = (ec.generate_private_key(curve) for curve in (ec.SECP384R1(), ec.SECP521R1()))
    private_keys = {
        "rsa": rsa_key.private_key,
        "ecdsa-p256": p256_key.private_key,
        "ecdsa-p384": p384,
        "ecdsa-p521": p521,
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    return {
        primitive: SigningKey(private_key, primitive)
        for primitive in Primitive
        for kind, private_key in private_keys.items()
        if primitive.startswith(kind)
    }


@pytest.fixture
def registration() -> HttpMessage:
    fields = {
        "Host": "api.bank.example",
        "Date": "Tue, 14 Nov 2023 22:13:20 GMT",
        "Content-Type": "application/json",
        "X-Request-ID": "0f6b1f8e-2a7d-4c55-9d0b-3f7c3f1f5a10",
        **dict([digest_field(BODY)]),
    }
    raw = [(name.encode(), value.encode()) for name, value in fields.items()]
    return HttpMessage.of("POST", b"/stet/setting/v1/register?a=%2f", raw, BODY)


@pytest.fixture
def signer(rsa_key: SigningKey) -> Signer:
    return Signer(rsa_key)
