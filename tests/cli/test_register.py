"""``enrol register``: imported, shown, searched; and what a sandbox makes of it."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from enrol.cli.main import app
from enrol.registration.entitlement import RegisterMode
from enrol.settings import load_settings
from register_file import document, entity, write

runner = CliRunner()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "enrol.toml"
    file.write_text(
        '[server]\nsecret = "secret"\ncertificate = "c"\nkey = "k"\n[storage]\npath = "enrol.db"\n'
    )
    return file


def said(*arguments: str, config: Path, code: int = 0) -> str:
    result = runner.invoke(app, ["register", *arguments, "--config", str(config)])
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.fixture
def imported(config: Path, tmp_path: Path) -> Path:
    content = document(
        [entity(), entity("ES_BE!6950", name="Otro\u202e", changes=("2019-01-01", "2020-01-01"))]
    )
    said("import", str(write(tmp_path / "file.zip", content, name="r.json")), config=config)
    return config


def test_what_was_imported_is_shown(imported: Path) -> None:
    shown = json.loads(said("show", "--json", config=imported))
    assert (shown["kept"], shown["stale"]) == ({"PSD_PI": 2}, False)
    assert "PSD_PI" in said("show", config=imported)


def test_an_identifier_leads_to_its_entry(imported: Path) -> None:
    (found,) = json.loads(said("find", "PSDES-BDE-6950", "--json", config=imported))
    assert (found["code"], found["authorised"]) == ("ES_BE!6950", False)


def test_a_name_is_found_and_printed_harmlessly(imported: Path) -> None:
    assert said("find", "otro", config=imported).split()[:3] == [
        "withdrawn",
        "PSD_PI",
        "ES_BE!6950",
    ]
    assert "\u202e" not in said("find", "otro", config=imported)


def test_what_is_not_there_is_exit_code_1(imported: Path) -> None:
    assert said("find", "PSDFR-ACPR-1", config=imported, code=1) == ""


def test_an_old_register_says_so(config: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "file.zip", document([entity()]), name="x-202001010000.json")
    said("import", str(file), "--json", config=config)
    assert json.loads(said("show", "--json", config=config))["stale"]


def test_the_settings_of_the_guide_are_settings(config: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/how-to/registers.md").read_text("utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    config.write_text(config.read_text() + text)
    rules = load_settings(config, {}).entitlement
    assert (rules.mode, rules.country) == (RegisterMode.ENFORCE, "FR")
    assert rules.mapped == {"VATES-B12345678": "ES_BE!6950"}
    assert rules.allow == {"PSDFR-ACPR-30004"}
