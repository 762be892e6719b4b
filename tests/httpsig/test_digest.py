"""Digest and Content-Digest beside each other, absent and doubled."""

import pytest

from enrol.httpsig import (
    HttpMessage,
    content_digest_field,
    content_digest_value,
    digest_field,
    digest_value,
    verify_digest,
)
from httpsig_messages import code_of, with_field, with_fields

BODY = b'{"a":1}'
MESSAGE = HttpMessage("POST", b"/", (), BODY)


def refusal(value: str, body: bytes = BODY) -> str | None:
    message = HttpMessage("POST", b"/", ((b"digest", value.encode()),), body)
    return code_of(verify_digest, message, required=True)


def content_refusal(value: str, body: bytes = BODY) -> str | None:
    fields = ((b"signature-input", b"x"), (b"content-digest", value.encode()))
    return code_of(verify_digest, HttpMessage("POST", b"/", fields, body), required=True)


@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-512", "sha-256", "Sha-512"])
@pytest.mark.parametrize("body", [b"", BODY, b"\xff\x00" * 3000])
def test_right_digest_passes_in_any_case(algorithm, body):
    assert refusal(digest_value(body, algorithm), body) is None


def test_algorithms_compared_are_told():
    message = with_fields(MESSAGE, [digest_field(BODY)])
    assert verify_digest(message, required=True).algorithms == ("sha-256",)
    assert verify_digest(MESSAGE, required=False).algorithms == ()
    assert verify_digest(message, required=False).message is message


def test_blanks_around_the_value_do_not_count():
    assert refusal(f"\t {digest_value(BODY)} ") is None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("SHA-256=" + "A" * 43 + "=", "DIG-9"),
        (digest_value(BODY + b"\n"), "DIG-9"),
        (digest_value(BODY).replace("=", ":", 1), "DIG-3"),
        ("SHA-256 =YQ==", "DIG-3"),
        ("=YQ==", "DIG-3"),
        ("\u00e9", "DIG-3"),
        (f"{digest_value(BODY)},sha-256=x", "DIG-8"),
        (f"MD5=x,md5=y,{digest_value(BODY)}", "DIG-8"),
        ("sha-256=YQ==;q=1", "DIG-12"),
        ("id-sha-256=YQ==", "DIG-5"),
        ("CRC32c=YQ==,UNIXcksum=1", "DIG-6"),
        ("SHA-512=" + digest_value(BODY)[8:], "DIG-7"),
        (digest_value(BODY, "SHA-512") + "," + digest_value(b""), "DIG-9"),
    ],
)
def test_wrong_digest_is_refused_by_the_rule_it_breaks(value, code):
    assert refusal(value) == code


def test_absent_digest_is_refused_where_one_is_required():
    assert code_of(verify_digest, MESSAGE, required=True) == "DIG-1"
    assert code_of(verify_digest, MESSAGE, required=False) is None
    modern = with_field(MESSAGE, b"signature-input", b"x")
    assert code_of(verify_digest, modern, required=True) == "M-CD-2"
    assert code_of(verify_digest, with_fields(modern, [digest_field(BODY)]), required=True) == (
        "M-CD-2"
    )


def test_two_digest_lines_are_refused():
    message = with_fields(MESSAGE, [digest_field(BODY), digest_field(BODY)])
    assert code_of(verify_digest, message, required=True) == "HDR-11"


def test_every_digest_stated_must_be_right_whatever_the_mode():
    wrong = ("Content-Digest", content_digest_value(b"other"))
    message = with_fields(MESSAGE, [digest_field(BODY), wrong])
    assert code_of(verify_digest, message, required=True) == "M-CD-3"
    message = with_fields(MESSAGE, [content_digest_field(BODY), ("Digest", digest_value(b""))])
    assert code_of(verify_digest, message, required=False) == "DIG-9"


def test_content_digest_may_stand_on_several_lines():
    message = with_fields(
        MESSAGE, [content_digest_field(BODY), content_digest_field(BODY, "sha-512")]
    )
    assert verify_digest(message, required=False).algorithms == ("sha-256", "sha-512")
    message = with_fields(MESSAGE, [content_digest_field(BODY)] * 2)
    assert code_of(verify_digest, message, required=False) == "M-CD-4"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (content_digest_value(BODY), None),
        (content_digest_value(BODY) + ", md5=:YQ==:", None),
        (content_digest_value(BODY) + ", md5=1", "M-CD-1"),
        (content_digest_value(BODY) + ", md5", "M-CD-1"),
        ("sha-256=(:YQ==:)", "M-CD-1"),
        ("sha-256=:YQ==:", "M-CD-1"),
        ("sha-256=:YR==:", "M-CD-1"),
        ("SHA-256=:YQ==:", "M-CD-1"),
        (content_digest_value(BODY) + ",", "M-CD-1"),
        ("", "M-CD-2"),
        ("unixsum=:YQ==:", "M-CD-2"),
        (content_digest_value(BODY + b" "), "M-CD-3"),
    ],
)
def test_content_digest(value, code):
    assert content_refusal(value) == code
