import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from enrol.cli.tpp import app
from enrol.client import load_profile
from enrol.explanations import EXPLANATIONS
from enrol.sandbox.files import PairPaths
from fake_bank import REGISTRATION_ACCESS_TOKEN, TOKEN, FakeBank

CLIENT_ID = "PSDFR-ACPR-12345-1"
Run = Callable[..., Result]


def refusal(status: int = 400, **body: object) -> httpx.Response:
    return httpx.Response(status, json=body)


def test_register_says_what_happened_and_what_comes_next(run: Run, profile_file: Path) -> None:
    result = run("register")
    assert result.exit_code == 0
    assert "Registered at https://127.0.0.1:8443." in result.stdout
    assert f"client_id      {CLIENT_ID}\n" in result.stdout
    assert f"https://127.0.0.1:8443/stet/setting/v1/register/{CLIENT_ID}\n" in result.stdout
    assert f"enrol tpp show {CLIENT_ID} --profile {profile_file}\n" in result.stdout
    assert result.stderr == ""


def test_register_sends_the_metadata_of_the_profile(
    run: Run, profile_file: Path, bank: FakeBank
) -> None:
    run("register")
    sent = bank.clients[CLIENT_ID]
    assert {name: sent[name] for name in sent if name != "jwks"} == dict(
        load_profile(profile_file).metadata
    )


def test_a_registration_is_kept_beside_the_profile_and_listed(run: Run, profile_file: Path) -> None:
    run("register")
    (kept,) = json.loads((profile_file.parent / "registrations.json").read_text())["registrations"]
    assert (kept["client_id"], kept["bank"]) == (CLIENT_ID, "https://127.0.0.1:8443")
    assert run("list").stdout.startswith(f"{CLIENT_ID}  https://127.0.0.1:8443  20")
    assert json.loads(run("list", "--json").stdout) == [kept]


def test_the_last_registration_is_the_one_meant(run: Run, bank: FakeBank) -> None:
    run("register")
    run("register")
    assert "PSDFR-ACPR-12345-2" in run("show").stdout
    assert run("update", "--set", "client_name=New").exit_code == 0
    assert run("delete").exit_code == 0
    assert list(bank.clients) == [CLIENT_ID]
    assert CLIENT_ID in run("show").stdout


def test_a_client_id_can_be_given(run: Run) -> None:
    run("register")
    run("register")
    assert f"Registration {CLIENT_ID}\n" in run("show", CLIENT_ID).stdout


@pytest.mark.parametrize("command", ["show", "update", "delete"])
def test_a_client_id_is_asked_for_where_none_is_kept(
    run: Run, bank: FakeBank, command: str
) -> None:
    result = run(command)
    assert result.exit_code == 2
    assert "Write the CLIENT_ID." in result.stderr
    assert bank.requests == []


def test_show_prints_the_registration_without_its_secrets(run: Run) -> None:
    run("register")
    stdout = run("show").stdout
    lines = [line.split(maxsplit=1) for line in stdout.splitlines()]
    assert ["client_name", "Acme Paiements"] in lines
    assert ["redirect_uris", "https://tpp.example/callback"] in lines
    assert REGISTRATION_ACCESS_TOKEN not in stdout


@pytest.mark.parametrize("command", ["register", "show", "update"])
def test_json_is_the_answer_of_the_bank_and_nothing_else(run: Run, command: str) -> None:
    run("register")
    document = json.loads(run(command, "--json").stdout)
    assert document["client_id"].startswith("PSDFR-ACPR-12345-")
    assert document["registration_access_token"] == REGISTRATION_ACCESS_TOKEN


def test_settings_change_what_is_sent(run: Run, bank: FakeBank) -> None:
    run(
        "register", "--set", "client_name=Other", "--set", "contacts=a@b.example", "--set", "scope="
    )
    sent = bank.clients[CLIENT_ID]
    assert (sent["client_name"], sent["contacts"]) == ("Other", ["a@b.example"])
    assert "scope" not in sent


def test_a_metadata_file_stands_in_for_the_profile(
    run: Run, bank: FakeBank, tmp_path: Path
) -> None:
    file = tmp_path / "metadata.json"
    file.write_text('{"client_name": "From file", "context": "psd2"}')
    result = run("register", "--metadata", str(file), "--set", "scope=aisp")
    sent = bank.clients[CLIENT_ID]
    assert {name: sent[name] for name in sent if name != "jwks"} == {
        "client_name": "From file",
        "context": "psd2",
        "scope": "aisp",
    }
    assert "context is no member of the STET contract" in result.stderr


@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_bank_can_be_named_beside_the_profile(run: Run, bank: FakeBank, by: str) -> None:
    url = "https://other.example"
    if by == "option":
        result = run("register", "--bank-url", url)
    else:
        result = run("register", ENROL_BANK_URL=url)
    assert f"--bank-url {url}\n" in result.stdout
    assert {request.url.host for request in bank.requests} == {"other.example"}


def test_a_refusal_is_told_with_its_code_its_meaning_and_what_to_change(
    run: Run, bank: FakeBank
) -> None:
    explanation = EXPLANATIONS["body_too_large"]
    bank.next_answers.append(
        refusal(error="invalid_request", error_uri="https://bank.example/errors/body_too_large")
    )
    result = run("register")
    assert result.exit_code == 1
    assert "Refused by the bank: 400 invalid_request\n" in result.stderr
    assert "code           body_too_large\n" in result.stderr
    assert explanation.meaning in result.stderr
    assert explanation.remedy in result.stderr
    assert explanation.clause in result.stderr
    assert bank.requests[-1].headers["x-request-id"] in result.stderr
    assert result.stdout == ""


def test_every_finding_is_told_in_the_words_of_the_bank_where_its_code_is_unknown(
    run: Run, bank: FakeBank
) -> None:
    findings = [
        {"member": "scope", "code": "odd_scope", "meaning": "Too odd.", "remedy": "Be even."},
        {"member": "logo", "code": "odd_logo"},
    ]
    bank.next_answers.append(refusal(error="invalid_client_metadata", findings=findings))
    stderr = run("register").stderr
    for words in ("odd_scope", "it means       scope: Too odd.", "Be even.", "odd_logo"):
        assert words in stderr
    assert "This code is the bank's own." in stderr


def test_a_refusal_is_json_too_where_json_was_asked_for(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(refusal(403, error="access_denied", message="no"))
    result = run("register", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["status"], document["code"]) == (403, "access_denied")
    assert "Refused by the bank: 403" in result.stderr


def test_a_refusal_cannot_write_on_the_terminal(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(
        refusal(
            error="x\x1b[2J",
            error_description="[bold]\x1b]0;title\x07",
            findings=[{"code": "\x9b"}],
        )
    )
    stderr = run("register", "--verbose").stderr
    assert all(char.isprintable() or char == "\n" for char in stderr)
    assert "[bold]" in stderr


def test_a_refused_registration_is_not_kept(run: Run, bank: FakeBank, profile_file: Path) -> None:
    bank.next_answers.append(refusal(error="invalid_request"))
    run("register")
    assert not (profile_file.parent / "registrations.json").exists()


def test_network_trouble_tells_how_to_ask_again(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(httpx.ReadTimeout("slow"))
    result = run("register")
    request_id = bank.requests[-1].headers["x-request-id"]
    assert result.exit_code == 3
    assert "bank_timeout" in result.stderr
    assert request_id in result.stderr
    assert run("register", "--request-id", request_id).exit_code == 0
    assert bank.requests[-1].headers["x-request-id"] == request_id


def test_a_fault_of_the_profile_is_told_before_anything_is_sent(
    run: Run, bank: FakeBank, profile_file: Path
) -> None:
    profile_file.write_text("[bank]\n")
    result = run("register")
    assert result.exit_code == 2
    assert result.stderr.startswith("Not sent: ")
    assert bank.requests == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("register", "--set", "x"),
        ("register", "--metadata", "none.toml"),
        ("register", "--bank-url", "http://bank.example"),
        ("register", "--request-id", "a b"),
        ("register", "--unknown"),
        ("update", CLIENT_ID, "--new-qsealc", "x.pem"),
        ("frobnicate",),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_status_2(
    run: Run, bank: FakeBank, arguments: tuple[str, ...]
) -> None:
    assert run(*arguments).exit_code == 2
    assert bank.requests == []


def test_a_profile_must_be_named() -> None:
    assert CliRunner().invoke(app, ["register"]).exit_code == 2


def test_verbose_shows_the_exchange_and_hides_the_tokens(run: Run) -> None:
    result = run("register", "--verbose")
    assert "> POST /stet/setting/v1/register HTTP/1.1\n" in result.stderr
    assert "> Authorization: Bearer KXyZab…\n" in result.stderr
    assert '> Signature: keyId="' in result.stderr
    assert "< HTTP/1.1 201 Created\n" in result.stderr
    assert TOKEN not in result.output
    assert REGISTRATION_ACCESS_TOKEN not in result.output


def test_a_registration_that_cannot_be_kept_is_told_all_the_same(
    run: Run, profile_file: Path
) -> None:
    (profile_file.parent / "registrations.json").write_text("broken")
    result = run("register")
    assert result.exit_code == 0
    assert CLIENT_ID in result.stdout
    assert "Warning: " in result.stderr


@pytest.fixture
def new_qsealc(profile_file: Path, issue_into: Callable[..., PairPaths]) -> PairPaths:
    return issue_into(profile_file.parent, "new", kind="qsealc")


def rotation(pair: PairPaths) -> tuple[str, ...]:
    return ("--new-qsealc", str(pair.certificate), "--new-qsealc-key", str(pair.key))


def test_a_new_qsealc_is_registered_and_the_lines_to_change_are_told(
    run: Run, bank: FakeBank, profile_file: Path, new_qsealc: PairPaths
) -> None:
    run("register")
    before, old_kid = profile_file.read_text(), load_profile(profile_file).credentials.seal.kid
    result = run("update", *rotation(new_qsealc))
    assert result.exit_code == 0
    assert '  qsealc = "new.pem"\n  qsealc_key = "new.key"\n' in result.stdout
    assert f'keyId="{old_kid}"' in bank.requests[-1].headers["signature"]
    (key,) = bank.clients[CLIENT_ID]["jwks"]["keys"]
    assert key["kid"] != old_kid
    assert f'  kid = "{key["kid"]}"\n' in result.stdout
    assert profile_file.read_text() == before


def test_the_profile_is_changed_where_that_was_asked_for(
    run: Run, bank: FakeBank, profile_file: Path, new_qsealc: PairPaths
) -> None:
    run("register")
    result = run("update", *rotation(new_qsealc), "--write-profile")
    assert "Changed in [tpp] of" in result.stdout
    seal = load_profile(profile_file).credentials.seal
    assert seal.kid == bank.clients[CLIENT_ID]["jwks"]["keys"][0]["kid"]


def test_the_profile_stays_as_it_is_where_the_bank_refuses(
    run: Run, bank: FakeBank, profile_file: Path, new_qsealc: PairPaths
) -> None:
    run("register")
    before = profile_file.read_text()
    bank.next_answers.append(refusal(403, error="access_denied"))
    assert run("update", *rotation(new_qsealc), "--write-profile").exit_code == 1
    assert profile_file.read_text() == before


@pytest.mark.parametrize("client_id", ["", "../etc", "a b"])
@pytest.mark.parametrize("command", ["show", "update", "delete"])
def test_a_client_id_that_is_none_never_means_the_last_one(
    run: Run, bank: FakeBank, command: str, client_id: str
) -> None:
    run("register")
    asked = len(bank.requests)
    result = run(command, client_id)
    assert result.exit_code == 2
    assert "CLIENT_ID" in result.stderr
    assert len(bank.requests) == asked
    assert CLIENT_ID in bank.clients


def test_a_changed_member_starts_from_what_stands_at_the_bank(run: Run, bank: FakeBank) -> None:
    run("register", "--set", 'redirect_uris=["https://tpp.example/other"]')
    assert run("update", "--set", "client_name=New").exit_code == 0
    assert bank.clients[CLIENT_ID]["redirect_uris"] == ["https://tpp.example/other"]
    assert bank.clients[CLIENT_ID]["client_name"] == "New"


def test_an_update_without_changes_sends_the_metadata_of_the_profile(
    run: Run, bank: FakeBank
) -> None:
    run("register", "--set", "client_name=Other")
    assert run("update").exit_code == 0
    assert bank.clients[CLIENT_ID]["client_name"] == "Acme Paiements"


@pytest.mark.parametrize(
    ("status", "exit_code"), [(502, 3), (504, 3), (500, 3), (501, 1), (403, 1)]
)
def test_an_answer_that_decides_nothing_has_a_status_of_its_own(
    run: Run, bank: FakeBank, status: int, exit_code: int
) -> None:
    bank.next_answers.append(refusal(status, error="x"))
    assert run("register").exit_code == exit_code


def test_a_profile_is_written_only_for_a_new_seal(run: Run, bank: FakeBank) -> None:
    run("register")
    asked = len(bank.requests)
    result = run("update", "--write-profile")
    assert (result.exit_code, len(bank.requests)) == (2, asked)
    assert "--new-qsealc" in result.stderr


def examined(status: str) -> httpx.Response:
    check = {"number": 5, "title": "Valid now", "clause": "RFC 5280 §4.1.2.5", "status": status}
    one = {"use": "qwac", "status": status, "refused_by": None, "facts": None, "checks": [check]}
    report = {"at": "2026-11-24T12:00:00Z", "status": status, "certificates": [one], "together": []}
    return httpx.Response(200, json=report)


@pytest.mark.parametrize(("status", "exit_code"), [("passed", 0), ("failed", 1), ("undecided", 1)])
def test_check_prints_what_the_bank_thinks_of_the_certificates(
    run: Run, bank: FakeBank, status: str, exit_code: int
) -> None:
    bank.next_answers.append(examined(status))
    result = run("check")
    assert result.exit_code == exit_code, result.stderr
    assert "Valid now" in result.stdout
    (asked,) = bank.requests
    assert asked.url.path == "/stet/setting/v1/certificate-check"
    assert not {"authorization", "signature"} & set(asked.headers)
    assert json.loads(asked.content)["certificate"].startswith("-----BEGIN CERTIFICATE-----")


def test_check_of_a_bank_without_that_entry_point_is_a_refusal(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(refusal(404, error="not_found"))
    assert run("check").exit_code == 1
    bank.next_answers.append(httpx.Response(200, json={"status": "fine"}))
    assert run("check").exit_code == 3
