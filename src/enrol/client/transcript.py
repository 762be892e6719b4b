"""Requests and responses as text for people, with tokens shortened and control characters gone."""

import json
from typing import Final

import httpx

from enrol.client.printable import printable
from enrol.errors import ClientMetadataError
from enrol.oauth.strict_json import JsonObject, parse_json_object

_SECRETS: Final = frozenset(
    {"access_token", "refresh_token", "registration_access_token", "client_secret"}
)
_CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization"})
_COOKIES: Final = frozenset({"cookie", "set-cookie"})
_LONG: Final = 200
_LONGEST: Final = 4000


def describe_request(request: httpx.Request) -> str:
    """Return a request as lines of text: request line, fields, an empty line, body."""
    target = request.url.raw_path.decode("ascii", "replace")
    first = f"{request.method} {target} HTTP/1.1"
    return _describe(first, request.headers, request.content)


def describe_response(response: httpx.Response) -> str:
    """Return a response, read to its end, as lines of text."""
    first = f"{response.http_version} {response.status_code} {response.reason_phrase}"
    return _describe(first, response.headers, response.content)


def shorten_secrets(document: JsonObject) -> JsonObject:
    """Return a JSON object with tokens, secrets and long texts (certificates) shortened."""
    return {
        name: _shorten(item) if name in _SECRETS else _shorten_within(item)
        for name, item in document.items()
    }


def _shorten_within(value: object) -> object:
    match value:
        case dict():
            return shorten_secrets(value)
        case list():
            return [_shorten_within(item) for item in value]
        case str() if len(value) > _LONG:
            return f"{value[:24]}… ({len(value)} characters)"
        case _:
            return value


def _describe(first: str, headers: httpx.Headers, body: bytes) -> str:
    lines = [first, *(_describe_field(name, value) for name, value in headers.raw)]
    return printable("\n".join([*lines, "", _describe_body(body)]).rstrip("\n"))


def _describe_field(raw_name: bytes, raw_value: bytes) -> str:
    name, value = raw_name.decode("ascii", "replace"), raw_value.decode("ascii", "replace")
    if name.lower() in _CREDENTIALS:
        scheme, _, credentials = value.partition(" ")
        value = f"{scheme} {_shorten(credentials)}" if credentials else "…"
    elif name.lower() in _COOKIES:
        value = "…"
    return f"{name}: {value}"


def _describe_body(body: bytes) -> str:
    try:
        document = shorten_secrets(parse_json_object(body))
        return json.dumps(document, ensure_ascii=False, indent=2)
    except ClientMetadataError:
        text = body.decode("utf-8", "replace")
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(body)} bytes)"


def _shorten(secret: object) -> object:
    """Return what of a secret tells it from another: its first six characters, if it is long."""
    if secret is None:
        return None
    text = str(secret)
    return f"{text[:6]}…" if len(text) >= 24 else "…"
