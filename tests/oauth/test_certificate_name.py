"""A certificate has the one name that its client registered, or it does not."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from enrol.oauth.certificate_name import (
    NAME_MEMBERS,
    CertificateNameError,
    is_named,
    subject_of,
)

AT = datetime(2026, 11, 24, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
SUBJECT = x509.Name(
    [
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR"),
        x509.NameAttribute(x509.NameOID.ORGANIZATION_IDENTIFIER, "PSDFR-ACPR-12345"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "tpp.test"),
    ]
)
NAMES = (
    x509.DNSName("tpp.test"),
    x509.DNSName("*.tpp.test"),
    x509.UniformResourceIdentifier("https://tpp.test/A"),
    x509.IPAddress(ip_address("192.0.2.1")),
    x509.IPAddress(ip_address("2001:db8::1")),
    x509.RFC822Name("Ops@tpp.test"),
)
DN, DNS, URI, IP, EMAIL = NAME_MEMBERS


def certificate(*names: x509.GeneralName, subject: x509.Name = SUBJECT) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(AT)
        .not_valid_after(AT + timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256())


FULL, BARE = certificate(*NAMES), certificate()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (DN, "CN=tpp.test,2.5.4.97=PSDFR-ACPR-12345,C=FR"),
        (DNS, "tpp.test"),
        (DNS, "TPP.test"),
        (DNS, "*.tpp.test"),
        (URI, "https://tpp.test/A"),
        (IP, "192.0.2.1"),
        (IP, "2001:0db8:0:0::1"),
        (EMAIL, "Ops@TPP.test"),
    ],
)
def test_a_name_of_the_certificate_is_one(member: str, value: str) -> None:
    assert is_named(FULL, member, value)
    assert is_named(BARE, member, value) == (member == DN)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (DN, "C=FR,2.5.4.97=PSDFR-ACPR-12345,CN=tpp.test"),
        (DN, "CN=tpp.test"),
        (DNS, "a.tpp.test"),
        (DNS, "tpp.test."),
        (DNS, "192.0.2.1"),
        (URI, "https://tpp.test/a"),
        (URI, "HTTPS://tpp.test/A"),
        (IP, "192.0.2.2"),
        (IP, "::ffff:192.0.2.1"),
        (EMAIL, "ops@tpp.test"),
        (EMAIL, "Ops@evil.test"),
    ],
)
def test_any_other_name_is_none(member: str, value: str) -> None:
    assert not is_named(FULL, member, value)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (DN, "/C=FR/CN=tpp.test"),
        (DNS, ""),
        (DNS, "tpp test"),
        (URI, "https://tpp.test/\u00e9"),
        (IP, "192.0.2"),
        (IP, "192.0.2.1/24"),
        (IP, "03.0.0.1"),
        (EMAIL, "tpp.test"),
    ],
)
def test_what_is_no_name_of_its_kind_is_an_error(member: str, value: str) -> None:
    with pytest.raises(CertificateNameError):
        is_named(FULL, member, value)


def test_the_subject_is_written_so_that_it_is_found_again() -> None:
    assert subject_of(FULL) == "CN=tpp.test,2.5.4.97=PSDFR-ACPR-12345,C=FR"


def test_a_subject_that_no_text_says_is_none() -> None:
    bits = x509.NameAttribute(
        x509.NameOID.X500_UNIQUE_IDENTIFIER, b"\0a", x509.name._ASN1Type.BitString
    )
    assert subject_of(certificate(subject=x509.Name([bits]))) is None
