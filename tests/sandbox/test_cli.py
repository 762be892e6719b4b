import json
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner, Result

from enrol.cli.sandbox import app
from enrol.eidas.certificate import Certificate, parse_pem_certificate
from enrol.sandbox.faults import Fault
from enrol.sandbox.folder import CONTENTS


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def read(path: Path) -> Certificate:
    return parse_pem_certificate(path.read_bytes())


def test_init_writes_a_sandbox_and_says_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "sandbox"
    result = run("init", path)
    assert result.exit_code == 0
    assert all((path / name).is_file() and name in result.stdout for name in CONTENTS)
    assert f"enrol sandbox up {path}" in result.stdout
    assert "Nothing in it is qualified" in result.stdout


def test_init_again_changes_nothing(sandbox: Path) -> None:
    before = (sandbox / "tpp" / "qwac.key").read_bytes()
    result = run("init", sandbox)
    assert result.exit_code == 0
    assert "nothing was changed" in result.stdout
    assert (sandbox / "tpp" / "qwac.key").read_bytes() == before


def test_init_with_a_seed_repeats_keys(tmp_path: Path) -> None:
    for name in ("one", "other"):
        assert run("init", tmp_path / name, "--seed", 7).exit_code == 0
    for name in CONTENTS:
        if name.endswith((".key", ".secret")):
            assert (tmp_path / "one" / name).read_bytes() == (
                tmp_path / "other" / name
            ).read_bytes()


def test_init_refuses_a_folder_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")
    result = run("init", tmp_path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "new or empty" in result.stderr
    assert "Traceback" not in result.stderr


def test_init_in_json(tmp_path: Path) -> None:
    path = tmp_path / "sandbox"
    first, second = (json.loads(run("init", path, "--json").stdout) for _ in range(2))
    assert (first["created"], second["created"]) == (True, False)
    assert first["files"] == [str(path / name) for name in CONTENTS]
    assert first["qualified"] is False


def test_issue_makes_a_certificate_as_asked(sandbox: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(
        "issue", sandbox, "--kind", "qsealc", "--organization-identifier", "PSDDE-BAFIN-4711",
        "--role", "PSP_IC", "--name", "mine", "--out", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert str(out / "mine.pem") in result.stdout
    certificate = read(out / "mine.pem")
    assert certificate.organization_identifiers == ("PSDDE-BAFIN-4711",)
    assert certificate.qc is not None
    assert certificate.qc.qc_types == ("eseal",)
    assert certificate.qc.psd2 is not None
    assert certificate.qc.psd2.roles == {"PSP_IC"}
    assert (out / "mine.key").stat().st_mode & 0o777 == 0o600


def test_issue_names_files_after_kind_and_faults(sandbox: Path) -> None:
    result = run("issue", sandbox, "--kind", "qwac", "--fault", "no-role", "--fault", "expired")
    assert result.exit_code == 0, result.stderr
    assert (sandbox / "tpp" / "qwac-expired-no-role.pem").is_file()


def test_issue_never_writes_over(sandbox: Path) -> None:
    before = (sandbox / "tpp" / "qwac.pem").read_bytes()
    result = run("issue", sandbox, "--kind", "qwac")
    assert result.exit_code == 2
    assert "exists" in result.stderr
    assert "--name" in result.stderr
    assert (sandbox / "tpp" / "qwac.pem").read_bytes() == before


def test_issue_revoked_revokes(sandbox: Path) -> None:
    result = run("issue", sandbox, "--kind", "qwac", "--fault", "revoked", "--json")
    serial_number = int(json.loads(result.stdout)["serial_number"])
    crl = x509.load_pem_x509_crl((sandbox / "ca.crl").read_bytes())
    assert [entry.serial_number for entry in crl] == [serial_number]
    assert read(sandbox / "tpp" / "qwac-revoked.pem").serial_number == serial_number


def test_issue_that_is_refused_revokes_nothing(sandbox: Path) -> None:
    before = (sandbox / "ca.crl").read_bytes()
    result = run("issue", sandbox, "--kind", "qwac", "--name", "qwac", "--fault", "revoked")
    assert result.exit_code == 2
    assert (sandbox / "ca.crl").read_bytes() == before


@pytest.mark.parametrize("fault", list(Fault))
def test_issue_knows_every_fault(sandbox: Path, fault: Fault) -> None:
    kind = "qsealc" if fault is Fault.WEB_ONLY_ISSUER else "qwac"
    result = run("issue", sandbox, "--kind", kind, "--fault", fault.value, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["faults"] == [fault.value]


def test_an_unknown_fault_is_refused_with_the_known_ones(sandbox: Path) -> None:
    result = run("issue", sandbox, "--kind", "qwac", "--fault", "bent")
    assert result.exit_code == 2
    assert all(fault.value in result.stderr for fault in Fault)


@pytest.mark.parametrize(
    "wrong",
    [("--kind", "qesig"), ("--kind", "qwac", "--role", "PSP_XX"), ()],
    ids=["an unknown kind", "an unknown role", "no kind"],
)
def test_wrong_use_exits_2(sandbox: Path, wrong: tuple[str, ...]) -> None:
    assert run("issue", sandbox, *wrong).exit_code == 2


def test_errors_in_json(tmp_path: Path) -> None:
    result = run("issue", tmp_path, "--kind", "qwac", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stderr)["error"] == "sandbox_folder_missing"
    assert result.stdout == ""


def test_a_folder_that_cannot_be_written_exits_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("init", tmp_path / "file" / "sandbox")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["init", "issue"])
def test_help_is_there(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    if command == "issue":
        assert all(fault.value in result.stdout for fault in Fault)
