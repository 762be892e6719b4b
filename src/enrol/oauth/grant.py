"""The token request and its answer (RFC 6749 §4.4.2, §5.1)."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

from enrol.errors import GrantError

_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,510}[\x21-\x7e])?")
_MAXIMUM_FIELDS = 16


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A client-credentials request; `scope` are the values asked for, none where it was absent."""

    grant_type: str
    client_id: str
    scope: frozenset[str]


class TokenResponse(msgspec.Struct, frozen=True):
    """An issued token on the wire (RFC 6749 §5.1); `expires_in` in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


def parse_token_request(body: bytes) -> TokenRequest:
    """Return the request in a form; raises `GrantError` for what RFC 6749 §5.2 refuses."""
    fields = _parse_form(body)
    for name in ("grant_type", "client_id"):
        if name not in fields:
            raise GrantError("token_request_incomplete", error="invalid_request")
    return TokenRequest(
        grant_type=fields["grant_type"],
        client_id=fields["client_id"],
        scope=frozenset(fields.get("scope", "").split()),
    )


def _parse_form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAXIMUM_FIELDS,
        )
    except ValueError as exc:
        raise GrantError("token_request_malformed", error="invalid_request") from exc
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise GrantError("token_request_malformed", error="invalid_request")
    if not all(_VALUE.fullmatch(value) for value in fields.values()):
        raise GrantError("token_request_malformed", error="invalid_request")
    return fields
