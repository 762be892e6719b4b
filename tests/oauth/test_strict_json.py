"""JSON texts have one meaning or are refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrol.errors import ClientMetadataError
from enrol.oauth.strict_json import parse_json_object

REFUSED = {
    "nothing": (b"", "json_malformed"),
    "blanks": (b"   ", "json_malformed"),
    "a list": (b"[]", "json_not_object"),
    "a string": (b'"x"', "json_not_object"),
    "a trailing comma": (b'{"a":1,}', "json_malformed"),
    "two texts": (b"{}{}", "json_malformed"),
    "a member twice": (b'{"a":1,"a":1}', "json_duplicate_member"),
    "a member twice by an escape": (rb'{"a_b":1,"a\u005fb":2}', "json_duplicate_member"),
    "a member twice in depth": (b'{"x":[{"a":1,"a":2}]}', "json_duplicate_member"),
    "NaN": (b'{"a":NaN}', "json_number"),
    "minus infinity": (b'{"a":-Infinity}', "json_number"),
    "a float beyond all": (b'{"a":1e400}', "json_number"),
    "an integer of 4300 digits": (b'{"a":' + b"9" * 4300 + b"}", "json_number"),
    "an integer of 5000 digits": (b'{"a":' + b"9" * 5000 + b"}", "json_number"),
    "leading zeros": (b'{"a":007}', "json_malformed"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "json_malformed"),
    "UTF-16": ("{}".encode("utf-16"), "json_not_utf8"),
    "UTF-32": ("{}".encode("utf-32-be"), "json_malformed"),
    "a broken byte": (b'{"a":"\xff"}', "json_not_utf8"),
    "an overlong form": (b'{"a":"\xc0\xaf"}', "json_not_utf8"),
    "CESU-8": (b'{"a":"\xed\xa0\xbd\xed\xb8\x80"}', "json_not_utf8"),
    "a lone surrogate": (rb'{"a":"\ud800"}', "json_not_utf8"),
    "a lone surrogate as a name": (rb'{"\udfff":1}', "json_not_utf8"),
    "100 000 lists": (b"[" * 100_000, "json_too_deep"),
    "100 000 objects": (b'{"a":' * 100_000, "json_too_deep"),
    "33 levels": (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "json_too_deep"),
    "101 members": (
        b"{" + b",".join(b'"m%d":1' % i for i in range(101)) + b"}",
        "json_too_many_members",
    ),
}


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED)
def test_json_with_no_or_two_meanings_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(ClientMetadataError) as refusal:
        parse_json_object(body)
    assert refusal.value.code == code


def test_brackets_within_strings_are_not_levels() -> None:
    assert parse_json_object(b'{"a":"' + b"[{" * 500 + b'"}') == {"a": "[{" * 500}


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse_json_object(rb'{"a":"\ud83d\ude00"}') == {"a": "😀"}


def test_sixteen_levels_are_read() -> None:
    assert parse_json_object(b'{"a":' + b"[" * 15 + b"]" * 15 + b"}")


@given(st.binary(max_size=200))
def test_bytes_are_an_object_or_refused(body: bytes) -> None:
    with contextlib.suppress(ClientMetadataError):
        assert isinstance(parse_json_object(body), dict)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"b":[1,-2.5,true,null,"é"]},"c":"\\u2028"}',
        '{"a": 1.50, "b": "\\/"}',
        '{"a":12345678901234567890123456789012,"b":1E2}',
        "{}",
    ],
)
def test_json_is_read_alike_however_it_is_written(text: str) -> None:
    value = json.loads(text)
    shortest = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for written in (text, shortest, json.dumps(value, indent=2)):
        assert repr(parse_json_object(written.encode())) == repr(value)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_json_number_is_too_long_however_it_is_written(separators: tuple[str, str]) -> None:
    text = json.dumps({"a": [10**32]}, separators=separators)
    with pytest.raises(ClientMetadataError) as refusal:
        parse_json_object(text.encode())
    assert refusal.value.code == "json_number"
