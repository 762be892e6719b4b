"""What every test leaves as it was."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from cluster import Cluster, running_cluster


@pytest.fixture(autouse=True)
def logging_left_as_it_was() -> Iterator[None]:
    """Undo what a command or a test configured: its stream may be closed afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of the tests' own."""
    with running_cluster() as running:
        yield running
