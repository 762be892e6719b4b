"""What a bank says without changing anything: dry runs, and the list of clients."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import Result

from fake_bank import FakeBank

CLIENT_ID = "PSDFR-ACPR-12345-1"
APPLIED = {"Preference-Applied": "handling=validate-only"}
Run = Callable[..., Result]


def report(accepted: bool = True, **members: Any) -> httpx.Response:
    document = {
        "accepted": accepted,
        "findings": [],
        "substitutions": [],
        "ignored_members": {"count": 0, "names": []},
    } | members
    return httpx.Response(200, json=document, headers=APPLIED)


def test_a_dry_run_asks_so_and_keeps_nothing(run: Run, bank: FakeBank, profile_file: Path) -> None:
    bank.next_answers.append(
        report(
            metadata={"scope": "aisp pisp"},
            substitutions=[{"member": "scope", "code": "member_rewritten", "meaning": "is so."}],
            ignored_members={"count": 2, "names": ["application_type"]},
        )
    )
    result = run("register", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "accepted. Nothing was stored." in result.stdout
    for text in ("aisp pisp", "scope (changed)", "is so.", "2 (application_type)"):
        assert text in result.stdout
    (request,) = bank.calls("POST")
    assert request.headers["prefer"] == "handling=validate-only"
    assert not (profile_file.parent / "registrations.json").exists()


def test_a_dry_run_that_is_not_accepted_says_every_finding(run: Run, bank: FakeBank) -> None:
    findings = [
        {"member": "scope", "code": "role_insufficient", "meaning": "m", "remedy": "r"},
        {"member": "jwks", "code": "banks_own", "meaning": "no good", "remedy": "better"},
    ]
    bank.next_answers.append(report(False, findings=findings))
    result = run("register", "--dry-run")
    assert result.exit_code == 1
    for text in ("would be refused", "role_insufficient", "jwks: no good", "better"):
        assert text in result.stderr


def test_a_dry_run_as_json_is_the_report(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(report(client_id="standing"))
    result = run("register", "--dry-run", "--json")
    assert json.loads(result.stdout)["client_id"] == "standing"


def test_a_dry_run_of_an_update_is_a_put(run: Run, bank: FakeBank) -> None:
    run("register")
    bank.next_answers.append(report(metadata={"client_name": "New"}))
    result = run("update", CLIENT_ID, "--dry-run")
    assert (result.exit_code, "client_name" in result.stdout) == (0, True)
    (request,) = bank.calls("PUT")
    assert request.headers["prefer"] == "handling=validate-only"


def test_a_bank_that_knows_no_dry_runs_has_registered_which_is_kept_and_said(
    run: Run, bank: FakeBank
) -> None:
    result = run("register", "--dry-run")
    assert result.exit_code == 3
    assert "it did what was asked, for real" in result.stderr
    assert list(bank.clients) == [CLIENT_ID]
    assert run("list").stdout.startswith(CLIENT_ID)


def test_a_refused_dry_run_is_a_refusal(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(httpx.Response(401, json={"error": "invalid_client"}))
    assert run("register", "--dry-run").exit_code == 1


def page(*client_ids: str, more: bool = False) -> httpx.Response:
    document: dict[str, Any] = {"clients": [{"client_id": each} for each in client_ids]}
    return httpx.Response(200, json=document | ({"next": "https://evil.test/"} if more else {}))


def test_the_list_at_the_bank_is_read_page_by_page(run: Run, bank: FakeBank) -> None:
    bank.next_answers += [page("a", "b", more=True), page("c")]
    result = run("list", "--remote", "--json")
    assert [each["client_id"] for each in json.loads(result.stdout)] == ["a", "b", "c"]
    urls = [str(request.url) for request in bank.calls("GET")]
    place = "https://127.0.0.1:8443/stet/setting/v1/register"
    assert urls == [f"{place}?limit=100", f"{place}?limit=100&after=b"]


def test_the_list_at_the_bank_is_said_client_by_client(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(page("a", "b"))
    assert run("list", "--remote").stdout.split() == ["a", "b"]
    bank.next_answers.append(page())
    assert "lists no client" in run("list", "--remote").stderr


def test_clients_of_agents_are_listed_under_them(run: Run, bank: FakeBank) -> None:
    agent = {"client_legal_id": "AGTFR-ACPR-1", "agent_of": "PSDFR-ACPR-12345"}
    clients = [
        {"client_id": "x", "client_name": "Agent\u202e One"} | agent,
        {"client_id": "a", "client_name": "Acme", "scope": "aisp pisp"},
        {"client_id": "y"} | agent,
    ]
    bank.next_answers.append(httpx.Response(200, json={"clients": clients}))
    lines = [line.strip("│├└─ ") for line in run("list", "--remote").stdout.splitlines()]
    assert lines == [
        *("PSDFR-ACPR-12345", "a  Acme  aisp pisp"),
        *("agent AGTFR-ACPR-1", "x  Agent\ufffd One", "y"),
    ]


def test_the_list_on_this_machine_is_a_tree_where_there_are_agents(
    run: Run, bank: FakeBank
) -> None:
    assert run("register", "--set", "client_legal_id=AGTFR-ACPR-1").exit_code == 0
    lines = run("list").stdout.splitlines()
    assert "agent AGTFR-ACPR-1" in lines[-2]
    assert CLIENT_ID in lines[-1]


@pytest.mark.parametrize("document", [{}, {"clients": {}}, {"clients": [{"client_id": 1}]}])
def test_a_list_of_another_form_is_no_answer(
    run: Run, bank: FakeBank, document: dict[str, Any]
) -> None:
    bank.next_answers.append(httpx.Response(200, json=document))
    assert run("list", "--remote").exit_code == 3


def test_a_bank_without_a_list_says_so(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(httpx.Response(405, json={"error": "invalid_request"}))
    assert run("list", "--remote").exit_code == 1
