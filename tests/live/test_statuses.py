"""Every status code of the contract, for every operation that can have it."""

from collections.abc import Callable, Iterator

import pytest

from live.desk import Desk
from live.operations import (
    DELETION,
    ONE_CLIENT,
    OPERATIONS,
    READ,
    REGISTRATION,
    UPDATE,
    Operation,
    check_fields,
    check_refusal,
    name_of,
)
from live.party import REGISTER, Draft, Party, read_reply

UNKNOWN = "0" * 32
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
each_with_body = pytest.mark.parametrize("operation", [REGISTRATION, UPDATE], ids=name_of)
each_without_body = pytest.mark.parametrize("operation", [READ, DELETION], ids=name_of)


@pytest.fixture
def client_id(acme: Party) -> str:
    """A client of Acme."""
    return str(acme.register().json["client_id"])


@each_operation
def test_a_good_request_is_answered_with_the_status_of_the_contract(
    acme: Party, client_id: str, operation: Operation
) -> None:
    request = operation.request(acme, client_id)
    reply = acme.send(request)
    assert reply.status == operation.success
    check_fields(reply, request)
    if reply.status == 204:
        assert reply.body == b""
        assert "content-type" not in reply.fields
    else:
        assert reply.json["client_id"]


# 400


@each_operation
@pytest.mark.parametrize("value", [None, "", "x" * 71, "caf\u00e9", "two words"])
def test_a_request_without_a_legal_request_id_is_unreadable(
    desk: Desk, acme: Party, client_id: str, operation: Operation, value: str | None
) -> None:
    count = desk.count_clients()
    request = acme.signed(operation.unsigned(acme, client_id).set("X-Request-ID", value))
    reply = acme.send(request)
    check_refusal(reply, 400, "invalid_request")
    assert reply.code == ("request_id_malformed" if value else "request_id_missing")
    assert desk.count_clients() == count


@each_with_body
def test_metadata_that_break_rules_are_all_named(
    desk: Desk, acme: Party, client_id: str, operation: Operation
) -> None:
    before = desk.rows("SELECT * FROM clients ORDER BY client_id")
    changes = {"grant_types": ["implicit"], "client_name": None, "jwks_uri": "https://tpp.test/j"}
    request = operation.request(acme, client_id, **changes)
    reply = acme.send(request)
    check_refusal(reply, 400, "invalid_client_metadata", request=request)
    assert {finding["member"] for finding in reply.json["findings"]} == changes.keys()
    assert desk.rows("SELECT * FROM clients ORDER BY client_id") == before


@each_with_body
def test_a_bad_redirect_uri_has_an_error_of_its_own(
    acme: Party, client_id: str, operation: Operation
) -> None:
    request = operation.request(acme, client_id, redirect_uris=["http://tpp.test/cb"])
    check_refusal(acme.send(request), 400, "invalid_redirect_uri", request=request)


@each_with_body
def test_another_media_type_is_unreadable(
    acme: Party, client_id: str, operation: Operation
) -> None:
    request = operation.request(acme, client_id).set("Content-Type", "text/plain")
    check_refusal(acme.send(request), 400, "invalid_request", request=request)


@each_without_body
def test_a_body_where_none_belongs_is_unreadable(
    acme: Party, client_id: str, operation: Operation
) -> None:
    request = operation.request(acme, client_id).set("Content-Length", "2")
    request.body = b"{}"
    check_refusal(acme.send(request), 400, "invalid_request", request=request)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/stet/setting/v1",
        f"{REGISTER}/",
        f"{REGISTER}s",
        f"{REGISTER}/a/b",
        f"{REGISTER}/a%2Fb",
        f"{REGISTER}/a%00",
        REGISTER.upper(),
        "/errors/nothing",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_entry_point_that_is_not_there_is_400_and_never_404(
    acme: Party, method: str, target: str
) -> None:
    draft = acme.draft(method, body={} if method == "POST" else None)
    draft.target = target
    reply = acme.send(acme.signed(draft))
    if reply.status == 405:  # a template that fits, with another method
        assert reply.fields["allow"]
    else:
        check_refusal(reply, 400, "invalid_request", request=draft)


# 401 and 403


@each_operation
def test_a_request_without_a_token_is_asked_for_one(
    acme: Party, client_id: str, operation: Operation
) -> None:
    request = operation.request(acme, client_id).set("Authorization", None)
    reply = acme.send(request)
    check_refusal(reply, 401, "invalid_request", request=request, template=operation.template)
    assert reply.fields["www-authenticate"] == (
        'Bearer realm="psd2-setup", scope="manageRegistration"'
    )


@each_operation
def test_an_unknown_token_is_not_believed(
    acme: Party, client_id: str, operation: Operation
) -> None:
    request = operation.request(acme, client_id).set("Authorization", "Bearer " + "A" * 43)
    reply = acme.send(request)
    check_refusal(reply, 401, "invalid_token", request=request, template=operation.template)
    assert 'error="invalid_token"' in reply.fields["www-authenticate"]


@each_operation
def test_a_wrong_signature_is_not_believed(
    acme: Party, rival: Party, client_id: str, operation: Operation
) -> None:
    request = acme.signed(operation.unsigned(acme, client_id), pair=rival.qsealc)
    reply = acme.send(request)
    check_refusal(reply, 401, "invalid_client", request=request, template=operation.template)
    assert reply.fields["www-authenticate"].startswith('Signature realm="psd2-setup"')


@each_with_body
def test_a_scope_beyond_the_roles_is_not_granted(
    desk: Desk, acme: Party, client_id: str, operation: Operation
) -> None:
    count = desk.count_clients()
    request = operation.request(acme, client_id, scope="aisp cbpii")
    reply = acme.send(request)
    check_refusal(reply, 403, "access_denied", request=request, template=operation.template)
    assert desk.count_clients() == count


@pytest.mark.parametrize("operation", [READ, UPDATE, DELETION], ids=name_of)
def test_a_client_that_is_not_there_is_forbidden(
    acme: Party, client_id: str, operation: Operation
) -> None:
    request = operation.request(acme, UNKNOWN)
    reply = acme.send(request)
    check_refusal(reply, 403, "access_denied", request=request, template=ONE_CLIENT)
    assert reply.code == "client_not_yours"


# 405 and 406


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        *((m, REGISTER, "POST") for m in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")),
        *((m, f"{REGISTER}/{UNKNOWN}", "GET, PUT, DELETE") for m in ("POST", "PATCH", "TRACE")),
        ("GET", "/stet/psd2/oauth/token", "POST"),
    ],
)
def test_a_method_that_is_not_offered_is_refused_with_those_that_are(
    acme: Party, method: str, target: str, allowed: str
) -> None:
    draft = Draft(method, target, [("Host", "localhost"), ("X-Request-ID", "r-1")])
    reply = acme.send(draft)
    assert reply.fields["allow"] == allowed
    if method == "HEAD":
        assert (reply.status, reply.body) == (405, b"")
    else:
        template = target.replace(UNKNOWN, "{client_id}")
        check_refusal(reply, 405, "invalid_request", request=draft, template=template)


@each_operation
@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/jose"])
def test_a_client_that_accepts_no_json_is_refused_before_anything_happens(
    desk: Desk, acme: Party, client_id: str, operation: Operation, accept: str
) -> None:
    before = desk.rows("SELECT * FROM clients ORDER BY client_id")
    request = operation.request(acme, client_id).set("Accept", accept)
    reply = acme.send(request)
    check_refusal(reply, 406, "invalid_request", request=request, template=operation.template)
    assert desk.rows("SELECT * FROM clients ORDER BY client_id") == before


# 408


@pytest.fixture(scope="module")
def hasty_desk(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that waits only moments for a request."""
    folder = tmp_path_factory.mktemp("hasty") / "bank"
    with desk.beside(folder, deadlines__body=0.5, deadlines__headers=0.5) as bank:
        yield bank


@each_with_body
def test_a_body_that_never_ends_times_out(
    hasty_desk: Desk, party_of: Callable[..., Party], operation: Operation
) -> None:
    party = party_of(hasty_desk)
    client_id = party.register().json["client_id"]
    request = operation.request(party, client_id)
    with party.connect() as connection:
        connection.sendall(request.to_bytes()[:-1])
        reply = read_reply(connection)
        assert connection.recv(1) == b""
    check_refusal(reply, 408, "invalid_request", request=request, template=operation.template)
    assert hasty_desk.rows("SELECT version FROM clients WHERE client_id = ?", client_id) == [(1,)]


@each_without_body
def test_a_head_that_never_ends_times_out(
    hasty_desk: Desk, party_of: Callable[..., Party], operation: Operation
) -> None:
    party = party_of(hasty_desk)
    request = operation.request(party, UNKNOWN)
    with party.connect() as connection:
        connection.sendall(request.to_bytes()[:-2])
        reply = read_reply(connection)
    check_refusal(reply, 408, "invalid_request")


# 429


@pytest.fixture(scope="module")
def limited(
    desk: Desk, party_of: Callable[..., Party], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Party, str]]:
    """A party that has used up its requests of this minute, and its client."""
    folder = tmp_path_factory.mktemp("limited") / "bank"
    with desk.beside(folder, "--limits", "production", limits__requests_per_minute=3) as bank:
        party = party_of(bank)
        client_id = party.register().json["client_id"]
        assert party.get(client_id).status == 200
        yield party, client_id


@each_operation
def test_too_many_requests_are_refused_until_later(
    limited: tuple[Party, str], operation: Operation
) -> None:
    party, client_id = limited
    request = operation.request(party, client_id)
    replies = (party.send(request) for _ in range(10))  # a slow bank may forgive some
    reply = next(reply for reply in replies if reply.status == 429)
    check_refusal(reply, 429, "too_many_requests", request=request, template=operation.template)


# 501


@pytest.fixture(scope="module")
def registrar(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank where one can register, and nothing else."""
    folder = tmp_path_factory.mktemp("registrar") / "bank"
    with desk.beside(folder, registration__operations="register") as bank:
        yield bank


@pytest.fixture(scope="module")
def closed_desk(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank where nobody registers any more."""
    folder = tmp_path_factory.mktemp("closed") / "bank"
    with desk.beside(folder, registration__operations="read,update,delete") as bank:
        yield bank


@each_operation
def test_an_operation_that_is_switched_off_is_not_implemented(
    registrar: Desk, closed_desk: Desk, party_of: Callable[..., Party], operation: Operation
) -> None:
    party = party_of(closed_desk if operation is REGISTRATION else registrar)
    request = operation.request(party, UNKNOWN)
    reply = party.send(request)
    check_refusal(reply, 501, "not_implemented", request=request, template=operation.template)


def test_the_operations_that_are_left_still_work(
    registrar: Desk, closed_desk: Desk, party_of: Callable[..., Party]
) -> None:
    assert party_of(registrar).register().status == 201
    assert party_of(closed_desk).get(UNKNOWN).status == 401  # its key was never registered
