"""The description of the API, OpenAPI 3.1, made from the types that answer."""

from collections.abc import Mapping

import msgspec

from enrol.registration.dialect import Credential, Dialect, Operation, Presence
from enrol.server.app import Paths
from enrol.server.openapi_answers import answer_schema
from enrol.server.openapi_authentication import secret_scheme, secret_security, token_form
from enrol.server.openapi_extras import (
    DRY_RUN,
    LIST,
    LIST_PARAMETERS,
    extra_parameters,
    has_dry_run,
)
from enrol.server.openapi_issued_tokens import describe_issued_tokens, gateway_security
from enrol.server.openapi_responses import Successes, json_content, responses
from enrol.server.openapi_schema import Schema
from enrol.server.openapi_schemas import describe_schemas


def describe_api(
    *,
    version: str,
    server_url: str,
    paths: Paths,
    dialect: Dialect,
    listing: bool,
    gateway_methods: tuple[str, ...] = (),
) -> bytes:
    """Return the OpenAPI document of a desk as JSON; `listing` offers the list of clients.

    Without `gateway_methods` nobody may ask about tokens.
    """
    lists = {"get": _list(dialect)} if listing else {}
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
            paths.register: _operations(dialect, Operation.REGISTER) | lists,
            paths.register + "/{clientId}": {
                "parameters": [_parameter("clientId", "path", "The client identifier issued")],
                **_operations(dialect, Operation.READ, Operation.UPDATE, Operation.DELETE),
            },
            paths.token: {"post": _token(paths, dialect)},
            **describe_issued_tokens(paths, gateway_methods),
            paths.certificate_check: {"post": _certificate_check()},
        },
        "components": {
            "schemas": describe_schemas(dialect),
            "securitySchemes": _security(server_url, paths, dialect)
            | gateway_security(gateway_methods),
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


def _token(paths: Paths, dialect: Dialect) -> Schema:
    form = token_form(dialect)
    return {
        "operationId": "tokenPost",
        "summary": f"Get the token that {paths.register} needs",
        "security": [{"qwac": []}, *secret_security(dialect)],
        "parameters": [_parameter("X-Request-ID", "header", "Echoed", required=False)],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": form}},
        },
        "responses": responses({200: ("The token", ("TokenResponse",))}),
    }


def _certificate_check() -> Schema:
    return {
        "operationId": "certificateCheckPost",
        "summary": "Have a QWAC, and a QSealC, examined check by check; nothing is registered",
        "security": [{"qwac": []}],
        "parameters": [_parameter("X-Request-ID", "header", "Echoed", required=False)],
        "requestBody": {"required": False, "content": json_content("CertificateCheck")},
        "responses": responses({200: ("The examination", ("ExaminationReport",))}),
    }


def _list(dialect: Dialect) -> Schema:
    return {
        "operationId": "registrationList",
        "summary": "List the clients of the organisation that asks, by client_id",
        "security": _credentials(Operation.REGISTER, dialect),
        "parameters": [*_signed(dialect), *LIST_PARAMETERS],
        "responses": responses({200: ("A page of the list", (LIST,))}),
    }


def _signed(dialect: Dialect) -> list[Schema]:
    """Return the parameters of every signed request."""
    text = "draft-cavage signature of the request by the QSealC"
    signed = dialect.signature.presence is Presence.REQUIRED
    return [
        _parameter("Signature", "header", text, required=signed),
        _request_id(required=dialect.credentials.request_id is Presence.REQUIRED),
    ]


def _operation(operation: Operation, dialect: Dialect) -> Schema:
    _, operation_id, summary, body, result = _OPERATIONS[operation]
    signed = dialect.signature.presence is Presence.REQUIRED
    parameters = [*_signed(dialect), *extra_parameters(operation)]
    described: Schema = {
        "operationId": operation_id,
        "summary": summary,
        "security": _credentials(operation, dialect),
        "parameters": parameters,
        "responses": responses(_successes(operation, dialect, result), tagged=True),
    }
    if body is not None:
        text = "SHA-256=base64 of the body's digest"
        parameters.append(_parameter("Digest", "header", text, required=signed))
        described["requestBody"] = {"required": True, "content": json_content(body)}
    return described


def _successes(operation: Operation, dialect: Dialect, result: str) -> Successes:
    """Return what an operation is answered with: a registration, or the report of a dry run."""
    status = dialect.answer.of(operation).status
    if operation is Operation.DELETE:
        return {status: (result, ())}
    schemas: tuple[str, ...] = (answer_schema(operation, dialect),)
    if not has_dry_run(operation):
        return {status: (result, schemas)}
    if status == 200:
        return {200: (f"{result}, or what would come of it", (*schemas, DRY_RUN))}
    return {
        200: ("What would come of it; nothing is stored", (DRY_RUN,)),
        status: (result, schemas),
    }


def _credentials(operation: Operation, dialect: Dialect) -> list[Schema]:
    """Return what a call brings: the certificate, and one of the tokens where one is wanted."""
    rules = dialect.credentials
    accepted = rules.register if operation is Operation.REGISTER else rules.manage
    tokens: Mapping[Credential, Schema] = {
        Credential.MANAGE_REGISTRATION: {"manageRegistration": ["manageRegistration"]},
        Credential.REGISTRATION_ACCESS_TOKEN: {"registrationAccessToken": []},
    }
    return [{"qwac": []} | tokens[credential] for credential in accepted] or [{"qwac": []}]


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
    return schemes | secret_scheme(dialect)
