import stat
from pathlib import Path

import pytest

from enrol.client.rotation import rotation_values, write_rotation
from enrol.errors import ConfigurationError

PROFILE = """\
# qsealc = "a comment"
[bank]
url = "https://bank.example" # qsealc = "x"
kid = "not this one"

[tpp] # the certificates
qwac = "qwac.pem"
qwac_key = "qwac.key"
  qsealc='old.pem' # the seal
qsealc_key = "old.key"
kid = "1"
[metadata]
qsealc = "neither this"
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.toml"
    path.write_text(PROFILE)
    return path


def values(profile: Path, certificate: str = "new.pem") -> dict[str, str]:
    folder = profile.parent
    return rotation_values(
        profile, qsealc=folder / certificate, qsealc_key=folder / "new.key", kid="2"
    )


def test_only_the_values_that_change_are_written(profile: Path) -> None:
    profile.chmod(0o640)
    write_rotation(profile, values(profile))
    expected = PROFILE.replace("'old.pem'", '"new.pem"').replace("old.key", "new.key")
    assert profile.read_text() == expected.replace('kid = "1"', 'kid = "2"')
    assert stat.S_IMODE(profile.stat().st_mode) == 0o640


def test_a_kid_that_is_not_written_stays_unwritten(profile: Path) -> None:
    profile.write_text(PROFILE.replace('kid = "1"\n', ""))
    assert values(profile) == {"qsealc": "new.pem", "qsealc_key": "new.key"}


def test_files_elsewhere_are_named_absolutely(profile: Path) -> None:
    other = Path("/etc/tpp/new.pem")
    found = rotation_values(profile, qsealc=other, qsealc_key=other, kid="2")
    assert found["qsealc"] == "/etc/tpp/new.pem"


def test_a_path_that_needs_escapes_survives(profile: Path) -> None:
    write_rotation(profile, values(profile, 'a "b" \\ é.pem'))
    assert r'qsealc="a \"b\" \\ é.pem"' in profile.read_text()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("  qsealc='old.pem'", '"qsealc" = "old.pem"', id="a quoted key"),
        pytest.param("'old.pem'", '"""old.pem"""', id="a long string"),
        pytest.param('kid = "1"', "x = '''\nqsealc = \"y\"\n'''", id="a line within a text"),
        pytest.param(PROFILE, 'tpp = { qsealc = "old.pem" }\n', id="a table within a line"),
    ],
)
def test_a_profile_written_in_another_way_is_left_as_it_is(
    profile: Path, old: str, new: str
) -> None:
    text = PROFILE.replace(old, new)
    profile.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        write_rotation(profile, {"qsealc": "new.pem", "qsealc_key": "new.key"})
    assert caught.value.code == "profile_not_rewritable"
    assert profile.read_text() == text
