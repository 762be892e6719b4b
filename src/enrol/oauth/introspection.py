"""Questions about a token and its end: introspection (RFC 7662), revocation (RFC 7009)."""

import msgspec

from enrol.errors import GrantError
from enrol.oauth.grant import parse_form
from enrol.oauth.tokens import AccessToken

_NOT_REVOKED = frozenset({"registration_access_token"})


class Confirmation(msgspec.Struct, frozen=True):
    """What a token is bound to (RFC 8705 §3.2)."""

    x5t_s256: str = msgspec.field(name="x5t#S256")


class Introspection(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said of a token (RFC 7662 §2.2); of one that is not active, nothing more.

    `exp` is in seconds since 1970. `organization_identifier` is Enrol's own.
    """

    active: bool
    scope: str | None = None
    client_id: str | None = None
    token_type: str | None = None
    exp: int | None = None
    iss: str | None = None
    cnf: Confirmation | None = None
    organization_identifier: str | None = None


INACTIVE = Introspection(active=False)


def describe_token(token: AccessToken, *, issuer: str) -> Introspection:
    """Return what is said of a token that is active."""
    return Introspection(
        active=True,
        scope=" ".join(sorted(token.scope)),
        client_id=token.client_id,
        token_type="Bearer",  # noqa: S106 - RFC 6750 §4
        exp=int(token.expires_at.timestamp()),
        iss=issuer,
        cnf=Confirmation(token.x5t_s256),
        organization_identifier=token.organization_identifier,
    )


def parse_introspection(body: bytes) -> str:
    """Return the token asked about in a form (RFC 7662 §2.1); its hint is not needed.

    Raises `GrantError`.
    """
    return _token(parse_form(body))


def parse_revocation(body: bytes) -> str:
    """Return the token to be revoked in a form (RFC 7009 §2.1).

    Raises `GrantError`, ``token_type_not_revoked`` for a token that ends with its client.
    """
    fields = parse_form(body)
    if fields.get("token_type_hint") in _NOT_REVOKED:
        raise GrantError("token_type_not_revoked", error="unsupported_token_type")
    return _token(fields)


def _token(fields: dict[str, str]) -> str:
    if "token" not in fields:
        raise GrantError("token_parameter_missing", error="invalid_request")
    return fields["token"]
