"""The token request and its answer (RFC 6749 §4.4.2, §5.1)."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec

from enrol.errors import GrantError
from enrol.oauth.client_authentication import (
    ASSERTION_TYPE,
    LONGEST_ASSERTION,
    BasicCredentials,
    not_believed,
    parse_basic,
    unverified_subject,
)

_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,510}[\x21-\x7e])?")
_MAXIMUM_FIELDS = 16


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A client-credentials request; `scope` are the values asked for, none where it was absent.

    `basic` and `assertion` are what the client brings to be believed.
    """

    grant_type: str
    client_id: str
    scope: frozenset[str]
    basic: BasicCredentials | None = None
    assertion: str | None = field(default=None, repr=False)


class TokenResponse(msgspec.Struct, frozen=True):
    """An issued token on the wire (RFC 6749 §5.1); `expires_in` in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


def parse_token_request(body: bytes, authorization: tuple[bytes, ...] = ()) -> TokenRequest:
    """Return the request in a form; `authorization` are the lines of that field, where it is read.

    The client may be named by what it brings instead of ``client_id``. Raises `GrantError` for what
    RFC 6749 §5.2 refuses.
    """
    fields = parse_form(body)
    basic, assertion = parse_basic(authorization), fields.get("client_assertion")
    if assertion is not None and fields.get("client_assertion_type") != ASSERTION_TYPE:
        raise not_believed("assertion_type")
    client_id = fields.get("client_id")
    if client_id is None and basic is not None:
        client_id = basic.client_id
    elif client_id is None and assertion is not None:
        client_id = unverified_subject(assertion)
    if "grant_type" not in fields or client_id is None:
        raise GrantError("token_request_incomplete", error="invalid_request")
    if basic is not None and (assertion is not None or basic.client_id != client_id):
        raise GrantError("client_credentials_two", error="invalid_request")
    if not _VALUE.fullmatch(client_id):
        raise GrantError("client_unknown", error="invalid_client")
    return TokenRequest(
        grant_type=fields["grant_type"],
        client_id=client_id,
        scope=frozenset(fields.get("scope", "").split()),
        basic=basic,
        assertion=assertion,
    )


def parse_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form, each of which may stand once; raises `GrantError`."""
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
    if not all(_is_value(*each) for each in fields.items()):
        raise GrantError("token_request_malformed", error="invalid_request")
    return fields


def _is_value(name: str, text: str) -> bool:
    if name == "client_assertion":
        return len(text) <= LONGEST_ASSERTION and text.isascii() and text.isprintable()
    return _VALUE.fullmatch(text) is not None
