"""What the listener makes of bytes: one request at a time, or one refusal and the end."""

import asyncio
import contextlib
import json
import threading

import pytest

from listening import PATIENCE, Pki, Running, answer, lifespan, running

HOST = b"Host: bank.test\r\n"
POST = b"POST /register HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = 20_000_000  # bytes, more than sockets buffer
NEXT = b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n"


class Echo:
    """Answers with the body it received; keeps the scopes."""

    def __init__(self):
        self.scopes = []
        self.large_is_over = threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        self.scopes.append(scope)
        if scope["path"] == "/large":
            await self._large(send)
        elif scope["path"] == "/empty":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
        elif scope["path"] == "/patient":
            await self._patient(receive, send)
        elif scope["path"] == "/unread":
            await answer(send, b"not read", status=400)
        else:
            await self._echo(receive, send)

    async def _large(self, send):
        half = bytes(LARGE // 2)
        length = (b"content-length", b"%d" % LARGE)
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await send({"type": "http.response.body", "body": half})
        self.large_is_over.set()

    async def _patient(self, receive, send):
        for _ in range(20):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(receive(), 0.01)
        await answer(send)

    async def _echo(self, receive, send):
        body, more = b"", True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            body += event["body"]
            more = event["more_body"]
        await answer(send, body)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def app():
    return Echo()


@pytest.fixture(scope="module")
def server(app, pki):
    with running(app, pki, linger=0.2) as server:
        yield server


@pytest.fixture
def scopes(app):
    app.scopes.clear()
    return app.scopes


def refusal(server: Running, sent: bytes) -> tuple[int, str, dict[bytes, bytes]]:
    """Return status, code and fields of the one answer after which the server closes."""
    client = server.connect()
    client.send(sent)
    ((status, fields, body),) = client.answers()
    return status, json.loads(body)["error_uri"].rpartition("/")[2], fields


MALFORMED = {
    "two spaces before the target": b"POST  /register HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"POST /register\r\n\r\n",
    "HTTP/0.9": b"POST /register HTTP/0.9\r\n" + HOST + b"\r\n",
    "HTTP/1.0": b"POST /register HTTP/1.0\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"POST /register HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/9.9": b"POST /register HTTP/9.9\r\n" + HOST + b"\r\n",
    "version in lower case": b"POST /register http/1.1\r\n" + HOST + b"\r\n",
    "tab after the version": b"POST /register HTTP/1.1\tX\r\n" + HOST + b"\r\n",
    "RTSP": b"POST /register RTSP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "LF only": b"POST /register HTTP/1.1\nHost: x\n\n",
    "CR only": b"POST /register HTTP/1.1\rHost: x\r\r",
    "TLS inside TLS": b"\x16\x03\x01\x02\x00\x01",
    "fragment in the target": b"GET /register#a HTTP/1.1\r\n" + HOST + b"\r\n",
    "backslash in the target": b"GET /\\register HTTP/1.1\r\n" + HOST + b"\r\n",
    "not ASCII in the target": b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
    "no Host": b"GET /register HTTP/1.1\r\n\r\n",
    "two Hosts": POST + b"Host: evil.test\r\n\r\n",
    "folded line": POST + b"Signature: a\r\n b\r\n\r\n",
    "space before colon": POST + b"Digest : x\r\n\r\n",
    "space before the first field": b"POST /register HTTP/1.1\r\n Digest: x\r\n" + HOST + b"\r\n",
    "field without colon": POST + b"Digest\r\n\r\n",
    "field without name": POST + b": x\r\n\r\n",
    "LF in a field": POST + b"Digest: x\n\r\n",
    "CR in a field": POST + b"Digest: x\ry\r\n\r\n",
    "NUL in a field": POST + b"Digest: x\x00y\r\n\r\n",
    "Content-Length twice": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "Content-Length twice alike": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    **{
        f"Content-Length {value!r}": POST + b"Content-Length: " + value + b"\r\n\r\nhello"
        for value in (b"5, 5", b"+5", b"-1", b"0x10", b"5 5", b"1_0", b"", b"9" * 20)
    },
    "Content-Length in other digits": POST + "Content-Length: １２\r\n\r\n".encode(),
    **{
        f"Transfer-Encoding {value!r}": POST + b"Transfer-Encoding:" + value + b"\r\n\r\n0\r\n\r\n"
        for value in (
            b" xchunked",
            b" chunked, identity",
            b" identity, chunked",
            b" \x0bchunked",
            b" chunked\xc2\x85",
            b" Chunked ",
            b" chunked\r\nTransfer-Encoding: x",
            b"\r\n chunked",
            b' "chunked"',
        )
    },
    "both framings": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both framings the other way": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunk size with LF": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "chunk size 0x5": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"5\r\nhelloX\r\n0\r\n\r\n",
    "trailer": CHUNKED + b"5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_request_gets_one_400_and_nothing_after_it_is_read(server, scopes, sent):
    status, code, fields = refusal(server, sent + NEXT)

    assert (status, code) == (400, "http_malformed")
    assert fields[b"connection"] == b"close"
    assert "/next" not in [scope["path"] for scope in scopes]


def test_refusal_of_bytes_looks_like_every_other_answer(server):
    _, _, fields = refusal(server, MALFORMED["no Host"])

    assert fields[b"content-type"] == b"application/json; charset=utf-8"
    assert fields[b"x-request-id"].startswith(b"enrol-")
    assert fields[b"cache-control"] == b"no-store"
    assert fields[b"x-content-type-options"] == b"nosniff"
    assert b"date" in fields
    assert b"server" not in fields


@pytest.mark.parametrize("method", ["FOO", "TRACK", "get", "GETX"])
def test_method_unknown_to_the_parser_gets_405_with_allow(server, scopes, method):
    sent = f"{method} /register HTTP/1.1\r\nHost: x\r\n\r\n".encode()

    status, code, fields = refusal(server, sent + NEXT)

    assert (status, code) == (405, "method_not_allowed")
    assert fields[b"allow"] == b"POST, GET, PUT, DELETE"
    assert scopes == []


@pytest.mark.parametrize(
    "line",
    [
        "POST http://evil.test/register HTTP/1.1",
        "POST https://console.bank.test/register HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "POST api.bank.test:443 HTTP/1.1",
        "CONNECT api.bank.test:443 HTTP/1.1",
    ],
)
def test_target_that_is_no_path_is_refused(server, scopes, line):
    status, code, _ = refusal(server, line.encode() + b"\r\n" + HOST + b"\r\n" + NEXT)

    assert (status, code) == (400, "target_not_origin_form")
    assert scopes == []


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0"])
def test_protocol_is_never_switched(server, scopes, protocol):
    upgrade = f"Upgrade: {protocol}\r\nConnection: upgrade\r\n\r\n".encode()

    status, code, _ = refusal(server, POST + upgrade + NEXT)

    assert (status, code) == (400, "upgrade_not_offered")
    assert scopes == []


def test_upgrade_without_connection_option_is_ignored(server):
    client = server.connect()
    client.send(POST + b"Upgrade: h2c\r\nContent-Length: 2\r\n\r\nhi")
    assert client.answer()[::2] == (200, b"hi")


OVERSIZED = {
    "target of 16 kB": b"GET /" + b"a" * 16_384 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "line one byte too long": b"GET /" + b"a" * 4083 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "line that never ends": b"GET /" + b"a" * 5000,
    "field of 64 kB": POST + b"X: " + b"a" * 65_536 + b"\r\n\r\n",
    "field of 1 MB": POST + b"Authorization: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "fields that never end": POST + b"X: " + b"a" * 17_000,
    "500 fields": POST + b"X: y\r\n" * 500 + b"\r\n",
    "65 fields": POST + b"X: y\r\n" * 64 + b"\r\n",
}


@pytest.mark.parametrize("sent", OVERSIZED.values(), ids=OVERSIZED.keys())
def test_oversized_head_is_refused(server, scopes, sent):
    status, code, _ = refusal(server, sent)

    assert (status, code) == (400, "headers_too_large")
    assert scopes == []


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 4082 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 63 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 16_359 + b"\r\n\r\n",
    ],
    ids=["line of 4 096 bytes", "64 fields", "fields of 16 384 bytes"],
)
def test_head_at_the_limit_is_accepted(server, sent):
    client = server.connect()
    client.send(sent)
    assert client.answer()[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 5\r\n\r\nhello",
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
        b"\r\n" + POST + b"Content-Length: 5 \r\n\r\nhello",
    ],
    ids=["with length", "chunked", "after an empty line"],
)
def test_request_is_the_same_whole_or_byte_by_byte(server, sent):
    client = server.connect()
    client.send(sent)
    assert client.answer()[::2] == (200, b"hello")
    for index in range(len(sent)):
        client.send(sent[index : index + 1])
    assert client.answer()[::2] == (200, b"hello")


def test_requests_sent_ahead_are_answered_in_turn(server):
    bodies = [b"first", b"", b"third"]
    sent = b"".join(POST + b"Content-Length: %d\r\n\r\n%s" % (len(b), b) for b in bodies)
    client = server.connect()

    client.send(sent + MALFORMED["two Hosts"] + NEXT)

    *answers, (status, _, _) = client.answers()
    assert [body for _, _, body in answers] == bodies
    assert status == 400


def test_what_is_sent_ahead_piles_up_only_so_far(server):
    client = server.connect()
    client.send(b"GET /patient HTTP/1.1\r\n" + HOST + b"\r\n")
    with contextlib.suppress(OSError):
        for _ in range(100):
            client.send(bytes(100_000))

    ((status, fields, _),) = client.answers()

    assert (status, fields[b"connection"]) == (200, b"close")


def test_request_behind_a_chunked_body_in_one_piece_is_not_guessed_at(server, scopes):
    client = server.connect()
    client.send(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + NEXT)

    ((status, fields, body),) = client.answers()

    assert (status, fields[b"connection"], body) == (200, b"close", b"hello")
    assert [scope["path"] for scope in scopes] == ["/register"]


@pytest.mark.parametrize("target", ["/register?", "/register?a=b%20c", "//register", "/%2Fa?b?c"])
def test_target_reaches_the_application_byte_for_byte(server, scopes, target):
    client = server.connect()
    client.send(f"GET {target} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
    client.answer()
    assert scopes[0]["extensions"]["enrol.request_target"] == {"target": target.encode()}


def test_white_space_around_a_field_value_is_not_part_of_it(server, scopes):
    client = server.connect()
    client.send(b"GET / HTTP/1.1\r\n" + HOST + b"X-Request-ID: \t a \t\r\n\r\n")
    client.answer()
    assert (b"x-request-id", b"a") in scopes[0]["headers"]


def test_answers_without_body_are_sent(server):
    client = server.connect()
    for method in ("HEAD", "GET"):
        client.send(f"{method} /empty HTTP/1.1\r\n".encode() + HOST + b"\r\n")
        assert client.answer()[0] == 204
    client.send(b"HEAD / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert client.answer()[0] == 200


def test_100_continue_follows_an_accepted_head(server):
    client = server.connect()
    client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert client.answer()[0] == 100
    client.send(b"hello")
    assert client.answer()[::2] == (200, b"hello")


def test_no_100_continue_for_a_refused_head(server):
    status, _, _ = refusal(server, POST + b"Host: y\r\nExpect: 100-continue\r\n\r\n")
    assert status == 400


def test_answer_before_the_end_of_the_body_is_read_and_ends_the_connection(server):
    client = server.connect()
    client.send(b"POST /unread HTTP/1.1\r\n" + HOST + b"Content-Length: 10000000\r\n\r\n")
    for _ in range(100):
        client.send(bytes(100_000))

    ((status, fields, body),) = client.answers()

    assert (status, body) == (400, b"not read")
    assert fields[b"connection"] == b"close"


def test_endless_framing_of_a_chunked_body_is_refused(app, pki):
    with running(app, pki, chunked_bytes=10_000, linger=0.2) as server:
        sent = CHUNKED + b"1\r\nx\r\n" + b"1;" + b"a" * 10_000
        assert refusal(server, sent)[:2] == (400, "body_too_large")


@pytest.fixture(scope="module")
def hasty(app, pki):
    """A server with short deadlines."""
    with running(app, pki, headers=0.1, idle=0.1, write=0.1, linger=0.1) as server:
        yield server


def test_head_that_does_not_end_gets_408(hasty):
    assert refusal(hasty, POST)[:2] == (408, "request_timeout")


def test_second_head_that_does_not_end_gets_408(hasty):
    client = hasty.connect()
    client.send(NEXT + b"G")
    assert [status for status, _, _ in client.answers()] == [200, 408]


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "an empty line"])
def test_connection_without_a_request_is_closed_in_silence(hasty, sent):
    client = hasty.connect()
    client.send(sent)
    assert client.rest() == b""


def test_idle_connection_is_closed(hasty):
    client = hasty.connect()
    client.send(NEXT)
    assert [status for status, _, _ in client.answers()] == [200]


def test_peer_that_does_not_read_its_answer_is_cut_off(hasty, app):
    client = hasty.connect()
    client.send(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    assert app.large_is_over.wait(PATIENCE)
    assert len(client.rest()) < LARGE
