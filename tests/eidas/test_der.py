import pytest
from asn1crypto import core
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from eidas.minting import mint_crl
from enrol.eidas.der import check_der, first_within, integer


def nested(depth: int) -> bytes:
    der = b""
    for _ in range(depth):
        der = b"\x30" + bytes([len(der)]) + der
    return der


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x05\x00", id="NULL"),
        pytest.param(b"\x30\x06\x06\x01\x2a\x06\x01\x2a", id="SEQUENCE of two identifiers"),
        pytest.param(b"\x04\x81\x80" + bytes(128), id="length of two octets"),
        pytest.param(b"\x06\x03\x2a\x81\x00", id="arc of two octets"),
        pytest.param(nested(16), id="sixteen levels"),
    ],
)
def test_strict_der_passes(der):
    check_der(der)


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"\x30", id="no length"),
        pytest.param(b"\x30\x01", id="shorter than its length"),
        pytest.param(b"\x30\x80\x00\x00", id="indefinite length"),
        pytest.param(b"\x04\x81\x01\x00", id="length not in its short form"),
        pytest.param(b"\x04\x82\x00\x80" + bytes(128), id="length with a leading zero"),
        pytest.param(b"\x04\x84\x01", id="length cut short"),
        pytest.param(b"\x30\x03\x04\x05\x00", id="child longer than its parent"),
        pytest.param(b"\x1f\x81\x01\x00", id="tag of several octets"),
        pytest.param(b"\x06\x00", id="identifier without arcs"),
        pytest.param(b"\x06\x02\x2a\x81", id="identifier that does not end"),
        pytest.param(b"\x06\x03\x2a\x80\x01", id="identifier with a padded arc"),
        pytest.param(nested(18), id="eighteen levels"),
    ],
)
def test_what_is_not_strict_der_is_refused(der):
    with pytest.raises(ValueError, match=r"element|length|tag|identifier|nested"):
        check_der(der)


def test_the_first_element_within_is_what_a_signature_is_over(qtsp):
    for der, load in (
        (qtsp.der, x509.load_der_x509_certificate),
        (mint_crl(qtsp, *range(1, 400)), x509.load_der_x509_crl),
    ):
        loaded = load(der)
        tbs = getattr(loaded, "tbs_certificate_bytes", None) or loaded.tbs_certlist_bytes
        assert first_within(der) == tbs


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x00", b"\x30\x03\x30\x05\x00"])
def test_nothing_within_is_refused(data):
    with pytest.raises(ValueError, match="element"):
        first_within(data)


@given(st.integers(1, 2**159))
def test_an_integer_is_written_as_asn1crypto_writes_it(value):
    assert integer(value) == core.Integer(value).dump()
