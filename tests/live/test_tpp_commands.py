"""``enrol tpp`` against banks that run, each in its own dialect."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from enrol.cli.main import app
from live.desk import Desk

Tpp = Callable[..., Result]


@pytest.fixture
def tpp() -> Tpp:
    def run(desk: Desk, *arguments: str) -> Result:
        profile = desk.folder / "tpp" / "profile.toml"
        where = ("--profile", str(profile), "--bank-url", f"https://127.0.0.1:{desk.port}")
        return CliRunner().invoke(app, ["tpp", *arguments, *where])

    return run


def test_a_registration_lives_at_a_bank_that_manages_by_its_token(folder: Path, tpp: Tpp) -> None:
    with Desk(folder, ("--dialect", "bnpp")) as desk:
        assert tpp(desk, "register").exit_code == 0
        assert tpp(desk, "show").exit_code == 0
        updated = tpp(desk, "update", "--set", "client_name=New")
        assert "the bank says  Your update request has been recorded." in updated.stdout
        assert "client_name                New\n" in tpp(desk, "show").stdout
        assert tpp(desk, "delete").exit_code == 0


def test_an_update_sends_back_what_a_bank_wants_back(folder: Path, tpp: Tpp) -> None:
    with Desk(folder, ("--dialect", "creditagricole")) as desk:
        assert tpp(desk, "register").exit_code == 0
        assert tpp(desk, "update", "--set", "client_name=New").exit_code == 0
        assert "client_name                New\n" in tpp(desk, "show").stdout


def test_a_sandbox_says_where_its_profile_has_another_address(folder: Path, tpp: Tpp) -> None:
    desk = Desk(folder)
    with desk:
        assert "--bank-url" not in "".join(desk.log_lines)
        made = desk.port
    desk.port = 0
    with desk:
        url = f"https://127.0.0.1:{desk.port}"
        (said,) = [line for line in desk.log_lines if "--bank-url" in line]
        assert f"has the bank at https://127.0.0.1:{made}: " in said
        assert f"--bank-url {url}" in said
        assert tpp(desk, "register").exit_code == 0
