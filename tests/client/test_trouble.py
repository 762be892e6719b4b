"""What a TPP is told where something did not work: which call, which certificate, which setting."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from enrol.cli.tpp import app
from enrol.sandbox.files import PairPaths
from fake_bank import TOKEN_ENDPOINT, FakeBank

CLIENT_ID = "PSDFR-ACPR-12345-1"
OTHER = "https://other.example"
Run = Callable[..., Result]


def refusal(status: int, code: str, **body: object) -> httpx.Response:
    uri = f"https://bank.example/errors/{code}"
    return httpx.Response(status, json={"error": "invalid_request", "error_uri": uri} | body)


def change(profile: Path, old: str, new: str) -> None:
    text = profile.read_text()
    assert old in text
    profile.write_text(text.replace(old, new))


@pytest.fixture
def at_token_endpoint(bank: FakeBank, profile_file: Path) -> Callable[..., Result]:
    """Register where the token endpoint gives an answer, or breaks."""

    def call(answer: httpx.Response | httpx.RequestError, *arguments: str) -> Result:
        def serve(request: httpx.Request) -> httpx.Response:
            bank.requests.append(request)
            assert request.url.path == TOKEN_ENDPOINT
            if isinstance(answer, httpx.RequestError):
                raise answer
            return answer

        return CliRunner().invoke(
            app,
            ["register", "--profile", str(profile_file), *arguments],
            obj=httpx.MockTransport(serve),
        )

    return call


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("register",), "Missing option '--profile'."),
        (("frobnicate",), "No such command"),
        (("forget", "--profile", "x"), "Missing argument 'CLIENT_ID'."),
    ],
    ids=["an option", "a command", "an argument"],
)
def test_wrong_arguments_are_one_json_object(arguments: tuple[str, ...], words: str) -> None:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["error"]) == (2, "usage")
    assert words in told["meaning"]
    assert "--help" in told["remedy"]


def test_wrong_arguments_without_json_leave_stdout_empty() -> None:
    result = CliRunner().invoke(app, ["register"])
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_fault_of_the_profile_is_one_json_object(run: Run, profile_file: Path) -> None:
    change(profile_file, "[bank]\n", "[bank]\nurll = 1\n")
    result = run("register", "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["error"] == "profile_member"
    assert told["meaning"].endswith("[bank] has no key 'urll'.")
    assert told["remedy"] == "Remove it, or check its spelling."


def test_a_lost_answer_is_one_json_object(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(httpx.ReadTimeout("slow"))
    result = run("register", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 3
    assert (told["error"], told["call"]) == ("bank_timeout", "register")
    assert told["request_id"] == bank.requests[-1].headers["x-request-id"]
    assert {"meaning", "remedy"} <= set(told)


def test_a_refusal_as_json_says_what_to_change(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(refusal(400, "body_too_large"))
    told = json.loads(run("register", "--json").stdout)
    assert told["meaning"]
    assert told["remedy"]
    assert told["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("certificate", "words"), [("qwac", "[tpp] qwac"), ("qsealc", "[tpp] qsealc")]
)
def test_a_refused_certificate_is_the_one_the_bank_names(
    run: Run, bank: FakeBank, certificate: str, words: str
) -> None:
    bank.next_answers.append(refusal(401, "cert_expired", certificate=certificate))
    result = run("register", "--json")
    assert words in result.stderr
    assert json.loads(result.stdout)["certificate"] == certificate


def test_a_certificate_refused_at_the_token_endpoint_is_the_qwac(
    at_token_endpoint: Callable[..., Result],
) -> None:
    result = at_token_endpoint(refusal(401, "cert_revoked"))
    assert "certificate    the QWAC of the connection: [tpp] qwac\n" in result.stderr


def test_a_certificate_that_nobody_names_may_be_either(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(refusal(401, "cert_revoked"))
    assert "the bank does not say which" in run("register").stderr


def test_a_member_certificate_of_another_bank_is_not_believed(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(refusal(401, "odd", certificate=["qwac"]))
    assert json.loads(run("register", "--json").stdout)["certificate"] is None


def test_a_token_that_did_not_come_is_no_reason_to_repeat_with_its_request_id(
    at_token_endpoint: Callable[..., Result], bank: FakeBank
) -> None:
    result = at_token_endpoint(httpx.ReadTimeout("slow"))
    assert result.exit_code == 3
    assert f"call           POST https://127.0.0.1:8443{TOKEN_ENDPOINT}\n" in result.stderr
    assert bank.requests[-1].headers["x-request-id"] in result.stderr
    assert "--request-id" not in result.stderr


def test_a_registration_that_did_not_come_back_is_repeated_with_its_own_request_id(
    run: Run, bank: FakeBank
) -> None:
    bank.next_answers.append(httpx.ReadTimeout("slow"))
    sent = run("register").stderr
    assert f"--request-id {bank.requests[-1].headers['x-request-id']}\n" in sent


def test_reading_is_simply_done_again(run: Run, bank: FakeBank) -> None:
    run("register")
    bank.next_answers.append(httpx.ReadTimeout("slow"))
    assert "--request-id" not in run("show").stderr


def test_a_connection_error_names_the_address(at_token_endpoint: Callable[..., Result]) -> None:
    error = httpx.ConnectError("no")
    error.__cause__ = ConnectionRefusedError()
    result = at_token_endpoint(error, "--bank-url", OTHER)
    assert f"POST {OTHER}{TOKEN_ENDPOINT}\n" in result.stderr
    assert "bank_connection_refused" in result.stderr


@pytest.mark.parametrize(
    ("status", "code"), [(400, "entry_point_unknown"), (404, "not_found"), (405, "x")]
)
def test_a_token_endpoint_that_is_not_there_is_a_setting_to_look_at(
    at_token_endpoint: Callable[..., Result], status: int, code: str
) -> None:
    told = at_token_endpoint(refusal(status, code)).stderr
    assert f'look at        [bank] token_endpoint = "{TOKEN_ENDPOINT}" is probably wrong.' in told


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ('prefix = "/stet/setting/v1"', '[bank] prefix = "/stet/setting/v1"'),
        ('registration_endpoint = "/reg"', '[bank] registration_endpoint = "/reg"'),
    ],
)
def test_a_registration_endpoint_that_is_not_there_is_a_setting_to_look_at(
    run: Run, bank: FakeBank, profile_file: Path, line: str, setting: str
) -> None:
    change(profile_file, 'prefix = "/stet/setting/v1"', line)
    bank.next_answers.append(refusal(400, "entry_point_unknown"))
    assert f"{setting} is probably wrong." in run("register").stderr


def test_a_client_id_for_tokens_that_is_not_the_banks_is_a_setting_to_look_at(
    at_token_endpoint: Callable[..., Result],
) -> None:
    told = at_token_endpoint(refusal(401, "client_unknown")).stderr
    assert "[bank] client_id is PSD2_TPPRegister" in told


def test_a_token_the_bank_does_not_take_is_a_setting_to_look_at(run: Run, bank: FakeBank) -> None:
    run("register")
    bank.next_answers.append(refusal(401, "token_unknown"))
    told = run("show").stderr
    assert "[bank] management_token is manage_registration" in told
    assert "registration_access_token or none" in told


def test_a_key_the_bank_does_not_know_is_told_beside_the_one_it_knows(
    run: Run, bank: FakeBank, profile_file: Path, issue_into: Callable[..., PairPaths]
) -> None:
    pair = issue_into(profile_file.parent, "new", kind="qsealc")
    new = ("--new-qsealc", str(pair.certificate), "--new-qsealc-key", str(pair.key))
    run("register")
    rotated = run("update", *new)
    assert "registered without the QSealC that the profile signs with" in rotated.stderr
    (key,) = bank.clients[CLIENT_ID]["jwks"]["keys"]
    bank.next_answers.append(refusal(401, "KEY-2"))
    told = run("show").stderr
    assert f"last registered with the QSealC {key['kid']}" in told
    assert "Set [tpp] qsealc, qsealc_key and kid to the former." in told
    again = run("update")
    assert again.exit_code == 0
    assert f"in place of {key['kid']}" in again.stderr


def test_a_key_nobody_remembers_is_told_too(run: Run, bank: FakeBank) -> None:
    bank.next_answers.append(refusal(401, "KEY-2"))
    assert "which the bank does not know" in run("show", "elsewhere").stderr


def test_a_client_that_was_deleted_elsewhere_can_be_forgotten(
    run: Run, bank: FakeBank, profile_file: Path
) -> None:
    run("register")
    bank.next_answers.append(refusal(403, "client_not_yours"))
    command = f"enrol tpp forget {CLIENT_ID} --profile {profile_file}"
    assert command in run("show").stderr
    asked = len(bank.requests)
    assert run("forget", CLIENT_ID).exit_code == 0
    assert run("list", "--json").stdout.strip() == "[]"
    assert len(bank.requests) == asked
    assert run("forget", CLIENT_ID).exit_code == 2


def test_a_client_of_another_bank_is_not_forgotten(run: Run) -> None:
    run("register")
    assert run("forget", CLIENT_ID, "--bank-url", OTHER).exit_code == 2
    assert CLIENT_ID in run("list").stdout


@pytest.mark.parametrize("command", ["register", "list"])
def test_a_profile_that_is_not_there_is_told_by_its_option(tmp_path: Path, command: str) -> None:
    profile = tmp_path / "none.toml"
    result = CliRunner().invoke(app, [command, "--profile", str(profile)])
    assert result.exit_code == 2
    assert f"--profile: {profile} is not there." in result.stderr
    assert "enrol sandbox init" in result.stderr


def test_what_show_prints_can_be_sent_again(run: Run, bank: FakeBank, tmp_path: Path) -> None:
    run("register")
    file = tmp_path / "registration.json"
    file.write_text(run("show", "--json").stdout)
    result = run("register", "--metadata", str(file))
    assert result.exit_code == 0
    assert "registration_access_token" in result.stderr
    assert bank.clients[f"{CLIENT_ID[:-1]}2"] == bank.clients[CLIENT_ID]


@pytest.mark.parametrize("name", ["qwac", "qsealc"])
def test_a_key_that_everybody_can_read_is_a_warning(
    run: Run, profile_file: Path, name: str
) -> None:
    key = profile_file.parent / f"{name}.key"
    key.chmod(0o644)
    result = run("register")
    assert result.exit_code == 0
    assert f"{name}_key: everybody on this machine can read {key}." in result.stderr
    key.chmod(0o640)
    assert "everybody" not in run("register").stderr


def test_a_list_that_cannot_be_read_does_not_stop_an_update(
    run: Run, bank: FakeBank, profile_file: Path
) -> None:
    run("register")
    (profile_file.parent / "registrations.json").write_text("broken")
    result = run("update", CLIENT_ID, "--set", "client_name=New")
    assert result.exit_code == 0
    assert bank.clients[CLIENT_ID]["client_name"] == "New"
    assert "registrations.json cannot be read" in result.stderr


def test_the_member_is_part_of_what_a_refusal_means(run: Run, bank: FakeBank) -> None:
    finding = {"member": "scope", "code": "odd_scope", "meaning": "Too odd.", "remedy": "Be even."}
    bank.next_answers.append(refusal(400, "odd_scope", findings=[finding]))
    told = json.loads(run("register", "--json").stdout)
    assert (told["meaning"], told["remedy"]) == ("scope: Too odd.", "Be even.")
