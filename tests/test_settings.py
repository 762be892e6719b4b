"""Settings are checked whole, and a mistake is named."""

from pathlib import Path

import pytest

from enrol.errors import ConfigurationError
from enrol.registration.service import Operation
from enrol.settings import load_settings, read_secret

MINIMAL = """
[server]
certificate = "server.pem"
key = "server.key"
secret = "enrol.secret"
[trust]
anchors = ["ca.pem"]
[storage]
path = "enrol.db"
"""


def write(folder: Path, text: str = MINIMAL) -> Path:
    path = folder / "enrol.toml"
    path.write_text(text)
    return path


def test_paths_are_those_of_the_files_folder(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.storage.path == tmp_path / "enrol.db"
    assert settings.trust.anchors == (tmp_path / "ca.pem",)


def test_what_is_not_set_has_a_safe_default(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.has_rates
    assert settings.desk.quota == 100
    assert settings.desk.dialect.name == "stet"
    assert settings.public_url == "https://127.0.0.1:8443"


def test_a_variable_overrides_a_setting(tmp_path: Path) -> None:
    environment = {
        "ENROL_SERVER_PORT": "9443",
        "ENROL_SERVER_OPENAPI": "false",
        "ENROL_REGISTRATION_OPERATIONS": "read,delete",
        "ENROL_KEY_URLS_FETCH": "false",
        "ENROL_DEADLINES_BODY": "0.5",
    }
    settings = load_settings(write(tmp_path), environment)
    assert settings.server.port == 9443
    assert settings.server.openapi is False
    assert settings.desk.offered == {Operation.READ, Operation.DELETE}
    assert settings.key_urls.fetch is False
    assert settings.request_limits.body_deadline == 0.5


MISTAKES = {
    "no TOML": ("[server", "settings_malformed", "not TOML"),
    "an unknown name": (MINIMAL + "sync = true\n", "settings_invalid", "sync"),
    "an unknown table": (MINIMAL + "[databse]\n", "settings_invalid", "databse"),
    "a missing name": (MINIMAL.replace('path = "enrol.db"', ""), "settings_invalid", "path"),
    "a wrong type": (MINIMAL + '[limits]\nbody_bytes = "much"\n', "settings_invalid", "body_bytes"),
    "a number out of range": (
        MINIMAL + "[limits]\nin_flight = 0\n",
        "settings_invalid",
        "in_flight",
    ),
    "no anchors": (MINIMAL.replace('["ca.pem"]', "[]"), "anchors_missing", "trust.anchors"),
    "an unknown dialect": (
        MINIMAL + '[registration]\ndialect = "obie"\n',
        "dialect_unknown",
        "rfc7591, stet",
    ),
    "a public URL with a path": (
        MINIMAL.replace("[trust]", 'public_url = "https://bank.example/api"\n[trust]'),
        "public_url_invalid",
        "public_url",
    ),
    "a public URL without TLS": (
        MINIMAL.replace("[trust]", 'public_url = "http://bank.example"\n[trust]'),
        "public_url_invalid",
        "public_url",
    ),
}


@pytest.mark.parametrize(("text", "code", "named"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_and_named(tmp_path: Path, text: str, code: str, named: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(write(tmp_path, text), {})
    assert refusal.value.code == code
    assert named in refusal.value.detail


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "absent.toml", {})


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        ("x" * 48, 0o644, "secret_exposed"),
        ("x" * 31, 0o600, "secret_short"),
        (None, 0o600, "secret_unreadable"),
    ],
)
def test_a_secret_is_long_and_private(
    tmp_path: Path, text: str | None, mode: int, code: str
) -> None:
    path = tmp_path / "secret"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(ConfigurationError) as refusal:
        read_secret(path)
    assert refusal.value.code == code
