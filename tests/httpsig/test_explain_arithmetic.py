"""Mistakes in writing a signature and in its arithmetic, each found by its name."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

from enrol.httpsig import Primitive, SigningKey
from httpsig_messages import changed_field, with_field, without_field
from httpsig_signer import Signer, broken, names_of, text_of

# Mistakes in reading


def test_a_signature_in_authorization(registration, signer, at) -> None:
    message = signer.signed(registration, text_of(registration))
    moved = with_field(
        without_field(message, b"signature"),
        b"authorization",
        b"Signature " + message.first[b"signature"],
    )
    report = signer.explained(moved, at)
    assert names_of(report) == {"signature-in-authorization"}
    assert report.refused_by == "CAR-2"
    assert "SIG-1" not in broken(report)


def test_a_signature_in_another_base64(registration, signer, at) -> None:
    text = text_of(registration)
    message = signer.signed(registration, text)
    standard = b64encode(signer.key.sign(text))
    other = urlsafe_b64encode(signer.key.sign(text)).rstrip(b"=")
    value = message.first[b"signature"].replace(standard, other)
    report = signer.explained(changed_field(message, b"signature", value), at)
    assert "signature-encoding" in names_of(report)
    assert "SIG-1" not in broken(report)


def test_names_with_several_blanks_between(registration, signer, at) -> None:
    message = signer.signed(
        registration, text_of(registration), headers="(request-target)  digest x-request-id "
    )
    report = signer.explained(message, at)
    assert names_of(report) == {"headers-blanks"}
    assert broken(report) == {"HDR-4"}


# Mistakes in the arithmetic


def rsa_signature(key: SigningKey, text: bytes, padding, algorithm) -> bytes:
    assert isinstance(key.private_key, rsa.RSAPrivateKey)
    return key.private_key.sign(text, padding, algorithm)


RSA_MISTAKES = {
    "pss-salt": (Primitive.RSA_PSS_SHA512, PSS(MGF1(SHA512()), 190), SHA512()),
    "pss-hash": (Primitive.RSA_PSS_SHA512, PSS(MGF1(SHA256()), 32), SHA256()),
    "pss-for-pkcs1v15": (Primitive.RSA_PKCS1V15_SHA256, PSS(MGF1(SHA256()), 32), SHA256()),
    "pkcs1v15-for-pss": (Primitive.RSA_PSS_SHA512, PKCS1v15(), SHA256()),
    "other-hash": (Primitive.RSA_PKCS1V15_SHA256, PKCS1v15(), SHA512()),
}


@pytest.mark.parametrize("name", RSA_MISTAKES)
def test_a_mistake_in_rsa_is_found_by_name(registration, signer, at, name) -> None:
    primitive, padding, algorithm = RSA_MISTAKES[name]
    signature = rsa_signature(signer.key, text_of(registration), padding, algorithm)
    message = signer.signed(registration, b"", signature=signature)
    report = signer.explained(message, at, primitive)
    assert names_of(report) == {name}
    assert broken(report) == {"SIG-1"}


def test_the_length_of_a_wrong_salt_is_told(registration, signer, at) -> None:
    primitive, padding, algorithm = RSA_MISTAKES["pss-salt"]
    signature = rsa_signature(signer.key, text_of(registration), padding, algorithm)
    report = signer.explained(signer.signed(registration, b"", signature=signature), at, primitive)
    assert "a salt of 190 octets" in (report.mistakes[0].detail or "")


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        (Primitive.ECDSA_P256_SHA256_DER, "ecdsa-raw-for-der"),
        (Primitive.ECDSA_P256_SHA256_RAW, "ecdsa-der-for-raw"),
        (Primitive.ECDSA_P256_SHA512_DER, "other-hash"),
    ],
)
def test_a_mistake_in_ecdsa_is_found_by_name(registration, p256_key, at, stored, name) -> None:
    private_key = p256_key.private_key
    assert isinstance(private_key, ec.EllipticCurvePrivateKey)
    signature = private_key.sign(text_of(registration), ec.ECDSA(SHA256()))
    if name == "ecdsa-raw-for-der":
        r, s = decode_dss_signature(signature)
        signature = r.to_bytes(32) + s.to_bytes(32)
    signer = Signer(p256_key)
    report = signer.explained(signer.signed(registration, b"", signature=signature), at, stored)
    assert names_of(report) == {name}


def test_a_signature_backwards(registration, signer, at) -> None:
    signature = signer.key.sign(text_of(registration))[::-1]
    message = signer.signed(registration, b"", signature=signature)
    assert names_of(signer.explained(message, at)) == {"signature-backwards"}


def test_a_wrong_string_and_a_wrong_primitive_at_once(registration, signer, at) -> None:
    text = text_of(registration).replace(b": post ", b": POST ")
    signature = rsa_signature(signer.key, text, PSS(MGF1(SHA256()), 32), SHA256())
    message = signer.signed(registration, b"", signature=signature)
    assert names_of(signer.explained(message, at)) == {"method-upper-case", "pss-for-pkcs1v15"}


def test_the_signature_of_another_key_is_explained_by_no_mistake(
    registration, signer, at, p256_key
) -> None:
    other = Signer(SigningKey(rsa.generate_private_key(65537, 2048), signer.key.primitive))
    message = other.signed(registration, text_of(registration))
    report = signer.explained(message, at)
    assert (report.mistakes, report.made_with_key) == ((), False)
    assert broken(report) == {"SIG-1"}
