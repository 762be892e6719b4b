"""The requests of a HAR file, as browsers and proxies write them (HTTP Archive 1.2)."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass


class HarError(ValueError):
    """A file is no HAR file; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class HarRequest:
    """One request; `target` is that of its URL. `body` is None where the file has none."""

    method: str
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes | None


def har_requests(data: bytes) -> Iterator[HarRequest]:
    """Yield the requests of a HAR file, of one entry of it, or of one request of it.

    Raises `HarError`.
    """
    try:
        document = json.loads(data)
    except RecursionError as exc:
        raise HarError("it is nested too deeply") from exc
    except ValueError as exc:
        raise HarError("it is no JSON") from exc
    if isinstance(document, dict) and "log" in document:
        log = document["log"]
        document = log.get("entries") if isinstance(log, dict) else None
    entries = document if isinstance(document, list) else [document]
    for entry in entries:
        request = entry.get("request", entry) if isinstance(entry, dict) else None
        if not isinstance(request, dict):
            raise HarError("an entry has no request")
        yield _request(request)


def _request(request: dict[str, object]) -> HarRequest:
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        raise HarError("a request has no method or no url")
    host, target = _split(url)
    fields = tuple(_fields(request.get("headers")))
    if not any(name.lower() == b"host" for name, _ in fields):  # HTTP/2 has it as :authority
        fields = ((b"Host", host), *fields)
    return HarRequest(method, target, fields, _body(request.get("postData")))


def _fields(headers: object) -> Iterator[tuple[bytes, bytes]]:
    """Yield the header fields without the pseudo-fields of HTTP/2."""
    for header in headers if isinstance(headers, list) else ():
        name = header.get("name") if isinstance(header, dict) else None
        value = header.get("value") if isinstance(header, dict) else None
        if not isinstance(name, str) or not isinstance(value, str):
            raise HarError("a header has no name or no value")
        if not name.startswith(":"):
            yield _octets(name), _octets(value)


def _body(posted: object) -> bytes | None:
    if not isinstance(posted, dict) or not isinstance(posted.get("text"), str):
        return None
    if posted.get("encoding") == "base64":
        try:
            return b64decode(posted["text"])
        except ValueError as exc:
            raise HarError("a body is no base64") from exc
    return _octets(posted["text"])


def _split(url: str) -> tuple[bytes, bytes]:
    """Return host and target of a URL, neither decoded nor otherwise changed."""
    _, slashes, rest = url.partition("://")
    if not slashes:
        raise HarError("a url is not absolute")
    rest = rest.partition("#")[0]
    end = min((rest.find(mark) for mark in "/?" if mark in rest), default=len(rest))
    target = rest[end:]
    return _octets(rest[:end]), _octets(target if target.startswith("/") else "/" + target)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
