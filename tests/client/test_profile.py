import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from enrol.client import load_profile
from enrol.client.bank import check_bank_url
from enrol.errors import ConfigurationError
from enrol.sandbox.files import PairPaths
from fake_bank import NOW


def refused(path: Path, **what: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_profile(path, **what)
    return caught.value


def change(profile_file: Path, old: str, new: str) -> None:
    text = profile_file.read_text()
    assert old in text
    profile_file.write_text(text.replace(old, new))


def test_the_profile_of_a_sandbox_is_read_whole(profile_file: Path) -> None:
    profile = load_profile(profile_file)
    assert profile.bank.url == "https://127.0.0.1:8443"
    assert profile.bank.ca == profile_file.parent / "../server-ca.pem"
    assert profile.credentials.qwac == profile_file.parent / "qwac.pem"
    assert profile.metadata["client_name"] == "Acme Paiements"
    assert profile.warnings == ()


def test_paths_count_from_the_profile_and_not_from_here(
    profile_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(profile_file.parent.parent)
    assert load_profile(Path("tpp/profile.toml")).bank.url
    change(profile_file, '"qwac.pem"', json.dumps(str(profile_file.parent / "qwac.pem")))
    monkeypatch.chdir(tmp_path)
    assert load_profile(profile_file).bank.url


def test_what_banks_have_in_common_need_not_be_written(profile_file: Path) -> None:
    for name in ("prefix", "token_endpoint", "client_id", "ca"):
        line = next(x for x in profile_file.read_text().splitlines() if x.startswith(f"{name} ="))
        change(profile_file, line + "\n", "")
    bank = load_profile(profile_file).bank
    assert (bank.prefix, bank.token_endpoint) == ("/stet/setting/v1", "/stet/psd2/oauth/token")
    assert (bank.client_id, bank.ca) == ("PSD2_TPPRegister", None)


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        pytest.param("[bank]\n", "[bank\n", "profile_malformed", "no TOML", id="no TOML"),
        pytest.param("[bank]\n", "[bank]\nurI = 1\n", "profile_member", "'urI'", id="unknown key"),
        pytest.param(
            "[bank]\n", "[x]\n[bank]\n", "profile_member", "no key 'x'", id="unknown table"
        ),
        pytest.param(
            "qwac_key = ", "# ", "profile_member", "[tpp] lacks 'qwac_key'", id="missing key"
        ),
        pytest.param(
            "[tpp]", "[metadata.tpp]", "profile_member", "lacks 'tpp'", id="missing table"
        ),
        pytest.param(
            'qwac = "qwac.pem"',
            "qwac = 1",
            "profile_member",
            "tpp: qwac must be text",
            id="wrong type",
        ),
        pytest.param(
            "/stet/setting/v1", "stet/", "profile_member", "[bank] prefix", id="prefix no path"
        ),
        pytest.param(
            "PSD2_TPPRegister", "a b", "profile_member", "[bank] client_id", id="client_id"
        ),
        pytest.param('kid = "', 'kid = "é', "profile_member", "[tpp] kid", id="kid not ASCII"),
        pytest.param("../server-ca.pem", "none.pem", "file_missing", "[bank] ca", id="no CA"),
        pytest.param('"qwac.pem"', '"none.pem"', "file_missing", "none.pem", id="no certificate"),
        pytest.param('"qwac.pem"', '"."', "file_missing", "qwac", id="a folder for a file"),
        pytest.param(
            '"qwac.pem"',
            '"qwac.key"',
            "certificate_malformed",
            "BEGIN CERTIFICATE",
            id="a key for a certificate",
        ),
        pytest.param(
            '"qsealc.key"',
            '"qsealc.pem"',
            "key_malformed",
            "qsealc_key",
            id="a certificate for a key",
        ),
        pytest.param(
            '"qsealc.key"', '"qwac.key"', "key_mismatch", "qsealc_key", id="the key of another"
        ),
        pytest.param("https://127", "http://127", "bank_url", "https", id="plain HTTP"),
        pytest.param(
            'scope = "aisp pisp"',
            'scope = ["aisp"]',
            "metadata_member",
            "scope must be text",
            id="metadata of a wrong type",
        ),
        pytest.param(
            'scope = "aisp pisp"',
            'client_id = "x"',
            "metadata_member",
            "issued by the bank",
            id="an issued member",
        ),
        pytest.param('scope = "aisp pisp"', "jwks = {}", "metadata_member", "qsealc", id="a jwks"),
    ],
)
def test_a_fault_of_the_profile_is_told_with_its_place(
    profile_file: Path, old: str, new: str, code: str, words: str
) -> None:
    change(profile_file, old, new)
    error = refused(profile_file)
    assert error.code == code
    assert words in error.detail


def test_a_profile_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.toml")
    assert (error.code, str(tmp_path / "none.toml") in error.detail) == ("file_missing", True)


def test_a_profile_that_is_not_text_is_refused(profile_file: Path) -> None:
    profile_file.write_bytes(b"\xff\xfe")
    assert refused(profile_file).code == "profile_malformed"


def test_an_encrypted_key_is_refused_with_the_way_out(profile_file: Path) -> None:
    path = profile_file.parent / "qsealc.key"
    key = load_pem_private_key(path.read_bytes(), None)
    protection = BestAvailableEncryption(b"secret")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    error = refused(profile_file)
    assert (error.code, "openssl pkey" in error.detail) == ("key_encrypted", True)


def test_a_weak_qsealc_is_refused_before_anything_is_sent(
    profile_file: Path, issue_into: Callable[..., PairPaths]
) -> None:
    issue_into(profile_file.parent, "qsealc", kind="qsealc", faults=["weak-key"])
    assert refused(profile_file).code == "key_weak"


def test_a_certificate_that_expired_is_a_warning_for_the_bank_decides(
    profile_file: Path, issue_into: Callable[..., PairPaths]
) -> None:
    issue_into(profile_file.parent, "qwac", not_after=NOW - timedelta(days=1))
    (warning,) = load_profile(profile_file).warnings
    assert warning.startswith("qwac: the certificate expired on ")


def test_a_certificate_that_is_not_valid_yet_is_a_warning(profile_file: Path) -> None:
    warnings = load_profile(profile_file, at=datetime(2001, 1, 1, tzinfo=UTC)).warnings
    assert [warning.partition(":")[0] for warning in warnings] == ["qwac", "qsealc"]
    assert all("valid from" in warning for warning in warnings)


def test_members_the_contract_does_not_know_are_sent_with_a_warning(profile_file: Path) -> None:
    change(profile_file, "[metadata]", '[metadata]\ncontext = "psd2"')
    profile = load_profile(profile_file)
    assert profile.metadata["context"] == "psd2"
    assert ["context" in warning for warning in profile.warnings] == [True]


def test_a_bank_url_given_stands_in_for_the_one_written(profile_file: Path) -> None:
    assert load_profile(profile_file, bank_url="https://other.example/").bank.url == (
        "https://other.example"
    )


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://bank.example", "https://bank.example"),
        ("https://bank.example/", "https://bank.example"),
        ("https://bank.example:443", "https://bank.example"),
        ("https://BANK.example:8443", "https://bank.example:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_a_bank_url_is_brought_into_one_form(text: str, url: str) -> None:
    assert check_bank_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bank.example",
        "http://bank.example",
        "https://",
        "https:///x",
        "https://bank.example/path",
        "https://bank.example?",
        "https://bank.example/#",
        "https://user@bank.example",
        "https://bank.example:99999",
        "https://bank example",
        "ftp://bank.example",
        "https://bank.example\n",
    ],
)
def test_a_bank_url_that_is_not_one_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_bank_url(text)
    assert caught.value.code == "bank_url"
