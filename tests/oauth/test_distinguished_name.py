"""Distinguished names are the same where they hold the same, however they are written."""

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from enrol.oauth.distinguished_name import (
    DistinguishedNameError,
    distinguished_name_of,
    parse_distinguished_name,
)

OID = x509.NameOID
NAME = x509.Name(
    [
        x509.NameAttribute(OID.COUNTRY_NAME, "FR"),
        x509.NameAttribute(OID.ORGANIZATION_NAME, "Acme, Söhne & Co."),
        x509.NameAttribute(OID.ORGANIZATION_IDENTIFIER, "PSDFR-ACPR-12345"),
        x509.NameAttribute(OID.COMMON_NAME, "tpp.test"),
    ]
)
OF_CERTIFICATE = distinguished_name_of(NAME)
IDENTIFIER = b"PSDFR-ACPR-12345"


def encoded(tag: int) -> str:
    return f"#{bytes([tag, len(IDENTIFIER)]).hex()}{IDENTIFIER.hex()}"


@pytest.mark.parametrize(
    "text",
    [
        r"CN=tpp.test,2.5.4.97=PSDFR-ACPR-12345,O=Acme\, Söhne & Co.,C=FR",
        r"CN=tpp.test,organizationIdentifier=PSDFR-ACPR-12345,O=Acme\2C S\C3\B6hne & Co.,C=FR",
        rf"CN=tpp.test,2.5.4.97={encoded(0x0C)},O=Acme\, Söhne & Co.,C=FR",
        rf"CN=tpp.test,2.5.4.97={encoded(0x13)},O=Acme\, Söhne & Co.,C=FR",
        r"cn=TPP.TEST, organizationidentifier=PSDFR-ACPR-12345, o=ACME\,  SÖHNE & CO., c=fr",
        r"CN = tpp.test , 2.5.4.97 = PSDFR-ACPR-12345 , O = Acme\, So" + "\u0308hne & Co. , C = FR",
    ],
    ids=["RFC 4514", "hex pairs", "DER UTF8String", "DER PrintableString", "case", "blanks, NFC"],
)
def test_dn_compared_as_text_in_the_wrong_string_form(text: str) -> None:
    assert parse_distinguished_name(text) == OF_CERTIFICATE


@pytest.mark.parametrize(
    "text",
    [
        r"C=FR,O=Acme\, Söhne & Co.,2.5.4.97=PSDFR-ACPR-12345,CN=tpp.test",
        r"CN=tpp.test,2.5.4.97=PSDFR-ACPR-12346,O=Acme\, Söhne & Co.,C=FR",
        r"CN=tpp.test,2.5.4.97=PSDFR-ACPR-12345,O=Acme\, Sohne & Co.,C=FR",
        r"2.5.4.97=PSDFR-ACPR-12345,O=Acme\, Söhne & Co.,C=FR",
        r"CN=tpp.test,2.5.4.97=PSDFR-ACPR-12345,O=Acme\, Söhne & Co.,C=FR,C=FR",
        r"CN=tpp.test+2.5.4.97=PSDFR-ACPR-12345,O=Acme\, Söhne & Co.,C=FR",
        r"CN=tpp.test,2.5.4.97=PSDFR-ACPR-12345,O=Acme\, Söhne & Co.\, C\=FR",
    ],
    ids=["reversed", "value", "letter", "one fewer", "one more", "one relative name", "escaped"],
)
def test_another_name_is_another(text: str) -> None:
    assert parse_distinguished_name(text) != OF_CERTIFICATE


@pytest.mark.parametrize(
    "text",
    [
        *("", ",", "CN", "CN=", "CN=a,", ",CN=a", "CN=a,,C=FR", "CN=a+", "=a", "CN=a,C", "a=b"),
        *("/C=FR/CN=a", 'CN="a, b"', "CN=a;C=FR", "CN=<a>", "CN=a\\", "CN=a\\q", "CN=a\\FF", "1=a"),
        *("CN=#", "CN=#0", "CN=#0c01", "CN=#0c016100", "CN=#020101", "CN=#zz", "CN=#0c0161x"),
        *("CN=a\0", "CN=a\ud800", "CN= ", "CN=a,b", "C N=a", "é=a", "CN=" + "a" * 3000),
    ],
)
def test_what_has_no_one_reading_is_no_name(text: str) -> None:
    with pytest.raises(DistinguishedNameError):
        parse_distinguished_name(text)


def test_attributes_of_one_relative_name_are_in_no_order() -> None:
    assert parse_distinguished_name("CN=a+OU=b,C=FR") == parse_distinguished_name("OU=b+CN=a,C=FR")


def test_a_name_whose_value_is_no_text_is_no_other() -> None:
    value = x509.NameAttribute(OID.X500_UNIQUE_IDENTIFIER, b"\0a", x509.name._ASN1Type.BitString)
    held = distinguished_name_of(x509.Name([value]))
    assert held != parse_distinguished_name("2.5.4.45=\N{ZERO WIDTH SPACE}")


attributes = st.tuples(
    st.sampled_from([OID.COMMON_NAME, OID.ORGANIZATION_NAME, OID.ORGANIZATION_IDENTIFIER]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30),
)


@given(st.lists(attributes, min_size=1, max_size=5))
def test_the_text_that_a_library_writes_means_the_name(values: list[tuple]) -> None:
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in values])
    names = {OID.ORGANIZATION_IDENTIFIER: "2.5.4.97"}
    written = name.rfc4514_string(names)
    assert parse_distinguished_name(written) == distinguished_name_of(name)
