"""``enrol dialect`` and the dialect of a sandbox."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from enrol.adapters.dialects import dialect_names, load_dialect, read_dialect
from enrol.cli.main import app
from enrol.client.profile import load_profile
from enrol.errors import ConfigurationError
from enrol.sandbox.organization import ACME, organization
from enrol.sandbox.templates import Spoken, profile_toml, settings_toml
from enrol.settings import load_settings

runner = CliRunner()


def test_the_list_has_every_dialect_with_its_title() -> None:
    said = runner.invoke(app, ["dialect", "list"])
    assert said.exit_code == 0
    assert [line.split()[0] for line in said.stdout.splitlines()] == list(dialect_names())
    assert "Crédit Agricole" in said.stdout


@pytest.mark.parametrize("name", dialect_names())
def test_what_is_shown_can_be_copied(name: str) -> None:
    said = runner.invoke(app, ["dialect", "show", name])
    assert said.stdout == read_dialect(name)


def test_a_file_is_checked_before_it_is_shown(tmp_path: Path) -> None:
    copy = tmp_path / "mybank.toml"
    copy.write_text('name = "mybank"\n', "utf-8")
    said = runner.invoke(app, ["dialect", "show", str(copy)])
    assert isinstance(said.exception, ConfigurationError)
    assert "title" in said.exception.detail


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox whose bank speaks a dialect of a file."""
    folder = tmp_path_factory.mktemp("dialects")
    copy = folder / 'my "bank".toml'
    copy.write_text(read_dialect("bpce").replace('"bpce"', '"mybank"', 1), "utf-8")
    arguments = ["sandbox", "init", str(folder / "sandbox"), "--dialect", str(copy)]
    assert runner.invoke(app, arguments).exit_code == 0
    return folder / "sandbox"


def test_a_sandbox_speaks_the_dialect_it_was_made_with(sandbox: Path) -> None:
    assert load_settings(sandbox / "enrol.toml", {}).dialect.name == "mybank"
    assert "contact" in load_profile(sandbox / "tpp" / "profile.toml").metadata


@pytest.mark.parametrize("name", dialect_names())
def test_settings_and_profile_of_a_sandbox_fit_the_dialect(sandbox: Path, name: str) -> None:
    spoken = Spoken(name, load_dialect(name))
    settings = sandbox / "of-the-dialect.toml"
    settings.write_text(settings_toml(dialect=spoken), "utf-8")
    loaded = load_settings(settings, {})
    assert loaded.dialect == load_dialect(name)
    path = sandbox / "tpp" / "of-the-dialect.toml"
    path.write_text(profile_toml(organization(ACME), kid="1", dialect=spoken), "utf-8")
    profile = load_profile(path)
    required = set(load_dialect(name).metadata.required) - {"jwks"}
    assert required <= profile.metadata.keys()
    place = profile.bank.registration_endpoint or f"{profile.bank.prefix}/register"
    assert place == loaded.paths.register
    wanted = load_dialect(name).credentials
    assert profile.bank.registration_token.value in (wanted.register or ("none",))
    assert profile.bank.management_token.value in (wanted.manage or ("none",))


def test_an_unknown_dialect_makes_no_sandbox(tmp_path: Path) -> None:
    said = runner.invoke(app, ["sandbox", "init", str(tmp_path / "s"), "--dialect", "obie"])
    assert said.exit_code == 2
    assert not (tmp_path / "s").exists()


def test_a_prefix_of_the_settings_stands_before_the_banks_last_segment(sandbox: Path) -> None:
    environment = {"ENROL_REGISTRATION_DIALECT": "cic", "ENROL_SERVER_PREFIX": "/becm/oauth2"}
    settings = load_settings(sandbox / "enrol.toml", environment)
    assert settings.paths.register == "/becm/oauth2/registrations"


def test_a_signature_profile_of_the_settings_stands_over_the_dialects(sandbox: Path) -> None:
    environment = {"ENROL_REGISTRATION_DIALECT": "cic", "ENROL_SIGNATURES_PROFILE": "strict"}
    settings = load_settings(sandbox / "enrol.toml", environment)
    assert settings.dialect.signature.presence == "required"
    assert settings.signature_policies.general.coverage.name == "strict"
