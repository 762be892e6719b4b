"""How clients say at the token endpoint who they are, read and judged (RFC 6749 §2.3, RFC 7523)."""

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import unquote_plus

from enrol.errors import ClientMetadataError, GrantError
from enrol.oauth.jws import JwsError, JwsFault, JwsKey, parse_jws, verify_jws
from enrol.oauth.strict_json import JsonObject, parse_json_object

TLS_CLIENT_AUTH: Final = "tls_client_auth"
SELF_SIGNED: Final = "self_signed_tls_client_auth"
PRIVATE_KEY_JWT: Final = "private_key_jwt"
CLIENT_SECRET_BASIC: Final = "client_secret_basic"  # noqa: S105 - a name
METHODS: Final = (TLS_CLIENT_AUTH, SELF_SIGNED, PRIVATE_KEY_JWT, CLIENT_SECRET_BASIC)
SECRET_METHODS: Final = frozenset({CLIENT_SECRET_BASIC})
"""The methods that use a secret; to no other client one is issued."""

SIGNING_ALGORITHMS: Final = (
    *("PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512"),
)
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION: Final = 8192
LONGEST_JTI: Final = 255
LONGEST_LIFE: Final = timedelta(minutes=10)
"""How long an assertion may hold at most, so that its id need not be remembered for long."""

_LEEWAY: Final = timedelta(seconds=30)
_TYPES: Final = ("jwt", "client-authentication+jwt")
_BASIC: Final = re.compile(rb"basic +([A-Za-z0-9+/]{1,2048}={0,2})", re.IGNORECASE)
_FORM_TEXT: Final = re.compile(r"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*", re.ASCII)
_CODES: Final = {
    JwsFault.MALFORMED: "assertion_malformed",
    JwsFault.CRITICAL: "assertion_header",
    JwsFault.TYPE: "assertion_header",
    JwsFault.ALGORITHM: "assertion_algorithm",
    JwsFault.KEY: "assertion_key",
    JwsFault.SIGNATURE: "assertion_signature",
}


def not_believed(code: str) -> GrantError:
    """Return the refusal of a client that did not prove who it is (RFC 6749 §5.2)."""
    return GrantError(code, error="invalid_client")


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """A client and its secret, as an Authorization field says; nothing of it is believed."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a client said of itself: its id, until when (aware UTC), and the key that it used."""

    jti: str
    expires_at: datetime
    key: JwsKey


def parse_basic(values: tuple[bytes, ...]) -> BasicCredentials | None:
    """Return the credentials in the Authorization field lines, None where they have another scheme.

    Client and secret are each encoded as a form is (RFC 6749 §2.3.1). Raises `GrantError`.
    """
    if not any(value.strip(b" \t")[:6].lower() in (b"basic", b"basic ") for value in values):
        return None
    match = _BASIC.fullmatch(values[0].strip(b" \t")) if len(values) == 1 else None
    if match is None:
        raise not_believed("client_credentials_malformed")
    try:
        text = b64decode(match[1], validate=True).decode("ascii")
    except (BinasciiError, ValueError) as exc:
        raise not_believed("client_credentials_malformed") from exc
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise not_believed("client_credentials_malformed")
    return BasicCredentials(_form_decoded(client_id), _form_decoded(secret))


def unverified_subject(assertion: str) -> str:
    """Return whom an assertion is about, to find the keys to judge it with; raises `GrantError`."""
    try:
        claims = parse_json_object(parse_jws(assertion).payload)
    except (JwsError, ClientMetadataError) as exc:
        raise not_believed("assertion_malformed") from exc
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise not_believed("assertion_subject")
    return subject


def verify_assertion(
    text: str,
    *,
    client_id: str,
    keys: Collection[JwsKey],
    audience: Collection[str],
    at: datetime,
) -> Assertion:
    """Return what an assertion says that `client_id` made of itself for one of `audience`.

    1. it is signed with one of the client's keys, by an algorithm that is allowed;
    2. issuer and subject are the client, each one text;
    3. it is meant for this server;
    4. it holds now, and not for long;
    5. it has an id, by which it is used once.

    Raises `GrantError` (RFC 7523 §3).
    """
    try:
        unverified = parse_jws(text)
        key = verify_jws(unverified, keys, algorithms=SIGNING_ALGORITHMS, types=_TYPES)  # (1)
        claims = parse_json_object(unverified.payload)
    except JwsError as exc:
        raise not_believed(_CODES[exc.fault]) from exc
    except ClientMetadataError as exc:
        raise not_believed("assertion_malformed") from exc
    if not claims.get("iss") == claims.get("sub") == client_id:  # (2)
        raise not_believed("assertion_subject")
    given = claims.get("aud")
    named = given if isinstance(given, list) else [given]
    if not any(isinstance(each, str) and each in audience for each in named):  # (3)
        raise not_believed("assertion_audience")
    expires_at = _check_times(claims, at)  # (4)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:  # (5)
        raise not_believed("assertion_id")
    return Assertion(jti, expires_at, key)


def _check_times(claims: JsonObject, at: datetime) -> datetime:
    """Return the end of an assertion that holds at a time."""
    expires_at = _moment(claims.get("exp"))
    begins = [_moment(claims[name]) for name in ("nbf", "iat") if name in claims]
    if expires_at is None or not at < expires_at <= at + LONGEST_LIFE + _LEEWAY:
        raise not_believed("assertion_time")
    if not all(begin is not None and begin <= at + _LEEWAY for begin in begins):
        raise not_believed("assertion_time")
    return expires_at


def _moment(value: object) -> datetime | None:
    """Return a NumericDate (RFC 7519 §2) as a time, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _form_decoded(text: str) -> str:
    """Return a text encoded as a form is (RFC 6749 appendix B)."""
    try:
        decoded = unquote_plus(text, errors="strict") if _FORM_TEXT.fullmatch(text) else None
    except UnicodeDecodeError as exc:
        raise not_believed("client_credentials_malformed") from exc
    if decoded is None or not decoded.isascii():
        raise not_believed("client_credentials_malformed")
    return decoded
