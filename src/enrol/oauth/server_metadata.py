"""Authorization server metadata (RFC 8414 §2, RFC 8705 §3.3)."""

import msgspec

from enrol.oauth.tokens import MANAGE_REGISTRATION


class ServerMetadata(msgspec.Struct, frozen=True):
    """What a client needs to know of the server; every URI is absolute."""

    issuer: str
    token_endpoint: str
    registration_endpoint: str
    scopes_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    grant_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("tls_client_auth",)
    tls_client_certificate_bound_access_tokens: bool = True


def describe_server(
    *, issuer: str, token_path: str, register_uri: str, scopes: tuple[str, ...]
) -> ServerMetadata:
    """Return the metadata of a desk; `scopes` are those that clients can register."""
    return ServerMetadata(
        issuer=issuer,
        token_endpoint=issuer + token_path,
        registration_endpoint=register_uri,
        scopes_supported=(MANAGE_REGISTRATION, *scopes),
        response_types_supported=("code",),
        grant_types_supported=("client_credentials",),  # others are the bank's own server's
    )
