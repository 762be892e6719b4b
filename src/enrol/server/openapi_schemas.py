"""The schemas of the API's description: what the types say, and what the rules add to it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from enrol.oauth import jwk
from enrol.oauth.grant import TokenResponse
from enrol.oauth.metadata import ClientMetadata
from enrol.registration import redirect_uri
from enrol.registration.dialect import Dialect
from enrol.registration.response import RegistrationResponse
from enrol.server.problems import LONGEST_TEXT, Problem400Body, ProblemBody

Schema = dict[str, Any]

COMPONENTS = "#/components/schemas/"
_NULL: Schema = {"type": "null"}
_NEVER_ANSWERED = ("software_statement", "description")  # STET 1.0.5 RegistrationRecord

_TEXTS: Mapping[str, str] = {
    "ClientMetadata": "What a TPP registers (STET RegistrationRequestResource, RFC 7591 §2)."
    " Members that are not listed are ignored.",
    "ClientUpdate": "What replaces a registration: every member is sent again, with client_id"
    " (RFC 7592 §2.2).",
    "RegistrationResponse": "A registration (STET RegistrationRecord, RFC 7591 §3.2.1)."
    " No secret is ever issued.",
    "Contact": "Who answers for the client, as BPCE asks for it.",
    "JsonWebKey": "A public key, given by its certificate (RFC 7517 §4).",
    "JsonWebKeySet": "The keys that may sign for the client, the present one first (RFC 7517 §5).",
    "TokenResponse": "An access token (RFC 6749 §5.1).",
    "Problem400Body": "A request that cannot be read, or whose metadata break rules (STET"
    " ErrorModel_400, RFC 7591 §3.2.2).",
    "ProblemBody": "Any other refusal (STET ErrorModel).",
    "ProblemFinding": "One metadata rule that was broken.",
}
_MEMBERS: Mapping[str, str] = {
    "redirect_uris": "Where the PSU's browser may be sent back to; compared character by character",
    "token_endpoint_auth_method": "How the client authenticates at the token endpoint",
    "grant_types": "The grants the client will use",
    "response_types": "The response types the client will use",
    "client_name": "The name shown to the PSU",
    "client_uri": "A page about the client",
    "logo_uri": "Where the client's logo is",
    "scope": "aisp, pisp, cbpii, as the certificate's roles allow; separated by a blank or a comma",
    "contacts": "E-mail addresses of people responsible for the client",
    "contact": "The same as an object, as BPCE asks for it; one of the two is required",
    "tos_uri": "The terms of service",
    "policy_uri": "The privacy policy",
    "jwks_uri": "Cannot be used: keys go by value into jwks",
    "provider_legal_id": "The organizationIdentifier of the TPP's certificates",
    "client_legal_id": "The agent's identifier, AGTxx-NCA-identifier; required where an agent is"
    " not the TPP",
    "logo": "The logo in base64",
    "jwks": "The keys that sign; not needed where keyId is the URL of the certificate",
    "software_id": "Not used",
    "software_version": "Not used",
    "software_statement": "Not used",
    "description": "Not kept",
    "client_id": "The client identifier issued",
    "client_id_issued_at": "Seconds since 1970, UTC",
    "registration_client_uri": "Where the registration is read, updated and deleted",
    "registration_access_token": "A token for this registration alone, valid over a QWAC of its"
    " organisation",
}
_ERRORS_OF_400 = (
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "invalid_software_statement",
    "unapproved_software_statement",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
)


def describe_schemas(dialect: Dialect) -> dict[str, Schema]:
    """Return the schema of every body by name, as the desk of a dialect judges them."""
    _, schemas = msgspec.json.schema_components(
        (ClientMetadata, RegistrationResponse, TokenResponse, Problem400Body, ProblemBody),
        ref_template=COMPONENTS + "{name}",
    )
    _narrow_metadata(schemas["ClientMetadata"], dialect)
    _narrow(schemas["JsonWebKeySet"], "keys", minItems=1, maxItems=jwk.MAXIMUM_KEYS)
    _narrow(schemas["JsonWebKey"], "x5c", maxItems=jwk.MAXIMUM_CERTIFICATES)
    _narrow_record(schemas["RegistrationResponse"])
    _narrow_problems(schemas)
    schemas["ClientUpdate"] = {
        "allOf": [{"$ref": COMPONENTS + "ClientMetadata"}],
        "required": ["client_id"],
        "properties": {"client_id": {"type": "string", "description": _MEMBERS["client_id"]}},
    }
    for name, text in _TEXTS.items():
        schemas[name]["description"] = text
    for name in ("ClientMetadata", "RegistrationResponse"):
        for member, schema in schemas[name]["properties"].items():
            schema["description"] = _MEMBERS[member]
    return schemas


def _narrow_metadata(schema: Schema, dialect: Dialect) -> None:
    """Add what the dialect accepts; what is required cannot be null."""
    _narrow(
        schema,
        "redirect_uris",
        minItems=1,
        maxItems=redirect_uri.MAXIMUM_URIS,
        items={
            "type": "string",
            "format": "uri",
            "pattern": "^https://",
            "maxLength": redirect_uri.MAXIMUM_LENGTH,
        },
    )
    methods = sorted(dialect.token_endpoint_auth_methods)
    _narrow(schema, "token_endpoint_auth_method", enum=methods)
    for member, values in (
        ("grant_types", dialect.grant_types),
        ("response_types", dialect.response_types),
    ):
        items = {"type": "string", "enum": sorted(values)}
        _narrow(schema, member, items=items, minItems=1, uniqueItems=True)
    one_scope = "|".join(dialect.scopes)
    _narrow(schema, "scope", pattern=f"^({one_scope})([ ,]+({one_scope}))*$")
    _narrow(schema, "client_name", minLength=1, maxLength=LONGEST_TEXT)
    for member in dialect.required:
        schema["properties"][member] = _without_null(schema["properties"][member])
    schema["required"] = sorted(dialect.required)
    choices = [
        {"anyOf": [_has_value(member) for member in choice]} for choice in dialect.required_one_of
    ]
    if choices:
        schema["allOf"] = choices


def _narrow_record(schema: Schema) -> None:
    """Say what an answer holds: members that have a value, and no others."""
    properties = schema["properties"]
    for member in _NEVER_ANSWERED:
        del properties[member]
    schema["properties"] = {name: _without_null(member) for name, member in properties.items()}


def _narrow_problems(schemas: dict[str, Schema]) -> None:
    """Add the lengths of STET's error models, and the errors of a 400."""
    for name in ("Problem400Body", "ProblemBody"):
        for member, schema in schemas[name]["properties"].items():
            if member in ("error", "error_description", "message", "path"):
                schema["maxLength"] = LONGEST_TEXT
            elif member == "error_uri":
                schema["format"] = "uri"
    _narrow(schemas["Problem400Body"], "error", enum=list(_ERRORS_OF_400))
    _narrow(schemas["ProblemBody"], "timestamp", format="date-time")
    _narrow(schemas["ProblemBody"], "status", format="int32")


def _has_value(member: str) -> Schema:
    return {"required": [member], "properties": {member: {"not": _NULL}}}


def _narrow(schema: Schema, member: str, **rules: Any) -> None:  # noqa: ANN401 - JSON Schema's words
    """Add rules to the value of a member, but not to its null."""
    _without_null(schema["properties"][member]).update(rules)


def _without_null(schema: Schema) -> Schema:
    """Return the alternative of an optional member that is a value."""
    alternatives: list[Schema] = schema.get("anyOf", [schema])
    return next(alternative for alternative in alternatives if alternative != _NULL)
