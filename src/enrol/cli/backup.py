"""``enrol backup`` and ``restore``: the register in a file that can be kept elsewhere."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from enrol.adapters.clock import system_clock
from enrol.adapters.inventory import Inventory
from enrol.adapters.location import PostgresUrl
from enrol.cli.explain_options import AsJson
from enrol.cli.reported import reported
from enrol.cli.serve import ConfigOption
from enrol.settings import load_settings

_NOT_IN_IT: Final = (
    "Not in it: the settings, the keys, and the file of server.secret, without which the tokens "
    "and secrets of clients are worth nothing. Keep those, too."
)
_COUNTED: Final = {
    "clients": "clients",
    "client_history": "versions that ended",
    "ledger": "requests answered with a change",
    "audit_events": "audit events",
}


def backup(
    config: ConfigOption,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy the register into a file, beside a running server, and check the copy."""
    settings = load_settings(config)
    location = settings.migration_location
    with reported(as_json=as_json, io_code="backup_io"):
        if isinstance(location, PostgresUrl):
            from enrol.adapters.postgres.backup import back_up_postgres  # noqa: PLC0415

            held = back_up_postgres(location, target)
        else:
            from enrol.adapters.backup import back_up  # noqa: PLC0415

            with _progress(quiet=as_json) as told:
                held = back_up(location, target, progress=told)
    _tell(held, as_json=as_json, file=str(target))
    if not as_json:
        typer.echo(_NOT_IN_IT)


def restore(
    config: ConfigOption,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `enrol backup` wrote.")],
    *,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Set a SQLite register that is there aside, and begin."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the register of a backup, while no server has it, and check it."""
    settings = load_settings(config)
    location, kept = settings.migration_location, None
    with reported(as_json=as_json, io_code="backup_io"):
        if isinstance(location, PostgresUrl):
            from enrol.adapters.postgres.backup import restore_postgres  # noqa: PLC0415

            role = urlsplit(settings.storage.url or "").username
            held = restore_postgres(source, location, server_role=role)
        else:
            from enrol.adapters.backup import restore as restore_file  # noqa: PLC0415

            held, kept = restore_file(source, location, at=system_clock(), replace=replace)
    _tell(held, as_json=as_json, register=str(location), set_aside=str(kept) if kept else None)
    if not as_json:
        if kept is not None:
            typer.echo(f"The register that was there is {kept}.")
        typer.echo(f"Next: enrol audit verify --config {config}, then start the server.")


def _tell(held: Inventory, *, as_json: bool, **places: str | None) -> None:
    """Say what was counted, and the head of the audit trail, for who notes it elsewhere."""
    head = {"events": held.head.id, "hash": held.head.hash.hex()}
    if as_json:
        typer.echo(json.dumps({**places, **asdict(held), "head": head}))
        return
    for name, words in _COUNTED.items():
        typer.echo(f"{held.rows[name]:>12,}  {words}")
    typer.echo(f"The audit trail ends with event {head['events']}: {head['hash']}")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int], object]]:
    """Give out what shows a bar on a terminal."""
    columns = TextColumn("copying"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    hidden = quiet or not sys.stderr.isatty()
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=hidden
    ) as progress:
        task = progress.add_task("copying", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
