import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from eidas.minting import mint, mint_authority
from enrol.eidas.trust import TrustAnchors
from enrol.errors import ConfigurationError


def pem(*authorities) -> bytes:
    return b"".join(one.certificate.public_bytes(Encoding.PEM) for one in authorities)


def test_anchors_are_read_one_after_another_and_found_by_subject(qtsp):
    renewed, other = mint_authority(), mint_authority("Other QTSP")
    anchors = TrustAnchors.from_pem(pem(qtsp, renewed, other))
    name = qtsp.certificate.subject.public_bytes()
    assert anchors.certificates == (qtsp.certificate, renewed.certificate, other.certificate)
    assert anchors.by_subject[name] == (qtsp.certificate, renewed.certificate)


def test_no_anchors_are_anchors_too():
    assert TrustAnchors().certificates == ()


def test_what_is_no_ca_is_no_anchor(qtsp):
    leaf = x509.load_der_x509_certificate(mint(qtsp)).public_bytes(Encoding.PEM)
    with pytest.raises(ConfigurationError) as refused:
        TrustAnchors.from_pem(pem(qtsp) + leaf)
    assert refused.value.code == "trust_anchors_malformed"


@pytest.mark.parametrize("data", [b"", b"not PEM", b"-----BEGIN CERTIFICATE-----\nMAA=\n"])
def test_what_cannot_be_read_is_a_configuration_error(data):
    with pytest.raises(ConfigurationError) as refused:
        TrustAnchors.from_pem(data)
    assert refused.value.code == "trust_anchors_malformed"
