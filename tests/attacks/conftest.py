"""The banks that are attacked, and the host that a keyId may name."""

from collections.abc import Iterator

import pytest

from attacks.bank import KEY_HOSTS, Banks
from attacks.sink import Sink
from attacks.tokens import all_planted


@pytest.fixture(scope="session")
def banks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Banks]:
    """Banks by name; what attacks leave in one stays there for the attacks that follow."""
    folder = tmp_path_factory.mktemp("attacks")
    sink = Sink(folder, KEY_HOSTS)
    running = Banks(folder, sink, planted=all_planted)
    yield running
    running.close()
    sink.close()
