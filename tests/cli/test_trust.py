"""`enrol trust` on the lists of a sandbox, and `enrol sandbox relist`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from enrol.adapters.clock import system_clock
from enrol.cli.main import app
from enrol.sandbox.folder import create_sandbox, open_sandbox
from enrol.sandbox.seed import SeededKeys


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox with its snapshot."""
    folder = tmp_path_factory.mktemp("made") / "sandbox"
    create_sandbox(folder, keys=SeededKeys(7), at=system_clock())
    assert run("refresh", "--config", folder / "enrol.toml").exit_code == 0
    return folder


@pytest.fixture
def sandbox(tmp_path: Path, made: Path) -> Path:
    """A sandbox that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "sandbox"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["trust", *map(str, arguments)])


def as_json(*arguments: object) -> object:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_show_lists_territories_with_their_services(made: Path) -> None:
    shown = as_json("show", "--config", made / "enrol.toml")
    (france,) = shown["lists"]
    assert shown["lotl"]["sequence_number"] == 1
    assert shown["missing"] == []
    assert {
        name: france[name]
        for name in ("territory", "sequence_number", "qwac_services", "qsealc_services", "ended")
    } == {
        "territory": "FR",
        "sequence_number": 1,
        "qwac_services": 3,
        "qsealc_services": 3,
        "ended": False,
    }


def test_show_is_a_table_for_people(made: Path) -> None:
    result = run("show", "--config", made / "enrol.toml")
    assert result.stdout.startswith("list of the lists 1, refreshed ")
    assert "QSealC" in result.stdout
    assert "FR" in result.stdout


def test_refresh_takes_up_a_new_list_and_diff_says_what_is_new(sandbox: Path) -> None:
    at = system_clock()
    old = sandbox / "old.snapshot"
    shutil.copy(sandbox / "trust.snapshot", old)
    open_sandbox(sandbox).publish_lists(withdrawn_at=at, at=at)
    refreshed = as_json("refresh", "--config", sandbox / "enrol.toml")
    assert refreshed["lists"][0]["sequence_number"] == 2
    found = as_json("diff", old, sandbox / "trust.snapshot")
    assert [one["what"] for one in found if "Issuing CA" in one["what"]] == [
        "service Enrol Sandbox QTSP (not qualified): Enrol Sandbox Issuing CA: granted -> withdrawn"
    ]
    assert {"territory": "EU", "what": "list 1 -> 2"} in found


def test_diff_of_the_same_is_nothing(made: Path) -> None:
    path = made / "trust.snapshot"
    assert run("diff", path, path).stdout == "no difference\n"


def test_find_knows_the_issuer_of_a_certificate(made: Path) -> None:
    config = made / "enrol.toml"
    (found,) = as_json("find", made / "tpp" / "qwac.pem", "--config", config)
    assert found["service"] == "Enrol Sandbox Issuing CA"
    assert found["now"].startswith("granted since ")
    assert found["at_issue"].endswith(" for eseal, web")


def test_find_knows_services_by_a_part_of_their_name(made: Path) -> None:
    config = made / "enrol.toml"
    found = as_json("find", "WITHDRAWN", "--config", config)
    assert [one["service"] for one in found] == ["Enrol Sandbox Withdrawn CA"]
    assert found[0]["now"].startswith("withdrawn since ")


def test_find_of_nothing_exits_1(made: Path) -> None:
    result = run("find", "Nobody", "--config", made / "enrol.toml")
    assert (result.exit_code, result.stderr) == (1, "no listed service\n")


def test_find_of_a_file_that_is_no_certificate_exits_2(made: Path) -> None:
    result = run("find", made / "enrol.toml", "--config", made / "enrol.toml")
    assert result.exit_code == 2
    assert "not one PEM certificate" in result.stderr


def test_a_refresh_that_is_refused_exits_1_and_says_why(sandbox: Path) -> None:
    path = sandbox / "lists" / "lotl.xml"
    path.write_bytes(path.read_bytes().replace(b">1</TSLSequence", b">9</TSLSequence"))
    before = (sandbox / "trust.snapshot").read_bytes()
    result = run("refresh", "--config", sandbox / "enrol.toml", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"] == "list_signature_invalid"
    assert (sandbox / "trust.snapshot").read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"sandbox"', '"none"'),
        lambda text: text.replace('directory = "lists"', 'anchors = ["ca.pem"]'),
    ],
    ids=["no source", "files of CAs"],
)
def test_without_lists_there_is_nothing_to_show(
    sandbox: Path, change: Callable[[str], str]
) -> None:
    config = sandbox / "enrol.toml"
    config.write_text(change(config.read_text()))
    result = run("show", "--config", config)
    assert result.exit_code == 2
    assert "no lists" in result.stderr


def test_relist_withdraws_and_grants(sandbox: Path) -> None:
    for options, expected in ((["--withdraw"], "withdrawn"), ([], "granted")):
        arguments = ["sandbox", "relist", str(sandbox), *options, "--json"]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["issuing_ca"] == expected
        (found,) = as_json("find", "Issuing", "--config", sandbox / "enrol.toml")
        assert found["now"].startswith(f"{expected} since ")
