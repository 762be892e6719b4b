"""Captured requests, as people have them: raw HTTP, ``curl -v``, HAR, or in parts."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrol.client.capture import Capture, choose_capture, make_capture, read_captures
from enrol.errors import ConfigurationError
from httpsig_messages import code_of

RAW = (
    b"POST /stet/setting/v1/register?a=%2f HTTP/1.1\r\nHost: bank.example\r\n"
    b"X-Request-ID:  id 1 \r\nContent-Length: 15\r\nSignature: x\r\n\r\n"
    b'{"a":"caf\xc3\xa9\\n"}'
)
CURL = """\
*   Trying 127.0.0.1:8443...
* Connected to bank.example (127.0.0.1) port 8443
> POST /stet/psd2/oauth/token HTTP/1.1\r
> Host: bank.example\r
>\x20\r
< HTTP/1.1 200 OK\r
{ [12 bytes data]
> PUT /stet/setting/v1/register/1?b HTTP/1.1\r
> Host: bank.example\r
> Content-Length: 12\r
> Signature: keyId="k"\r
>\x20\r
* upload completely sent off: 12 bytes
< HTTP/1.1 401 Unauthorized\r
"""


def har(**changes: object) -> bytes:
    request = {
        "method": "POST",
        "url": "https://bank.example:8443/register?x=%41#part",
        "headers": [
            {"name": ":authority", "value": "bank.example:8443"},
            {"name": "signature", "value": "s"},
        ],
        "postData": {"mimeType": "application/json", "text": '{"a":"é"}'},
    } | changes
    return json.dumps({"log": {"entries": [{"request": request}]}}).encode()


def the_one(data: bytes) -> Capture:
    (capture,) = read_captures(data)
    return capture


def test_raw_http_is_read_byte_for_byte() -> None:
    message = the_one(RAW).message
    assert (message.method, message.target) == ("POST", b"/stet/setting/v1/register?a=%2f")
    assert message.first[b"x-request-id"] == b" id 1 "
    assert message.body == b'{"a":"caf\xc3\xa9\\n"}'
    assert the_one(RAW).notes == ()


def test_raw_http_with_line_feeds_alone_is_the_same() -> None:
    assert the_one(RAW.replace(b"\r\n", b"\n")).message == the_one(RAW).message


def test_the_line_end_an_editor_puts_after_the_body_is_left_out_and_said() -> None:
    capture = the_one(RAW + b"\n")
    assert capture.message == the_one(RAW).message
    assert len(capture.notes) == 1


def test_a_body_of_another_length_is_kept_and_said() -> None:
    capture = the_one(RAW + b"more")
    assert capture.message.body.endswith(b"more")
    assert capture.notes == ("Content-Length is 15, and the body has 19 octets.",)


def test_a_head_alone_has_no_body() -> None:
    capture = the_one(RAW.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    assert not capture.has_body
    assert the_one(b"GET /register/1 HTTP/1.1\nHost: b\n").has_body


def test_a_folded_field_keeps_its_fold() -> None:
    message = the_one(b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n").message
    assert message.fields == ((b"a", b"b\r\n c"),)


def test_a_body_in_chunks_has_to_be_given_apart() -> None:
    raw = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    capture = the_one(raw)
    assert not capture.has_body
    assert capture.with_body(b"{}").message.body == b"{}"


def test_curl_shows_every_request_and_no_body() -> None:
    token, update = read_captures(CURL.encode())
    assert (token.message.target, token.has_body) == (b"/stet/psd2/oauth/token", True)
    assert (update.message.method, update.message.target) == (
        "PUT",
        b"/stet/setting/v1/register/1?b",
    )
    assert update.message.first[b"signature"] == b'keyId="k"'
    assert not update.has_body
    assert "--body-file" in update.notes[0]


def test_the_last_signed_request_is_meant() -> None:
    captures = read_captures(CURL.encode() + CURL.partition("> PUT")[0].encode())
    chosen = choose_capture(captures)
    assert chosen.message.method == "PUT"
    assert chosen.notes[0].startswith("Request 2 of 3")
    assert choose_capture(captures, 1).message.method == "POST"


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_request_that_is_not_there_cannot_be_chosen(number: int) -> None:
    with pytest.raises(ConfigurationError, match="no number"):
        choose_capture(read_captures(CURL.encode()), number)


def test_a_har_file_is_read_as_it_was_sent() -> None:
    message = the_one(har()).message
    assert (message.method, message.target) == ("POST", b"/register?x=%41")
    assert message.fields == ((b"host", b"bank.example:8443"), (b"signature", b"s"))
    assert message.body == '{"a":"é"}'.encode()


def test_a_har_entry_and_a_har_request_alone_are_read_too() -> None:
    entry = json.loads(har())["log"]["entries"][0]
    for part in (entry, entry["request"]):
        assert the_one(json.dumps(part).encode()) == the_one(har())


def test_a_har_body_in_base64() -> None:
    posted = {"text": b64encode(b"\xff").decode(), "encoding": "base64"}
    assert the_one(har(postData=posted)).message.body == b"\xff"


@pytest.mark.parametrize("url", ["https://b", "https://b?x", "https://b/#x"])
def test_the_target_of_a_url_without_path_begins_with_a_slash(url: str) -> None:
    assert the_one(har(url=url)).message.target in (b"/", b"/?x")


def test_a_request_in_parts() -> None:
    capture = make_capture("PUT", "/r?a", ["Host: b", "Content-Length: 2"], b"{}")
    assert capture.message.fields == ((b"host", b"b"), (b"content-length", b"2"))
    assert capture.has_body
    assert not make_capture("PUT", "/r", ["Content-Length: 2"]).has_body
    assert make_capture("GET", "/r", []).has_body


BAD = {
    "nothing": b"",
    "prose": b"hello\nworld\n",
    "a response": b"HTTP/1.1 200 OK\r\n\r\n",
    "a header without colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "curl without the end of a request": b"> GET / HTTP/1.1\n> Host: b\n",
    "curl with responses only": b"< HTTP/1.1 200 OK\n",
    "no JSON": b"{",
    "JSON nested deeply": b"[" * 100_000,
    "no entries": b'{"log":{}}',
    "an entry of text": b'["x"]',
    "no url": b'{"method":"GET"}',
    "a relative url": b'{"method":"GET","url":"/x"}',
    "a header of numbers": b'{"method":"G","url":"http://a","headers":[{"name":1,"value":2}]}',
    "a body of no base64": b'{"method":"G","url":"http://a",'
    b'"postData":{"text":"a","encoding":"base64"}}',
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_said_with_what_to_do(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match="The capture cannot be read") as caught:
        read_captures(data)
    assert caught.value.code == "capture_unreadable"


PIECES = st.sampled_from(
    [b"POST / HTTP/1.1", b"> ", b"\r\n", b"\n", b": ", b" ", b"Content-Length: 3", b"{", b'"', b"["]
)


@given(st.one_of(st.binary(), st.lists(st.one_of(PIECES, st.binary(max_size=5))).map(b"".join)))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    assert code_of(read_captures, data) in (None, "capture_unreadable")


JSON = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "log",
                    "entries",
                    "request",
                    "method",
                    "url",
                    "headers",
                    "name",
                    "postData",
                    "text",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_or_refused(document: object) -> None:
    data = json.dumps([document]).encode()
    assert code_of(read_captures, data) in (None, "capture_unreadable")
