"""How a server starts, and when it refuses to."""

import os
import subprocess
import sys
from pathlib import Path

from live.desk import Desk


def refusal(bank: Desk) -> tuple[int, str]:
    """Run a bank that does not start, at a port that is free; return its exit code and words."""
    done = subprocess.run(
        [sys.executable, *bank.program, "serve", "--config", str(bank.folder / "enrol.toml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"ENROL_SERVER_PORT": "0"},
    )
    return done.returncode, done.stderr


def test_a_register_that_is_missing_is_never_replaced_by_an_empty_one(
    desk: Desk, tmp_path: Path
) -> None:
    bank = desk.beside(tmp_path / "bank")
    with bank:
        assert bank.count_clients() == 0
        assert bank.stop() == 0
    for part in bank.folder.glob("enrol.db*"):
        if not part.name.endswith(".lock"):
            part.unlink()
    code, said = refusal(bank)
    assert code == 2
    assert "does not exist" in said
    assert not (bank.folder / "enrol.db").exists()


def test_a_second_server_on_the_same_register_is_refused(desk: Desk) -> None:
    code, said = refusal(desk)
    assert code == 2
    assert "in use by another process" in said
