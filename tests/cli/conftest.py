"""What the commands are tried on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.seed import RandomKeys


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox, to be copied."""
    folder = tmp_path_factory.mktemp("commands") / "sandbox"
    create_sandbox(folder, keys=RandomKeys(), at=datetime.now(UTC))
    return folder
