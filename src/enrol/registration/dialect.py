"""Dialects: what differs between banks, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from enrol.eidas.qcstatements import PspRole
from enrol.oauth.metadata import ISSUED_MEMBERS

ROLE_SCOPES: Mapping[str, PspRole] = MappingProxyType(
    {"aisp": PspRole.PSP_AI, "pisp": PspRole.PSP_PI, "cbpii": PspRole.PSP_IC}
)
"""The role a certificate must name for each scope (RTS 2018/389 art. 34(3))."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The rules of one bank, or of one standard, that metadata are judged by.

    `required` lists members that must be present; of each set in `required_one_of` one must be.
    `refused` lists members that must be absent or null. `defaults` stand in for absent members.
    """

    name: str
    required: frozenset[str]
    required_one_of: tuple[tuple[str, ...], ...]
    refused: frozenset[str]
    grant_types: frozenset[str]
    response_types: frozenset[str]
    token_endpoint_auth_methods: frozenset[str]
    scopes: Mapping[str, PspRole]
    default_token_endpoint_auth_method: str | None
    default_grant_types: tuple[str, ...]
    default_response_types: tuple[str, ...]


_NEVER = frozenset(
    {
        "client_secret",
        "jwks_uri",
        "request_uris",
        "sector_identifier_uri",
        "tls_client_auth_subject_dn",
        "tls_client_auth_san_dns",
        "tls_client_auth_san_uri",
        "tls_client_auth_san_ip",
        "tls_client_auth_san_email",
        *ISSUED_MEMBERS,
    }
)

STET = Dialect(
    name="stet",
    required=frozenset(
        {
            "redirect_uris",
            "token_endpoint_auth_method",
            "grant_types",
            "client_name",
            "provider_legal_id",
        }
    ),
    required_one_of=(("contacts", "contact"),),
    refused=_NEVER,
    grant_types=frozenset({"authorization_code", "refresh_token", "client_credentials"}),
    response_types=frozenset({"code"}),
    token_endpoint_auth_methods=frozenset({"tls_client_auth"}),
    scopes=ROLE_SCOPES,
    default_token_endpoint_auth_method=None,
    default_grant_types=(),
    default_response_types=("code",),
)
"""STET 1.0.5 as its clients speak it: ``contacts`` or BPCE's ``contact``."""

RFC7591 = Dialect(
    name="rfc7591",
    required=frozenset({"redirect_uris"}),
    required_one_of=(),
    refused=_NEVER,
    grant_types=STET.grant_types,
    response_types=STET.response_types,
    token_endpoint_auth_methods=STET.token_endpoint_auth_methods,
    scopes=ROLE_SCOPES,
    default_token_endpoint_auth_method="tls_client_auth",  # noqa: S106 - the name of a method
    default_grant_types=("authorization_code",),
    default_response_types=("code",),
)
"""Plain RFC 7591: what STET requires beyond it may be absent and is filled in."""

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (STET, RFC7591)}
)
