"""What a keyId may be and which certificate it names."""

from hashlib import sha1, sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from enrol.httpsig import (
    CertificateUrl,
    KeyName,
    KnownKey,
    SigningKey,
    check_certificate,
    find_key,
    matches_certificate,
    parse_keyid,
)
from httpsig_messages import code_of
from vectors import vectors

DER = b"a certificate"
SUFFIX = sha256(DER).hexdigest()
FINGERPRINT = sha1(DER).hexdigest()
COLONS = ":".join(FINGERPRINT[i : i + 2] for i in range(0, 40, 2))


@pytest.mark.parametrize(
    "text",
    [
        "d3de0198-5f2f-4b0c-9a53-1b0c5a2f7a11",
        "57960876493606644482050706203694200967",
        "2b9adbd7f86bed51e23f467c25e1f887",
        "SN=5354455400000001,CA=CN=Example TPP,2.5.4.97=PSDFR-ACPR-99999,C=FR",
        COLONS,
        ":".join(["ab"] * 32),
        "PSDFR-ACPR-12345",
        "a/b:c",
    ],
)
def test_name_is_what_has_no_scheme(text):
    assert parse_keyid(text) == KeyName(text)


def test_url_of_a_certificate_with_the_sha256_of_stet():
    url = f"https://TPP.example:443/certs/seal_{SUFFIX}"
    assert parse_keyid(url) == CertificateUrl(url, "tpp.example", SUFFIX, None)


def test_url_of_a_certificate_with_a_fingerprint_as_file_name():
    url = f"https://tpp.example/certs/{COLONS}.pem"
    assert parse_keyid(url) == CertificateUrl(url, "tpp.example", None, COLONS)


@pytest.mark.parametrize(
    "url", ["https://tpp.example", "https://tpp.example/", "https://a.b/c.pem"]
)
def test_url_without_fingerprint(url):
    keyid = parse_keyid(url)
    assert (keyid.sha256, keyid.sha1) == (None, None)


@pytest.mark.parametrize("suffix", [SUFFIX.upper(), SUFFIX[:-1], SUFFIX + "0", SUFFIX + ".pem"])
def test_suffix_is_64_lower_case_hexadecimal_digits_at_the_end(suffix):
    assert parse_keyid(f"https://tpp.example/seal_{suffix}").sha256 is None


@pytest.mark.parametrize(
    "url",
    [
        "http://tpp.example/a",
        "ftp://tpp.example/a",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "urn:uuid:1",
        "data:,x",
        "https:tpp.example/a",
        "https:/tpp.example/a",
        "https:///a",
        "https://127.0.0.1/a",
        "https://127.1/a",
        "https://2130706433/a",
        "https://0x7f.0x1/a",
        "https://169.254.169.254/a",
        "https://[::1]/a",
        "https://localhost/a",
        "https://a.localhost/a",
        "https://intranet/a",
        "https://tpp.example./a",
        "https://tpp..example/a",
        "https://-tpp.example/a",
        "https://user@tpp.example/a",
        "https://user:pw@tpp.example/a",
        "https://tpp.example\\@evil.example/a",
        "https://tpp.example:8443/a",
        "https://tpp.example:/a",
        "https://tpp.example/a?b",
        "https://tpp.example/a#b",
        "https://tpp.example/a b",
        "https://tpp.example/a\n",
        "https://tpp.ex\u00e4mple/a",
        "http\u017f://tpp.example/a",
        "https://" + "a" * 64 + ".example/a",
        "https://" + "a." * 130 + "example/a",
    ],
)
def test_url_that_is_not_plain_https_to_a_public_name_is_refused(url):
    if not url.startswith("http\u017f"):
        assert code_of(parse_keyid, url) == "KEY-1"
    else:
        assert isinstance(parse_keyid(url), KeyName)  # no scheme: its letters are not ASCII


def test_keyid_of_more_than_1024_characters_is_refused():
    assert code_of(parse_keyid, "k" * 1025) == "KEY-4"
    assert parse_keyid("k" * 1024) == KeyName("k" * 1024)


def test_suffix_may_be_that_of_the_der():
    assert matches_certificate(parse_keyid(f"https://a.b/c_{SUFFIX}"), DER)


def test_suffix_may_be_that_of_the_pem_file():
    path = vectors(
        "certs",
        "myQsealCertificate_873dddcc49456290e2315cf3335b650715751fecdebf517e73b8642696ecc406",
    )
    der = load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    assert matches_certificate(parse_keyid(f"https://a.b/{path.name}"), der)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_pem_file_may_have_either_line_end_and_lack_the_last(end):
    pem = b"-----BEGIN CERTIFICATE-----" + end + b"YSBjZXJ0aWZpY2F0ZQ==" + end
    pem += b"-----END CERTIFICATE-----"
    for file in (pem, pem + end):
        url = parse_keyid(f"https://a.b/c_{sha256(file).hexdigest()}")
        assert matches_certificate(url, DER)


def test_pem_file_in_another_layout_counts_when_it_is_given():
    file = b"# our seal\n" + DER
    url = parse_keyid(f"https://a.b/c_{sha256(file).hexdigest()}")
    assert not matches_certificate(url, DER)
    assert matches_certificate(url, DER, file=file)


def test_fingerprint_as_file_name_is_that_of_the_der():
    assert matches_certificate(parse_keyid(f"https://a.b/{COLONS.upper()}.pem"), DER)
    assert matches_certificate(parse_keyid(f"https://a.b/{COLONS}.pem"), DER + b"x") is False


def test_url_without_fingerprint_says_nothing_of_a_certificate():
    url = parse_keyid("https://a.b/c.pem")
    assert matches_certificate(url, DER) is None
    assert code_of(check_certificate, url, DER) == "KEY-3"


def test_certificate_with_another_fingerprint_is_refused():
    assert code_of(check_certificate, parse_keyid(f"https://a.b/c_{SUFFIX}"), b"b") == "KEY-3"
    check_certificate(parse_keyid(f"https://a.b/c_{SUFFIX}"), DER)


@pytest.fixture
def known(rsa_key: SigningKey) -> tuple[KnownKey, ...]:
    key = rsa_key.verification_key()
    return (KnownKey("kid", key), KnownKey(f"https://a.b/c_{SUFFIX}", key, DER))


@pytest.mark.parametrize(
    "keyid", ["kid", f"https://a.b/c_{SUFFIX}", f"https://moved.example/d_{SUFFIX}"]
)
def test_known_key_is_found(known, keyid):
    assert find_key(keyid, known) is known[0].key or find_key(keyid, known) is known[1].key


@pytest.mark.parametrize(
    ("keyid", "code"),
    [
        ("KID", "KEY-2"),
        ("kid ", "KEY-2"),
        (f"https://x.y/z_{'0' * 64}", "KEY-2"),
        (f"https://a.b/c_{'0' * 64}", "KEY-3"),
        ("https://a.b/c.pem", "KEY-3"),
        ("http://a.b/c", "KEY-1"),
        ("k" * 1025, "KEY-4"),
    ],
)
def test_unknown_key_is_refused_by_the_rule_it_breaks(known, keyid, code):
    assert code_of(find_key, keyid, known) == code
