"""A TPP with the sandbox's certificates, and a bank on the other end of the transport."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from typer.testing import CliRunner, Result

from enrol.cli.tpp import app
from enrol.client import Profile, Seal, load_profile
from enrol.sandbox import pki
from enrol.sandbox.files import PairPaths, certificates_pem, key_pem
from enrol.sandbox.folder import create_sandbox, open_sandbox
from enrol.sandbox.seed import RandomKeys
from fake_bank import NOW, FakeBank


@pytest.fixture(autouse=True, scope="session")
def each_key_is_proven_once() -> Iterator[None]:
    """Keep private keys by their bytes: to prove the primes of one takes longer than most tests."""
    with patch("enrol.client.pem.load_pem_private_key", cache(load_pem_private_key)):
        yield


@pytest.fixture(scope="session")
def made_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "sandbox"
    create_sandbox(folder, keys=RandomKeys(), at=NOW)
    return folder


@pytest.fixture
def sandbox(made_sandbox: Path, tmp_path: Path) -> Path:
    """A sandbox folder of the test's own."""
    return Path(shutil.copytree(made_sandbox, tmp_path / "sandbox"))


@pytest.fixture
def profile_file(sandbox: Path) -> Path:
    return sandbox / "tpp" / "profile.toml"


@pytest.fixture(scope="session")
def profile(made_sandbox: Path) -> Profile:
    """A profile to read only; it has the keys of `profile_file`."""
    return load_profile(made_sandbox / "tpp" / "profile.toml")


@pytest.fixture(scope="session")
def seal(profile: Profile) -> Seal:
    return profile.credentials.seal


@pytest.fixture
def bank(seal: Seal) -> FakeBank:
    return FakeBank(seal.certificates[0])


@pytest.fixture(scope="session")
def authority(made_sandbox: Path) -> pki.Authority:
    return open_sandbox(made_sandbox).authority


@pytest.fixture
def issue_into(authority: pki.Authority) -> Callable[..., PairPaths]:
    """Issue a certificate of the sandbox's QTSP into a folder, over what is there."""

    def write(folder: Path, name: str, **what: object) -> PairPaths:
        issued = pki.issue(authority, at=NOW, **what)
        pair = PairPaths(folder / f"{name}.pem", folder / f"{name}.key")
        pair.certificate.write_bytes(certificates_pem(issued.certificate, *issued.chain))
        pair.key.write_bytes(key_pem(issued.private_key))
        return pair

    return write


@pytest.fixture
def run(profile_file: Path, bank: FakeBank) -> Callable[..., Result]:
    """Run a command with the profile; nothing but the transport is not real."""

    def command(*arguments: str, **environment: str) -> Result:
        result = CliRunner().invoke(
            app,
            [*arguments, "--profile", str(profile_file)],
            obj=httpx.MockTransport(bank),
            env=environment,
        )
        assert not isinstance(result.exception, Exception), result.exception
        assert "PRIVATE" not in result.output
        return result

    return command
