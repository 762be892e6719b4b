"""Software statements: what somebody the bank trusts says of a client (RFC 7591 §2.3).

Parsed, then judged; the keys and the time are arguments.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NoReturn

import msgspec

from enrol.errors import ClientMetadataError, Finding
from enrol.oauth.jws import JwsError, JwsFault, JwsKey, UnverifiedJws, parse_jws, verify_jws
from enrol.oauth.strict_json import JsonObject, parse_json_object

MEMBER: Final = "software_statement"
LONGEST_JTI: Final = 255

_CLAIMS: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
_NOT_METADATA: Final = frozenset({MEMBER, "client_id"})
_CODES: Final = {
    JwsFault.MALFORMED: "statement_malformed",
    JwsFault.CRITICAL: "statement_header",
    JwsFault.TYPE: "statement_header",
    JwsFault.ALGORITHM: "statement_algorithm",
    JwsFault.KEY: "statement_key",
    JwsFault.SIGNATURE: "statement_signature",
}


class StatementRules(msgspec.Struct, frozen=True):
    """What is taken of one issuer.

    One of `audience` must be meant. `lifetime` is the longest from ``iat`` to ``exp``, and to now;
    clocks may differ by `leeway`. `organization_claim` names the organisation it is about.
    """

    algorithms: frozenset[str]
    audience: frozenset[str]
    lifetime: timedelta
    leeway: timedelta
    organization_claim: str = "provider_legal_id"


class UnverifiedStatement(msgspec.Struct, frozen=True):
    """A statement as it was read; `issuer` is who is said to have made it."""

    jws: UnverifiedJws
    issuer: str
    claims: JsonObject


class SoftwareStatement(msgspec.Struct, frozen=True):
    """What an issuer says: `metadata` are the members of a client, `organization` whose it is.

    `issuer` and `jti` name the statement among all.
    """

    text: str
    issuer: str
    jti: str
    organization: str
    metadata: JsonObject


class _Claims(msgspec.Struct, frozen=True):
    """The claims every statement has (RFC 7519 §4.1); times in seconds since 1970."""

    aud: str | tuple[str, ...]
    exp: float
    iat: float
    jti: str
    nbf: float | None = None


def refuse(code: str) -> NoReturn:
    """Refuse a statement."""
    raise ClientMetadataError(Finding(code, MEMBER))


def parse_statement(text: str) -> UnverifiedStatement:
    """Return the parts of a statement; raises `ClientMetadataError`."""
    try:
        jws = parse_jws(text)
        claims = parse_json_object(jws.payload)
    except (JwsError, ClientMetadataError) as exc:
        raise ClientMetadataError(Finding("statement_malformed", MEMBER)) from exc
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        refuse("statement_claims")
    return UnverifiedStatement(jws, issuer, claims)


def check_signature(
    unverified: UnverifiedStatement, keys: Collection[JwsKey], rules: StatementRules
) -> JwsKey:
    """Return the key of the issuer that made a statement.

    Raises `ClientMetadataError`, ``statement_key`` where none of `keys` can have made it.
    """
    try:
        return verify_jws(unverified.jws, keys, algorithms=rules.algorithms)
    except JwsError as exc:
        raise ClientMetadataError(Finding(_CODES[exc.fault], MEMBER)) from exc


def read_statement(verified: UnverifiedStatement, rules: StatementRules) -> SoftwareStatement:
    """Return what a statement says whose signature was checked.

    1. it has every claim that keeps it from being used elsewhere, later or twice;
    2. it is meant for this server;
    3. it says whose software it is.

    Raises `ClientMetadataError`.
    """
    claims = _read_claims(verified.claims)  # (1)
    meant = {claims.aud} if isinstance(claims.aud, str) else set(claims.aud)
    if rules.audience.isdisjoint(meant):  # (2)
        refuse("statement_audience")
    organization = verified.claims.get(rules.organization_claim)
    if not isinstance(organization, str):  # (3)
        refuse("statement_claims")
    metadata = {
        name: value
        for name, value in verified.claims.items()
        if name not in _CLAIMS and name not in _NOT_METADATA
    }
    text = verified.jws.text
    return SoftwareStatement(text, verified.issuer, claims.jti, organization, metadata)


def check_times(verified: UnverifiedStatement, rules: StatementRules, *, at: datetime) -> None:
    """Refuse a statement that does not hold at a moment, is too old, or holds too long.

    Raises `ClientMetadataError`.
    """
    claims, now = _read_claims(verified.claims), at.timestamp()
    leeway, lifetime = rules.leeway.total_seconds(), rules.lifetime.total_seconds()
    if now >= claims.exp + leeway:
        refuse("statement_expired")
    if max(claims.iat, claims.nbf or claims.iat) > now + leeway:
        refuse("statement_early")
    if claims.exp - claims.iat > lifetime or now - claims.iat > lifetime + leeway:
        refuse("statement_old")


def _read_claims(claims: JsonObject) -> _Claims:
    try:
        read = msgspec.convert(claims, _Claims)
    except msgspec.ValidationError as exc:
        raise ClientMetadataError(Finding("statement_claims", MEMBER)) from exc
    if not 0 < len(read.jti) <= LONGEST_JTI:
        refuse("statement_claims")
    return read
