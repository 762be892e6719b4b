"""The `enrol` command by a clock that is set by hand.

The file ``clock`` in the sandbox's folder holds the seconds it is ahead of the machine's.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from enrol.adapters.clock import system_clock
from enrol.cli import main

CLOCK = "clock"


def run(folder: Path) -> None:
    """Be the `enrol` command for the sandbox in `folder`."""
    file = folder / CLOCK

    def clock() -> datetime:
        ahead = float(file.read_text() or 0) if file.exists() else 0.0
        return system_clock() + timedelta(seconds=ahead)

    with patch("enrol.cli.serve.system_clock", clock):
        main()


if __name__ == "__main__":
    run(Path(sys.argv[3]))  # clocked_desk.py sandbox up FOLDER
