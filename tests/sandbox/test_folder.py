import os
import stat
import threading
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from enrol.client.profile import load_profile
from enrol.errors import ConfigurationError
from enrol.sandbox import folder as folder_module
from enrol.sandbox.files import certificates_pem, new_pair, write_new, write_pair
from enrol.sandbox.folder import CONTENTS, create_sandbox, is_sandbox, open_sandbox
from enrol.sandbox.pki import issue
from enrol.sandbox.seed import RandomKeys, SeededKeys
from enrol.settings import load_settings


@pytest.fixture(scope="module")
def at() -> datetime:
    """Noon of the day the sandbox was made."""
    return datetime.now(UTC).replace(hour=12, minute=0)


def content(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refusal(path: Path, at: datetime) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        create_sandbox(path, keys=SeededKeys(5), at=at)
    return caught.value


def test_a_sandbox_holds_what_it_says(made: Path) -> None:
    assert content(made).keys() == CONTENTS.keys()


def test_secrets_are_for_their_owner_alone(made: Path) -> None:
    secret = {name for name in CONTENTS if name.endswith((".key", ".secret"))}
    assert {name for name in CONTENTS if mode(made / name) == 0o600} == secret
    assert mode(made / "qtsp") == 0o700


def test_a_key_is_private_before_it_has_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    real = os.fdopen

    def spy(descriptor: int, how: str) -> object:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return real(descriptor, how)

    monkeypatch.setattr(os, "fdopen", spy)
    write_new(tmp_path / "a.key", b"key", mode=0o600)
    assert modes == [0o600]


def test_keys_are_unencrypted_pkcs8_and_belong_to_their_certificates(made: Path) -> None:
    for name in ("server", "tpp/qwac", "tpp/qsealc"):
        pem = (made / f"{name}.key").read_bytes()
        assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
        certificate = x509.load_pem_x509_certificate((made / f"{name}.pem").read_bytes())
        assert load_pem_private_key(pem, None).public_key() == certificate.public_key()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, made: Path, at: datetime) -> None:
    create_sandbox(tmp_path / "again", keys=SeededKeys(5), at=at + timedelta(hours=3))
    assert content(tmp_path / "again") == content(made)


def test_without_a_seed_no_two_sandboxes_share_a_key(tmp_path: Path, at: datetime) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        create_sandbox(path, keys=RandomKeys(), at=at)
    for name in CONTENTS:
        if name.endswith((".key", ".secret")):
            assert (one / name).read_bytes() != (other / name).read_bytes()


def test_ca_pem_holds_root_and_issuing_ca(made: Path) -> None:
    root, issuing = x509.load_pem_x509_certificates((made / "ca.pem").read_bytes())
    root.verify_directly_issued_by(root)
    issuing.verify_directly_issued_by(root)
    for name in ("qwac", "qsealc"):
        pem = (made / "tpp" / f"{name}.pem").read_bytes()
        x509.load_pem_x509_certificate(pem).verify_directly_issued_by(issuing)


def test_the_server_is_under_a_ca_of_its_own_whose_key_is_gone(made: Path) -> None:
    ca = x509.load_pem_x509_certificate((made / "server-ca.pem").read_bytes())
    server = x509.load_pem_x509_certificate((made / "server.pem").read_bytes())
    server.verify_directly_issued_by(ca)
    keys = [load_pem_private_key(key.read_bytes(), None) for key in made.rglob("*.key")]
    assert all(key.public_key() != ca.public_key() for key in keys)


def test_the_revocation_list_is_the_issuing_cas_and_empty(made: Path, at: datetime) -> None:
    crl = x509.load_pem_x509_crl((made / "ca.crl").read_bytes())
    _, issuing = x509.load_pem_x509_certificates((made / "ca.pem").read_bytes())
    assert crl.is_signature_valid(issuing.public_key())
    assert list(crl) == []
    assert crl.last_update_utc <= at < at + timedelta(days=300) < crl.next_update_utc


def test_the_profile_names_files_that_exist_and_the_qsealc(made: Path) -> None:
    profile = tomllib.loads((made / "tpp" / "profile.toml").read_text())
    files = (*(profile["tpp"][name] for name in ("qwac", "qwac_key", "qsealc", "qsealc_key")),)
    assert all((made / "tpp" / name).is_file() for name in (*files, profile["bank"]["ca"]))
    qsealc = x509.load_pem_x509_certificate((made / "tpp" / "qsealc.pem").read_bytes())
    assert profile["tpp"]["kid"] == str(qsealc.serial_number)
    assert profile["metadata"]["provider_legal_id"] == "PSDFR-ACPR-12345"


def test_the_settings_name_files_that_exist(made: Path) -> None:
    settings = tomllib.loads((made / "enrol.toml").read_text())
    server, trust = settings["server"], settings["trust"]
    names = (server["certificate"], server["key"], server["secret"])
    for name in (*names, trust["lotl_anchors"], *trust["revocation_lists"]):
        assert (made / name).is_file()
    assert (made / trust["directory"] / "lotl.xml").is_file()


def test_server_and_client_read_their_files(made: Path, at: datetime) -> None:
    assert load_settings(made / "enrol.toml", {}).storage.path == made / "enrol.db"
    assert load_profile(made / "tpp" / "profile.toml", at=at).warnings == ()


def test_host_and_port_go_into_both_settings_files(tmp_path: Path, at: datetime) -> None:
    create_sandbox(tmp_path / "s", keys=RandomKeys(), at=at, host="::1", port=9443)
    settings = tomllib.loads((tmp_path / "s" / "enrol.toml").read_text())
    profile = tomllib.loads((tmp_path / "s" / "tpp" / "profile.toml").read_text())
    assert (settings["server"]["host"], settings["server"]["port"]) == ("::1", 9443)
    assert profile["bank"]["url"] == "https://[::1]:9443"


def test_a_sandbox_is_never_made_over(sandbox: Path, at: datetime) -> None:
    before = content(sandbox)
    assert create_sandbox(sandbox, keys=RandomKeys(), at=at) is False
    assert content(sandbox) == before


def test_an_empty_folder_becomes_a_sandbox(tmp_path: Path, at: datetime) -> None:
    assert create_sandbox(tmp_path, keys=RandomKeys(), at=at)
    assert is_sandbox(tmp_path)


def test_a_folder_of_other_files_is_refused(tmp_path: Path, at: datetime) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    error = refusal(tmp_path, at)
    assert error.code == "sandbox_folder_not_empty"
    assert "name a folder that is new or empty" in error.detail
    assert content(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_part_of_a_sandbox_is_refused_and_named(sandbox: Path, at: datetime) -> None:
    (sandbox / "tpp" / "qwac.key").unlink()
    error = refusal(sandbox, at)
    assert error.code == "sandbox_folder_incomplete"
    assert "tpp/qwac.key" in error.detail


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path, at: datetime) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file", at).code == "sandbox_folder_not_a_folder"


def test_a_sandbox_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(path: Path, data: bytes, *, mode: int = 0o644) -> None:
        if path.name == "profile.toml":
            raise OSError(28, "No space left on device")
        write_new(path, data, mode=mode)

    monkeypatch.setattr(folder_module, "write_new", full_disk)
    with pytest.raises(OSError, match="No space left"):
        create_sandbox(tmp_path / "s", keys=RandomKeys(), at=at)
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, at: datetime
) -> None:
    with pytest.raises(ConfigurationError):
        create_sandbox(tmp_path / "s", keys=SeededKeys(5), at=at, host='"')
    assert list(tmp_path.iterdir()) == []


def test_an_opened_sandbox_issues_under_its_own_ca(made: Path, at: datetime) -> None:
    authority = open_sandbox(made).authority
    issued = issue(authority, at=at)
    _, issuing = x509.load_pem_x509_certificates((made / "ca.pem").read_bytes())
    issued.certificate.verify_directly_issued_by(issuing)


@pytest.mark.parametrize("there", [True, False], ids=["another folder", "no folder"])
def test_where_there_is_no_sandbox_none_is_opened(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "s"
    if there:
        path.mkdir()
        (path / "other").write_text("")
    with pytest.raises(ConfigurationError) as caught:
        open_sandbox(path)
    assert caught.value.code == "sandbox_folder_missing"


def test_the_ca_of_another_sandbox_is_not_opened(sandbox: Path, authority) -> None:
    (sandbox / "ca.pem").write_bytes(certificates_pem(*authority.anchors))
    with pytest.raises(ConfigurationError) as caught:
        open_sandbox(sandbox)
    assert caught.value.code == "sandbox_folder_unreadable"


def test_lists_are_signed_anew_under_the_next_number(sandbox: Path, at: datetime) -> None:
    opened = open_sandbox(sandbox)
    assert opened.publish_lists(withdrawn_at=at, at=at) == 2
    assert b"Svcstatus/withdrawn" in (sandbox / "lists" / "FR.xml").read_bytes()
    assert opened.publish_lists(withdrawn_at=None, at=at) == 3


def test_lists_that_are_none_are_not_signed_anew(sandbox: Path, at: datetime) -> None:
    (sandbox / "lists" / "lotl.xml").write_bytes(b"<list/>")
    with pytest.raises(ConfigurationError) as caught:
        open_sandbox(sandbox).publish_lists(withdrawn_at=None, at=at)
    assert caught.value.code == "sandbox_folder_unreadable"


def test_revocations_add_up_in_a_list_that_is_replaced_whole(sandbox: Path, at: datetime) -> None:
    path = sandbox / "ca.crl"
    opened = open_sandbox(sandbox)
    with path.open("rb") as reader:
        for serial_number in (11, 12):
            opened.revoke(serial_number, at=at)
        assert list(x509.load_pem_x509_crl(reader.read())) == []
    crl = x509.load_pem_x509_crl(path.read_bytes())
    assert [entry.serial_number for entry in crl] == [11, 12]
    assert content(sandbox).keys() == CONTENTS.keys()


def test_revocations_at_once_are_all_kept(sandbox: Path, at: datetime) -> None:
    numbers = range(1, 9)
    threads = [
        threading.Thread(target=open_sandbox(sandbox).revoke, args=(number,), kwargs={"at": at})
        for number in numbers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    crl = x509.load_pem_x509_crl((sandbox / "ca.crl").read_bytes())
    assert {entry.serial_number for entry in crl} == set(numbers)


def test_a_revocation_list_that_cannot_be_read_stays(sandbox: Path, at: datetime) -> None:
    (sandbox / "ca.crl").write_text("mine")
    with pytest.raises(ConfigurationError) as caught:
        open_sandbox(sandbox).revoke(1, at=at)
    assert caught.value.code == "sandbox_folder_unreadable"
    assert (sandbox / "ca.crl").read_text() == "mine"


def test_a_pair_is_written_with_its_chain(tmp_path: Path, made: Path, at: datetime) -> None:
    issued = issue(open_sandbox(made).authority, at=at, faults={"leaf-as-ca"})
    pair = new_pair(tmp_path / "new", "leaf")
    write_pair(pair, issued)
    written = x509.load_pem_x509_certificates(pair.certificate.read_bytes())
    assert written == [issued.certificate, *issued.chain]
    assert mode(pair.key) == 0o600


def test_a_pair_is_written_whole_or_not(tmp_path: Path, made: Path, at: datetime) -> None:
    issued = issue(open_sandbox(made).authority, at=at)
    pair = new_pair(tmp_path, "a")
    pair.certificate.write_text("mine")
    with pytest.raises(ConfigurationError):
        write_pair(pair, issued)
    assert content(tmp_path) == {"a.pem": b"mine"}


@pytest.mark.parametrize("name", ["", ".", "../up", "a/b", "-x", ".hidden", "a\n", "a" * 101])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        new_pair(tmp_path, name)
    assert caught.value.code == "sandbox_name"


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "a.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError) as caught:
        new_pair(tmp_path, "a")
    assert caught.value.code == "sandbox_file_exists"
