"""The `enrol` command with a supervisor that waits a second where it would wait twenty."""

from dataclasses import replace
from unittest.mock import patch

from enrol.bootstrap import serving
from enrol.bootstrap.workers.line import Line
from enrol.cli import main

patience_of = serving.patience_of

if __name__ == "__main__":
    with (
        patch.object(serving, "patience_of", lambda s: replace(patience_of(s), silence=1.0)),
        patch.object(Line, "every", 0.2),
    ):
        main()
