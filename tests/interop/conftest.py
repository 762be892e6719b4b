"""Banks for signers and clients that Enrol's makers did not write."""

from collections.abc import Callable, Iterator

import pytest

from interop import programs
from live.desk import Desk
from live.party import Pair, Party

ACME = "PSDFR-ACPR-12345"


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js with the packages of package-lock.json."""
    programs.need("node", "npm")
    programs.install_node_packages()
    return "node"


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that speaks STET."""
    with Desk(tmp_path_factory.mktemp("bank") / "sandbox") as running:
        yield running


@pytest.fixture(scope="session")
def plain_bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that speaks plain RFC 7591."""
    folder = tmp_path_factory.mktemp("plain-bank") / "sandbox"
    with Desk(folder, settings={"registration.dialect": "rfc7591"}) as running:
        yield running


@pytest.fixture(scope="session")
def tpp_of() -> Callable[[Desk], Party]:
    """Make the TPP that comes with a bank's sandbox."""

    def make(desk: Desk) -> Party:
        tpp = desk.folder / "tpp"
        qwac = Pair(tpp / "qwac.pem", tpp / "qwac.key")
        qsealc = Pair(tpp / "qsealc.pem", tpp / "qsealc.key")
        return Party(desk.port, desk.folder / "server-ca.pem", ACME, qwac, qsealc)

    return make
