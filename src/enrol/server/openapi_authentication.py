"""What the description says of client authentication: only what the dialect has."""

from enrol.oauth.certificate_name import NAME_MEMBERS
from enrol.oauth.client_authentication import (
    ASSERTION_TYPE,
    LONGEST_ASSERTION,
    PRIVATE_KEY_JWT,
    SECRET_METHODS,
)
from enrol.registration.auth_method import uses_names
from enrol.registration.dialect import Dialect
from enrol.server.openapi_schema import NULL, Schema

DESCRIPTIONS = {
    "tls_client_auth_subject_dn": "The subject of the client certificate, as RFC 4514 writes it",
    "tls_client_auth_san_dns": "A host among the certificate's alternative names",
    "tls_client_auth_san_uri": "A URI among the certificate's alternative names",
    "tls_client_auth_san_ip": "An address among the certificate's alternative names",
    "tls_client_auth_san_email": "An e-mail address among the certificate's alternative names",
}


_SECRET = "clientSecret"  # noqa: S105 - a name


def token_form(dialect: Dialect) -> Schema:
    """Return the form of a token request; who brings credentials need not say client_id as well."""
    properties: Schema = {
        "grant_type": {"const": "client_credentials"},
        "scope": {"const": "manageRegistration"},
        "client_id": {"type": "string"},
    }
    methods, required = dialect.metadata.token_endpoint_auth_methods, ["grant_type"]
    if PRIVATE_KEY_JWT in methods:
        properties["client_assertion_type"] = {"const": ASSERTION_TYPE}
        properties["client_assertion"] = {"type": "string", "maxLength": LONGEST_ASSERTION}
    elif SECRET_METHODS.isdisjoint(methods):
        required.append("client_id")
    return {"type": "object", "required": required, "properties": properties}


def secret_scheme(dialect: Dialect) -> Schema:
    """Return the security scheme of clients that have a secret, none where no client has."""
    if SECRET_METHODS.isdisjoint(dialect.metadata.token_endpoint_auth_methods):
        return {}
    return {
        _SECRET: {
            "type": "http",
            "scheme": "basic",
            "description": "client_id and client_secret, each encoded as a form is",
        }
    }


def secret_security(dialect: Dialect) -> list[Schema]:
    """Return what a client with a secret brings to the token endpoint."""
    return [{"qwac": [], name: []} for name in secret_scheme(dialect)]


def fit_authentication(schemas: dict[str, Schema], dialect: Dialect) -> None:
    """Remove the members that a dialect has no use for from requests and answers."""
    answered = schemas["RegistrationResponse"]["properties"]
    if not uses_names(dialect.metadata):
        for member in NAME_MEMBERS:
            del schemas["ClientMetadata"]["properties"][member], answered[member]
    if SECRET_METHODS.isdisjoint(dialect.metadata.token_endpoint_auth_methods):
        del answered["client_secret"], answered["client_secret_expires_at"]
    else:
        answered["client_secret_expires_at"] = {"anyOf": [{"type": "integer", "minimum": 0}, NULL]}
