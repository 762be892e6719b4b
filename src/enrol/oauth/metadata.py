"""Client metadata on the wire (RFC 7591 §2, STET 1.0.5 ``RegistrationRequestResource``)."""

import re

import msgspec

from enrol.errors import ClientMetadataError, Finding
from enrol.oauth.jwk import JsonWebKeySet, check_no_private_member
from enrol.oauth.strict_json import JsonObject

ISSUED_MEMBERS = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
"""RFC 7592 §2.2: what an update must not carry."""


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """The contact object that BPCE asks for beside or instead of ``contacts``."""

    contact_name: str | None = None
    email: str | None = None
    phone_number: str | None = None


class ClientMetadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """The metadata of a client, every member of the contract; None where it is absent.

    As parsed from a request they are unverified; as part of a `ClientRecord` they were granted.
    `scope` is then a space-separated list (RFC 6749 §3.3).
    """

    redirect_uris: tuple[str, ...] | None = None
    token_endpoint_auth_method: str | None = None
    grant_types: tuple[str, ...] | None = None
    response_types: tuple[str, ...] | None = None
    client_name: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    scope: str | None = None
    contacts: tuple[str, ...] | None = None
    contact: Contact | None = None
    tos_uri: str | None = None
    policy_uri: str | None = None
    jwks_uri: str | None = None
    provider_legal_id: str | None = None
    client_legal_id: str | None = None
    logo: str | None = None
    jwks: JsonWebKeySet | None = None
    software_id: str | None = None
    software_version: str | None = None
    software_statement: str | None = None
    description: str | None = None
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None


MEMBERS: tuple[str, ...] = ClientMetadata.__struct_fields__
_KNOWN = frozenset(MEMBERS)
_MEMBER_IN_PATH = re.compile(r"\$\.([a-z_]+)")


def parse_client_metadata(document: JsonObject) -> ClientMetadata:
    """Return the metadata in a JSON object; members the contract does not know are left out.

    Raises `ClientMetadataError` where a member has the wrong type or a key is private.
    """
    check_no_private_member(document.get("jwks"))
    try:
        return msgspec.convert(document, ClientMetadata)
    except msgspec.ValidationError as exc:
        raise ClientMetadataError(Finding("member_wrong_type", _member_at_fault(exc))) from exc


def unknown_members(document: JsonObject) -> int:
    """Return how many members of a JSON object the contract does not know."""
    return len(document.keys() - _KNOWN)


def _member_at_fault(exc: msgspec.ValidationError) -> str | None:
    """Return the contract's member a decoder's message points at, never the client's own word."""
    match = _MEMBER_IN_PATH.search(str(exc))
    return match[1] if match and match[1] in _KNOWN else None
