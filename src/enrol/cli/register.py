"""``enrol register``: the EBA's register of payment institutions; imported, shown, searched."""

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import DownloadColumn

from enrol.adapters.clock import system_clock
from enrol.adapters.register.importing import import_register
from enrol.adapters.register.kept import KeptRegister, RegisterOverview
from enrol.adapters.register.source import RegisterSource
from enrol.cli.progress import progress
from enrol.eidas.authorities import letters
from enrol.eidas.organization import nca_id_of, number_of, parse_organization_identifier
from enrol.eidas.register import RegisterEntry, entries_named
from enrol.errors import CertificateError
from enrol.registration.entitlement import LONGEST_KEPT
from enrol.settings import load_settings

_FAILURE = 1

app = typer.Typer(
    name="register",
    help="The EBA's register of payment institutions: who is authorised, for which services.",
    no_args_is_help=True,
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The settings, a TOML file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The file of the EBA.")],
    config: ConfigOption,
    *,
    as_json: AsJson = False,
) -> None:
    """Read a file of the register and swap it in; a running server takes it up at once."""
    into = load_settings(config).register_path
    with progress("reading", DownloadColumn(), quiet=as_json) as told:
        report = import_register(file, into, at=system_clock(), progress=told)
    if not report.digest_checked and not as_json:
        typer.echo("The file came without its SHA-256, so it was not checked.", err=True)
    _show(into, as_json=as_json)


@app.command("refresh")
def refresh_command(config: ConfigOption, *, as_json: AsJson = False) -> None:
    """Fetch the latest file of the register, check its SHA-256, and swap it in."""
    settings = load_settings(config)
    source = RegisterSource(settings.register.metadata_url)
    with progress("fetching", DownloadColumn(), quiet=as_json) as told, source.fetch(told) as file:
        import_register(file, settings.register_path, at=system_clock(), progress=told)
    _show(settings.register_path, as_json=as_json)


@app.command("show")
def show_command(config: ConfigOption, *, as_json: AsJson = False) -> None:
    """Show of when the register is and how many institutions it holds."""
    _show(load_settings(config).register_path, as_json=as_json)


@app.command("find")
def find_command(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="WHAT", help="An organizationIdentifier, or a part of a name or number."
        ),
    ],
    config: ConfigOption,
    *,
    as_json: AsJson = False,
) -> None:
    """Find institutions; none is exit code 1."""
    at = system_clock()
    with closing(KeptRegister(load_settings(config).register_path)) as register:
        found = _find(register, wanted)
    if as_json:
        _print_json([_facts(entry, at) for entry in found])
    else:
        for entry in found:
            typer.echo(_line(entry, at))
    if not found:
        if not as_json:
            typer.echo("no such institution", err=True)
        raise typer.Exit(_FAILURE)


def _find(register: KeptRegister, wanted: str) -> tuple[RegisterEntry, ...]:
    """Return what an identifier leads to, as the desk does it, or what has a text in it."""
    try:
        identifier = parse_organization_identifier(wanted)
    except CertificateError:
        return register.search(wanted)
    number = number_of(identifier)
    named = register.numbered(letters(number))
    return entries_named(named, nca_id=nca_id_of(identifier), number=number)


def _show(path: Path, *, as_json: bool) -> None:
    with closing(KeptRegister(path)) as register:
        overview = register.overview()
    stale = system_clock() - overview.made_at > LONGEST_KEPT
    if as_json:
        _print_json(_overview_facts(overview, path, stale=stale))
        return
    typer.echo(f"{path}: of {overview.made_at:%Y-%m-%d %H:%M} UTC")
    for kind, count in sorted(overview.kept.items()):
        typer.echo(f"  {kind:9} {count:>6}")
    if stale:
        typer.echo("It is older than seven days: nobody is judged by it any more.", err=True)


def _overview_facts(overview: RegisterOverview, path: Path, *, stale: bool) -> dict[str, object]:
    return {
        "path": str(path),
        "made_at": overview.made_at.isoformat(),
        "stale": stale,
        "entities": overview.entities,
        "kept": overview.kept,
    }


def _facts(entry: RegisterEntry, at: datetime) -> dict[str, object]:
    return {
        "code": entry.code,
        "authority": entry.authority,
        "type": entry.entity_type.value,
        "name": entry.name,
        "reference": entry.reference,
        "authorised": entry.is_authorised(at.date()),
        "status_changes": [day.isoformat() for day in entry.status_changes],
        "services": {host: sorted(codes) for host, codes in entry.services},
    }


def _line(entry: RegisterEntry, at: datetime) -> str:
    status = "authorised" if entry.is_authorised(at.date()) else "withdrawn "
    name = "".join([each if each.isprintable() else "?" for each in entry.name])
    services = " ".join(sorted(entry.services_in(None)))
    return f"{status}  {entry.entity_type:8}  {entry.code:24}  {name}  {services}"


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
