"""Third-party data that lies beside a checkout and is never copied into it."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("ENROL_SHARED", Path(__file__).parents[2] / "shared"))


def shared(*parts: str) -> Path:
    """Return a path below the shared folder, or skip the test where there is none."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(
            f"needs the third-party data {'/'.join(parts)}, which is not beside this checkout"
        )
    return path


def vectors(*parts: str) -> Path:
    """Return a path below the vectors, or skip the test where there are none."""
    return shared("vectors", *parts)
