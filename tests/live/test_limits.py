"""Limits of size, number and rate, each of them a setting."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from live.crowd import crowded
from live.desk import Desk
from live.operations import REGISTRATION, check_refusal
from live.party import REGISTER, Draft, Pair, Party, Reply

UNKNOWN = "0" * 32
BODY_BYTES = 6000
HEADER_BYTES = 3000
HEADER_FIELDS = 12
REQUEST_LINE_BYTES = 300
CONNECTIONS = 6
IN_FLIGHT = 2


@pytest.fixture(scope="module")
def small(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that takes little."""
    folder = tmp_path_factory.mktemp("small") / "bank"
    with desk.beside(
        folder,
        limits__body_bytes=BODY_BYTES,
        limits__header_bytes=HEADER_BYTES,
        limits__header_fields=HEADER_FIELDS,
        limits__request_line_bytes=REQUEST_LINE_BYTES,
        limits__connections=CONNECTIONS,
        limits__in_flight=IN_FLIGHT,
    ) as bank:
        yield bank


@pytest.fixture
def party(small: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    """A TPP of that bank."""
    made = party_of(small)
    yield made
    made.close()


# Sizes


def padded(party: Party, size: int) -> bytes:
    """Return acceptable metadata of exactly so many bytes."""
    body = json.dumps(party.metadata(), separators=(",", ":")).encode()
    return body + b" " * (size - len(body))


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(small: Desk, party: Party) -> None:
    assert party.send(party.post(padded(party, BODY_BYTES))).status == 201
    count = small.count_clients()
    request = party.post(padded(party, BODY_BYTES + 1))
    reply = party.send(request)
    check_refusal(reply, 400, "invalid_request", request=request)
    assert (reply.code, reply.fields["connection"]) == ("body_too_large", "close")
    assert small.count_clients() == count


def test_a_body_in_chunks_is_limited_as_well(small: Desk, party: Party) -> None:
    count = small.count_clients()
    body = padded(party, BODY_BYTES + 1)
    request = party.post(body).set("Content-Length", None).set("Transfer-Encoding", "chunked")
    request.body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    reply = party.send(request)
    check_refusal(reply, 400, "invalid_request", request=request)
    assert reply.code == "body_too_large"
    assert small.count_clients() == count


@pytest.mark.parametrize(
    "request_",
    [
        Draft("GET", f"{REGISTER}/{'a' * REQUEST_LINE_BYTES}", [("Host", "localhost")]),
        Draft("GET", REGISTER, [("Host", "localhost"), ("X-Long", "a" * HEADER_BYTES)]),
        Draft("GET", REGISTER, [("Host", "localhost"), *[("X-More", "a")] * HEADER_FIELDS]),
    ],
    ids=["request line", "header bytes", "header fields"],
)
def test_a_head_that_is_too_large_is_unreadable(party: Party, request_: Draft) -> None:
    reply = party.exchange(request_.to_bytes())
    check_refusal(reply, 400, "invalid_request")
    assert (reply.code, reply.fields["connection"]) == ("headers_too_large", "close")


def nested(levels: int) -> Any:
    """Return lists in lists."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("fitting", "too_much", "code"),
    [
        ({"x": nested(15)}, {"x": nested(16)}, "json_too_deep"),
        (
            {f"x{n}": 0 for n in range(80)},
            {f"x{n}": 0 for n in range(100)},
            "json_too_many_members",
        ),
        (
            {"redirect_uris": [f"https://tpp.test/{n}" for n in range(20)]},
            {"redirect_uris": [f"https://tpp.test/{n}" for n in range(21)]},
            "redirect_uris_count",
        ),
        (
            {"redirect_uris": ["https://tpp.test/".ljust(2000, "a")]},
            {"redirect_uris": ["https://tpp.test/".ljust(2001, "a")]},
            "redirect_uri_length",
        ),
        ({"client_name": "a" * 140}, {"client_name": "a" * 141}, "text_not_plain"),
        (
            {"contacts": ["ops@tpp.test"] * 10},
            {"contacts": ["ops@tpp.test"] * 11},
            "contact_malformed",
        ),
    ],
    ids=["depth", "members", "redirect URIs", "URI length", "name length", "contacts"],
)
def test_metadata_may_be_as_large_as_the_limit_and_no_larger(
    desk: Desk, acme: Party, fitting: dict[str, Any], too_much: dict[str, Any], code: str
) -> None:
    assert acme.register(acme.metadata(**fitting)).status == 201
    count = desk.count_clients()
    reply = acme.register(acme.metadata(**too_much))
    assert reply.status == 400
    assert code in {finding["code"] for finding in reply.json.get("findings", [])} | {reply.code}
    assert desk.count_clients() == count


# Numbers


def test_connections_beyond_the_limit_are_closed(party: Party) -> None:
    with ExitStack() as opened:
        for _ in range(CONNECTIONS):
            opened.enter_context(party.connect())
        with pytest.raises((ssl.SSLError, OSError)):
            party.connect()
    assert until_answered(party, Draft("GET", "/health", [("Host", "localhost")])) == 200


def test_requests_beyond_those_in_progress_are_put_off(small: Desk, party: Party) -> None:
    count = small.count_clients()
    request = party.post()
    with crowded(small, party, IN_FLIGHT) as waiting:
        reply = party.send(request)
        check_refusal(reply, 503, "temporarily_unavailable", request=request)
        assert reply.code == "overloaded"
    assert [each.result().status for each in waiting] == [201] * IN_FLIGHT
    assert party.send(request).status == 201
    assert small.count_clients() == count + IN_FLIGHT + 1


def until_answered(party: Party, draft: Draft) -> int:
    """Return the status once the bank has noticed that connections have ended."""
    while True:
        try:
            return party.exchange(draft.to_bytes()).status
        except OSError:
            continue


# Rates


def count_until_refused(send: Callable[[], Reply], *, status: int) -> int:
    """Return how many requests were answered with `status` before one was one too many.

    A bank that is slow today forgives some, since it counts by the minute.
    """
    for count in range(40):
        reply = send()
        if reply.status == 429:
            assert reply.code == "rate_exceeded"
            assert int(reply.fields["retry-after"]) >= 1
            return count
        assert reply.status == status
    pytest.fail("nothing was refused")


@pytest.fixture(scope="module")
def counting(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank with the limits of production, smaller."""
    folder = tmp_path_factory.mktemp("counting") / "bank"
    with desk.beside(
        folder,
        *("--limits", "production"),
        limits__registrations_per_minute=4,
        limits__clients_per_organization=2,
        limits__requests_per_minute=12,
        limits__failures_per_minute=3,
    ) as bank:
        yield bank


def with_another_qwac(party: Party, new_pair: Callable[..., Pair]) -> Party:
    """Return the same organisation with a second certificate for TLS."""
    qwac = new_pair("qwac", party.organization, name=f"second-qwac-{party.organization}")
    return Party(party.port, party.ca, party.organization, qwac, party.qsealc)


def test_an_organisation_has_so_many_clients_and_registers_so_often(
    counting: Desk, party_of: Callable[..., Party], new_pair: Callable[..., Pair]
) -> None:
    party = party_of(counting)
    first, second = party.register(), party.register()
    assert (first.status, second.status) == (201, 201)
    request = party.post()
    reply = party.send(request)
    check_refusal(reply, 403, "access_denied", request=request, template=REGISTRATION.template)
    assert reply.code == "quota_reached"
    assert party.delete(first.json["client_id"]).status == 204
    assert party.send(request).status == 201

    for each in (party, with_another_qwac(party, new_pair)):  # the rate comes before the quota
        assert count_until_refused(each.register, status=403) <= 1
        each.close()
    assert party_of(counting, "PSDFR-ACPR-22222").register().status == 201
    assert counting.count_clients() == 3


def test_a_certificate_asks_so_often(
    counting: Desk, party_of: Callable[..., Party], new_pair: Callable[..., Pair]
) -> None:
    party = party_of(counting, "PSDFR-ACPR-33333")
    assert party.register().status == 201  # the second request: the first was for the token
    assert count_until_refused(lambda: party.get(UNKNOWN), status=403) >= 10
    assert count_until_refused(lambda: party.send(party.token_draft()), status=200) <= 1
    other = with_another_qwac(party, new_pair)
    assert other.get(UNKNOWN).status == 403
    other.close()


def test_an_address_fails_so_often(counting: Desk, party_of: Callable[..., Party]) -> None:
    party = party_of(counting, "PSDFR-ACPR-44444")
    good = party.post()
    party.close()
    party.address = "127.0.0.2"
    bad = party.post().set("Authorization", "Bearer " + "A" * 43)
    assert count_until_refused(lambda: party.send(bad), status=401) >= 3
    assert party.send(good).status == 201
    party.close()
    party.address = "127.0.0.3"
    assert party.send(bad).status == 401


def test_per_ip_rate_limit_punishes_shared_egress(
    counting: Desk, party_of: Callable[..., Party]
) -> None:
    """Peers count by address; here whoever shows a certificate is counted by that."""
    busy = party_of(counting, "PSDFR-ACPR-33333")
    neighbour = party_of(counting, "PSDFR-ACPR-44444")
    assert neighbour.address == busy.address
    count_until_refused(lambda: busy.send(busy.token_draft()), status=200)
    assert neighbour.send(neighbour.token_draft()).status == 200
