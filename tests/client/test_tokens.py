"""Which token goes with a call: of the token endpoint, of the registration itself, or none."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import Result

from enrol.client import Seal, TppClient, load_profile
from enrol.errors import ConfigurationError
from fake_bank import REGISTRATION_ACCESS_TOKEN, TOKEN, FakeBank

CLIENT_ID = "PSDFR-ACPR-12345-1"
Run = Callable[..., Result]


class OtherBank(FakeBank):
    """A bank that manages registrations by their own tokens, and notes updates."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        wanted = None if request.method == "POST" else f"Bearer {REGISTRATION_ACCESS_TOKEN}"
        if request.headers.get("authorization") != wanted:
            return httpx.Response(401, json={"error": "invalid_token"})
        if request.method == "PUT":
            return httpx.Response(200, json={"message": "Recorded."})
        return self._decide(request)


@pytest.fixture
def bank(seal: Seal) -> FakeBank:
    return OtherBank(seal.certificates[0])


@pytest.fixture
def profile_file(profile_file: Path) -> Path:
    text = profile_file.read_text()
    tokens = 'registration_token = "none"\nmanagement_token = "registration_access_token"\n'
    profile_file.write_text(text.replace("[bank]\n", f"[bank]\n{tokens}"))
    return profile_file


def test_the_token_of_a_registration_is_kept_for_its_owner_and_used(
    run: Run, bank: FakeBank, profile_file: Path
) -> None:
    assert run("register").exit_code == 0
    path = profile_file.parent / "registrations.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert REGISTRATION_ACCESS_TOKEN in path.read_text()
    for command in ("show", "delete"):
        assert run(command).exit_code == 0
    assert [request.method for request in bank.requests] == ["POST", "GET", "DELETE"]


def test_the_token_of_a_registration_is_not_listed(run: Run) -> None:
    run("register")
    listed = run("list", "--json").stdout
    assert json.loads(listed)[0]["client_id"] == CLIENT_ID
    assert REGISTRATION_ACCESS_TOKEN not in listed


def test_an_update_that_the_bank_only_notes_is_told_as_one(run: Run) -> None:
    run("register")
    result = run("update", "--set", "client_name=New")
    assert result.exit_code == 0
    assert "Asked for an update at" in result.stdout
    assert "the bank says  Recorded.\n" in result.stdout
    assert CLIENT_ID in result.stdout


def test_a_client_registered_elsewhere_needs_its_token(run: Run, bank: FakeBank) -> None:
    run("register")
    asked = len(bank.requests)
    result = run("show", "elsewhere")
    assert (result.exit_code, len(bank.requests)) == (2, asked)
    assert "ENROL_REGISTRATION_ACCESS_TOKEN" in result.stderr


def test_the_environment_can_give_the_token(run: Run, profile_file: Path) -> None:
    run("register")
    (profile_file.parent / "registrations.json").unlink()
    token = {"ENROL_REGISTRATION_ACCESS_TOKEN": REGISTRATION_ACCESS_TOKEN}
    assert run("show", CLIENT_ID, **token).exit_code == 0


def test_a_token_that_is_not_wanted_is_not_kept(run: Run, profile_file: Path) -> None:
    text = profile_file.read_text()
    profile_file.write_text(text.replace('"registration_access_token"', '"manage_registration"'))
    run("register")
    assert TOKEN not in (profile_file.parent / "registrations.json").read_text()
    assert REGISTRATION_ACCESS_TOKEN not in (profile_file.parent / "registrations.json").read_text()


def test_a_client_of_the_library_uses_the_token_it_was_answered(
    profile_file: Path, bank: FakeBank
) -> None:
    profile = load_profile(profile_file)
    transport = httpx.MockTransport(bank)
    with TppClient(profile.bank, profile.credentials, transport=transport) as client:
        registration = client.register(profile.metadata)
        assert client.show(registration.client_id).client_id == CLIENT_ID


@pytest.mark.parametrize(
    "line", ['registration_token = "registration_access_token"', 'management_token = "x"']
)
def test_a_token_that_cannot_be_is_refused(profile_file: Path, line: str) -> None:
    name = line.partition(" ")[0]
    lines = [line if old.startswith(name) else old for old in profile_file.read_text().split("\n")]
    profile_file.write_text("\n".join(lines))
    with pytest.raises(ConfigurationError, match=rf"\[bank\] {name} must be one of manage_reg"):
        load_profile(profile_file)
