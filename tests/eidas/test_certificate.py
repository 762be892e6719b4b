import base64
import hashlib

import pytest
from asn1crypto import core, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID
from hypothesis import given
from hypothesis import strategies as st

from eidas.minting import AT, DAY, key, mint, mint_authority, mint_seal, rsa_key
from eidas.refusals import refusal_of
from enrol.eidas.certificate import KeyFacts, parse_certificate, parse_pem_certificate

READABLE = {None, "cert_malformed", "cert_weak_key", "qcstatements_malformed"}
SAMPLE = mint(mint_authority())


def pem(der: bytes) -> bytes:
    lines = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"


def uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


def test_certificate_says_who_it_is_for(qtsp):
    der = mint(qtsp, serial_number=77)
    certificate = parse_certificate(der)
    assert certificate.der == der
    assert certificate.sha256 == hashlib.sha256(der).digest()
    assert certificate.serial_number == 77
    assert certificate.common_name == "psd2.acme.example"
    assert certificate.organization_name is None
    assert certificate.organization_identifiers == ("PSDFR-ACPR-12345",)
    assert certificate.subject == "CN=psd2.acme.example,2.5.4.97=PSDFR-ACPR-12345,C=FR"
    assert certificate.issuer == qtsp.certificate.subject.public_bytes()
    assert (certificate.not_before, certificate.not_after) == (AT - 30 * DAY, AT + 30 * DAY)
    assert certificate.dns_names == ("psd2.acme.example",)


def test_certificate_says_what_its_key_is_and_may_do(qtsp):
    web = parse_certificate(mint(qtsp, public_key=rsa_key().public_key()))
    seal = parse_certificate(mint_seal(qtsp))
    assert web.public_key == rsa_key().public_key()
    assert web.key == KeyFacts(2048, exponent=65537)
    assert seal.key == KeyFacts(256, curve="secp256r1")
    assert web.signature_hash == "sha256"
    assert web.key_usage == {"digital_signature"}
    assert web.extended_key_usage == {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}
    assert seal.key_usage == {"non_repudiation"}
    assert seal.extended_key_usage is None
    assert not web.is_ca
    assert not web.is_precertificate


def test_certificate_names_every_place_to_ask_about_revocation(qtsp):
    directory = x509.DirectoryName(qtsp.certificate.subject)
    points = [
        x509.DistributionPoint([uri("ldap://a"), uri("http://a")], None, None, None),
        x509.DistributionPoint([directory], None, None, None),
    ]
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri("http://ca")),
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri("http://ocsp")),
    ]
    extra = [
        (x509.CRLDistributionPoints(points), False),
        (x509.AuthorityInformationAccess(access), False),
    ]
    certificate = parse_certificate(mint(qtsp, extra=extra))
    assert certificate.crl_distribution_points == (uri("ldap://a"), uri("http://a"), directory)
    assert certificate.ocsp_urls == ("http://ocsp",)


def test_certificates_are_equal_when_their_der_is(qtsp):
    one, other = mint(qtsp), mint(qtsp)
    assert parse_certificate(one) == parse_certificate(one)
    assert hash(parse_certificate(one)) == hash(parse_certificate(one))
    assert parse_certificate(one) != parse_certificate(other)


def test_two_organization_identifiers_are_both_told(qtsp):
    certificate = parse_certificate(mint(qtsp, organizations=("PSDFR-ACPR-1", "PSDFR-ACPR-2")))
    assert certificate.organization_identifiers == ("PSDFR-ACPR-1", "PSDFR-ACPR-2")


def test_critical_qcstatements_are_a_deviation(qtsp):
    assert parse_certificate(mint(qtsp, qc_critical=True)).deviations == ("qcstatements_critical",)


def test_a_country_of_37_characters_is_read_where_warnings_are_errors(qtsp):
    der = mint(qtsp)
    altered = asn1_x509.Certificate.load(der)
    country = altered["tbs_certificate"]["subject"].chosen[0][0]
    country["value"] = asn1_x509.DirectoryString("utf8_string", core.UTF8String("X" * 37))
    certificate = parse_certificate(altered.dump(force=True))
    assert "C=" + "X" * 37 in certificate.subject


def explicit_curve(der: bytes) -> bytes:
    """Return the certificate with its curve spelled out instead of named."""
    altered = asn1_x509.Certificate.load(der)
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    octets = (prime - 3).to_bytes(32, "big")
    point = b"\x04" + bytes(64)
    parameters = keys.SpecifiedECDomain(
        {
            "version": 1,
            "field_id": {"field_type": "prime_field", "parameters": core.Integer(prime)},
            "curve": {"a": octets, "b": octets},
            "base": keys.ECPoint(point),
            "order": prime,
        }
    )
    info = altered["tbs_certificate"]["subject_public_key_info"]
    info["algorithm"]["parameters"] = keys.ECDomainParameters("specified", parameters)
    return altered.dump(force=True)


@pytest.mark.parametrize(
    "public_key",
    [
        pytest.param(ed25519.Ed25519PrivateKey.generate().public_key(), id="Ed25519"),
        pytest.param(dsa.generate_private_key(1024).public_key(), id="DSA"),
    ],
)
def test_a_key_that_is_neither_rsa_nor_ec_is_weak(qtsp, public_key):
    assert refusal_of(parse_certificate, mint(qtsp, public_key=public_key)) == "cert_weak_key"


def test_explicit_curve_parameters_are_refused(qtsp):
    der = explicit_curve(mint(qtsp))
    assert refusal_of(parse_certificate, der) in {"cert_weak_key", "cert_malformed"}


@pytest.mark.parametrize(
    ("exponent", "bits"), [(2**2040 + 1, 2048), (65537, 16384)], ids=["huge exponent", "16384 bits"]
)
def test_an_rsa_key_made_to_be_slow_is_only_read(qtsp, exponent, bits):
    public_key = rsa.RSAPublicNumbers(exponent, 2**bits - 1).public_key()
    assert refusal_of(parse_certificate, mint(qtsp, public_key=public_key)) in READABLE


def test_a_point_off_the_curve_is_refused(qtsp):
    der = mint(qtsp)
    point = key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert der.count(point) == 1
    altered = der.replace(point, point[:-1] + bytes([point[-1] ^ 1]))
    assert refusal_of(parse_certificate, altered) == "cert_malformed"


def doubled_extension(der: bytes) -> bytes:
    altered = asn1_x509.Certificate.load(der)
    extensions = altered["tbs_certificate"]["extensions"]
    extensions.append(extensions[0].copy())
    return altered.dump(force=True)


def unknown_extension(oid: str, value: bytes) -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), False


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(SAMPLE[:-1], id="cut short"),
        pytest.param(SAMPLE + b"\x00", id="octet after the end"),
        pytest.param(SAMPLE + SAMPLE, id="two certificates"),
        pytest.param(pem(SAMPLE), id="PEM"),
        pytest.param(
            mint(mint_authority(), dns_names=("a" * 60 + ".example",) * 250), id="more than 16 KiB"
        ),
        pytest.param(doubled_extension(SAMPLE), id="an extension twice"),
        pytest.param(
            mint(mint_authority(), extra=[unknown_extension("2.5.29.35", b"\x04\x02\x30\x00")]),
            id="an extension wrapped once too often",
        ),
    ],
)
def test_what_is_not_one_certificate_is_refused(der):
    assert refusal_of(parse_certificate, der) == "cert_malformed"


def test_malformed_qcstatements_are_refused_as_such(qtsp):
    der = mint(qtsp, qc=b"\x30\x03\x06\x01\x2a")
    assert refusal_of(parse_certificate, der) == "qcstatements_malformed"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(pem(SAMPLE), id="as usual"),
        pytest.param(pem(SAMPLE).replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(pem(SAMPLE).replace(b"\n", b""), id="without line ends"),
        pytest.param(b"\n" + pem(SAMPLE) + b"\n\n", id="empty lines around"),
        pytest.param(pem(SAMPLE).rstrip(), id="no line end at the end"),
    ],
)
def test_pem_of_one_certificate_is_read(text):
    assert parse_pem_certificate(text).der == SAMPLE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(SAMPLE, id="DER"),
        pytest.param(base64.encodebytes(SAMPLE), id="the base64 alone"),
        pytest.param(pem(SAMPLE) * 2, id="two certificates"),
        pytest.param(b"<html></html>\n" + pem(SAMPLE), id="text in front"),
        pytest.param(pem(SAMPLE).replace(b"CERTIFICATE", b"PRIVATE KEY"), id="private key"),
        pytest.param(pem(SAMPLE).replace(b"CERTIFICATE", b"PKCS7"), id="PKCS#7"),
        pytest.param(pem(SAMPLE)[:-30], id="no end"),
        pytest.param(pem(SAMPLE).replace(b"M", b"M=", 1), id="padding inside"),
        pytest.param(pem(SAMPLE).replace(b"MII", b"MI\xc3\xa9"), id="not base64"),
        pytest.param(pem(b""), id="empty"),
        pytest.param(b" " * 40_000 + pem(SAMPLE), id="more than 32 KiB"),
    ],
)
def test_what_is_not_pem_of_one_certificate_is_refused(text):
    assert refusal_of(parse_pem_certificate, text) == "cert_malformed"


def test_a_name_that_stands_twice_is_no_name(qtsp):
    der = mint(qtsp, organizations=())
    assert parse_certificate(der).organization_identifiers == ()
    altered = asn1_x509.Certificate.load(der)
    rdns = altered["tbs_certificate"]["subject"].chosen
    rdns.append(rdns[1].copy())
    assert parse_certificate(altered.dump(force=True)).common_name is None


def test_a_ca_and_a_precertificate_say_so(qtsp):
    extra = [
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.PrecertPoison(), True),
    ]
    certificate = parse_certificate(mint(qtsp, extra=extra))
    assert certificate.is_ca
    assert certificate.is_precertificate


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(data):
    assert refusal_of(parse_certificate, data) in READABLE
    assert refusal_of(parse_pem_certificate, data) in READABLE


@given(
    position=st.integers(0, len(SAMPLE) - 1),
    length=st.integers(0, 3),
    replacement=st.binary(max_size=3),
)
def test_a_mutated_certificate_is_read_or_refused(position, length, replacement):
    mutated = SAMPLE[:position] + replacement + SAMPLE[position + length :]
    assert refusal_of(parse_certificate, mutated) in READABLE


@given(position=st.integers(0, len(SAMPLE) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_read_or_refused(position, bit):
    mutated = bytearray(SAMPLE)
    mutated[position] ^= 1 << bit
    assert refusal_of(parse_certificate, bytes(mutated)) in READABLE
