"""``enrol explain certificate``: what people and scripts get from it."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate
from typer.testing import CliRunner, Result

from enrol.cli.main import app
from enrol.cli.trust import refresh_now
from enrol.errors import ConfigurationError
from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.seed import RandomKeys
from enrol.settings import load_settings
from vectors import vectors

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox whose lists were read once."""
    folder = tmp_path_factory.mktemp("examined") / "sandbox"
    create_sandbox(folder, keys=RandomKeys(), at=datetime.now(UTC))
    refresh_now(load_settings(folder / "enrol.toml").refresh_job)
    return folder


@pytest.fixture(scope="module")
def tpp(sandbox: Path) -> Path:
    return sandbox / "tpp"


@pytest.fixture
def run() -> Run:
    def command(*arguments: object, **options: Any) -> Result:
        return CliRunner().invoke(app, ["explain", "certificate", *map(str, arguments)], **options)

    return command


def report(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout))


def statuses(certificate: dict[str, Any]) -> dict[int, str]:
    return {check["number"]: check["status"] for check in certificate["checks"]}


def test_both_certificates_of_a_tpp_pass_at_its_bank(run: Run, sandbox: Path, tpp: Path) -> None:
    config = sandbox / "enrol.toml"
    result = run(tpp / "qsealc.pem", tpp / "qwac.pem", "--config", config, "--json")
    assert result.exit_code == 0, result.output
    found = report(result)
    assert [one["use"] for one in found["certificates"]] == ["qwac", "qsealc"]
    assert {one["status"] for one in found["certificates"]} == {"passed"}
    assert found["together"][0]["status"] == "passed"


def test_without_a_bank_trust_is_not_decidable_and_says_so(run: Run, tpp: Path) -> None:
    result = run(tpp / "qwac.pem")
    assert result.exit_code == 0
    assert "not everything could be decided" in result.stdout
    assert "No bank was named" in result.stdout
    found = statuses(report(run(tpp / "qwac.pem", "--json"))["certificates"][0])
    assert {found[number] for number in (6, 7, 8, 9, 24)} == {"undecided"}


def test_a_certificate_that_fails_says_what_to_do(run: Run, tpp: Path) -> None:
    result = run(tpp / "qsealc.pem", "--use", "qwac")
    assert result.exit_code == 1
    assert "1 check fails" in result.stdout
    assert "cert_wrong_qctype, EN 319 412-5 §4.2.3" in result.stdout
    assert "Present the QWAC in TLS and sign with the key of the QSealC" in result.stdout


def test_the_time_can_be_set(run: Run, sandbox: Path, tpp: Path) -> None:
    result = run(
        tpp / "qwac.pem", "--config", sandbox / "enrol.toml", "--at", "2036-01-01", "--json"
    )
    assert result.exit_code == 1
    found = statuses(report(result)["certificates"][0])
    assert (found[5], found[6]) == ("failed", "undecided")


def test_a_real_certificate_shows_its_facts(run: Run) -> None:
    result = run(vectors("eidas", "real", "01-tink-qsealc-2019.pem"), "--at", "2020-01-01")
    assert result.exit_code == 0
    assert "PSDSE-FINA-44059" in result.stdout
    assert "As a QSealC" in result.stdout


def test_der_is_read_too(run: Run, tpp: Path, tmp_path: Path) -> None:
    certificate = load_pem_x509_certificate((tpp / "qsealc.pem").read_bytes())
    file = tmp_path / "qsealc.der"
    file.write_bytes(certificate.public_bytes(Encoding.DER))
    assert report(run(file, "--json"))["certificates"][0]["use"] == "qsealc"


def test_a_chain_may_follow_and_text_may_stand_between(
    run: Run, sandbox: Path, tpp: Path, tmp_path: Path
) -> None:
    file = tmp_path / "chain.pem"
    file.write_bytes(b"bag\n" + (tpp / "qwac.pem").read_bytes() + (sandbox / "ca.pem").read_bytes())
    result = run(file, "--config", sandbox / "enrol.toml")
    assert result.exit_code == 0, result.output


def test_octets_that_are_no_certificate_fail_the_first_check(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cut.der"
    file.write_bytes(b"\x30\x82\x01\x00\x30\x00")
    result = run(file, "--json")
    assert result.exit_code == 1
    assert statuses(report(result)["certificates"][0])[1] == "failed"


def refused(run: Run, *arguments: object) -> str:
    """Return what is said of input that cannot be read."""
    result = run(*arguments)
    assert isinstance(result.exception, ConfigurationError), result.output
    return result.exception.detail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello", "is neither PEM nor DER"),
        (b"MIIC" * 40, "is neither PEM nor DER"),
        (b"-----BEGIN CERTIFICATE-----\nMII", "cut or not a certificate"),
        (b"-----BEGIN CERTIFICATE-----\nMIIx=a\n-----END CERTIFICATE-----", "base64 is damaged"),
        (b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----", "keep the key"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAA==", "what the QTSP issued"),
        (b"-----BEGIN PUBLIC KEY-----\nAA==", "a public key"),
        (b"-----BEGIN PKCS7-----\nAA==", "openssl pkcs7"),
        (b"-----BEGIN X509 CRL-----\nAA==", "a revocation list"),
        (b"\x30\x82\x01\x00\x06\x09", "is PKCS#7"),
        (b"x" * 300_000, "longer than 256 KiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_files_are_told_from_certificates(
    run: Run, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "given"
    file.write_bytes(content)
    said = refused(run, file)
    assert words in said
    assert str(file) in said


def test_a_pkcs12_file_says_how_to_take_the_certificate_out(
    run: Run, tpp: Path, tmp_path: Path
) -> None:
    key: Any = load_pem_private_key((tpp / "qwac.key").read_bytes(), None)
    certificate = load_pem_x509_certificate((tpp / "qwac.pem").read_bytes())
    data = pkcs12.serialize_key_and_certificates(b"tpp", key, certificate, None, NoEncryption())
    file = tmp_path / "tpp.p12"
    file.write_bytes(data)
    assert "openssl pkcs12" in refused(run, file)


def test_a_file_that_is_not_there_and_a_folder_are_named(run: Run, tmp_path: Path) -> None:
    assert "cannot be read" in refused(run, tmp_path / "nothing.pem")
    assert "cannot be read" in refused(run, tmp_path)


def test_two_of_a_kind_are_asked_about(run: Run, tpp: Path) -> None:
    said = refused(run, tpp / "qwac.pem", tpp / "qwac.pem")
    assert "one QWAC and one QSealC" in said


def test_a_time_and_a_configuration_that_cannot_be_read_are_named(
    run: Run, tpp: Path, tmp_path: Path
) -> None:
    assert "--at" in refused(run, tpp / "qwac.pem", "--at", "yesterday")
    refused(run, tpp / "qwac.pem", "--config", tmp_path / "none.toml")


def test_names_in_a_certificate_cannot_draw_on_the_terminal(run: Run, tmp_path: Path) -> None:
    file, key = tmp_path / "evil.pem", tmp_path / "evil.key"
    subject = "/CN=a\x1b[31mred"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject]
    subprocess.run([*command, "-keyout", key, "-out", file], check=True, capture_output=True)
    result = run(file)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
