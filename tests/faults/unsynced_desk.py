"""The `enrol` command that does not wait for the disk: a power cut must be seen to hurt it."""

from unittest.mock import patch

from enrol.adapters import database
from enrol.cli import main

if __name__ == "__main__":
    with patch.dict(database._SETTINGS, {"synchronous": 1}):
        main()
