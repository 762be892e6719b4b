import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from enrol.client.registrations import (
    KeptRegistration,
    forget_registration,
    keep_registration,
    kept_registrations,
    last_registration,
)
from enrol.errors import ConfigurationError

BANK = "https://bank.example"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile.toml"


def kept(client_id: str, bank: str = BANK, profile: str = "profile.toml") -> KeptRegistration:
    return KeptRegistration(client_id, bank, profile, "2026-11-24T10:00:00+00:00")


def keep_many(profile: Path, prefix: str) -> None:
    for number in range(10):
        keep_registration(profile, kept(f"{prefix}{number}"))


def test_nothing_is_kept_at_first(profile: Path) -> None:
    assert kept_registrations(profile) == ()
    assert last_registration(profile, BANK) is None
    forget_registration(profile, client_id="a", bank=BANK)
    assert list(profile.parent.iterdir()) == []


def test_what_is_kept_is_found_in_order(profile: Path) -> None:
    keep_registration(profile, kept("a"))
    keep_registration(profile, kept("b"))
    assert [one.client_id for one in kept_registrations(profile)] == ["a", "b"]
    assert last_registration(profile, BANK) == "b"


def test_a_registration_is_kept_once(profile: Path) -> None:
    keep_registration(profile, kept("a"))
    keep_registration(profile, kept("a"))
    assert len(kept_registrations(profile)) == 1


def test_banks_and_profiles_are_told_apart(profile: Path) -> None:
    keep_registration(profile, kept("a"))
    keep_registration(profile, kept("b", bank="https://other.example"))
    keep_registration(profile, kept("c", profile="other.toml"))
    assert last_registration(profile, BANK) == "a"
    assert [one.client_id for one in kept_registrations(profile)] == ["a", "b"]


def test_what_is_forgotten_is_gone_at_that_bank_only(profile: Path) -> None:
    keep_registration(profile, kept("a"))
    keep_registration(profile, kept("a", bank="https://other.example"))
    forget_registration(profile, client_id="a", bank=BANK)
    assert [one.bank for one in kept_registrations(profile)] == ["https://other.example"]


def test_the_file_is_json_for_its_owner_only(profile: Path) -> None:
    keep_registration(profile, kept("a"))
    (path,) = profile.parent.iterdir()
    assert path.name == "registrations.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {
        "registrations": [
            {
                "client_id": "a",
                "bank": BANK,
                "profile": "profile.toml",
                "registered_at": "2026-11-24T10:00:00+00:00",
            }
        ]
    }


@pytest.mark.parametrize("content", [b"", b"[]", b'{"registrations": [{}]}', b"\xff"])
def test_a_file_that_cannot_be_read_is_left_as_it_is(profile: Path, content: bytes) -> None:
    path = profile.with_name("registrations.json")
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        keep_registration(profile, kept("a"))
    assert caught.value.code == "registrations_file"
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        keep_registration(tmp_path / "none" / "profile.toml", kept("a"))


def test_commands_at_once_do_not_lose_one_anothers_registrations(profile: Path) -> None:
    with ThreadPoolExecutor(4) as commands:
        list(commands.map(keep_many, [profile] * 4, "abcd"))
    assert len(kept_registrations(profile)) == 40
