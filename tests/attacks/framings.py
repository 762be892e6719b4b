"""Requests whose bytes two readers could take for different things (RFC 9112)."""

from collections.abc import Iterable, Iterator

from live.party import Draft

SMUGGLED = "smuggled-1"
_SECOND = f"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: {SMUGGLED}\r\n\r\n".encode()

Wire = bytes | Iterable[bytes]


def octets(text: str) -> bytes:
    """Return text as it goes over the wire: Latin-1 where it can be, else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def _with_line(draft: Draft, line: bytes) -> bytes:
    head, end, body = draft.to_bytes().partition(b"\r\n\r\n")
    return head + b"\r\n" + line + end + body


def transfer_encoding(good: Draft, text: str, label: str) -> list[Wire]:
    """AC-050: beside Content-Length, and alone before a chunked body; a second request follows."""
    value = b"\r\n chunked" if label == "obs-fold" else b" " + octets(text)
    line = b"Transfer-Encoding:" + value
    beside = _with_line(good, line) + _SECOND
    alone = Draft(good.method, good.target, [*good.fields])
    alone.set("Content-Length", None)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(good.body), good.body)
    return [beside, _with_line(alone, line) + chunks + _SECOND]


def content_length(good: Draft, text: str) -> list[Wire]:
    """AC-051: a body of five bytes under another number, or under two."""
    good.set("Content-Length", None)
    good.body = b""
    numbers = {"5 and 6 (two lines)": ["5", "6"], "''": [""]}.get(text, [text])
    lines = b"\r\n".join(b"Content-Length: " + number.encode() for number in numbers)
    return [_with_line(good, lines) + b"hello" + _SECOND]


def line_ends(good: Draft, text: str) -> list[Wire]:
    """AC-053: the head has other line ends, folded lines or stray white space."""
    head, end, body = good.to_bytes().partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    match text:
        case "LF only":
            return [b"\n".join([*lines, b"", b""]) + body]
        case "CR only":
            return [b"\r".join([*lines, b"", b""]) + body]
        case "obs-fold in Signature":
            return [head.replace(b",algorithm", b",\r\n algorithm") + end + body]
        case "Digest : x":
            return [head.replace(b"Digest:", b"Digest :") + end + body]
        case "leading SP header":
            return [b"\r\n".join([lines[0], b" " + lines[1], *lines[2:]]) + end + body]
    raise AssertionError(text)


def target(good: Draft, text: str) -> list[Wire]:
    """AC-055: the target is in another form than that of an origin server."""
    good.target = text
    return [good.to_bytes()]


def version(good: Draft, text: str) -> list[Wire]:
    """AC-056: the request is of another version, or of another protocol."""
    if text == "PRI * HTTP/2.0":
        return [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)]
    return [good.to_bytes().replace(b" HTTP/1.1", b" " + text.encode(), 1)]


def oversized(good: Draft, text: str) -> list[Wire]:
    """AC-063."""
    match text:
        case "URI 16 kB":
            good.target += "?" + "a" * 16_384
        case "one header 64 kB":
            good.set("X-Filler", "a" * 65_536)
        case "500 headers":
            good.fields += [(f"X-{i}", "a") for i in range(500)]
        case "Signature header 32 kB":
            good.set("Signature", (good.get("signature") or "") + "," + "a" * 32_768)
        case "Authorization 1 MB":
            good.set("Authorization", "Bearer " + "a" * 1_048_576)
        case _:
            raise AssertionError(text)
    return [good.to_bytes()]


def endless_bodies(good: Draft, text: str) -> list[Wire]:
    """AC-146: more is announced or sent than any registration has."""
    body = good.body
    good.body = b""
    match text:
        case "CL 256k+1":
            return [good.set("Content-Length", "262145").to_bytes() + b" " * 262_145]
        case "CL 10 GB, no data":
            return [good.set("Content-Length", "10737418240").to_bytes()]
        case "CL 100, sends 1 MB":
            return [good.set("Content-Length", "100").to_bytes() + body[:100] + b" " * 1_048_576]
        case "endless chunks":
            good.set("Content-Length", None).set("Transfer-Encoding", "chunked")
            return [_endless(good.to_bytes())]
    raise AssertionError(text)


def _endless(head: bytes) -> Iterator[bytes]:
    yield head
    for _ in range(64_000):  # a gigabyte; the sender stops at the first answer
        yield b"4000\r\n" + b" " * 0x4000 + b"\r\n"


def bearing(good: Draft, inner: Draft) -> list[Wire]:
    """AC-058: a request that needs no body has one, which is a whole request."""
    smuggled = inner.to_bytes()
    good.set("Content-Length", str(len(smuggled)))
    return [good.to_bytes() + smuggled]
