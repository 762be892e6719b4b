"""Authorization server metadata (RFC 8414 §2, RFC 8705 §3.3)."""

from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from enrol.oauth.client_authentication import (
    METHODS,
    PRIVATE_KEY_JWT,
    SIGNING_ALGORITHMS,
    TLS_CLIENT_AUTH,
)
from enrol.oauth.tokens import MANAGE_REGISTRATION


class ServerMetadata(msgspec.Struct, frozen=True):
    """What a client needs to know of the server; every URI is absolute."""

    issuer: str
    token_endpoint: str
    registration_endpoint: str
    scopes_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    grant_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...] = (TLS_CLIENT_AUTH,)
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] | UnsetType = UNSET
    revocation_endpoint: str | UnsetType = UNSET
    revocation_endpoint_auth_methods_supported: tuple[str, ...] = ("tls_client_auth",)
    introspection_endpoint: str | UnsetType = UNSET
    introspection_endpoint_auth_methods_supported: tuple[str, ...] | UnsetType = UNSET
    tls_client_certificate_bound_access_tokens: bool = True


@dataclass(frozen=True, slots=True)
class TokenEndpoints:
    """The paths of what is done with tokens; `gateway_methods` is how gateways are known."""

    token: str
    revocation: str
    introspection: str
    gateway_methods: tuple[str, ...] = ()


def describe_server(
    *,
    issuer: str,
    endpoints: TokenEndpoints,
    register_uri: str,
    scopes: tuple[str, ...],
    auth_methods: Collection[str],
) -> ServerMetadata:
    """Return the metadata of a desk; `scopes` and `auth_methods` are what clients can register."""
    methods = endpoints.gateway_methods or UNSET
    algorithms = SIGNING_ALGORITHMS if PRIVATE_KEY_JWT in auth_methods else UNSET
    return ServerMetadata(
        issuer=issuer,
        token_endpoint=issuer + endpoints.token,
        token_endpoint_auth_methods_supported=tuple(
            [method for method in METHODS if method in auth_methods]
        ),
        token_endpoint_auth_signing_alg_values_supported=algorithms,
        revocation_endpoint=issuer + endpoints.revocation,
        introspection_endpoint=issuer + endpoints.introspection if methods else UNSET,
        introspection_endpoint_auth_methods_supported=methods,
        registration_endpoint=register_uri,
        scopes_supported=(MANAGE_REGISTRATION, *scopes),
        response_types_supported=("code",),
        grant_types_supported=("client_credentials",),  # others are the bank's own server's
    )
