"""A test QTSP for the whole run, and OpenSSL's second opinion."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.sandbox import pki
from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.seed import RSA_BITS, SeededKeys

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


class PooledKeys(SeededKeys):
    """Gives one RSA key a label and size, however often it is asked: RSA keys take their time."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._pool: dict[tuple[str, int], rsa.RSAPrivateKey] = {}

    def rsa_key(self, label: str, bits: int = RSA_BITS) -> rsa.RSAPrivateKey:
        if (label, bits) not in self._pool:
            self._pool[label, bits] = super().rsa_key(label, bits)
        return self._pool[label, bits]


@pytest.fixture(scope="session")
def at() -> datetime:
    return AT


@pytest.fixture(scope="session")
def authority() -> pki.Authority:
    return pki.create_authority(PooledKeys(1), at=AT)


@pytest.fixture(scope="session")
def issue(authority: pki.Authority) -> Callable[..., pki.Issued]:
    return partial(pki.issue, authority, at=AT)


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run openssl; bytes among the arguments become files."""
    binary = shutil.which("openssl")
    if binary is None:
        pytest.skip("needs the openssl command")

    def run(*arguments: str | bytes) -> subprocess.CompletedProcess[str]:
        words = [binary]
        for number, argument in enumerate(arguments):
            if isinstance(argument, bytes):
                path = tmp_path / f"argument-{number}.pem"
                path.write_bytes(argument)
                words.append(str(path))
            else:
                words.append(argument)
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)

    return run


@pytest.fixture(scope="session")
def facts() -> Callable[[pki.Issued], Certificate]:
    """Read a certificate back the way the server does."""
    return lambda issued: parse_certificate(issued.certificate.public_bytes(Encoding.DER))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox of today that tests read and leave as it is."""
    path = tmp_path_factory.mktemp("made") / "sandbox"
    assert create_sandbox(path, keys=SeededKeys(5), at=datetime.now(UTC))
    return path


@pytest.fixture
def sandbox(tmp_path: Path, made: Path) -> Path:
    """A sandbox that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "sandbox"))
