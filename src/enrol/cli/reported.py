"""What goes wrong in a command: its message on stderr, for people or as JSON, and an exit code."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.errors import ConfigurationError

FAILURE: Final = 1
WRONG_USE: Final = 2


def report_settings(error: ConfigurationError) -> int:
    """Say what is wrong with settings or files, and return the exit code of that."""
    typer.secho(f"error: {error.detail}", err=True, fg="red" if sys.stderr.isatty() else None)
    return WRONG_USE


@contextmanager
def reported(*, as_json: bool, io_code: str) -> Iterator[None]:
    """Turn an error into its message and an exit code; `io_code` is that of files that fail."""
    try:
        yield
    except ListRefusedError as error:
        code, detail, status = error.code, str(error), FAILURE
    except ConfigurationError as error:
        code, detail, status = error.code, error.detail, WRONG_USE
    except OSError as error:
        code, status = io_code, FAILURE
        detail = f"{error.filename or 'A file'}: {error.strerror or 'input or output failed'}."
    else:
        return
    if as_json:
        typer.echo(json.dumps({"error": code, "detail": detail}, ensure_ascii=False), err=True)
    else:
        typer.echo(f"error: {detail}", err=True)
    raise typer.Exit(status)
