"""The certificates that a key carries in its x5c (RFC 7517 §4.7)."""

from base64 import b64encode

import pytest

from enrol.errors import ClientMetadataError
from enrol.oauth.jwk import MAXIMUM_CERTIFICATE, MAXIMUM_CERTIFICATES, JsonWebKey, certificates

DER = bytes(range(200))
TEXT = b64encode(DER).decode()


def key(*x5c: str) -> JsonWebKey:
    return JsonWebKey(kty="RSA", x5c=x5c)


def test_certificates_come_in_their_order_whatever_blanks_are_between() -> None:
    other = b64encode(b"other").decode()
    assert certificates(key(TEXT[:64] + "\r\n " + TEXT[64:], other)) == (DER, b"other")


def test_a_key_without_x5c_has_no_certificates() -> None:
    assert certificates(JsonWebKey(kty="RSA")) == ()


@pytest.mark.parametrize(
    "x5c",
    [
        pytest.param([TEXT] * (MAXIMUM_CERTIFICATES + 1), id="too many, none of them decoded"),
        pytest.param([b64encode(bytes(MAXIMUM_CERTIFICATE + 1)).decode()], id="too long"),
        pytest.param([TEXT.rstrip("=")], id="no padding"),
        pytest.param([TEXT.replace("+", "-").replace("/", "_")], id="base64url"),
        pytest.param(["QUJ="], id="bits after the end"),
        pytest.param(["caf\u00e9"], id="not ASCII"),
    ],
)
def test_x5c_that_is_not_what_it_must_be_is_refused(x5c: list[str]) -> None:
    with pytest.raises(ClientMetadataError) as refused:
        certificates(key(*x5c))
    assert refused.value.code == "jwk_x5c"
