"""The description of the API, OpenAPI 3.1, made from the types that answer."""

from collections.abc import Mapping

import msgspec

from enrol.registration.dialect import Credential, Dialect, Operation, Presence
from enrol.server.app import Paths
from enrol.server.openapi_answers import answer_schema
from enrol.server.openapi_schema import COMPONENTS, Schema
from enrol.server.openapi_schemas import describe_schemas

_REFUSALS: Mapping[int, str] = {
    400: "The request cannot be read, or its metadata break a rule",
    401: "Not believed: certificate, token or signature",
    403: "Believed, and not entitled",
    405: "The entry point has no such method",
    406: "The client accepts no JSON",
    408: "The request did not arrive in time",
    429: "Too many requests",
    500: "An unexpected error",
    501: "The entry point is switched off here",
    503: "Cannot be decided or stored now",
}
_ERROR_FIELDS: Mapping[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", "Which credentials are needed"),
    405: ("Allow", "The methods of the entry point"),
    429: ("Retry-After", "Seconds to wait"),
    503: ("Retry-After", "Seconds to wait"),
}


def describe_api(*, version: str, server_url: str, paths: Paths, dialect: Dialect) -> bytes:
    """Return the OpenAPI document of a desk as JSON."""
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Enrol: client registration by STET",
            "version": version,
            "summary": "RFC 7591 and RFC 7592 with eIDAS certificates and HTTP signatures",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "paths": {
            paths.register: _operations(dialect, Operation.REGISTER),
            paths.register + "/{clientId}": {
                "parameters": [_parameter("clientId", "path", "The client identifier issued")],
                **_operations(dialect, Operation.READ, Operation.UPDATE, Operation.DELETE),
            },
            paths.token: {"post": _token(paths)},
        },
        "components": {
            "schemas": describe_schemas(dialect),
            "securitySchemes": _security(server_url, paths, dialect),
        },
    }
    return msgspec.json.encode(document)


_OPERATIONS: Mapping[Operation, tuple[str, str, str, str | None, str]] = {
    Operation.REGISTER: (
        *("post", "registrationPost", "Register a client"),
        *("ClientMetadata", "The client is registered"),
    ),
    Operation.READ: ("get", "registrationGet", "Read a registration", None, "The registration"),
    Operation.UPDATE: (
        *("put", "registrationPut", "Replace a registration; every member is sent again"),
        *("ClientUpdate", "The new registration"),
    ),
    Operation.DELETE: ("delete", "registrationDelete", "Delete a registration", None, "Deleted"),
}
"""Method, operationId, summary, schema of the body, what the answer is."""


def _operations(dialect: Dialect, *operations: Operation) -> Schema:
    """Return what a path offers by method: the operations that the dialect has."""
    offered = [operation for operation in operations if operation in dialect.operations]
    return {_OPERATIONS[operation][0]: _operation(operation, dialect) for operation in offered}


def _token(paths: Paths) -> Schema:
    form = {
        "type": "object",
        "required": ["grant_type", "client_id"],
        "properties": {
            "grant_type": {"const": "client_credentials"},
            "scope": {"const": "manageRegistration"},
            "client_id": {"type": "string"},
        },
    }
    return {
        "operationId": "tokenPost",
        "summary": f"Get the token that {paths.register} needs",
        "security": [{"qwac": []}],
        "parameters": [_parameter("X-Request-ID", "header", "Echoed", required=False)],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": form}},
        },
        "responses": _responses({200: ("The token", "TokenResponse")}),
    }


def _operation(operation: Operation, dialect: Dialect) -> Schema:
    _, operation_id, summary, body, result = _OPERATIONS[operation]
    schema = None if operation is Operation.DELETE else answer_schema(operation, dialect)
    signed = dialect.signature.presence is Presence.REQUIRED
    parameters = [
        _parameter(
            *("Signature", "header", "draft-cavage signature of the request by the QSealC"),
            required=signed,
        ),
        _request_id(required=dialect.credentials.request_id is Presence.REQUIRED),
    ]
    described: Schema = {
        "operationId": operation_id,
        "summary": summary,
        "security": _credentials(operation, dialect),
        "parameters": parameters,
        "responses": _responses({dialect.answer.of(operation).status: (result, schema)}),
    }
    if body is not None:
        text = "SHA-256=base64 of the body's digest"
        parameters.append(_parameter("Digest", "header", text, required=signed))
        described["requestBody"] = {"required": True, "content": _json(body)}
    return described


def _credentials(operation: Operation, dialect: Dialect) -> list[Schema]:
    """Return what a call brings: the certificate, and one of the tokens where one is wanted."""
    rules = dialect.credentials
    accepted = rules.register if operation is Operation.REGISTER else rules.manage
    tokens: Mapping[Credential, Schema] = {
        Credential.MANAGE_REGISTRATION: {"manageRegistration": ["manageRegistration"]},
        Credential.REGISTRATION_ACCESS_TOKEN: {"registrationAccessToken": []},
    }
    return [{"qwac": []} | tokens[credential] for credential in accepted] or [{"qwac": []}]


def _responses(success: Mapping[int, tuple[str, str | None]]) -> Schema:
    responses: Schema = {}
    for status, (text, schema) in success.items():
        responses[str(status)] = {"description": text, "headers": _fields(status)}
        if schema is not None:
            responses[str(status)]["content"] = _json(schema)
    for status, text in _REFUSALS.items():
        schema = "Problem400Body" if status == 400 else "ProblemBody"
        responses[str(status)] = {
            "description": text,
            "headers": _fields(status),
            "content": _json(schema),
        }
    return responses


def _fields(status: int) -> Schema:
    fields = {"X-Request-ID": "That of the request, or the server's own where it had none"}
    if status < 500:
        fields["Warning"] = "299 and a text, for an entry point that will go away"
    if status == 201:
        fields["Location"] = "The URI of the registration"
    if status in _ERROR_FIELDS:
        name, text = _ERROR_FIELDS[status]
        fields[name] = text
    return {
        name: {
            "description": text,
            "schema": {"type": "integer" if name == "Retry-After" else "string"},
        }
        for name, text in fields.items()
    }


def _json(schema: str) -> Schema:
    return {"application/json": {"schema": {"$ref": COMPONENTS + schema}}}


def _parameter(name: str, place: str, text: str, *, required: bool = True) -> Schema:
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": text,
        "schema": {"type": "string"},
    }


def _request_id(*, required: bool) -> Schema:
    parameter = _parameter(
        *("X-Request-ID", "header", "Made by the TPP, echoed in the response"), required=required
    )
    parameter["schema"] |= {"minLength": 1, "maxLength": 70, "pattern": "^[!-~]{1,70}$"}
    return parameter


def _security(server_url: str, paths: Paths, dialect: Dialect) -> Schema:
    schemes: Schema = {
        "qwac": {"type": "mutualTLS", "description": "The TPP's QWAC"},
        "manageRegistration": {
            "type": "oauth2",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": server_url + paths.token,
                    "scopes": {"manageRegistration": "Register and manage clients"},
                }
            },
        },
    }
    if Credential.REGISTRATION_ACCESS_TOKEN in dialect.credentials.manage:
        schemes["registrationAccessToken"] = {
            "type": "http",
            "scheme": "bearer",
            "description": "The registration_access_token of the registration",
        }
    return schemes
