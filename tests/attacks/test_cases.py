"""The attack cases, black box, against a running bank: what may come back, and what must not be."""

import json
from typing import Any

import pytest

from attacks.conftest import Siege
from attacks.tricks import TRICKS, wait_for
from attacks.wire import Outcome
from vectors import SHARED

GROUPS = ("mtls", "token", "framing", "json", "errors")
NOT_HERE = {
    "AC-026": "there is no console, so no second host name",
    "AC-028": "registers of authorised providers are not consulted yet",
    "AC-086": "tokens are this server's own; nobody is asked about them",
    "AC-250": "a fault within is injected in tests/live/test_faults.py",
    "AC-251": "operations that are switched off are in tests/live/test_statuses.py",
}
OPENAPI = "/openapi.json"  # a document of the sandbox; production can switch it off
LEAKS = (b"Traceback", b"sqlite", b"SELECT", b"site-packages", b"enrol/", b"uvicorn")
FORBIDDEN = {200, 201, 204, 500}


def load() -> list[dict[str, Any]]:
    path = SHARED / "spec" / "attack-cases.json"
    if not path.exists():
        return []
    return [c for c in json.loads(path.read_text("utf-8"))["cases"] if c["group"] in GROUPS]


def rows() -> list[Any]:
    found = []
    for case in load():
        for variant in case["variants"] or [{}]:
            value = variant.get("value", variant.get("sym"))
            label = variant.get("label", value)
            name = case["id"] if label is None else f"{case['id']}[{str(label)[:40]}]"
            marks = []
            if case["id"] in NOT_HERE:
                marks.append(pytest.mark.skip(reason=NOT_HERE[case["id"]]))
            if value != OPENAPI:
                found.append(pytest.param(case, value, id=ascii(name)[1:-1], marks=marks))
    return found


CASES = rows()


def test_the_attack_cases_are_there() -> None:
    if not CASES:
        pytest.skip("needs the third-party data spec/attack-cases.json beside this checkout")
    known = {case["id"] for case in load()}
    assert known == {*TRICKS, *NOT_HERE} & known


@pytest.mark.parametrize(("case", "variant"), CASES)
def test_an_attack_fails_and_changes_nothing(
    siege: Siege, case: dict[str, Any], variant: Any
) -> None:
    before = siege.desk.count_clients()
    expected = case["expect"]
    outcome = TRICKS[case["id"]](siege, variant)
    allowed = set(expected["any_of"])
    if "TLS" in allowed:
        allowed.add("CLOSE")  # a reset may overtake the alert it follows
    assert outcome.kind in allowed, outcome
    if "no_row" in case["invariants"] and not leaves_rows(case):
        assert siege.desk.count_clients() == before
    if "single_response" in case["invariants"]:
        assert len(outcome.replies) <= 1
    check_answers(outcome, expected, case["invariants"])
    assert siege.desk.process.poll() is None


def leaves_rows(case: dict[str, Any]) -> bool:
    """Tell whether the attack registers clients of its own on the way."""
    return case["id"] in ("AC-093", "AC-006", "AC-021")


def check_answers(outcome: Outcome, expected: dict[str, Any], invariants: list[str]) -> None:
    """Check what holds for every answer, and what the case asks of its own."""
    for reply in outcome.replies:
        assert reply.fields["x-request-id"]
        assert reply.fields["cache-control"] == "no-store"
        assert reply.fields["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" in reply.fields
        assert "server" not in reply.fields
        assert not any(leak in reply.body for leak in LEAKS)
        assert reply.status not in FORBIDDEN - set(expected["any_of"])
        if reply.status >= 400 and reply.body:
            check_refusal(reply.json, reply.fields, expected)
    first = outcome.replies[0] if outcome.replies else None
    for invariant in invariants:
        name, _, rest = invariant.partition(":")
        if name == "www_authenticate" and first is not None:
            assert all(part in first.fields["www-authenticate"] for part in rest.split(" "))
        if name == "allow" and first is not None:
            assert first.fields["allow"]


def check_refusal(body: dict[str, Any], fields: dict[str, str], expected: dict[str, Any]) -> None:
    assert fields["content-type"] == "application/json; charset=utf-8"
    assert len(body["error_description"]) <= 140
    if expected["error_any_of"] and len(expected["any_of"]) == 1 and expected["any_of"] != [201]:
        assert body["error"] in expected["error_any_of"], body


def test_other_parties_are_served_after_all_that(siege: Siege) -> None:
    assert siege.b.register().status == 201
    assert siege.c.register(siege.c.metadata(scope="aisp")).status == 201


def test_c_cannot_register_beyond_its_role(siege: Siege) -> None:
    reply = siege.c.register(siege.c.metadata(scope="aisp pisp"))
    assert (reply.status, reply.code) == (403, "role_insufficient")


def test_every_request_leaves_one_line_with_its_id_and_outcome(siege: Siege) -> None:
    draft = siege.a.post().set("Signature", None)
    assert siege.send(draft).kind == 400

    def mine() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in siege.desk.log_lines if line.startswith("{")]
        return [line for line in lines if line.get("request_id") == draft.get("x-request-id")]

    assert [(line["event"], line["status"], line["code"]) for line in wait_for(mine)] == [
        ("request", 400, "CAR-1")
    ]
