"""What a client of Enrol is in Keycloak: a ``ClientRepresentation`` of its Admin REST API."""

import json
import re
from typing import Any

SEQUENCE = "enrol.sequence"
"""The attribute with the number of the event a client was last changed by."""

_RDN = r'[A-Za-z0-9.]+=(?:[^",]*|"(?:[^"\\]|\\.)*")'
_AUTHENTICATORS = {
    "tls_client_auth": "client-x509",
    "private_key_jwt": "client-jwt",
}


def is_deleted(data: dict[str, Any]) -> bool:
    """Tell whether an event ended its client."""
    return bool(data["state"] == "deleted")


def representation_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return the client as Keycloak is to have it; only an active one is enabled.

    A method of authentication that this example does not know disables the client: it would need
    a secret, and events have none.
    """
    metadata = data["metadata"]
    grants = metadata.get("grant_types", ["authorization_code"])
    method = metadata.get("token_endpoint_auth_method", "tls_client_auth")
    return {
        "clientId": data["client_id"],
        "name": metadata.get("client_name", data["client_id"]),
        "enabled": data["state"] == "active" and method in _AUTHENTICATORS,
        "protocol": "openid-connect",
        "publicClient": False,
        "bearerOnly": False,
        "clientAuthenticatorType": _AUTHENTICATORS.get(method, "client-x509"),
        "redirectUris": metadata.get("redirect_uris", []),
        "standardFlowEnabled": "authorization_code" in grants,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": "client_credentials" in grants,
        "fullScopeAllowed": False,
        "attributes": _attributes(data, metadata, method),
    }


def _attributes(data: dict[str, Any], metadata: dict[str, Any], method: str) -> dict[str, str]:
    attributes = {
        SEQUENCE: str(data["sequence"]),
        "enrol.version": str(data["version"]),
        "enrol.state": data["state"],
        "enrol.organization_identifier": data["organization_identifier"],
        "enrol.scope": metadata.get("scope", ""),
        "tls.client.certificate.bound.access.tokens": "true",
    }
    for member, attribute in (
        ("logo_uri", "logoUri"),
        ("policy_uri", "policyUri"),
        ("tos_uri", "tosUri"),
    ):
        attributes[attribute] = metadata.get(member, "")
    if method == "private_key_jwt" and "jwks" in metadata:
        jwks = json.dumps(metadata["jwks"])
        return attributes | {"use.jwks.string": "true", "jwks.string": jwks}
    return attributes | _subject(data, metadata)


def _subject(data: dict[str, Any], metadata: dict[str, Any]) -> dict[str, str]:
    """Return whose certificates authenticate the client at the token endpoint (RFC 8705 §2.1).

    Without a registered subject it is every QWAC of the organisation: STET identifies it by its
    organizationIdentifier, wherever that stands in the subject.
    """
    subject = metadata.get("tls_client_auth_subject_dn")
    if subject:
        return {"x509.subjectdn": subject, "x509.allow.regex.pattern.comparison": "false"}
    return {
        "x509.subjectdn": subject_pattern(data["organization_identifier"]),
        "x509.allow.regex.pattern.comparison": "true",
    }


def subject_pattern(organization_identifier: str) -> str:
    """Return a pattern for the whole subject of a certificate, as Java writes it.

    Values with a comma stand in quotes there, so that no other attribute can hold what looks like
    an organizationIdentifier (2.5.4.97).
    """
    identifier = re.escape(organization_identifier)
    return rf"(?:{_RDN}, )*OID\.2\.5\.4\.97={identifier}(?:, {_RDN})*"
