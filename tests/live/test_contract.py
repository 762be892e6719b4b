"""The served description against STET's contract, and the server against its own description."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from live.desk import Desk
from live.operations import OPERATIONS, Operation, name_of
from live.party import Draft, Party, Reply
from vectors import shared

JsonObject = dict[str, Any]

PREFIX = "/stet/setting/v1"
METHODS = ("get", "put", "post", "delete")
DANGLING = {  # references of the contract that lead nowhere, and what they mean
    "#/definitions/RegistrationRequest": "#/definitions/RegistrationRequestResource",
    "#/parameters/RegistrationRecordparameter": "#/parameters/RegistrationRecordParameter",
}
BODIES = {
    "RegistrationRequestResource": "ClientMetadata",
    "RegistrationRecord": "RegistrationResponse",
    "JsonWebKeySet": "JsonWebKeySet",
    "JsonWebKey": "JsonWebKey",
    "ErrorModel": "ProblemBody",
    "ErrorModel_400": "Problem400Body",
}
ADDITIONS = {("header", "Prefer"), ("header", "If-Match")}
DRY_RUN = "#/components/schemas/DryRunReport"
NO_SECRET = "no secret is ever issued: tls_client_auth is the only method of STET"
EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("RegistrationRecord", "client_id_issued_at"): "described as seconds, by RFC 7591 §3.2.1 too",
    ("RegistrationRecord", "client_secret"): NO_SECRET,
    ("RegistrationRecord", "client_secret_expires_at"): NO_SECRET,
}
EXCEPTIONS_REQUIRED: Mapping[tuple[str, str], str] = {
    ("RegistrationRequestResource", "contacts"): "BPCE's clients send `contact` in its place",
}
PLACES = [(PREFIX + "/register", "post")] + [
    (PREFIX + "/register/{clientId}", method) for method in ("get", "put", "delete")
]
each_place = pytest.mark.parametrize(("path", "method"), PLACES)


@pytest.fixture(scope="module")
def contract() -> JsonObject:
    """STET's own description, Swagger 2.0."""
    document = shared("spec", "stet-registration-1.0.5-oas2.json").read_text("utf-8")
    return dict(json.loads(document))


@pytest.fixture(scope="module")
def served(desk: Desk, party_of: Callable[..., Party]) -> JsonObject:
    """The description the server gives of itself."""
    draft = Draft("GET", "/openapi.json", [("Host", "localhost")])
    reply = party_of(desk).exchange(draft.to_bytes())
    assert reply.status == 200
    return dict(reply.json)


def resolve(document: JsonObject, schema: JsonObject) -> JsonObject:
    """Return what a reference leads to."""
    while "$ref" in schema:
        target: Any = document
        reference = str(schema["$ref"])
        for part in DANGLING.get(reference, reference).removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def type_of(document: JsonObject, schema: JsonObject) -> str:
    """Return the JSON type of a value that is not null; of lists with that of their items."""
    schema = resolve(document, schema)
    alternatives = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    assert len(alternatives) == 1
    found = resolve(document, alternatives[0])
    if found["type"] == "array":
        return f"array of {type_of(document, found['items'])}"
    return str(found["type"])


def operation_of(document: JsonObject, path: str, method: str) -> JsonObject:
    """Return an operation with its whole list of parameters."""
    place = document["paths"][path]
    parameters = [*place.get("parameters", ()), *place[method].get("parameters", ())]
    resolved = [resolve(document, each) for each in parameters]
    return {**place[method], "parameters": resolved}


def refs_of(response: JsonObject) -> list[str]:
    """Return which schemas the body of an answer may have."""
    schema = response["content"]["application/json"]["schema"]
    return [str(each["$ref"]) for each in schema.get("anyOf", [schema])]


def refs_in(value: object) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for each in value.values():
                yield from refs_in(each)
        case list():
            for each in value:
                yield from refs_in(each)


# The document itself


def test_the_description_is_openapi_3_1(served: JsonObject) -> None:
    definitions = pytest.importorskip("schemathesis.specs.openapi.definitions")
    assert served["openapi"].startswith("3.1.")
    Draft202012Validator(definitions.OPENAPI_31).validate(served)


def test_every_schema_is_json_schema_and_every_reference_leads_somewhere(
    served: JsonObject,
) -> None:
    for schema in served["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in refs_in(served):
        assert resolve(served, {"$ref": reference})


def test_the_description_can_be_switched_off(
    desk: Desk, party_of: Callable[..., Party], tmp_path: Path
) -> None:
    with desk.beside(tmp_path / "bank", server__openapi="false") as bank:
        reply = party_of(bank).send(Draft("GET", "/openapi.json", [("Host", "localhost")]))
        assert (reply.status, reply.code) == (400, "entry_point_unknown")


# Against the contract


def test_every_entry_point_of_the_contract_is_served(
    contract: JsonObject, served: JsonObject
) -> None:
    places = {
        (PREFIX + path, method)
        for path, item in contract["paths"].items()
        for method in item
        if method in METHODS
    }
    assert places == set(PLACES)
    for path, method in places:
        assert method in served["paths"][path]


@each_place
def test_an_operation_has_the_id_the_parameters_and_the_body_of_the_contract(
    contract: JsonObject, served: JsonObject, path: str, method: str
) -> None:
    theirs = operation_of(contract, path.removeprefix(PREFIX), method)
    ours = operation_of(served, path, method)
    assert ours["operationId"] == theirs["operationId"]
    found = {(each["in"], each["name"]): each for each in ours["parameters"]}
    for each in theirs["parameters"]:
        if each["in"] == "body":
            assert ours["requestBody"]["required"] is True
            continue
        parameter = found.pop((each["in"], each["name"]))
        assert parameter["required"] == each["required"]
        assert parameter["schema"]["type"] == each["type"]
        assert parameter["schema"].get("maxLength") == each.get("maxLength")
    assert found.keys() <= ADDITIONS
    assert not any(each["required"] for each in found.values())
    assert ("requestBody" in ours) == any(each["in"] == "body" for each in theirs["parameters"])


@each_place
def test_an_operation_has_the_statuses_and_header_fields_of_the_contract(
    contract: JsonObject, served: JsonObject, path: str, method: str
) -> None:
    theirs = operation_of(contract, path.removeprefix(PREFIX), method)["responses"]
    ours = served["paths"][path][method]["responses"]
    assert theirs.keys() <= ours.keys() <= theirs.keys() | {"200"}
    for status in ours.keys() - theirs.keys():
        assert refs_of(ours[status]) == [DRY_RUN]
    for status, unresolved in theirs.items():
        response = resolve(contract, unresolved)
        assert response["headers"].keys() <= ours[status]["headers"].keys()
        if "schema" not in response:
            assert "content" not in ours[status]
            continue
        name = response["schema"]["$ref"].rpartition("/")[2]
        first, *others = refs_of(ours[status])
        assert first == f"#/components/schemas/{BODIES[name]}"
        assert others in ([], [DRY_RUN])


@pytest.mark.parametrize("name", BODIES)
def test_a_body_has_the_members_of_the_contract_with_their_types(
    contract: JsonObject, served: JsonObject, name: str
) -> None:
    ours = served["components"]["schemas"][BODIES[name]]["properties"]
    for member, schema in contract["definitions"][name]["properties"].items():
        same = member in ours and type_of(served, ours[member]) == type_of(contract, schema)
        assert same != ((name, member) in EXCEPTIONS), member


@pytest.mark.parametrize("name", BODIES)
def test_a_body_requires_what_the_contract_requires(
    contract: JsonObject, served: JsonObject, name: str
) -> None:
    ours = served["components"]["schemas"][BODIES[name]]["required"]
    for member in contract["definitions"][name].get("required", ()):
        assert (member in ours) != ((name, member) in EXCEPTIONS_REQUIRED), member


@pytest.mark.parametrize("name", ["ErrorModel", "ErrorModel_400"])
def test_the_texts_of_an_error_are_as_short_as_the_contract_says(
    contract: JsonObject, served: JsonObject, name: str
) -> None:
    ours = served["components"]["schemas"][BODIES[name]]["properties"]
    for member, schema in contract["definitions"][name]["properties"].items():
        if "maxLength" in schema:
            assert ours[member]["maxLength"] == schema["maxLength"]
        assert set(schema.get("enum", ())) <= set(ours[member].get("enum", ()))


def test_whoever_keeps_to_the_contract_keeps_to_the_description(
    contract: JsonObject, served: JsonObject, acme: Party
) -> None:
    theirs = contract["definitions"]["RegistrationRequestResource"]["properties"]
    ours = served["components"]["schemas"]["ClientMetadata"]["properties"]
    for member in ("token_endpoint_auth_method", "grant_types", "response_types"):
        offered = resolve(served, ours[member].get("anyOf", [ours[member]])[0])
        allowed = resolve(contract, theirs[member])
        values = offered.get("enum") or offered["items"]["enum"]
        assert set(values) <= set(allowed.get("enum") or allowed["items"]["enum"])
    body_validator(served, "ClientMetadata").validate(acme.metadata())


# The server against its description


def body_validator(served: JsonObject, name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": served["components"]}
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def check_described(served: JsonObject, operation: Operation, reply: Reply) -> None:
    """Check that the description of an operation foresees an answer."""
    path = operation.template.replace("{client_id}", "{clientId}")
    described = served["paths"][path][operation.method.lower()]["responses"][str(reply.status)]
    always = {name.lower() for name in described["headers"]} - {"warning"}
    assert always <= reply.fields.keys()
    if "content" in described:
        name = refs_of(described)[0].rpartition("/")[2]
        body_validator(served, name).validate(reply.json)
    else:
        assert reply.body == b""


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_answers_are_as_described(served: JsonObject, acme: Party, operation: Operation) -> None:
    full = acme.metadata(client_uri="https://tpp.test/", contacts=["ops@tpp.test"], logo="QUFB")
    client_id = acme.register(full).json["client_id"]

    def send(change: Callable[[Draft], object]) -> Reply:
        draft = operation.unsigned(acme, client_id)
        change(draft)
        return acme.send(acme.signed(draft))

    changes: dict[int, Callable[[Draft], object]] = {
        400: lambda draft: draft.set("X-Request-ID", None),
        401: lambda draft: draft.set("Authorization", None),
        406: lambda draft: draft.set("Accept", "text/html"),
    }
    if operation.method != "POST":
        changes[403] = lambda draft: setattr(draft, "target", draft.target.replace(client_id, "0"))
    changes[operation.success] = lambda draft: None
    for status, change in changes.items():
        reply = send(change)
        assert reply.status == status
        check_described(served, operation, reply)
    if operation.has_body:
        draft = operation.request(acme, client_id, grant_types=[], client_name=None)
        check_described(served, operation, acme.send(draft))


def test_a_token_is_as_described(served: JsonObject, acme: Party) -> None:
    reply = acme.send(acme.token_draft())
    body_validator(served, "TokenResponse").validate(reply.json)
    reply = acme.send(acme.token_draft(scope="openid"))
    assert reply.status == 400
    body_validator(served, "Problem400Body").validate(reply.json)


@pytest.mark.parametrize("changes", [{}, {"scope": "unknown", "x": 1}], ids=["good", "bad"])
@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.has_body], ids=name_of)
def test_a_dry_run_is_as_described(
    served: JsonObject, acme: Party, operation: Operation, changes: JsonObject
) -> None:
    client_id = acme.register().json["client_id"]
    draft = operation.unsigned(acme, client_id, **changes)
    reply = acme.send(acme.signed(draft.set("Prefer", "handling=validate-only")))
    assert (reply.status, reply.json["accepted"]) == (200, not changes)
    body_validator(served, "DryRunReport").validate(reply.json)
    path = operation.template.replace("{client_id}", "{clientId}")
    described = served["paths"][path][operation.method.lower()]["responses"]["200"]
    assert DRY_RUN in refs_of(described)
