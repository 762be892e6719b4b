"""What is installed beside the program."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder with the files for operators."""
    return Path(__file__).parents[2] / "deploy"
