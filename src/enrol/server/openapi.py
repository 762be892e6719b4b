"""The description of the API, OpenAPI 3.1, made from the types that answer."""

from collections.abc import Mapping

import msgspec

from enrol.registration.dialect import Dialect
from enrol.server.app import Paths
from enrol.server.openapi_schemas import COMPONENTS, Schema, describe_schemas

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
            paths.register: {"post": _register()},
            paths.register + "/{clientId}": {
                "parameters": [_parameter("clientId", "path", "The client identifier issued")],
                "get": _read(),
                "put": _update(),
                "delete": _delete(),
            },
            paths.token: {"post": _token(paths)},
        },
        "components": {
            "schemas": describe_schemas(dialect),
            "securitySchemes": _security(server_url, paths),
        },
    }
    return msgspec.json.encode(document)


def _register() -> Schema:
    return _operation(
        "registrationPost",
        "Register a client",
        body="ClientMetadata",
        success={201: ("The client is registered", "RegistrationResponse")},
    )


def _read() -> Schema:
    return _operation(
        "registrationGet",
        "Read a registration",
        success={200: ("The registration", "RegistrationResponse")},
    )


def _update() -> Schema:
    return _operation(
        "registrationPut",
        "Replace a registration; every member is sent again",
        body="ClientUpdate",
        success={200: ("The new registration", "RegistrationResponse")},
    )


def _delete() -> Schema:
    return _operation(
        "registrationDelete", "Delete a registration", success={204: ("Deleted", None)}
    )


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


def _operation(
    operation_id: str,
    summary: str,
    *,
    success: Mapping[int, tuple[str, str | None]],
    body: str | None = None,
) -> Schema:
    parameters = [
        _parameter("Signature", "header", "draft-cavage signature of the request by the QSealC"),
        _request_id(),
    ]
    operation: Schema = {
        "operationId": operation_id,
        "summary": summary,
        "security": [{"qwac": [], "manageRegistration": ["manageRegistration"]}],
        "parameters": parameters,
        "responses": _responses(success),
    }
    if body is not None:
        parameters.append(_parameter("Digest", "header", "SHA-256=base64 of the body's digest"))
        operation["requestBody"] = {"required": True, "content": _json(body)}
    return operation


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


def _request_id() -> Schema:
    parameter = _parameter("X-Request-ID", "header", "Made by the TPP, echoed in the response")
    parameter["schema"] |= {"minLength": 1, "maxLength": 70, "pattern": "^[!-~]{1,70}$"}
    return parameter


def _security(server_url: str, paths: Paths) -> Schema:
    return {
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
