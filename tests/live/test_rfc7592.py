"""RFC 7592 sentence by sentence, in the dialect that has its rules."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from live.desk import Desk
from live.party import Draft, Party, Reply

PartyOf = Callable[..., Party]
ISSUED = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)


class Client:
    """A registration of one's own, managed with its token as RFC 7592 has it."""

    def __init__(self, party: Party, **members: Any) -> None:
        self.party = party
        self.sent = {
            "redirect_uris": ["https://tpp.test/cb"],
            "client_name": "Acme",
            "client_uri": "https://tpp.test/",
            "software_id": "acme",
            "scope": "aisp",
            "token_endpoint_auth_method": "client_secret_basic",
        } | members
        self.created = party.send(party.draft("POST", body=self.sent))
        assert self.created.status == 201, self.created
        self.answered: dict[str, Any] = self.created.json
        self.id: str = self.answered["client_id"]
        self.token: str = self.answered["registration_access_token"]

    def draft(self, method: str, body: dict[str, Any] | None = None, **others: str) -> Draft:
        draft = self.party.draft(method, others.get("of", self.id), body)
        draft.set("X-Request-ID", None)
        return draft.set("Authorization", f"Bearer {others.get('token', self.token)}")

    def ask(self, method: str, body: dict[str, Any] | None = None, **others: str) -> Reply:
        return self.party.send(self.draft(method, body, **others))

    def put(self, **changes: Any) -> Reply:
        """Send all that was registered back, but what `changes` says; None takes a member away."""
        kept = {n: v for n, v in self.answered.items() if n not in (*ISSUED, "client_secret")}
        body = {name: value for name, value in (kept | changes).items() if value is not None}
        return self.ask("PUT", body)

    def grant(self) -> Reply:
        """Ask for an access token by the secret."""
        secret = self.answered["client_secret"]
        draft = self.party.token_draft(client_id=self.id)
        return self.party.send(draft.set("Authorization", _basic(self.id, secret)))


def _basic(client_id: str, secret: str) -> str:
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


@pytest.fixture(scope="module")
def bank(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("rfc7592") / "sandbox"
    bank = desk.beside(folder, "--dialect", "rfc7591")
    bank.start()
    yield bank
    assert bank.stop() == 0


@pytest.fixture
def client(bank: Desk, party_of: PartyOf) -> Iterator[Client]:
    party = party_of(bank)
    yield Client(party)
    party.close()


# §2: the client configuration endpoint


def the_endpoint_is_managed_by_the_token_alone(client: Client) -> None:
    assert client.ask("GET").status == 200
    without = client.party.send(client.draft("GET").set("Authorization", None))
    assert (without.status, without.code) == (401, "token_missing")
    assert without.fields["www-authenticate"].startswith("Bearer")


def the_token_is_tied_to_its_client(client: Client) -> None:
    other = Client(client.party)
    for method, body in (("GET", None), ("PUT", client.sent), ("DELETE", None)):
        reply = client.ask(method, body, of=other.id)
        assert (reply.status, reply.json["error"]) == (401, "invalid_token")
    assert other.ask("GET").json == other.answered


# §2.1: read


def a_read_answers_200_and_all_that_is_registered(client: Client) -> None:
    read = client.ask("GET")
    assert (read.status, read.json) == (200, client.answered)
    assert read.fields["content-type"].startswith("application/json")
    assert read.fields["cache-control"] == "no-store"
    assert read.fields["pragma"] == "no-cache"


def a_read_of_no_client_is_401(client: Client) -> None:
    assert client.ask("DELETE").status == 204
    for _ in range(2):
        reply = client.ask("GET")
        assert (reply.status, reply.code) == (401, "token_unknown")


def a_read_with_no_token_of_the_client_is_401(client: Client) -> None:
    assert client.ask("GET", token="A" * 43).status == 401


# §2.2: update


def an_update_replaces_and_does_not_augment(client: Client) -> None:
    reply = client.put(client_uri=None, software_id=None, scope=None)
    assert reply.status == 200
    assert not {"client_uri", "software_id"} & reply.json.keys()
    assert reply.json["scope"] == "aisp pisp"  # the default, no more what was registered
    assert client.ask("GET").json == reply.json


def an_omitted_method_is_the_default_again(client: Client) -> None:
    reply = client.put(token_endpoint_auth_method=None)
    assert reply.json["token_endpoint_auth_method"] == "tls_client_auth"
    assert "client_secret" not in reply.json


def a_null_is_an_omitted_member(client: Client) -> None:
    kept = {n: v for n, v in client.answered.items() if n not in (*ISSUED, "client_secret")}
    reply = client.ask("PUT", kept | {"client_uri": None, "software_id": None})
    assert reply.status == 200
    assert not {"client_uri", "software_id"} & reply.json.keys()


def an_update_carries_the_client_id(client: Client) -> None:
    for given in (None, "another", client.id.upper() + "x"):
        reply = client.put(client_id=given)
        assert (reply.status, reply.code) == (400, "client_id_differs")


def an_update_carries_none_of_the_issued_members(client: Client) -> None:
    for member in ISSUED:
        reply = client.put(**{member: client.answered[member]})
        assert (reply.status, reply.json["error"]) == (400, "invalid_client_metadata")
        assert [(each["code"], each["member"]) for each in reply.json["findings"]] == [
            ("member_refused", member)
        ]
    assert client.ask("GET").json == client.answered


def a_secret_in_an_update_is_the_clients_own(client: Client) -> None:
    assert client.put(client_secret=client.answered["client_secret"]).status == 200
    own = client.answered["client_secret"]
    for given in ("chosen", "", own[:-1], "******", own + " ", 7):
        reply = client.put(client_secret=given)
        assert (reply.status, reply.code) == (400, "client_secret_chosen")
    kept = {n: v for n, v in client.answered.items() if n not in ISSUED}
    assert client.ask("PUT", kept | {"client_secret": None}).code == "client_secret_chosen"
    assert client.grant().status == 200


def a_client_without_a_secret_brings_none(client: Client) -> None:
    other = Client(client.party, token_endpoint_auth_method="tls_client_auth")
    reply = other.put(client_secret=client.answered["client_secret"])
    assert (reply.status, reply.code) == (400, "client_secret_chosen")


def an_update_answers_200_with_what_is_registered_now(client: Client) -> None:
    reply = client.put(client_name="Other", grant_types=["authorization_code", "refresh_token"])
    assert reply.status == 200
    assert reply.json["client_name"] == "Other"
    assert reply.json["client_id"] == client.id
    assert reply.json["client_secret"] == client.answered["client_secret"]
    assert client.ask("GET").json == reply.json


def what_the_server_put_in_is_answered(client: Client) -> None:
    reply = client.put(grant_types=None, response_types=None, token_endpoint_auth_method=None)
    assert reply.json["grant_types"] == ["authorization_code"]
    assert reply.json["response_types"] == ["code"]
    assert reply.json["provider_legal_id"] == client.party.organization
    assert reply.json["tls_client_auth_subject_dn"]


def a_bad_update_is_a_400_and_changes_nothing(client: Client) -> None:
    for change, error in (
        ({"redirect_uris": ["http://tpp.test/cb"]}, "invalid_redirect_uri"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
    ):
        reply = client.put(**change)
        assert (reply.status, reply.json["error"]) == (400, error)
    assert client.ask("GET").json == client.answered


def an_unknown_member_is_ignored(client: Client) -> None:
    reply = client.put(frontchannel_logout_uri="https://tpp.test/out")
    assert reply.status == 200
    assert "frontchannel_logout_uri" not in reply.json


def an_update_of_no_client_is_401(client: Client) -> None:
    assert client.ask("DELETE").status == 204
    assert client.put().status == 401


# §2.3: delete


def a_deletion_answers_204_without_content(client: Client) -> None:
    reply = client.ask("DELETE")
    assert (reply.status, reply.body) == (204, b"")
    assert (reply.fields["cache-control"], reply.fields["pragma"]) == ("no-store", "no-cache")


def a_deletion_ends_identifier_secret_and_tokens(client: Client) -> None:
    access = client.grant().json["access_token"]
    assert client.party.send(client.draft("GET", token=access)).status == 200
    assert client.ask("DELETE").status == 204
    refused = client.grant()
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    assert client.ask("GET", token=access).status == 401
    assert client.ask("GET").status == 401


def a_deletion_of_no_client_is_401(client: Client) -> None:
    assert [client.ask("DELETE").status for _ in range(2)] == [204, 401]


# §3: the answer


def the_answer_names_where_and_by_what_it_is_managed(client: Client) -> None:
    for reply in (client.created, client.ask("GET"), client.put()):
        assert reply.json["registration_client_uri"].startswith("https://")
        assert reply.json["registration_client_uri"].endswith(f"/{client.id}")
        assert reply.json["registration_access_token"]


def a_new_token_in_an_answer_takes_the_place_of_the_old(client: Client) -> None:
    new = client.put().json["registration_access_token"]
    assert new != client.token
    assert client.ask("GET", token=new).status == 200
    assert client.ask("GET").status == 401


SENTENCES: tuple[tuple[str, str, Callable[[Client], None]], ...] = (
    ("2", "protected by the registration access token", the_endpoint_is_managed_by_the_token_alone),
    ("2", "the token is associated with the client", the_token_is_tied_to_its_client),
    ("2.1", "200, JSON, the client information", a_read_answers_200_and_all_that_is_registered),
    (
        "2.1",
        "no such client: 401, token revoked",
        a_read_of_no_client_is_401,
    ),
    ("2.1", "no good token: 401", a_read_with_no_token_of_the_client_is_401),
    ("2.2", "replaces, not augments", an_update_replaces_and_does_not_augment),
    ("2.2", "omitted: the default", an_omitted_method_is_the_default_again),
    ("2.2", "omitted is null", a_null_is_an_omitted_member),
    ("2.2", "MUST include client_id, the same", an_update_carries_the_client_id),
    ("2.2", "MUST NOT include the four", an_update_carries_none_of_the_issued_members),
    ("2.2", "client_secret MUST match", a_secret_in_an_update_is_the_clients_own),
    ("2.2", "MUST NOT overwrite a secret", a_client_without_a_secret_brings_none),
    ("2.2", "200, the client information", an_update_answers_200_with_what_is_registered_now),
    ("2.2", "MAY replace values, and MUST say so", what_the_server_put_in_is_answered),
    (
        "2.2",
        "invalid values: 400",
        a_bad_update_is_a_400_and_changes_nothing,
    ),
    ("2.2", "MUST ignore what it does not know", an_unknown_member_is_ignored),
    ("2.2", "no such client: 401", an_update_of_no_client_is_401),
    ("2.3", "204", a_deletion_answers_204_without_content),
    ("2.3", "invalidates all", a_deletion_ends_identifier_secret_and_tokens),
    ("2.3", "no such client: 401", a_deletion_of_no_client_is_401),
    ("3", "URI and token REQUIRED", the_answer_names_where_and_by_what_it_is_managed),
    ("3", "a new token replaces the old", a_new_token_in_an_answer_takes_the_place_of_the_old),
)


@pytest.mark.parametrize(
    "check", [row[2] for row in SENTENCES], ids=[f"{row[0]}: {row[1]}" for row in SENTENCES]
)
def test_section(client: Client, check: Callable[[Client], None]) -> None:
    check(client)


def test_section_2_3_a_method_that_is_not_supported_is_405(
    desk: Desk, party_of: PartyOf, tmp_path: Any
) -> None:
    offered = "register,read,update"
    bank = desk.beside(
        tmp_path / "sandbox", "--dialect", "rfc7591", registration__operations=offered
    )
    with bank:
        party = party_of(bank)
        client = Client(party)
        reply = client.ask("DELETE")
        assert (reply.status, reply.fields["allow"]) == (405, "GET, PUT")
        assert client.ask("GET").status == 200
        party.close()


@pytest.mark.parametrize("member", ISSUED)
def test_section_2_2_holds_in_stet(acme: Party, member: str) -> None:
    client = acme.register().json
    given = client.get(member, 0)
    reply = acme.put(
        client["client_id"], acme.metadata(client_id=client["client_id"], **{member: given})
    )
    assert (reply.status, reply.code) == (400, "member_refused")
