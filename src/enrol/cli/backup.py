"""``enrol backup`` and ``restore``: the register in a file that can be kept elsewhere."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

import typer
from rich.progress import TaskProgressColumn

from enrol.adapters.clock import system_clock
from enrol.adapters.control.peers import account_of
from enrol.adapters.files import sha256_of
from enrol.adapters.inventory import Inventory
from enrol.adapters.location import PostgresUrl
from enrol.adapters.restoring import Occasion, Restoration
from enrol.cli.explain_options import AsJson
from enrol.cli.progress import progress
from enrol.cli.reported import reported
from enrol.cli.serve import ConfigOption
from enrol.errors import ConfigurationError
from enrol.settings import Settings, load_settings

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

            with progress("copying", TaskProgressColumn(), quiet=as_json) as told:
                held = back_up(location, target, progress=told)
        digest = sha256_of(target)
    _tell(held, as_json=as_json, file=str(target), sha256=digest)
    if not as_json:
        typer.echo(_NOT_IN_IT)


def restore(
    config: ConfigOption,
    source: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="What `enrol backup` wrote.")
    ] = None,
    *,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Set a SQLite register that is there aside, and begin."),
    ] = False,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place", help="The register was restored by other means: go on with it as it is."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the register of a backup, while no server has it, and check it."""
    settings = load_settings(config)
    with reported(as_json=as_json, io_code="backup_io"):
        occasion = Occasion(account_of(os.geteuid()), system_clock(), settings.seen_head)
        if (source is None) != in_place or (replace and in_place):
            raise ConfigurationError(
                "restore_of_nothing", "Give a FILE, with --replace or without, or --in-place."
            )
        done = _restored(settings, source, occasion, replace=replace)
    location = str(settings.migration_location)
    aside = str(done.aside) if done.aside else None
    _tell(done.held, as_json=as_json, register=location, set_aside=aside, goes_on=done.head.id)
    if not as_json:
        if aside is not None:
            typer.echo(f"What was there is {aside}.")
        typer.echo(f"It goes on with event {done.head.id}, so that no number is given twice.")
        typer.echo(f"Next: enrol audit verify --config {config}, then start the server.")


def _restored(
    settings: Settings, source: Path | None, occasion: Occasion, *, replace: bool
) -> Restoration:
    """Restore of a file, or as it is without one, whichever database it is in."""
    location = settings.migration_location
    if isinstance(location, PostgresUrl):
        from enrol.adapters.postgres import backup as dumps  # noqa: PLC0415

        if source is None:
            return dumps.restored_in_place_postgres(location, occasion)
        role = unquote(urlsplit(settings.storage.url or "").username or "")
        return dumps.restore_postgres(source, location, occasion, server_role=role or None)
    from enrol.adapters import restore as files  # noqa: PLC0415

    if source is None:
        return files.restored_in_place(location, occasion)
    return files.restore(source, location, occasion, replace=replace)


def _tell(held: Inventory, *, as_json: bool, **beside: str | int | None) -> None:
    """Say what was counted, and the head of the audit trail, for who notes it elsewhere."""
    head = {"events": held.head.id, "hash": held.head.hash.hex()}
    if as_json:
        typer.echo(json.dumps({**beside, **asdict(held), "head": head}))
        return
    if "sha256" in beside:
        typer.echo(f"SHA-256 of the file: {beside['sha256']}")
    for name, words in _COUNTED.items():
        typer.echo(f"{held.rows[name]:>12,}  {words}")
    typer.echo(f"The audit trail ends with event {head['events']}: {head['hash']}")
