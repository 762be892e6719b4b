"""Programs around foreign libraries: what they need installed, and how they are run."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PEERS_PYTHON = HERE.parents[1] / ".peers" / "bin" / "python"
_INSTALLED = HERE / "node_modules" / ".package-lock.json"


def need(*commands: str) -> None:
    """Skip the test where a command is missing."""
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"needs the command {command}, which is not installed")


def install_node_packages() -> None:
    """Install what package-lock.json names, where that has not been done since it changed."""
    lock = HERE / "package-lock.json"
    if not _INSTALLED.exists() or _INSTALLED.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True
        )


def path() -> str:
    """Return where commands are looked for."""
    return os.environ.get("PATH", os.defpath)


def run(*command: str | Path, stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Return what a program printed; one that fails fails the test with its own words."""
    ended = subprocess.run(
        command,
        input=stdin,
        env=os.environ | (environment or {}),
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def ask(*command: str | Path, given: Mapping[str, Any]) -> Any:
    """Run a program that takes JSON and prints JSON."""
    return json.loads(run(*command, stdin=json.dumps(given)))
