import pytest

from eidas.answers import SERIAL
from eidas.minting import Authority, mint, mint_authority


@pytest.fixture(scope="session")
def qtsp() -> Authority:
    return mint_authority()


@pytest.fixture
def leaf(qtsp) -> bytes:
    """A certificate that is asked about."""
    return mint(qtsp, serial_number=SERIAL)
