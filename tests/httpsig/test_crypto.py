"""Keys, their one primitive, and what is too weak."""

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from enrol.httpsig import (
    Primitive,
    SigningKey,
    VerificationKey,
    signing_key,
    verification_key,
)
from httpsig_messages import code_of


@pytest.mark.parametrize("primitive", list(Primitive))
def test_every_primitive_verifies_what_it_signed_and_nothing_else(every_key, primitive):
    key = every_key[primitive]
    signature = key.sign(b"data")
    verifier = key.verification_key()
    assert verifier.verify(signature, b"data")
    assert not verifier.verify(signature, b"date")
    assert not verifier.verify(signature[:-1], b"data")
    assert not verifier.verify(signature + b"\x00", b"data")
    assert not verifier.verify(b"", b"data")


@pytest.mark.parametrize("primitive", list(Primitive))
def test_no_other_primitive_of_the_same_key_is_tried(every_key, primitive):
    signature = every_key[primitive].sign(b"data")
    for other, key in every_key.items():
        if other is not primitive:
            assert not key.verification_key().verify(signature, b"data")


@pytest.mark.parametrize(
    ("make", "primitive"),
    [
        (lambda: rsa.generate_private_key(65537, 2048), Primitive.RSA_PKCS1V15_SHA256),
        (lambda: ec.generate_private_key(ec.SECP256R1()), Primitive.ECDSA_P256_SHA256_DER),
        (lambda: ec.generate_private_key(ec.SECP384R1()), Primitive.ECDSA_P384_SHA384_DER),
        (lambda: ec.generate_private_key(ec.SECP521R1()), Primitive.ECDSA_P521_SHA512_DER),
    ],
)
def test_key_without_registered_primitive_has_the_usual_of_its_kind(make, primitive):
    private_key = make()
    assert signing_key(private_key).primitive is primitive
    assert verification_key(private_key.public_key()).primitive is primitive


@pytest.mark.parametrize("bits", [1024, 2047, 8193])
def test_rsa_outside_2048_to_8192_bits_is_refused(bits):
    numbers = RSAPublicNumbers(65537, (1 << (bits - 1)) | 1)
    assert code_of(verification_key, numbers.public_key()) == "ALG-8"


@pytest.mark.parametrize("exponent", [3, 17, 65535, (1 << 256) + 1])
def test_rsa_exponent_outside_the_policy_is_refused(exponent):
    numbers = RSAPublicNumbers(exponent, (1 << 2047) | 1)
    assert code_of(verification_key, numbers.public_key()) == "ALG-8"


@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: ec.generate_private_key(ec.SECP224R1()),
        ed448.Ed448PrivateKey.generate,
        x25519.X25519PrivateKey.generate,
        lambda: dsa.generate_private_key(1024),
    ],
)
def test_key_of_another_kind_is_refused(make):
    private_key = make()
    assert code_of(verification_key, private_key.public_key()) == "ALG-8"
    assert code_of(verification_key, private_key.public_key(), Primitive.ED25519) == "ALG-8"
    assert code_of(signing_key, private_key) == "ALG-8"


@pytest.mark.parametrize(
    "primitive", [Primitive.ED25519, Primitive.RSA_PSS_SHA512, Primitive.ECDSA_P384_SHA384_DER]
)
def test_primitive_of_another_kind_of_key_is_refused(p256_key: SigningKey, primitive):
    public = p256_key.verification_key().public_key
    assert code_of(VerificationKey, public, primitive) == "ALG-3"
    assert code_of(SigningKey, p256_key.private_key, primitive) == "ALG-3"


@pytest.mark.parametrize(
    "primitive", [Primitive.ECDSA_P256_SHA256_RAW, Primitive.ECDSA_P256_SHA256_DER]
)
def test_ecdsa_signature_of_zeros_is_refused(p256_key: SigningKey, primitive):
    key = VerificationKey(p256_key.verification_key().public_key, primitive)
    assert not key.verify(bytes(64), b"data")
    assert not key.verify(encode_dss_signature(0, 0), b"data")


def test_rfc9421_uses_ecdsa_side_by_side_whatever_was_registered(p256_key: SigningKey):
    verifier = p256_key.verification_key().for_rfc9421()
    assert verifier.primitive is Primitive.ECDSA_P256_SHA256_RAW
    assert verifier.verify(p256_key.for_rfc9421().sign(b"data"), b"data")
    assert verifier.for_rfc9421() is verifier
