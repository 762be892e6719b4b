"""A server reached over TLS, with a password from a file of its own."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster import SERVER, running_cluster
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.database import open_to_write
from enrol.errors import ConfigurationError
from listening import Identity, issue

PASSWORD = "hunter2"


@dataclass(frozen=True)
class Guarded:
    """A server that wants TLS and a password: its URL, and the file of its CA."""

    url: str
    ca: Path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    own = issue("localhost")
    with running_cluster() as cluster:
        url = cluster.create_register().server_url.replace("127.0.0.1", "localhost")
        certificate, key = own.write(cluster.data, "tls")
        for path in (certificate, key):
            path.chmod(0o600)
            if cluster.user is not None:
                shutil.chown(path, cluster.user)
        cluster.sql(f"ALTER ROLE {SERVER} PASSWORD '{PASSWORD}'")
        allowed = cluster.data / "pg_hba.conf"
        rule = f"hostssl all {SERVER} 127.0.0.1/32 scram-sha-256\nhost all {SERVER} all reject\n"
        allowed.write_text(rule + allowed.read_text())
        cluster.stop()
        cluster.start(ssl="on", ssl_cert_file=str(certificate), ssl_key_file=str(key))
        yield Guarded(url, write(tmp_path_factory.mktemp("ca") / "ca.pem", own))


def write(path: Path, identity: Identity) -> Path:
    path.write_bytes(identity.pem)
    return path


@pytest.fixture
def password_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "passwords"
    path.touch(0o600)
    path.write_text(f"localhost:*:*:{SERVER}:{PASSWORD}\n")
    monkeypatch.setenv("PGPASSFILE", os.fspath(path))
    return path


def connect(url: str, ca: Path) -> list[tuple[bool]]:
    location = PostgresUrl(f"{url}?sslmode=verify-full&sslrootcert={ca}")
    with open_to_write(location) as connection:
        return connection.execute(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchall()


@pytest.mark.usefixtures("password_file")
@pytest.mark.parametrize("hosts", ["localhost:", "localhost:1,localhost:"])
def test_the_server_is_verified_and_gets_the_password_of_the_file(guarded, hosts):
    assert connect(guarded.url.replace("localhost:", hosts), guarded.ca) == [(True,)]


@pytest.mark.usefixtures("password_file")
def test_a_server_of_another_ca_is_not_believed(guarded, tmp_path):
    other = write(tmp_path / "other.pem", issue("localhost"))
    with pytest.raises(ConfigurationError, match="SSLCertVerificationError"):
        connect(guarded.url, other)


def test_without_the_password_nobody_is_let_in(guarded, password_file):
    password_file.write_text("elsewhere:*:*:nobody:nothing\n")
    with pytest.raises(ConfigurationError, match="does not let this role in"):
        connect(guarded.url, guarded.ca)
