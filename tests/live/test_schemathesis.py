"""Requests that schemathesis makes from the served description; each answer must fit it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from live.desk import Desk
from live.operations import DELETION, OPERATIONS, REGISTRATION, Operation, name_of
from live.party import Draft, Party

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MEMBERS = ("client_name", "client_uri", "logo", "software_id", "scope", "grant_types", "contacts")
IDS = {
    "register": "registrationPost",
    "read": "registrationGet",
    "update": "registrationPut",
    "delete": "registrationDelete",
}
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
each_mode = pytest.mark.parametrize(
    "mode", list(GenerationMode), ids=lambda mode: mode.name.lower()
)


class Signer(requests.auth.AuthBase):
    """Adds the party's token, Digest and Signature to whatever was generated."""

    def __init__(self, party: Party) -> None:
        self._party = party

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        assert isinstance(body, bytes | str)
        draft = Draft(
            str(request.method),
            request.path_url,
            [(str(name), _text(value)) for name, value in request.headers.items()],
            body.encode() if isinstance(body, str) else body,
        )
        self._party.signed(draft)
        request.headers["Authorization"] = f"Bearer {self._party.token}"
        for name in ("Digest", "Signature"):
            if draft.get(name) is not None:
                request.headers[name] = str(draft.get(name))
        return request


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.fixture(scope="module")
def party(desk: Desk, party_of: Callable[..., Party]) -> Party:
    """The TPP that sends what is generated."""
    return party_of(desk)


@pytest.fixture(scope="module")
def session(party: Party) -> Iterator[requests.Session]:
    """Connections with that party's QWAC."""
    with requests.Session() as opened:
        assert party.qwac is not None
        opened.cert = (str(party.qwac.certificate_file), str(party.qwac.key_file))
        opened.verify = str(party.ca)
        yield opened


@pytest.fixture(scope="module")
def api(desk: Desk, session: requests.Session) -> Any:
    """The description as schemathesis reads it."""
    url = f"https://127.0.0.1:{desk.port}/openapi.json"
    return schemathesis.openapi.from_url(url, verify=session.verify, cert=session.cert)


@each_operation
@each_mode
def test_whatever_is_sent_unsigned_is_answered_as_described(
    api: Any, session: requests.Session, operation: Operation, mode: GenerationMode
) -> None:
    described = api.find_operation_by_id(IDS[operation.name])

    @EXAMPLES
    @given(case=described.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        reply = case.call_and_validate(session=session, verify=session.verify, checks=CHECKS)
        assert 400 <= reply.status_code < 500

    check()


@each_operation
@each_mode
def test_whatever_a_known_party_sends_is_answered_as_described(
    api: Any, session: requests.Session, party: Party, operation: Operation, mode: GenerationMode
) -> None:
    described = api.find_operation_by_id(IDS[operation.name])
    seen: set[int] = set()
    clients: list[str] = []

    @EXAMPLES
    @given(case=described.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        reply = case.call_and_validate(
            session=session, verify=session.verify, checks=CHECKS, auth=Signer(party)
        )
        seen.add(reply.status_code)

    @EXAMPLES
    @given(
        case=described.as_strategy(generation_mode=mode),
        kept=st.frozensets(st.sampled_from(MEMBERS), max_size=2),
    )
    def check_nearly_right(case: Any, kept: frozenset[str]) -> None:
        if operation is not REGISTRATION:
            if not clients:
                clients.append(party.register().json["client_id"])
            case.path_parameters = {"clientId": clients[-1]}
        if operation.has_body and isinstance(case.body, dict):
            generated = {member: case.body[member] for member in kept if member in case.body}
            case.body = party.metadata(**generated)
            case.media_type = "application/json"
            if operation is not REGISTRATION:
                case.body["client_id"] = clients[-1]
        reply = case.call_and_validate(
            session=session, verify=session.verify, checks=CHECKS, auth=Signer(party)
        )
        seen.add(reply.status_code)
        if operation is DELETION and reply.status_code == operation.success:
            clients.clear()

    check()
    check_nearly_right()
    if mode is GenerationMode.POSITIVE:
        assert operation.success in seen
