from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.client import Seal, make_seal
from enrol.client.seal import jwks_of
from enrol.errors import SignatureError
from enrol.oauth.jwk import find_faults
from enrol.sandbox import pki
from fake_bank import NOW


def test_the_jwk_of_a_seal_names_key_certificate_and_thumbprint(seal: Seal) -> None:
    (key,) = jwks_of(seal).keys
    digest = sha256(seal.certificates[0]).digest()
    assert (key.kty, key.use, key.alg, key.kid) == ("RSA", "sig", "RS256", seal.kid)
    assert [b64decode(text) for text in key.x5c or ()] == list(seal.certificates)
    assert key.x5t_s256 == urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_the_jwk_of_a_seal_is_one_a_bank_finds_no_fault_with(seal: Seal) -> None:
    assert list(find_faults(jwks_of(seal))) == []


@pytest.mark.parametrize(
    ("curve", "alg"),
    [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")],
)
def test_the_jwk_of_an_elliptic_key_names_its_curve_by_alg(
    authority: pki.Authority, curve: ec.EllipticCurve, alg: str
) -> None:
    issued = pki.issue(authority, at=NOW, kind="qsealc", key=ec.generate_private_key(curve))
    jwks = jwks_of(make_seal([issued.certificate], issued.private_key))
    assert (jwks.keys[0].kty, jwks.keys[0].alg) == ("EC", alg)
    assert list(find_faults(jwks)) == []


def test_the_kid_is_the_decimal_serial_number_unless_it_is_given(authority: pki.Authority) -> None:
    issued = pki.issue(authority, at=NOW, kind="qsealc")
    certificates = [issued.certificate]
    assert make_seal(certificates, issued.private_key).kid == str(issued.certificate.serial_number)
    assert make_seal(certificates, issued.private_key, kid="mine").kid == "mine"


def test_certificates_after_the_first_are_sent_along(authority: pki.Authority) -> None:
    issued = pki.issue(authority, at=NOW, kind="qsealc")
    issuing = authority.issuing.certificate
    seal = make_seal([issued.certificate, issuing], issued.private_key)
    assert seal.certificates[1] == issuing.public_bytes(Encoding.DER)
    assert len(jwks_of(seal).keys[0].x5c or ()) == 2


def test_a_weak_key_makes_no_seal(authority: pki.Authority) -> None:
    issued = pki.issue(authority, at=NOW, kind="qsealc", faults=["weak-key"])
    with pytest.raises(SignatureError) as caught:
        make_seal([issued.certificate], issued.private_key)
    assert caught.value.code == "ALG-8"


def test_a_seal_does_not_show_its_key(seal: Seal) -> None:
    assert "key" not in repr(seal).lower()
