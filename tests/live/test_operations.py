"""What operators ask a running bank: metrics, and whether it lives and may take requests."""

import json
import re
import signal
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from live.desk import Desk
from live.party import Draft, Party

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="([^"]*)"')
CHECKS = {"draining", "storage", "trust", "revocation"}


class Operator:
    """Whoever may reach the listener for operations."""

    def __init__(self, bank: Desk) -> None:
        lines = map(json.loads, filter(lambda line: line.startswith("{"), bank.log_lines))
        (self.port,) = (line["port"] for line in lines if line["event"] == "operations_listening")

    def ask(self, path: str, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and fields of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return response.status, response.read(), fields
        finally:
            connection.close()

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of the readiness."""
        status, body, _ = self.ask("/health/ready")
        return status, json.loads(body)

    def metrics(self) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
        """Return every sample, by name and labels."""
        samples: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
        for line in self.ask("/metrics")[1].decode().splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()  # type: ignore[union-attr]
                key = frozenset(LABEL.findall(labels or ""))
                samples.setdefault(name, {})[key] = float(value)
        return samples

    def sample(self, name: str, **labels: str) -> float:
        """Return one sample; 0 where nothing was counted."""
        return self.metrics().get(name, {}).get(frozenset(labels.items()), 0)


@pytest.fixture(scope="module")
def watched(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that operators watch."""
    with desk.beside(tmp_path_factory.mktemp("watched") / "bank", operations__port=0) as bank:
        yield bank


@pytest.fixture
def operator(watched: Desk) -> Operator:
    """The operator of that bank."""
    return Operator(watched)


@pytest.fixture
def party(watched: Desk, party_of: Any) -> Iterator[Party]:
    """A TPP of that bank."""
    made = party_of(watched)
    yield made
    made.close()


def test_a_working_bank_lives_and_is_ready_and_says_why(operator: Operator) -> None:
    assert operator.ask("/health/live")[0] == 200
    status, told = operator.readiness()
    assert status == 200
    assert told["ready"] is True
    assert told["checks"].keys() == CHECKS
    assert all(check["ok"] and check["why"].endswith(".") for check in told["checks"].values())


def test_the_life_of_a_registration_is_counted(operator: Operator, party: Party) -> None:
    template = "/stet/setting/v1/register"
    before = operator.metrics()["enrol_commit_seconds_count"][frozenset()]
    client_id = party.register().json["client_id"]
    assert party.put(client_id, party.metadata(client_id=client_id)).status == 200
    assert party.delete(client_id).status == 204
    for change in ("registered", "updated", "deleted"):
        assert operator.sample("enrol_changes_total", change=change) == 1
    assert operator.sample("enrol_changes_total", change="token_issued") >= 1
    where = {"entry_point": template, "method": "POST"}
    assert operator.sample("enrol_requests_total", **where, status="201") == 1
    assert operator.sample("enrol_request_seconds_count", **where) == 1
    assert operator.sample("enrol_commit_seconds_count") >= before + 4
    assert operator.sample("enrol_connections") >= 1


def test_a_repeated_request_is_no_further_change(operator: Operator, party: Party) -> None:
    before = operator.sample("enrol_changes_total", change="registered")
    draft = party.post()
    assert [party.send(draft).status for _ in range(3)] == [201] * 3
    assert operator.sample("enrol_changes_total", change="registered") == before + 1


def test_refusals_are_counted_by_their_code(operator: Operator, party: Party) -> None:
    def refused(code: str) -> float:
        return operator.sample("enrol_refusals_total", code=code)

    tokenless, unreadable = refused("token_missing"), refused("http_malformed")
    assert party.send(party.post().set("Authorization", None)).status == 401
    assert party.exchange(b"nonsense\r\n\r\n").status == 400
    assert party.send(Draft("GET", "/nowhere", [("Host", "localhost")])).status == 400
    assert (refused("token_missing"), refused("http_malformed")) == (tokenless + 1, unreadable + 1)
    nowhere = {"entry_point": "none", "method": "other", "status": "400"}
    assert operator.sample("enrol_requests_total", **nowhere) >= 2


def test_what_a_stranger_writes_is_in_no_label(operator: Operator, party: Party) -> None:
    mark = "strangers-mark"
    party.send(Draft("GET", f"/{mark}", [("Host", mark), ("X-Request-ID", mark)]))
    party.register(party.metadata(client_name=mark))
    for path in ("/metrics", "/health/ready", "/health/live"):
        body = operator.ask(path)[1]
        assert mark.encode() not in body
        assert party.organization.encode() not in body


def test_trust_and_certificates_have_their_ends(operator: Operator) -> None:
    now = operator.sample("process_start_time_seconds")
    assert operator.sample("enrol_trust_refreshed_timestamp_seconds") > 0
    assert operator.sample("enrol_trust_next_update_timestamp_seconds") > now
    name = "enrol_certificate_not_after_timestamp_seconds"
    assert operator.sample(name, certificate="server") > now
    assert operator.sample("process_resident_memory_bytes") > 0


def test_only_what_is_offered_is_answered(operator: Operator) -> None:
    for path in ("/", "/health", "/metrics/", "/stet/setting/v1/register"):
        assert operator.ask(path)[0] == 404
    assert operator.ask("/metrics", "POST")[0] == 405
    assert operator.ask("/metrics")[2]["content-type"].startswith("text/plain; version=0.0.4")


def test_metrics_are_not_for_tpps(party: Party) -> None:
    for path in ("/metrics", "/health/ready", "/health/live"):
        assert party.send(Draft("GET", path, [("Host", "localhost")])).status == 400


def test_a_bank_that_drains_lives_and_is_not_ready(
    desk: Desk, tmp_path: Path, party_of: Any
) -> None:
    with desk.beside(tmp_path / "bank", operations__port=0) as bank:
        operator, party = Operator(bank), party_of(bank)
        request = party.post().set("Expect", "100-continue")
        with party.connect() as connection:
            connection.sendall(request.to_bytes().removesuffix(request.body))
            assert connection.recv(4096).startswith(b"HTTP/1.1 100")
            bank.process.send_signal(signal.SIGTERM)
            while operator.readiness()[1]["checks"]["draining"]["ok"]:
                pass
            status, told = operator.readiness()
            assert (status, told["ready"]) == (503, False)
            assert told["checks"]["storage"]["ok"]
            assert operator.ask("/health/live")[0] == 200
            connection.sendall(request.body)
            assert connection.recv(4096).startswith(b"HTTP/1.1 201")
        assert bank.ended() == 0


def test_a_bank_without_trust_says_so(desk: Desk, tmp_path: Path) -> None:
    with desk.beside(
        tmp_path / "bank", operations__port=0, trust__source="none", revocation__online="false"
    ) as bank:
        status, told = Operator(bank).readiness()
    assert (status, told["ready"]) == (503, False)
    assert not told["checks"]["trust"]["ok"]
    assert "source of trust" in told["checks"]["trust"]["why"]


def test_without_a_port_nobody_can_ask(desk: Desk) -> None:
    assert not any("operations_listening" in line for line in desk.log_lines)
