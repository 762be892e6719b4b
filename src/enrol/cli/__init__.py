"""The command line: ``enrol``."""

from enrol.cli.main import main

__all__ = ["main"]
