"""The schemas of the API's description: what the types say, and what the rules add to it."""

from collections.abc import Mapping

import msgspec

from enrol.eidas.examination import ExaminationReport
from enrol.oauth import jwk
from enrol.oauth.grant import TokenResponse
from enrol.oauth.introspection import Introspection
from enrol.oauth.metadata import ClientMetadata
from enrol.registration import redirect_uri
from enrol.registration.dialect import Dialect
from enrol.registration.response import RegistrationResponse
from enrol.server.dry_run import DryRunReport
from enrol.server.listing import ClientList
from enrol.server.openapi_answers import answer_schemas
from enrol.server.openapi_authentication import DESCRIPTIONS, fit_authentication
from enrol.server.openapi_schema import COMPONENTS, NULL, Schema, narrow, without_null
from enrol.server.preflight import CertificateCheck
from enrol.server.problems import LONGEST_TEXT, Problem400Body, ProblemBody

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
    "Introspection": "What is said of a token (RFC 7662 §2.2); of one that is not active, nothing"
    " but that. organization_identifier is Enrol's own.",
    "Confirmation": "The certificate a token is bound to (RFC 8705 §3.2).",
    "Problem400Body": "A request that cannot be read, or whose metadata break rules (STET"
    " ErrorModel_400, RFC 7591 §3.2.2).",
    "ProblemBody": "Any other refusal (STET ErrorModel).",
    "ProblemFinding": "One metadata rule that was broken.",
    "DryRunReport": "What would come of a registration or an update; nothing was stored."
    " metadata are those that would be granted, client_state is the state the client would be in"
    " where it would not be active.",
    "SubstitutionReport": "A member that would not be registered as it was sent, and why.",
    "IgnoredReport": "Members that nobody here knows; only plain names are told.",
    "ClientList": "A page of clients by client_id; next is the URI of the next page.",
    "ListedClient": "One client of a list; the whole is at registration_client_uri."
    " client_state is there where it is not active.",
    "CertificateCheck": "A QSealC to be examined beside the QWAC of the connection: base64 of its"
    " DER, or PEM, in which the CAs above it may follow.",
    "ExaminationReport": "What became of every check of the certificates, and of both together.",
    "CertificateReport": "The examination of one certificate.",
    "CertificateFacts": "What a certificate says of itself.",
    "CheckReport": "One check, what became of it, and where it fails what to change.",
    "ExplainedRuleBody": "One rule of signatures: holds, fails or undecided.",
    "ExplanationBody": "Why a signature is refused, in full; test systems only.",
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
    "client_secret": "The secret of a client whose method uses one; where none does, a text that is"
    " nobody's, for clients that look for the member",
    "client_secret_expires_at": "The end of client_secret in seconds since 1970, UTC; 0 is never",
    **DESCRIPTIONS,
    "client_state": "pending, suspended or rejected; of an active client it is absent",
    "client_state_reason": "Why the client is not active, in plain words",
    "client_active_from": "When a pending client becomes active by itself: seconds since 1970, UTC",
    "message": "What becomes of the request",
}
_ERRORS_OF_400 = (
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "invalid_software_statement",
    "unapproved_software_statement",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
    "unsupported_token_type",
)


def describe_schemas(dialect: Dialect) -> dict[str, Schema]:
    """Return the schema of every body by name, as the desk of a dialect judges them."""
    _, schemas = msgspec.json.schema_components(
        (
            *(ClientMetadata, RegistrationResponse, TokenResponse, Problem400Body, ProblemBody),
            *(CertificateCheck, ExaminationReport, DryRunReport, ClientList),
            Introspection,
        ),
        ref_template=COMPONENTS + "{name}",
    )
    fit_authentication(schemas, dialect)
    _narrow_metadata(schemas["ClientMetadata"], dialect)
    narrow(schemas["JsonWebKeySet"], "keys", minItems=1, maxItems=jwk.MAXIMUM_KEYS)
    narrow(schemas["JsonWebKey"], "x5c", maxItems=jwk.MAXIMUM_CERTIFICATES)
    _narrow_record(schemas["RegistrationResponse"])
    schemas |= answer_schemas(schemas["RegistrationResponse"], dialect)
    _narrow_problems(schemas)
    schemas["ClientUpdate"] = {
        "allOf": [{"$ref": COMPONENTS + "ClientMetadata"}],
        "required": ["client_id"],
        "properties": {"client_id": {"type": "string", "description": _MEMBERS["client_id"]}},
    }
    for name, text in _TEXTS.items():
        schemas[name]["description"] = text
    for name, of_body in schemas.items():
        if name == "ClientMetadata" or (name.endswith("Response") and name != "TokenResponse"):
            for member, schema in of_body["properties"].items():
                if member in _MEMBERS:
                    schema["description"] = _MEMBERS[member]
    return schemas


def _narrow_metadata(schema: Schema, dialect: Dialect) -> None:
    """Add what the dialect accepts; what is required cannot be null."""
    narrow(
        schema,
        "redirect_uris",
        minItems=1,
        maxItems=dialect.metadata.most_redirect_uris,
        items={
            "type": "string",
            "format": "uri",
            "pattern": "^https://",
            "maxLength": redirect_uri.MAXIMUM_LENGTH,
        },
    )
    rules, reading = dialect.metadata, dialect.reading
    methods = sorted(rules.token_endpoint_auth_methods)
    narrow(schema, "token_endpoint_auth_method", enum=methods)
    for member, values in (
        ("grant_types", rules.grant_types),
        ("response_types", rules.response_types),
    ):
        capitals = {value.upper() for value in values} if member in reading.any_case else set()
        items = {"type": "string", "enum": sorted(values | capitals)}
        narrow(schema, member, items=items, minItems=1, uniqueItems=True)
    one_scope = "|".join(rules.scopes)
    separators = f"[{reading.scope_separators}]+"
    narrow(schema, "scope", pattern=f"^({one_scope})({separators}({one_scope}))*$")
    narrow(schema, "client_name", minLength=1, maxLength=LONGEST_TEXT)
    for member in rules.required:
        schema["properties"][member] = without_null(schema["properties"][member])
    for member, value in rules.constants.items():
        schema["properties"][member] = {"const": value}
    if reading.jwks_array:
        _accept_array(schema)
    schema["required"] = sorted({*rules.required, *rules.constants})
    choices = [
        {"anyOf": [_has_value(member) for member in choice]} for choice in rules.required_one_of
    ]
    if choices:
        schema["allOf"] = choices


def _narrow_record(schema: Schema) -> None:
    """Say what an answer holds: members that have a value, and no others."""
    properties = schema["properties"]
    for member in _NEVER_ANSWERED:
        del properties[member]
    schema["properties"] = {name: without_null(member) for name, member in properties.items()}


def _narrow_problems(schemas: dict[str, Schema]) -> None:
    """Add the lengths of STET's error models, and the errors of a 400."""
    for name in ("Problem400Body", "ProblemBody"):
        for member, schema in schemas[name]["properties"].items():
            if member in ("error", "error_description", "message", "path"):
                schema["maxLength"] = LONGEST_TEXT
            elif member == "error_uri":
                schema["format"] = "uri"
            elif member == "certificate":
                schema["description"] = "The one that is refused, where a certificate is"
    narrow(schemas["Problem400Body"], "error", enum=list(_ERRORS_OF_400))
    narrow(schemas["ProblemBody"], "timestamp", format="date-time")
    narrow(schemas["ProblemBody"], "status", format="int32")


def _has_value(member: str) -> Schema:
    return {"required": [member], "properties": {member: {"not": NULL}}}


def _accept_array(schema: Schema) -> None:
    """Say that the key set may be a bare array, its certificates single texts."""
    keys: Schema = {"type": "array", "items": {"type": "object", "required": ["kty", "x5c"]}}
    accepted = [keys, {"$ref": COMPONENTS + "JsonWebKeySet"}, NULL]
    schema["properties"]["jwks"] = {"anyOf": accepted}
