import pytest

from eidas.minting import Authority, mint_authority


@pytest.fixture(scope="session")
def qtsp() -> Authority:
    return mint_authority()
